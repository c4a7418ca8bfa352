//! What a cursor tells of its columns: PEP 249's `description`.

use mysql_async::Column;
use mysql_async::consts::{ColumnFlags, ColumnType};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::charset::Codec;

/// One 7-tuple for each column.
pub fn description<'py>(
    py: Python<'py>,
    columns: &[Column],
    codec: &Codec,
) -> PyResult<Bound<'py, PyTuple>> {
    let entries = columns
        .iter()
        .map(|column| describe(py, column, codec))
        .collect::<PyResult<Vec<_>>>()?;
    PyTuple::new(py, entries)
}

/// `(name, type_code, display_size, internal_size, precision, scale, null_ok)`; the display size
/// is not known, and the precision has always been reported as the internal size.
pub fn describe<'py>(
    py: Python<'py>,
    column: &Column,
    codec: &Codec,
) -> PyResult<Bound<'py, PyTuple>> {
    let size = internal_size(column);
    (
        codec.decode_escaped(py, column.name_ref())?,
        column.column_type() as u8,
        py.None(),
        size,
        size,
        column.decimals(),
        !column.flags().contains(ColumnFlags::NOT_NULL_FLAG),
    )
        .into_pyobject(py)
}

/// The column's length: in characters for a VARCHAR of the collations whose character length
/// PyMySQL knows, else as the server counts it.
pub fn internal_size(column: &Column) -> u32 {
    let length = column.column_length();
    if column.column_type() != ColumnType::MYSQL_TYPE_VAR_STRING {
        return length;
    }
    match column.character_set() {
        33 => length / 3,
        88 | 91 => length / 2,
        _ => length,
    }
}
