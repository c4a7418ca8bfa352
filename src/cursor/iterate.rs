//! The step to the next row, of `async for` and of a streaming cursor's `fetchone`, in one native
//! piece where no hook of it is overridden.

use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::ffi;
use pyo3::prelude::*;

use super::object::Cursor;
use crate::awaitable::Ready;
use crate::result::ResultSet;

/// Where the next row is.
enum Next<'py> {
    Here(Py<PyAny>),
    End,
    /// It may still be on the wire.
    Streamed(Bound<'py, ResultSet>),
    /// A hook is to have its say.
    Hooked,
}

#[pymethods]
impl Cursor {
    /// An awaitable of the next row.
    ///
    /// Raises StopAsyncIteration when awaited after the last.
    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let mut this = slf.borrow_mut();
        if this.has_own_hooks || !this.judged.traits_of(slf.as_any())?.plain_in_fetch {
            drop(this);
            return slf.call_method0(pyo3::intern!(py, "_next_row"));
        }
        match this.next(py)? {
            Next::Here(row) => this.ready(py, row),
            Next::End => Ok(Bound::new(py, Ready::stop())?.into_any()),
            Next::Streamed(result) => {
                drop(this);
                Self::awaited(slf, "Cursor.__anext__", result, |row| {
                    row.ok_or_else(|| PyStopAsyncIteration::new_err(()))
                })
            }
            Next::Hooked => {
                drop(this);
                slf.call_method0(pyo3::intern!(py, "_next_row"))
            }
        }
    }

    /// An awaitable of the next row of a stream, or of None after the last; None itself where a
    /// hook is overridden.
    fn _fetchone_streamed<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        let mut this = slf.borrow_mut();
        if this.has_own_hooks || !this.judged.traits_of(slf.as_any())?.plain {
            return Ok(None);
        }
        match this.next(py)? {
            Next::Here(row) => this.ready(py, row).map(Some),
            Next::End => this.ready(py, py.None()).map(Some),
            Next::Streamed(result) => {
                drop(this);
                let awaited = Self::awaited(slf, "Cursor.fetchone", result, move |row| {
                    Ok(row.unwrap_or_else(|| Python::attach(|py| py.None())))
                });
                awaited.map(Some)
            }
            Next::Hooked => Ok(None),
        }
    }
}

impl Cursor {
    fn next<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        if self.rows.is_some() {
            let row = self.take_row(py)?;
            return Ok(row.map_or(Next::End, |row| Next::Here(row.unbind())));
        }
        self.check_executed()?;
        if !self.made_rows {
            return Ok(Next::Hooked);
        }
        let Some(result) = self.result_set(py) else {
            return Ok(Next::End);
        };
        let mut stream = result.borrow_mut();
        if let Some(row) = stream.next_arrived() {
            self.rownumber += 1;
            return Ok(Next::Here(row));
        }
        let unread = stream.has_rows_unread();
        drop(stream);
        Ok(if unread {
            Next::Streamed(result)
        } else {
            Next::End
        })
    }

    /// An operation that reads ahead, and makes its outcome of the next row, if there is one.
    fn awaited<'py>(
        slf: &Bound<'py, Self>,
        name: &'static str,
        result: Bound<'py, ResultSet>,
        outcome: impl FnOnce(Option<Py<PyAny>>) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let cursor = slf.clone().unbind();
        let operation = slf
            .borrow()
            .streaming(py, name, result, move |py, result| {
                let row = result.borrow_mut(py).next_arrived();
                cursor.borrow_mut(py).rownumber += usize::from(row.is_some());
                outcome(row)
            })?;
        Ok(Bound::new(py, operation)?.into_any())
    }

    /// An awaitable of a row: the one of the step before, where nobody else holds it any more.
    fn ready<'py>(&mut self, py: Python<'py>, row: Py<PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(step) = &self.step
            // SAFETY: reads a live object's count, under the GIL.
            && unsafe { ffi::Py_REFCNT(step.as_ptr()) } == 1
        {
            step.get().refill(row);
            return Ok(step.bind(py).clone().into_any());
        }
        let step = Bound::new(py, Ready::new(row))?;
        self.step = Some(step.clone().unbind());
        Ok(step.into_any())
    }
}
