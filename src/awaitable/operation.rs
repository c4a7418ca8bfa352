//! A coroutine around a Rust future, polled inline on the thread of the task that awaits it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use pyo3::exceptions::{PyRuntimeError, PyStopIteration, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::send::{Step, Stepped};
use super::{Waiter, thrown};
use crate::errors::{Error, Result};
use crate::panics;
use crate::runtime::fork::ProcessBound;
use crate::runtime::graveyard::{discard, drop_buried};
use crate::runtime::{self, OperationWaker, Reactor, lock};

/// A future that an operation drives.
pub type Work = Pin<Box<dyn Future<Output = Result<Py<PyAny>>> + Send>>;

enum State {
    Suspended(Suspended),
    Running,
    Finished,
}

struct Suspended {
    /// Taken out only when all of this is dropped.
    work: Option<ProcessBound<Work>>,
    /// The loop it must be awaited on; None until the first poll where any will do.
    reactor: Option<Arc<Reactor>>,
    /// Set from the first poll on.
    enrolled: Option<Enrolled>,
}

impl Drop for Suspended {
    fn drop(&mut self) {
        // It may hold a connection, and a garbage collection may drop it in the middle of a poll.
        discard(self.work.take());
    }
}

/// An operation's place among its reactor's waiters.
struct Enrolled {
    reactor: Arc<Reactor>,
    waker: Arc<OperationWaker>,
}

impl Enrolled {
    /// Whether it has yielded a waiter that nobody has woken or cancelled yet.
    fn is_waiting(&self) -> bool {
        self.reactor.is_waiting(self.waker.key())
    }
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
                work: Some(ProcessBound::new(Box::pin(work))),
                reactor,
                enrolled: None,
            })),
        }
    }

    /// Takes the future out to poll it; refused where it is not this caller's to go on with.
    fn take(&self) -> PyResult<Suspended> {
        let mut state = lock(&self.state);
        match &*state {
            State::Suspended(Suspended {
                enrolled: Some(enrolled),
                ..
            }) if enrolled.is_waiting() => {
                return Err(PyRuntimeError::new_err(
                    "coroutine is being awaited already",
                ));
            }
            State::Suspended(_) | State::Running | State::Finished => {}
        }
        match std::mem::replace(&mut *state, State::Running) {
            State::Suspended(suspended) => Ok(suspended),
            State::Running => Err(PyValueError::new_err("coroutine already executing")),
            State::Finished => {
                *state = State::Finished;
                Err(PyRuntimeError::new_err(
                    "cannot reuse already awaited coroutine",
                ))
            }
        }
    }

    fn finish(&self, suspended: Suspended) {
        *lock(&self.state) = State::Finished;
        drop(suspended);
    }

    /// Drops the future; one that is being polled ends by itself.
    pub fn abandon(&self) {
        let mut state = lock(&self.state);
        if let State::Suspended(_) = &*state {
            let suspended = std::mem::replace(&mut *state, State::Finished);
            drop(state);
            drop(suspended);
        }
    }
}

impl Stepped for Operation {
    fn step(slf: &Bound<'_, Self>) -> PyResult<Step> {
        let py = slf.py();
        let this = slf.get();
        let mut suspended = this.take()?;
        match poll(py, &mut suspended) {
            Ok(Poll::Pending) => {
                let waiting = wait(slf, &suspended);
                *lock(&this.state) = State::Suspended(suspended);
                waiting.map(Step::Yield)
            }
            Ok(Poll::Ready(done)) => {
                this.finish(suspended);
                match done {
                    Ok(value) => Ok(Step::Return(value)),
                    Err(error) => Err(raised(py, error.into())),
                }
            }
            Err(refused) => {
                this.finish(suspended);
                Err(refused)
            }
        }
    }
}

/// Polls the future once, in its runtime's context.
fn poll(py: Python<'_>, suspended: &mut Suspended) -> PyResult<Poll<Result<Py<PyAny>>>> {
    let Some(work) = suspended.work.as_mut().filter(|work| work.is_ours()) else {
        return Err(PyRuntimeError::new_err(FORKED));
    };
    let enrolled = match &mut suspended.enrolled {
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
        panics::quietly(|| {
            catch_unwind(AssertUnwindSafe(|| {
                let work = work.get_mut().as_mut();
                work.poll(&mut Context::from_waker(&waker))
            }))
        })
    };
    drop_buried();
    Ok(polled.unwrap_or_else(|payload| Poll::Ready(Err(Error::from_panic(&*payload)))))
}

/// What to yield to the event loop: a waiter, or None for one iteration.
fn wait(operation: &Bound<'_, Operation>, suspended: &Suspended) -> PyResult<Py<PyAny>> {
    let py = operation.py();
    let Some(enrolled) = suspended
        .enrolled
        .as_ref()
        .filter(|_| !runtime::take_yield_request())
    else {
        return Ok(py.None());
    };
    let waiter = Waiter::new(&enrolled.reactor, operation.clone().unbind());
    let waiter = Py::new(py, waiter)?;
    enrolled
        .reactor
        .set_waiter(enrolled.waker.key(), waiter.clone_ref(py));
    Ok(waiter.into_any())
}

/// A StopIteration that the work raised must not pass for the coroutine's return (PEP 479).
fn raised(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyStopIteration>(py) {
        return error;
    }
    let wrapped = PyRuntimeError::new_err("coroutine raised StopIteration");
    wrapped.set_cause(py, Some(error));
    wrapped
}

const FORKED: &str = "this aiomysql object was made before the process forked, in the parent; \
                      a child process makes connections of its own";

/// Finds the running loop's reactor and takes a place there; checked before the first poll, so
/// that use on another loop sends nothing.
fn enrol(py: Python<'_>, expected: Option<Arc<Reactor>>) -> PyResult<Enrolled> {
    let reactor = match expected {
        Some(reactor) => {
            if !reactor.is_ours() {
                return Err(PyRuntimeError::new_err(FORKED));
            }
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

    fn __next__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Self::step(slf)?.into_next(slf.py())
    }

    fn send(slf: &Bound<'_, Self>, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Self::__next__(slf)
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
