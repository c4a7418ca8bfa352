//! Pools: who may have a connection, in what order, and when one is opened or dropped.
//!
//! The connections themselves are kept in two Python containers that applications look at,
//! `_free` (a deque) and `_used` (a set); the queue of those who wait is ours.

mod acquire;
mod health;
mod object;
mod opening;
mod queue;
mod rest;

pub use object::Pool;
