//! The encoders as Python functions.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::{Batches, BulkInsert, Dialect};
use crate::charset::Codec;

/// The literal for `value` as text: what `Connection.escape` returns.
#[pyfunction]
pub fn escape_value<'py>(
    value: &Bound<'py, PyAny>,
    encoders: &Bound<'py, PyDict>,
    codec_name: &str,
    no_backslash_escapes: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let codec = Codec::lookup(value.py(), codec_name)?;
    super::escape_value(
        value,
        &Dialect {
            codec: &codec,
            no_backslash_escapes,
            encoders,
        },
    )
}

/// `query` with the literals of `args` in it, as bytes for the server.
#[pyfunction]
pub fn interpolate<'py>(
    query: &Bound<'py, PyAny>,
    args: &Bound<'py, PyAny>,
    encoders: &Bound<'py, PyDict>,
    codec_name: &str,
    no_backslash_escapes: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let codec = Codec::lookup(query.py(), codec_name)?;
    let dialect = Dialect {
        codec: &codec,
        no_backslash_escapes,
        encoders,
    };
    Ok(PyBytes::new(
        query.py(),
        &super::interpolate(query, args, &dialect)?,
    ))
}

/// The prefix, row and postfix of an INSERT that takes many rows at once; None for any other.
#[pyfunction]
pub fn bulk_insert_parts(query: &str) -> Option<(String, String, String)> {
    BulkInsert::parse(query).map(|insert| (insert.prefix, insert.values, insert.postfix))
}

/// The statements, each with its number of rows, that insert `rows`.
#[pyfunction]
pub fn bulk_insert_statements<'py>(
    parts: (String, String, String),
    rows: &Bound<'py, PyAny>,
    encoders: &Bound<'py, PyDict>,
    codec_name: &str,
    no_backslash_escapes: bool,
    max_stmt_length: usize,
) -> PyResult<Vec<(Bound<'py, PyBytes>, usize)>> {
    let py = rows.py();
    let codec = Codec::lookup(py, codec_name)?;
    let dialect = Dialect {
        codec: &codec,
        no_backslash_escapes,
        encoders,
    };
    let (prefix, values, postfix) = parts;
    let insert = BulkInsert {
        prefix,
        values,
        postfix,
    };
    let mut batches = Batches::new(&insert, rows, max_stmt_length, &dialect)?;
    let mut statements = Vec::new();
    while let Some(batch) = batches.next(py, &dialect)? {
        statements.push((PyBytes::new(py, &batch.sql), batch.rows));
    }
    Ok(statements)
}
