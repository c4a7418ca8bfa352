//! Fetching from a streamed result: rows come off the wire as they are asked for.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyList;

use super::object::Cursor;
use crate::awaitable::{Operation, Ready};
use crate::connection::{Limits, Link, with_lease};
use crate::errors::{Error, Result};
use crate::result::{ResultSet, RowMaker, advance, read_more};
use crate::runtime::yield_to_loop;

/// How many rows are read ahead by a fetch of one.
const READ_AHEAD: usize = 256;

#[pymethods]
impl Cursor {
    /// An awaitable of the next row, or of None after the last.
    fn _next_streamed<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let Some(result) = slf.borrow().streamed(py)? else {
            return Ok(Bound::new(py, Ready::new(py.None()))?.into_any());
        };
        let arrived = result.borrow_mut().next_arrived();
        if let Some(row) = arrived {
            return Ok(Bound::new(py, Ready::new(row))?.into_any());
        }
        let operation = slf
            .borrow()
            .streaming(py, "Cursor.fetchone", result, |py, result| {
                let row = result.borrow_mut(py).next_arrived();
                Ok(row.unwrap_or_else(|| py.None()))
            })?;
        Ok(Bound::new(py, operation)?.into_any())
    }

    /// An awaitable of a list of the next `count` rows, of all where it is None.
    #[pyo3(signature = (count=None))]
    fn _next_streamed_rows<'py>(
        slf: &Bound<'py, Self>,
        count: Option<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let wanted = count.unwrap_or(usize::MAX);
        let Some(result) = slf.borrow().streamed(py)? else {
            let none = PyList::empty(py).into_any().unbind();
            return Ok(Bound::new(py, Ready::new(none))?.into_any());
        };
        let link = slf.borrow().link(&result)?;
        let limits = slf.borrow().limits(py);
        let result = result.unbind();
        let reactor = Arc::clone(link.reactor());
        let work = async move {
            let mut rows: Vec<Py<PyAny>> = Vec::new();
            loop {
                let missing = Python::attach(|py| {
                    let mut result = result.borrow_mut(py);
                    while rows.len() < wanted
                        && let Some(row) = result.next_arrived()
                    {
                        rows.push(row);
                    }
                    wanted - rows.len()
                });
                if missing == 0 || !read_ahead(&link, limits, &result, missing).await? {
                    break;
                }
            }
            Python::attach(|py| Ok(PyList::new(py, rows)?.into_any().unbind()))
        };
        Ok(Bound::new(py, Operation::new("Cursor.fetchmany", Some(reactor), work))?.into_any())
    }

    /// An operation that reads and drops the rows that were not fetched.
    fn _finish_streamed(slf: &Bound<'_, Self>) -> PyResult<Option<Operation>> {
        let py = slf.py();
        let Some(result) = slf.borrow().result_set(py) else {
            return Ok(None);
        };
        result.borrow_mut().forget_arrived();
        let Some((_, epoch)) = result.borrow().maker() else {
            return Ok(None);
        };
        let link = slf.borrow().link(&result)?;
        let limits = slf.borrow().limits(py);
        let result = result.unbind();
        let reactor = Arc::clone(link.reactor());
        Ok(Some(Operation::new(
            "Cursor.close",
            Some(reactor),
            async move {
                let finished = with_lease(&link, limits, move |mut lease| async move {
                    let finished = if lease.link().epoch() == epoch {
                        advance(&mut lease).await.map(drop)
                    } else {
                        Ok(())
                    };
                    let end = (lease.link().facts(), lease.link().pending());
                    (lease, finished.map(|()| end))
                })
                .await;
                Python::attach(|py| {
                    match &finished {
                        Ok((facts, pending)) => {
                            result.borrow_mut(py).end_stream(facts, *pending);
                        }
                        Err(_) => result.borrow_mut(py).abandon_stream(),
                    }
                    finished.map(|_| py.None())
                })
            },
        )))
    }
}

impl Cursor {
    /// The result, where rows of it are still to be fetched.
    fn streamed<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, ResultSet>>> {
        self.check_executed()?;
        Ok(self
            .result_set(py)
            .filter(|result| result.borrow().has_rows_unread()))
    }

    fn link(&self, result: &Bound<'_, ResultSet>) -> Result<Arc<Link>> {
        self.check_open()?;
        result.borrow().link().ok_or(Error::NotConnected)
    }

    fn limits(&self, py: Python<'_>) -> Limits {
        self.native_connection(py)
            .map(|connection| connection.borrow().limits())
            .unwrap_or_default()
    }

    /// An operation that reads ahead, and then makes its value of what has arrived.
    pub(super) fn streaming(
        &self,
        py: Python<'_>,
        name: &'static str,
        result: Bound<'_, ResultSet>,
        take: impl FnOnce(Python<'_>, &Py<ResultSet>) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> PyResult<Operation> {
        let link = self.link(&result)?;
        let limits = self.limits(py);
        let result = result.unbind();
        let reactor = Arc::clone(link.reactor());
        Ok(Operation::new(name, Some(reactor), async move {
            read_ahead(&link, limits, &result, READ_AHEAD).await?;
            Ok(Python::attach(|py| take(py, &result))?)
        }))
    }
}

/// Takes the next rows off the wire into the result; false where there are no more.
async fn read_ahead(
    link: &Arc<Link>,
    limits: Limits,
    result: &Py<ResultSet>,
    wanted: usize,
) -> Result<bool> {
    let Some((maker, epoch)) = Python::attach(|py| result.borrow(py).maker()) else {
        let failure = Python::attach(|py| result.borrow_mut(py).take_failure());
        return failure.map_or(Ok(false), Err);
    };
    if link.epoch() != epoch {
        // Another command has read and dropped the rest.
        Python::attach(|py| result.borrow_mut(py).abandon_stream());
        return Ok(false);
    }
    let into = Python::attach(|py| result.clone_ref(py));
    let read = with_lease(link, limits, move |mut lease| async move {
        let maker: Arc<RowMaker> = maker;
        let hand_over = |py: Python<'_>, row| into.borrow_mut(py).take_in(row);
        let read = read_more(&mut lease, &maker, wanted, hand_over).await;
        let facts = lease.link().facts();
        (lease, read.map(|end| (end, facts)))
    })
    .await;
    if Python::attach(|py| result.borrow_mut(py).is_loops_turn()) {
        yield_to_loop().await;
    }
    Python::attach(|py| {
        let mut result = result.borrow_mut(py);
        match read {
            Ok((end, facts)) => {
                if let Some(pending) = end {
                    result.end_stream(&facts, pending);
                }
                Ok(result.arrived() > 0)
            }
            Err(error) if result.arrived() > 0 => {
                result.fail_stream(error);
                Ok(true)
            }
            Err(error) => {
                result.abandon_stream();
                Err(error)
            }
        }
    })
}
