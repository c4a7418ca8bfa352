//! Decoding without a server, for the tests.

use mysql_async::{Column, Value};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::field::{self, Field};
use super::{Converters, DecodeOptions, DictKeys, RowPlan, description};
use crate::charset::Codec;

/// The object that one cell of the text protocol becomes. `converters` defaults to PyMySQL's.
#[pyfunction]
#[pyo3(signature = (type_code, charsetnr, flags, data, *, codec="utf-8", use_unicode=true,
                    converters=None, deserialize_json=false))]
#[expect(
    clippy::too_many_arguments,
    reason = "a column, a cell and a connection's settings"
)]
pub fn decode_cell<'py>(
    py: Python<'py>,
    type_code: u8,
    charsetnr: u16,
    flags: u16,
    data: Option<Vec<u8>>,
    codec: &str,
    use_unicode: bool,
    converters: Option<Bound<'py, PyAny>>,
    deserialize_json: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let columns = [field::column(type_code, charsetnr, flags)?];
    let options = options(py, codec, use_unicode, converters)?;
    let plan = RowPlan::new(py, &columns, &options, deserialize_json)?;
    plan.decode_tuple(py, &[data.map(Value::Bytes)])?
        .get_item(0)
}

/// Rows of the text protocol as tuples, or as dictionaries.
#[pyfunction]
#[pyo3(signature = (fields, rows, *, as_dict=false, codec="utf-8", use_unicode=true,
                    converters=None, deserialize_json=false))]
#[expect(
    clippy::too_many_arguments,
    reason = "a result set and a connection's settings"
)]
pub fn decode_rows<'py>(
    py: Python<'py>,
    fields: Vec<PyRef<'py, Field>>,
    rows: Vec<Vec<Option<Vec<u8>>>>,
    as_dict: bool,
    codec: &str,
    use_unicode: bool,
    converters: Option<Bound<'py, PyAny>>,
    deserialize_json: bool,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let columns: Vec<Column> = fields.iter().map(|field| field.column().clone()).collect();
    let options = options(py, codec, use_unicode, converters)?;
    let plan = RowPlan::new(py, &columns, &options, deserialize_json)?;
    let keys = DictKeys::new(py, &columns, &options.codec)?;
    rows.into_iter()
        .map(|row| {
            let cells: Vec<_> = row.into_iter().map(|cell| cell.map(Value::Bytes)).collect();
            if as_dict {
                plan.decode_dict(py, &cells, &keys).map(Bound::into_any)
            } else {
                plan.decode_tuple(py, &cells).map(Bound::into_any)
            }
        })
        .collect()
}

/// PEP 249's description of these fields.
#[pyfunction]
#[pyo3(signature = (fields, *, codec="utf-8"))]
pub fn describe_fields<'py>(
    py: Python<'py>,
    fields: Vec<PyRef<'py, Field>>,
    codec: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let columns: Vec<Column> = fields.iter().map(|field| field.column().clone()).collect();
    Ok(description(py, &columns, &Codec::lookup(py, codec)?)?.into_any())
}

fn options(
    py: Python<'_>,
    codec: &str,
    use_unicode: bool,
    converters: Option<Bound<'_, PyAny>>,
) -> PyResult<DecodeOptions> {
    let mapping = match converters {
        Some(mapping) => mapping,
        None => py
            .import("pymysql.converters")?
            .getattr("decoders")?
            .cast_into::<PyDict>()?
            .into_any(),
    };
    Ok(DecodeOptions {
        codec: Codec::lookup(py, codec)?,
        use_unicode,
        converters: Converters::new(&mapping),
    })
}
