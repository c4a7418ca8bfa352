//! Cursors: one statement's way to the server and its rows' way back.

mod bulk;
mod execute;
mod fetch;
mod iterate;
mod object;
mod stream;

pub use bulk::BulkInsertion;
pub use object::Cursor;
