//! Which Python object a row becomes.

use mysql_async::{Column, Value};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use pyo3::{PyTraverseError, PyVisit, ffi};

use crate::decode::{DecodeOptions, DictKeys, RowPlan};

/// What each row is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Tuples,
    Dicts,
}

/// What a cursor asks of the rows that it reads.
pub struct Reading {
    pub decode: DecodeOptions,
    pub shape: Shape,
    /// JSON columns become the objects that they describe.
    pub json: bool,
}

/// Makes Python rows of one result set's rows.
pub struct RowMaker {
    plan: RowPlan,
    keys: Option<DictKeys>,
    json: bool,
}

impl RowMaker {
    pub fn new(py: Python<'_>, columns: &[Column], reading: &Reading) -> PyResult<Self> {
        let keys = match reading.shape {
            Shape::Tuples => None,
            Shape::Dicts => Some(DictKeys::new(py, columns, &reading.decode.codec)?),
        };
        Ok(Self {
            plan: RowPlan::new(py, columns, &reading.decode, reading.json)?,
            keys,
            json: reading.json,
        })
    }

    pub fn make(&self, py: Python<'_>, cells: &[Option<Value>]) -> PyResult<Py<PyAny>> {
        Ok(match &self.keys {
            None => self.plan.decode_tuple(py, cells)?.into_any().unbind(),
            Some(keys) => self.plan.decode_dict(py, cells, keys)?.into_any().unbind(),
        })
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.plan.traverse(visit)
    }

    /// All rows of a set, in the container that upstream's cursors give: a tuple of plain rows,
    /// a list of converted ones, and an empty tuple where there are none.
    pub fn collect(&self, py: Python<'_>, rows: Vec<Py<PyAny>>) -> PyResult<Py<PyAny>> {
        if rows.is_empty() {
            return Ok(PyTuple::empty(py).into_any().unbind());
        }
        if self.keys.is_some() || self.json {
            return Ok(PyList::new(py, rows)?.into_any().unbind());
        }
        let rows = PyTuple::new(py, rows)?;
        if self.plan.is_atomic() {
            // SAFETY: a tuple, and new. The collector would untrack it itself, as it does every
            // tuple of untracked ones, after it has looked at each of them.
            unsafe { ffi::PyObject_GC_UnTrack(rows.as_ptr().cast()) };
        }
        Ok(rows.into_any().unbind())
    }
}
