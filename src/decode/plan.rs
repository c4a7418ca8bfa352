//! One result set's decoders, and the rows that they make.

use mysql_async::consts::ColumnType;
use mysql_async::{Column, Value};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit, ffi};

use super::binary;
use super::column::{Decoder, Json, decoder};
use super::converters::Converters;
use super::dict_keys::DictKeys;
use super::object::Object;
use super::text::TextCodec;
use crate::charset::Codec;

/// What a connection says about decoding.
pub struct DecodeOptions {
    pub codec: Codec,
    /// False: text stays bytes.
    pub use_unicode: bool,
    pub converters: Converters,
}

/// How the rows of one result set are decoded.
pub struct RowPlan {
    columns: Vec<(Decoder, ColumnType)>,
    /// No object that the decoders make takes part in garbage collection.
    atomic: bool,
}

impl RowPlan {
    /// `deserialize_json`: documents of JSON columns become the objects that they describe.
    pub fn new(
        py: Python<'_>,
        columns: &[Column],
        options: &DecodeOptions,
        deserialize_json: bool,
    ) -> PyResult<Self> {
        let text = match options.use_unicode {
            true => Some(TextCodec::new(&options.codec)?),
            false => None,
        };
        let mut atomic = true;
        let columns = columns
            .iter()
            .map(|column| {
                let field_type = column.column_type();
                let mut decoder = decoder(py, column, text.as_ref(), &options.converters)?;
                if deserialize_json && field_type == ColumnType::MYSQL_TYPE_JSON {
                    decoder = Box::new(Json::new(py, decoder)?);
                }
                atomic &= decoder.is_atomic(py);
                Ok((decoder, field_type))
            })
            .collect::<PyResult<_>>()?;
        Ok(Self { columns, atomic })
    }

    /// Whether its tuples are hidden from the garbage collector: nothing in them can be part of a
    /// cycle.
    pub fn is_atomic(&self) -> bool {
        self.atomic
    }

    /// `cells`: a row as mysql_async keeps it; what is missing is NULL.
    #[inline]
    pub fn decode_tuple<'py>(
        &self,
        py: Python<'py>,
        cells: &[Option<Value>],
    ) -> PyResult<Bound<'py, PyTuple>> {
        self.check_width(cells)?;
        if cells.is_empty() {
            return Ok(PyTuple::empty(py));
        }
        // SAFETY: the tuple is new and ours alone. It is hidden from the garbage collector while
        // it is filled, so that no code that a decoder runs can find it with items missing; each
        // of its items is set once, to a reference that we own, and an early return drops a tuple
        // whose missing items are null, as its destructor allows. Without items that could be
        // part of a cycle it stays hidden: the collector itself untracks such tuples when it
        // meets them, and a tuple's items never change.
        unsafe {
            let tuple = Bound::from_owned_ptr_or_err(py, ffi::PyTuple_New(cells.len() as _))?;
            let pointer = tuple.as_ptr();
            ffi::PyObject_GC_UnTrack(pointer.cast());
            for (index, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
                let Some(object) = decode_cell(py, column, cell) else {
                    return Err(PyErr::fetch(py));
                };
                ffi::PyTuple_SET_ITEM(pointer, index as _, object.into_ptr());
            }
            if !self.atomic {
                ffi::PyObject_GC_Track(pointer.cast());
            }
            Ok(tuple.cast_into_unchecked())
        }
    }

    #[inline]
    pub fn decode_dict<'py>(
        &self,
        py: Python<'py>,
        cells: &[Option<Value>],
        keys: &DictKeys,
    ) -> PyResult<Bound<'py, PyDict>> {
        self.check_width(cells)?;
        debug_assert_eq!(keys.names().len(), self.columns.len());
        let dict = keys.new_dict(py)?;
        for ((column, cell), key) in self.columns.iter().zip(cells).zip(keys.names()) {
            let Some(object) = decode_cell(py, column, cell) else {
                return Err(PyErr::fetch(py));
            };
            // SAFETY: a dictionary, a string and an object, all alive.
            let set = unsafe { ffi::PyDict_SetItem(dict.as_ptr(), key.as_ptr(), object.as_ptr()) };
            if set != 0 {
                return Err(PyErr::fetch(py));
            }
        }
        Ok(dict)
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.columns
            .iter()
            .try_for_each(|(decoder, _)| decoder.traverse(visit))
    }

    #[inline]
    fn check_width(&self, cells: &[Option<Value>]) -> PyResult<()> {
        match cells.len() == self.columns.len() {
            true => Ok(()),
            false => Err(wrong_width(cells.len(), self.columns.len())),
        }
    }
}

#[cold]
fn wrong_width(cells: usize, columns: usize) -> PyErr {
    PyValueError::new_err(format!(
        "a row of {cells} cells in a result set of {columns} columns"
    ))
}

#[inline(always)]
fn decode_cell<'py>(
    py: Python<'py>,
    (decoder, field_type): &(Decoder, ColumnType),
    cell: &Option<Value>,
) -> Object<'py> {
    if let Some(Value::Bytes(text)) = cell {
        return decoder.decode(py, text);
    }
    match cell {
        Some(Value::NULL) | None => Some(py.None().into_bound(py)),
        Some(value) => decode_binary(py, decoder, *field_type, value),
    }
}

#[cold]
fn decode_binary<'py>(
    py: Python<'py>,
    decoder: &Decoder,
    field_type: ColumnType,
    value: &Value,
) -> Object<'py> {
    match binary::as_text(value, field_type) {
        Some(text) => decoder.decode(py, &text),
        None => Some(py.None().into_bound(py)),
    }
}
