//! Cursors: one statement's way to the server and its rows' way back.

mod execute;
mod fetch;
mod object;

pub use object::Cursor;
