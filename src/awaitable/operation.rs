//! A coroutine around a Rust future, polled inline on the thread of the task that awaits it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::{Waiter, stop_iteration, thrown};
use crate::errors::{Error, Result};
use crate::panics;
use crate::runtime::fork::ProcessBound;
use crate::runtime::{self, OperationWaker, Reactor, lock};

/// A future that an operation drives.
pub type Work = Pin<Box<dyn Future<Output = Result<Py<PyAny>>> + Send>>;

enum State {
    Suspended(Suspended),
    Running,
    Finished,
}

struct Suspended {
    work: ProcessBound<Work>,
    /// The loop it must be awaited on; None until the first poll where any will do.
    reactor: Option<Arc<Reactor>>,
    /// Set from the first time that it had to wait.
    waker: Option<Enrolled>,
}

/// An operation's place among its reactor's waiters.
struct Enrolled {
    reactor: Arc<Reactor>,
    waker: Arc<OperationWaker>,
}

impl Drop for Enrolled {
    fn drop(&mut self) {
        self.reactor.withdraw(self.waker.key());
    }
}

/// A coroutine of the native driver. It may be awaited once, by any task of its event loop.
#[pyclass(frozen, weakref, module = "aiomysql._native")]
pub struct Operation {
    name: &'static str,
    state: Mutex<State>,
}

impl Operation {
    /// An operation on the connections of `reactor`; awaiting it on another loop is an error that
    /// costs nothing. With None it belongs to the loop that it is first awaited on.
    pub fn new(
        name: &'static str,
        reactor: Option<Arc<Reactor>>,
        work: impl Future<Output = Result<Py<PyAny>>> + Send + 'static,
    ) -> Self {
        Self {
            name,
            state: Mutex::new(State::Suspended(Suspended {
                work: ProcessBound::new(Box::pin(work)),
                reactor,
                waker: None,
            })),
        }
    }

    fn step(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mut suspended = match std::mem::replace(&mut *lock(&self.state), State::Running) {
            State::Suspended(suspended) => suspended,
            State::Running => {
                return Err(PyValueError::new_err("coroutine already executing"));
            }
            State::Finished => {
                *lock(&self.state) = State::Finished;
                return Err(PyRuntimeError::new_err(
                    "cannot reuse already awaited coroutine",
                ));
            }
        };
        match self.poll(py, &mut suspended) {
            Ok(Poll::Pending) => {
                let waiting = self.wait(py, &mut suspended);
                *lock(&self.state) = State::Suspended(suspended);
                waiting
            }
            Ok(Poll::Ready(done)) => {
                self.finish(suspended);
                match done {
                    Ok(value) => Err(stop_iteration(value)),
                    Err(error) => Err(error.into()),
                }
            }
            Err(refused) => {
                self.finish(suspended);
                Err(refused)
            }
        }
    }

    /// Polls the future once, in its runtime's context.
    fn poll(
        &self,
        py: Python<'_>,
        suspended: &mut Suspended,
    ) -> PyResult<Poll<Result<Py<PyAny>>>> {
        if !suspended.work.is_ours() {
            return Err(PyRuntimeError::new_err(
                "this operation was begun before the process forked, in the parent process",
            ));
        }
        let enrolled = match &mut suspended.waker {
            Some(enrolled) => enrolled,
            none => none.insert(enrol(py, suspended.reactor.take())?),
        };
        let Some(handle) = enrolled.reactor.handle() else {
            return Err(PyRuntimeError::new_err("Event loop is closed"));
        };
        enrolled.waker.arm();
        let waker = enrolled.waker.waker();
        let polled = {
            let _context = handle.enter();
            let work = suspended.work.get_mut().as_mut();
            panics::quietly(|| {
                catch_unwind(AssertUnwindSafe(|| {
                    work.poll(&mut Context::from_waker(&waker))
                }))
            })
        };
        enrolled.reactor.drop_buried();
        Ok(polled.unwrap_or_else(|payload| Poll::Ready(Err(Error::from_panic(&*payload)))))
    }

    /// What to yield to the event loop: a waiter, or None for one iteration.
    fn wait(&self, py: Python<'_>, suspended: &mut Suspended) -> PyResult<Py<PyAny>> {
        if runtime::take_yield_request() {
            return Ok(py.None());
        }
        let Some(enrolled) = &suspended.waker else {
            return Ok(py.None());
        };
        let waiter = Py::new(py, Waiter::new(&enrolled.reactor))?;
        enrolled
            .reactor
            .set_waiter(enrolled.waker.key(), waiter.clone_ref(py));
        Ok(waiter.into_any())
    }

    /// The future goes outside any runtime context, so that a connection in it closes at once.
    fn finish(&self, suspended: Suspended) {
        *lock(&self.state) = State::Finished;
        drop(suspended);
    }

    fn abandon(&self) {
        let state = std::mem::replace(&mut *lock(&self.state), State::Finished);
        if let State::Running = state {
            // Closed from inside its own poll: it ends by itself.
            *lock(&self.state) = State::Running;
        }
        drop(state);
    }
}

/// Finds the running loop's reactor and takes a place there; checked before the first poll, so
/// that use on another loop sends nothing.
fn enrol(py: Python<'_>, expected: Option<Arc<Reactor>>) -> PyResult<Enrolled> {
    let reactor = match expected {
        Some(reactor) => {
            if !reactor.is_loop(&runtime::running_loop(py)?) {
                return Err(PyRuntimeError::new_err(
                    "this aiomysql object belongs to another event loop; connections, cursors and \
                     pools are used on the loop they were made on",
                ));
            }
            reactor
        }
        None => runtime::current(py)?,
    };
    let waker = OperationWaker::new(reactor.enrol(), &reactor);
    Ok(Enrolled { reactor, waker })
}

#[pymethods]
impl Operation {
    #[getter]
    fn __name__(&self) -> &'static str {
        self.name
    }

    #[getter]
    fn __qualname__(&self) -> &'static str {
        self.name
    }

    fn __repr__(&self) -> String {
        let state = match &*lock(&self.state) {
            State::Suspended(_) => "suspended",
            State::Running => "running",
            State::Finished => "finished",
        };
        format!("<aiomysql operation {} ({state})>", self.name)
    }

    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.step(py)
    }

    fn send(&self, py: Python<'_>, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.step(py)
    }

    #[pyo3(signature = (kind, value=None, _traceback=None, /))]
    fn throw(
        &self,
        kind: &Bound<'_, PyAny>,
        value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.abandon();
        Err(thrown(kind, value)?)
    }

    fn close(&self) {
        self.abandon();
    }

    fn __traverse__(&self, _visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        // What the future holds are connections and cursors, which do not lead back to a task.
        Ok(())
    }

    fn __clear__(&self) {
        self.abandon();
    }
}
