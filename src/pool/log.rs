//! What nobody else hears of goes to the logger `aiomysql.pool`, as a warning.

use pyo3::intern;
use pyo3::prelude::*;

/// Logs a text with `%s` for an error.
pub fn log(py: Python<'_>, text: &str, error: PyErr) -> PyResult<()> {
    py.import(intern!(py, "aiomysql.log"))?
        .getattr(intern!(py, "pool_logger"))?
        .call_method1(intern!(py, "warning"), (text, error.into_value(py)))
        .map(drop)
}
