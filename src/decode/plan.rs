//! One result set's decoders, and the rows that they make.

use mysql_async::consts::ColumnType;
use mysql_async::{Column, Row, Value};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit, ffi};

use super::binary;
use super::column::Decoder;
use super::converters::Converters;
use super::dict_keys::DictKeys;
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

/// A row's cells, wherever they are kept.
pub trait Cells {
    fn count(&self) -> usize;
    fn cell(&self, index: usize) -> Option<&Value>;
}

impl Cells for Row {
    fn count(&self) -> usize {
        self.len()
    }

    fn cell(&self, index: usize) -> Option<&Value> {
        self.as_ref(index)
    }
}

impl Cells for [Value] {
    fn count(&self) -> usize {
        self.len()
    }

    fn cell(&self, index: usize) -> Option<&Value> {
        self.get(index)
    }
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
                let mut decoder = Decoder::choose(py, column, text.as_ref(), &options.converters)?;
                if deserialize_json && field_type == ColumnType::MYSQL_TYPE_JSON {
                    decoder = decoder.deserialize_json(py)?;
                }
                atomic &= decoder.is_atomic(py)?;
                Ok((decoder, field_type))
            })
            .collect::<PyResult<_>>()?;
        Ok(Self { columns, atomic })
    }

    pub fn decode_tuple<'py>(
        &self,
        py: Python<'py>,
        row: &(impl Cells + ?Sized),
    ) -> PyResult<Bound<'py, PyTuple>> {
        self.check_width(row)?;
        if self.columns.is_empty() {
            return Ok(PyTuple::empty(py));
        }
        // SAFETY: the tuple is new and ours alone. It is hidden from the garbage collector while
        // it is filled, so that no code that a decoder runs can find it with items missing; each
        // of its items is set once, to a reference that we own, and an early return drops a tuple
        // whose missing items are null, as its destructor allows. Without items that could be
        // part of a cycle it stays hidden: the collector itself untracks such tuples when it
        // meets them, and a tuple's items never change.
        unsafe {
            let size = self.columns.len() as ffi::Py_ssize_t;
            let tuple = Bound::from_owned_ptr_or_err(py, ffi::PyTuple_New(size))?;
            let pointer = tuple.as_ptr();
            ffi::PyObject_GC_UnTrack(pointer.cast());
            for (index, column) in self.columns.iter().enumerate() {
                let object = decode_cell(py, column, row.cell(index))?;
                ffi::PyTuple_SET_ITEM(pointer, index as ffi::Py_ssize_t, object.into_ptr());
            }
            if !self.atomic {
                ffi::PyObject_GC_Track(pointer.cast());
            }
            Ok(tuple.cast_into_unchecked())
        }
    }

    pub fn decode_dict<'py>(
        &self,
        py: Python<'py>,
        row: &(impl Cells + ?Sized),
        keys: &DictKeys,
    ) -> PyResult<Bound<'py, PyDict>> {
        self.check_width(row)?;
        debug_assert_eq!(keys.names().len(), self.columns.len());
        let dict = keys.new_dict(py)?;
        for ((index, column), key) in self.columns.iter().enumerate().zip(keys.names()) {
            dict.set_item(key, decode_cell(py, column, row.cell(index))?)?;
        }
        Ok(dict)
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.columns
            .iter()
            .try_for_each(|(decoder, _)| decoder.traverse(visit))
    }

    fn check_width(&self, row: &(impl Cells + ?Sized)) -> PyResult<()> {
        if row.count() == self.columns.len() {
            return Ok(());
        }
        let (cells, columns) = (row.count(), self.columns.len());
        Err(PyValueError::new_err(format!(
            "a row of {cells} cells in a result set of {columns} columns"
        )))
    }
}

#[inline]
fn decode_cell<'py>(
    py: Python<'py>,
    (decoder, field_type): &(Decoder, ColumnType),
    value: Option<&Value>,
) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Some(Value::Bytes(text)) => decoder.decode(py, text),
        Some(Value::NULL) | None => Ok(py.None().into_bound(py)),
        Some(value) => match binary::as_text(value, *field_type) {
            Some(text) => decoder.decode(py, &text),
            None => Ok(py.None().into_bound(py)),
        },
    }
}
