//! Fetching rows: at once from those that have arrived, over the network where they are streamed.

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PySequence, PyTuple};

use super::object::Cursor;
use crate::awaitable::Ready;
use crate::errors::Error;

impl Cursor {
    fn buffered<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PySequence>>> {
        self.check_executed()?;
        match &self.rows {
            Some(rows) => Ok(Some(rows.bind(py).cast::<PySequence>()?.clone())),
            None => Ok(None),
        }
    }

    /// The next row of a buffered result, or None; the cursor moves on.
    pub(super) fn take_row<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.check_executed()?;
        let Some(rows) = &self.rows else {
            return Ok(None);
        };
        let rows = rows.bind(py);
        let row = if let Ok(rows) = rows.cast::<PyTuple>() {
            rows.get_item(self.rownumber).ok()
        } else if let Ok(rows) = rows.cast::<PyList>() {
            rows.get_item(self.rownumber).ok()
        } else if self.rownumber < rows.len()? {
            Some(rows.get_item(self.rownumber)?)
        } else {
            None
        };
        self.rownumber += usize::from(row.is_some());
        Ok(row)
    }
}

#[pymethods]
impl Cursor {
    /// An awaitable of the next row, or of None.
    fn _fetchone(&mut self, py: Python<'_>) -> PyResult<Ready> {
        let row = self.take_row(py)?;
        Ok(Ready::new(row.map_or_else(|| py.None(), Bound::unbind)))
    }

    /// An awaitable of the next `size` rows; of `arraysize` where it is None or 0.
    fn _fetchmany(&mut self, py: Python<'_>, size: Option<usize>) -> PyResult<Ready> {
        let Some(rows) = self.buffered(py)? else {
            return Ok(Ready::new(PyList::empty(py).into_any().unbind()));
        };
        let count = size.filter(|size| *size != 0).unwrap_or(self.arraysize);
        let length = rows.len()?;
        let end = self.rownumber.saturating_add(count).min(length);
        let taken = rows.get_slice(self.rownumber.min(length), end)?;
        self.rownumber = end;
        Ok(Ready::new(taken.into_any().unbind()))
    }

    /// An awaitable of all rows that are left.
    fn _fetchall(&mut self, py: Python<'_>) -> PyResult<Ready> {
        let Some(rows) = self.buffered(py)? else {
            return Ok(Ready::new(PyList::empty(py).into_any().unbind()));
        };
        let length = rows.len()?;
        let taken = if self.rownumber == 0 {
            rows
        } else {
            rows.get_slice(self.rownumber.min(length), length)?
        };
        self.rownumber = length;
        Ok(Ready::new(taken.into_any().unbind()))
    }

    /// Moves within the rows of a buffered result; an awaitable of None.
    fn _scroll(&mut self, py: Python<'_>, value: isize, mode: &str) -> PyResult<Ready> {
        let length = match self.buffered(py)? {
            Some(rows) => rows.len()?,
            None => 0,
        };
        let target = match mode {
            "relative" => isize::try_from(self.rownumber)
                .ok()
                .and_then(|now| now.checked_add(value)),
            "absolute" => Some(value),
            other => {
                return Err(Error::Programming(format!("unknown scroll mode {other}")).into());
            }
        };
        match target.and_then(|target| usize::try_from(target).ok()) {
            Some(target) if target < length => {
                self.rownumber = target;
                Ok(Ready::new(py.None()))
            }
            _ => Err(PyIndexError::new_err("out of range")),
        }
    }
}
