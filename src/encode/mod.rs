//! Python values as SQL text: literals, `%` interpolation and bulk INSERTs. Nothing here knows of
//! sockets or connections.

mod batches;
mod bulk_insert;
mod defaults;
mod escape;
mod float;
pub(crate) mod interpolate;
mod literal;
pub(crate) mod python;
mod sequence;
mod template;
mod temporal;
mod text;
mod tokens;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::charset::Codec;

// The connection and the cursor are the callers of what nothing uses yet.
#[allow(unused_imports)]
pub use batches::{Batch, Batches};
pub use bulk_insert::BulkInsert;
pub use interpolate::interpolate;
#[allow(unused_imports)]
pub use literal::{escape_value, literal};

/// What decides how a value is spelt on one connection.
#[derive(Clone, Copy)]
pub struct Dialect<'a, 'py> {
    pub codec: &'a Codec,
    /// The server's sql_mode holds NO_BACKSLASH_ESCAPES: a backslash is an ordinary character.
    pub no_backslash_escapes: bool,
    /// The connection's `encoders`, normally `pymysql.converters.encoders` itself.
    pub encoders: &'a Bound<'py, PyDict>,
}
