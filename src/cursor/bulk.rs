//! The fast path of executemany: INSERT statements of many rows, each written when the one before
//! it is done.

use std::sync::Arc;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::execute::{fast, sending};
use super::object::{Cursor, Executed};
use crate::awaitable::Operation;
use crate::connection::Connection;
use crate::encode::{Batches, BulkInsert};

/// The statements of one bulk insert.
#[pyclass(module = "aiomysql._native")]
pub struct BulkInsertion {
    cursor: Option<Py<Cursor>>,
    batches: Batches,
}

#[pymethods]
impl Cursor {
    /// The statements that insert `args`, in the parts that `bulk_insert_parts` found; None where
    /// a hook is overridden.
    fn _bulk(
        slf: Bound<'_, Self>,
        parts: (String, String, String),
        args: &Bound<'_, PyAny>,
        max_stmt_length: usize,
    ) -> PyResult<Option<BulkInsertion>> {
        let Some((connection, traits)) = fast(&slf)? else {
            return Ok(None);
        };
        if !traits.plain_in_bulk {
            return Ok(None);
        }
        let (prefix, values, postfix) = parts;
        let insert = BulkInsert {
            prefix,
            values,
            postfix,
        };
        let session = connection.borrow();
        let batches = Batches::new(&insert, args, max_stmt_length, &session.dialect(slf.py()))?;
        drop(session);
        Connection::leave_stream(&connection)?;
        Ok(Some(BulkInsertion {
            cursor: Some(slf.unbind()),
            batches,
        }))
    }
}

#[pymethods]
impl BulkInsertion {
    /// An operation that sends the next statement, giving the rows that it changed; None after
    /// the last.
    fn next(&mut self, py: Python<'_>) -> PyResult<Option<Operation>> {
        let Some(cursor) = self.cursor.as_ref().map(|cursor| cursor.bind(py).clone()) else {
            return Ok(None);
        };
        let Some((connection, traits)) = fast(&cursor)? else {
            return Ok(None);
        };
        let batch = {
            let session = connection.borrow();
            self.batches.next(py, &session.dialect(py))?
        };
        Ok(batch.map(|batch| {
            let sql = Arc::new(batch.sql);
            let executed = Executed::Bulk(Arc::clone(&sql));
            sending(cursor, connection, traits, sql, executed)
        }))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.cursor)
    }

    fn __clear__(&mut self) {
        self.cursor = None;
    }
}
