//! Pools: who may have a connection, in what order, and when one is opened or dropped.
//!
//! The connections themselves are kept in two Python containers that applications look at,
//! `_free` (a deque) and `_used` (a set); the queue of those who wait is ours.

mod acquire;
mod health;
mod hook;
mod log;
mod object;
mod opening;
mod policy;
mod queue;
mod release;
mod rest;
mod shutdown;
mod stats;
mod upkeep;

pub use object::Pool;
