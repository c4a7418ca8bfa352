//! What the event loop holds of us: the callback that turns the runtime and resumes tasks.

use std::sync::{Arc, Weak};

use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PySystemExit};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::registry::forced_driver;
#[cfg(target_os = "linux")]
use super::loop_driver::{LoopDriver, turn_safely};
use super::{Engine, Key, Reactor, fallback::Fallback, lock};

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
        #[cfg(target_os = "linux")]
        if forced.as_deref() != Some("fallback") {
            match Self::install_on_loop(py, event_loop) {
                Ok(reactor) => return Ok(reactor),
                Err(error) if forced.is_some() => return Err(error),
                Err(_) => {}
            }
        }
        if forced.as_deref() == Some("loop") {
            return Err(PyRuntimeError::new_err(
                "AIOMYSQL_DRIVER=loop, but this event loop cannot drive the runtime",
            ));
        }
        Self::install_fallback(py, event_loop)
    }

    #[cfg(target_os = "linux")]
    fn install_on_loop(py: Python<'_>, event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Reactor>> {
        let engine = LoopDriver::new()?;
        let (epoll, handle) = (engine.epoll_fd(), engine.handle());
        let handle = handle.ok_or_else(|| PyRuntimeError::new_err("the runtime is gone"))?;
        let reactor = Reactor::new(event_loop, Engine::Loop(engine), handle);
        let driver = Py::new(py, Self { reactor: Arc::clone(&reactor) })?;
        // In an empty context: the loop keeps the callback's context for as long as it lives, and
        // must not keep what the first caller's context variables hold.
        py.import(intern!(py, "contextvars"))?
            .call_method0(intern!(py, "Context"))?
            .call_method1(
                intern!(py, "run"),
                (event_loop.getattr(intern!(py, "add_reader"))?, epoll, driver),
            )?;
        Ok(reactor)
    }

    fn install_fallback(py: Python<'_>, event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Reactor>> {
        let engine = Fallback::new()?;
        let handle = engine.handle();
        let reactor = Reactor::new(event_loop, Engine::Fallback(engine), handle);
        let driver = Py::new(py, Self { reactor: Arc::clone(&reactor) })?;
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

    #[getter]
    fn name(&self) -> &'static str {
        self.reactor.driver_name()
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
    turn(reactor)?;
    reactor.drop_buried();
    let (keys, more) = reactor.ready.end_turn(MOST_RESUMED);
    if more {
        reactor.signal();
    }
    resume(py, reactor, &keys)
}

/// Begins a turn, whose wake-ups `end_turn` collects, and drives the runtime once.
fn turn(reactor: &Arc<Reactor>) -> PyResult<()> {
    reactor.ready.begin_turn();
    #[cfg(target_os = "linux")]
    {
        let runtime = match lock(&reactor.live).as_mut().map(|live| &mut live.get_mut().engine) {
            Some(Engine::Loop(engine)) => engine.take_runtime(),
            _ => None,
        };
        // The lock is not held meanwhile: wakers called by the turn look at it.
        if let Some(runtime) = runtime {
            let turned = turn_safely(&runtime);
            if let Some(Engine::Loop(engine)) =
                lock(&reactor.live).as_mut().map(|live| &mut live.get_mut().engine)
            {
                engine.put_runtime(runtime);
            }
            return turned;
        }
    }
    Ok(())
}

fn resume(py: Python<'_>, reactor: &Arc<Reactor>, keys: &[Key]) -> PyResult<()> {
    for (index, key) in keys.iter().enumerate() {
        let Some(waiter) = reactor.take_waiter(*key) else {
            continue;
        };
        let Err(error) = waiter.bind(py).get().wake(waiter.bind(py)) else {
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
    context.set_item("message", "Exception in a callback of an aiomysql operation")?;
    context.set_item("exception", error)?;
    event_loop.call_method1(intern!(py, "call_exception_handler"), (context,))?;
    Ok(())
}
