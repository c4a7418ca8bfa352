//! The native half of aiomysql. ARCHITECTURE.md says where each behaviour lives.

#[cfg(not(test))]
mod allocator;
mod awaitable;
mod charset;
mod connection;
mod cursor;
mod decode;
mod encode;
mod errors;
#[cfg(test)]
mod fuzz;
mod hooks;
mod local_infile;
mod panics;
mod pool;
mod result;
mod runtime;
mod tls;

/// What benches/*.rs measure; no interface of the crate.
#[doc(hidden)]
pub mod measured {
    pub use crate::charset::Codec;
    pub use crate::decode::{Converters, DecodeOptions, DictKeys, RowPlan, remember_originals};
    pub use crate::encode::{Batches, BulkInsert, Dialect, interpolate};
}

use pyo3::prelude::*;

/// A query is some seventy small allocations: mimalloc makes them for a third of the instructions.
/// The tests do without it, so that valgrind sees each block.
#[cfg(not(test))]
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

// PyO3 would say that the module does without the GIL, which nobody has tried.
#[pymodule(gil_used = true)]
mod _native {
    use super::*;

    #[pymodule_export]
    use crate::awaitable::{ContextManager, Operation, Ready, Resolved, Waiter};
    #[pymodule_export]
    use crate::connection::Connection;
    #[pymodule_export]
    use crate::cursor::{BulkInsertion, Cursor};
    #[pymodule_export]
    use crate::decode::Field;
    #[pymodule_export]
    use crate::decode::samples::{decode_cell, decode_rows, describe_fields};
    #[pymodule_export]
    use crate::encode::python::{
        bulk_insert_parts, bulk_insert_statements, escape_value, interpolate,
    };
    #[pymodule_export]
    use crate::hooks::remember_hooks;
    #[pymodule_export]
    use crate::pool::Pool;
    #[pymodule_export]
    use crate::result::ResultSet;
    #[pymodule_export]
    use crate::runtime::Driver;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::runtime::fork::watch();
        crate::panics::install_hook();
        crate::awaitable::install(module.py());
        crate::tls::install_provider();
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        crate::decode::remember_originals(module.py())
    }
}
