//! Connections: how one is opened, who may use it, what runs on it, and how it ends.

mod backlog;
mod cancel;
mod command;
mod farewell;
mod limits;
mod link;
mod object;
mod observer;
mod open;
mod options;
mod single;
mod socket;
mod statements;
mod wire;

pub use command::{Statement, perform, ping, run, with_lease};
pub use limits::Limits;
pub use link::{Facts, Lease, Link, Pending, now};
pub use object::Connection;
pub use observer::observed;
pub use options::Options;
