//! What the event loop holds of us: the callback that turns the runtime and resumes tasks.

use std::sync::{Arc, Weak};

use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PySystemExit};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

#[cfg(target_os = "linux")]
use super::loop_driver::LoopDriver;
use super::registry::{Forced, forced_driver};
use super::{Engine, Key, Reactor, Turned, fallback::Fallback};

/// How many tasks are resumed in one callback of the loop, so that its other callbacks get a turn.
const MOST_RESUMED: usize = 64;

/// Owned by the event loop. When the loop lets go of it, the runtime is shut down.
#[pyclass(frozen, weakref, module = "aiomysql._native")]
pub struct Driver {
    reactor: Arc<Reactor>,
}

impl Driver {
    /// Makes a reactor for a loop and gives the loop its driver.
    pub fn install(py: Python<'_>, event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Reactor>> {
        let forced = forced_driver(py)?;
        if forced == Some(Forced::Fallback) {
            return Self::install_fallback(py, event_loop);
        }
        match Self::install_on_loop(py, event_loop) {
            Err(cause) if forced == Some(Forced::Loop) => {
                let error = PyRuntimeError::new_err(
                    "AIOMYSQL_DRIVER=loop, but this event loop cannot drive the runtime",
                );
                error.set_cause(py, Some(cause));
                Err(error)
            }
            Err(_) => Self::install_fallback(py, event_loop),
            installed => installed,
        }
    }

    #[cfg(target_os = "linux")]
    fn install_on_loop(py: Python<'_>, event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Reactor>> {
        let engine = LoopDriver::new()?;
        let (epoll, handle) = (engine.epoll_fd(), engine.handle());
        let handle = handle.ok_or_else(|| PyRuntimeError::new_err("the runtime is gone"))?;
        let reactor = Reactor::new(event_loop, Engine::Loop(engine), handle);
        let driver = Py::new(
            py,
            Self {
                reactor: Arc::clone(&reactor),
            },
        )?;
        // In an empty context: the loop keeps the callback's context for as long as it lives, and
        // must not keep what the first caller's context variables hold.
        py.import(intern!(py, "contextvars"))?
            .call_method0(intern!(py, "Context"))?
            .call_method1(
                intern!(py, "run"),
                (
                    event_loop.getattr(intern!(py, "add_reader"))?,
                    epoll,
                    driver,
                ),
            )?;
        Ok(reactor)
    }

    #[cfg(not(target_os = "linux"))]
    fn install_on_loop(_py: Python<'_>, _loop: &Bound<'_, PyAny>) -> PyResult<Arc<Reactor>> {
        Err(PyRuntimeError::new_err("this platform has no epoll"))
    }

    fn install_fallback(py: Python<'_>, event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Reactor>> {
        let engine = Fallback::new(py)?;
        let handle = engine.handle();
        let reactor = Reactor::new(event_loop, Engine::Fallback(engine), handle);
        let driver = Py::new(
            py,
            Self {
                reactor: Arc::clone(&reactor),
            },
        )?;
        // An attribute makes the loop the owner, as the reader callback does on the other path.
        event_loop.setattr(intern!(py, "_aiomysql_driver"), driver)?;
        Ok(reactor)
    }
}

#[pymethods]
impl Driver {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        run_ready(py, &self.reactor)
    }

    /// `"loop"` or `"fallback"`. For tests, as the next.
    #[getter]
    fn name(&self) -> &'static str {
        self.reactor.driver_name()
    }

    /// How many tokio tasks are alive on the runtime.
    #[getter]
    fn alive_tasks(&self) -> Option<usize> {
        let handle = self.reactor.handle()?;
        Some(handle.metrics().num_alive_tasks())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(event_loop) = self.reactor.event_loop.try_lock() {
            visit.call(&*event_loop)?;
        }
        if let Ok(waiters) = self.reactor.waiters.try_lock() {
            for (_, waiter) in waiters.iter() {
                visit.call(waiter)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        self.reactor.close();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.reactor.close();
    }
}

/// The callback of the fallback driver: reads the ready list, nothing to turn.
#[pyclass(frozen, module = "aiomysql._native")]
pub struct Collector(Weak<Reactor>);

impl Collector {
    pub fn new(reactor: &Arc<Reactor>) -> Self {
        Self(Arc::downgrade(reactor))
    }
}

#[pymethods]
impl Collector {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        match self.0.upgrade() {
            Some(reactor) => run_ready(py, &reactor),
            None => Ok(()),
        }
    }
}

/// Turns the runtime where the loop drives it, then resumes whoever was woken.
fn run_ready(py: Python<'_>, reactor: &Arc<Reactor>) -> PyResult<()> {
    if !reactor.is_live() {
        return Ok(());
    }
    reactor.ready.begin_turn();
    let turned = reactor.turn();
    let (keys, more) = reactor.ready.end_turn(MOST_RESUMED);
    if more || turned == Turned::Unfinished {
        reactor.signal();
    }
    resume(py, reactor, &keys)?;
    match turned {
        Turned::Refused => Err(PyRuntimeError::new_err(
            "the event loop runs inside another native runtime's poll, where aiomysql cannot make \
             progress",
        )),
        Turned::Done | Turned::Unfinished => Ok(()),
    }
}

fn resume(py: Python<'_>, reactor: &Arc<Reactor>, keys: &[Key]) -> PyResult<()> {
    let directly = !keys.is_empty() && !reactor.may_be_reentered(py)?;
    for (index, key) in keys.iter().enumerate() {
        let Some(waiter) = reactor.take_waiter(*key) else {
            continue;
        };
        let waiter = waiter.bind(py);
        let Err(error) = waiter.get().wake(waiter, directly) else {
            continue;
        };
        if error.is_instance_of::<PyKeyboardInterrupt>(py)
            || error.is_instance_of::<PySystemExit>(py)
        {
            // These stop the loop, as from any of its callbacks; the rest is woken when it runs on.
            if reactor.ready.put_back(&keys[index + 1..]) {
                reactor.signal();
            }
            return Err(error);
        }
        report(py, reactor, error)?;
    }
    Ok(())
}

/// What asyncio does with an exception that a callback raised.
fn report(py: Python<'_>, reactor: &Arc<Reactor>, error: PyErr) -> PyResult<()> {
    let Some(event_loop) = reactor.event_loop(py) else {
        return Err(error);
    };
    let context = PyDict::new(py);
    context.set_item(
        "message",
        "Exception in a callback of an aiomysql operation",
    )?;
    context.set_item("exception", error)?;
    event_loop.call_method1(intern!(py, "call_exception_handler"), (context,))?;
    Ok(())
}
