//! What nobody else hears of goes to the logger `aiomysql.pool`, as a warning.

use pyo3::exceptions::asyncio::CancelledError;
use pyo3::intern;
use pyo3::prelude::*;

/// Logs a text with `%s` for an error; that something was cancelled, as at the end of a program,
/// is none.
pub fn log(py: Python<'_>, text: &str, error: PyErr) -> PyResult<()> {
    if error.is_instance_of::<CancelledError>(py) {
        return Ok(());
    }
    py.import(intern!(py, "aiomysql.log"))?
        .getattr(intern!(py, "pool_logger"))?
        .call_method1(intern!(py, "warning"), (text, error.into_value(py)))
        .map(drop)
}
