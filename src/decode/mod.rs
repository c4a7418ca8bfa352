//! From the server's cells to Python objects. Nothing here knows of sockets or connections.

mod binary;
mod column;
mod converters;
mod decimal;
mod description;
mod dict_keys;
pub(crate) mod field;
mod number;
mod object;
mod plan;
pub mod samples;
mod temporal;
mod text;
mod wide;

pub use converters::{Converters, remember_originals};
pub use description::description;
pub use dict_keys::DictKeys;
pub use field::Field;
pub use plan::{DecodeOptions, RowPlan};
