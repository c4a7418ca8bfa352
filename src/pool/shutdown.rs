//! Closing: the free connections, or the whole pool.

use std::sync::Arc;

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;

use super::object::{Pool, wait};
use super::queue::Ticket;
use super::stats::Reason;
use crate::awaitable::Operation;
use crate::errors::{Error, Result};

#[pymethods]
impl Pool {
    /// Closes the pool: nothing is lent any more, what comes back is closed, and whoever waits for
    /// a connection gets a RuntimeError.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (queue, upkeep) = {
            let mut pool = slf.borrow_mut();
            if !pool.begin_closing() {
                return Ok(());
            }
            (Arc::clone(pool.queue()), Arc::clone(pool.upkeep()))
        };
        upkeep.stop(slf.py());
        queue.call_all();
        Ok(())
    }

    /// Closes the pool and all its connections, at once; openings are cancelled.
    fn terminate(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::close(slf)?;
        let py = slf.py();
        let (used, terminated, tasks) = {
            let pool = slf.borrow();
            (pool.used(py), pool.terminated(py), pool.tasks(py))
        };
        for task in tasks.iter() {
            task.call_method0(intern!(py, "cancel"))?;
        }
        while let Some(connection) = used.pop() {
            terminated.add(&connection)?;
            slf.borrow().close_member(&connection, Reason::Shutdown)?;
        }
        let next = || slf.borrow().take_next(py);
        while let Some(connection) = next()? {
            slf.borrow().close_member(&connection, Reason::Shutdown)?;
        }
        Self::changed(slf)
    }

    /// An operation that closes all free connections.
    fn _close_free(slf: Bound<'_, Self>) -> Operation {
        let pool = slf.unbind();
        Operation::new("Pool.clear", None, clear(pool))
    }

    /// An operation that waits until all connections have come back and are closed.
    fn _wait_closed(slf: Bound<'_, Self>) -> Operation {
        Operation::new("Pool.wait_closed", None, wait_closed(slf.unbind()))
    }
}

/// Closes all free connections; those that wait for an answer, when they have it: what is closed
/// in between cannot say goodbye to the server. Returns those.
fn close_free<'py>(pool: &Bound<'py, Pool>, reason: Reason) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let mut waiting = Vec::new();
    let next = || pool.borrow().take_next(pool.py());
    while let Some(connection) = next()? {
        if pool.borrow().rests().let_go(&connection, reason) {
            waiting.push(connection);
        } else {
            pool.borrow().close_member(&connection, reason)?;
        }
    }
    Ok(waiting)
}

async fn clear(pool: Py<Pool>) -> Result<Py<PyAny>> {
    let mut waiting: Vec<Py<PyAny>> = Python::attach(|py| {
        let waiting = close_free(pool.bind(py), Reason::Clear)?;
        Pool::changed(pool.bind(py))?;
        Ok::<_, Error>(waiting.into_iter().map(Bound::unbind).collect())
    })?;
    let mut ticket: Option<Ticket> = None;
    loop {
        Python::attach(|py| {
            let rests = Arc::clone(pool.borrow(py).rests());
            waiting.retain(|each| rests.has(each.bind(py)));
        });
        if waiting.is_empty() {
            return Ok(Python::attach(|py| py.None()));
        }
        wait(&mut ticket, &pool, Pool::leaving).await?;
    }
}

async fn wait_closed(pool: Py<Pool>) -> Result<Py<PyAny>> {
    let mut ticket: Option<Ticket> = None;
    loop {
        let done = Python::attach(|py| {
            if pool.borrow(py).is_closed() {
                return Ok(true);
            }
            if !pool.borrow(py).is_closing() {
                return Err(Error::from(PyRuntimeError::new_err(
                    ".wait_closed() should be called after .close()",
                )));
            }
            close_free(pool.bind(py), Reason::Shutdown)?;
            let this = pool.borrow(py);
            Ok(this.used(py).is_empty() && this.openings().count() == 0 && this.rests().is_empty())
        })?;
        if done {
            return Python::attach(|py| {
                pool.borrow_mut(py).end_closing();
                Ok(py.None())
            });
        }
        wait(&mut ticket, &pool, Pool::leaving).await?;
    }
}
