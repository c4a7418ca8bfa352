//! Result sets: what the server answered to one statement, and its rows as Python objects.

mod reader;
mod result_set;
mod rows;

pub use reader::{advance, drain, open_stream, read_more, read_set};
pub use result_set::ResultSet;
pub use rows::{Reading, RowMaker, Shape};

/// Rows between two returns to the event loop: about a millisecond's work.
const ROWS_PER_BATCH: usize = 1000;
