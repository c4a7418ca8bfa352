//! Finds the reactor of the running event loop, or makes one.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, Weak};

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::driver::Driver;
use super::{Reactor, lock};

/// Reactors by their loop's address. Weak: a loop owns its driver, not the other way round.
static REACTORS: LazyLock<Mutex<HashMap<usize, Weak<Reactor>>>> = LazyLock::new(Mutex::default);

/// The event loop that runs on this thread; RuntimeError where none does.
pub fn running_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static GET: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    GET.import(py, "asyncio", "get_running_loop")?.call0()
}

/// The running loop's reactor, made at the first call on each loop.
pub fn current(py: Python<'_>) -> PyResult<Arc<Reactor>> {
    let event_loop = running_loop(py)?;
    let id = event_loop.as_ptr() as usize;
    let known = lock(&REACTORS).get(&id).and_then(Weak::upgrade);
    // A reactor at this address that no longer lives was another loop's.
    if let Some(reactor) = known.filter(|reactor| reactor.is_live()) {
        return Ok(reactor);
    }
    let reactor = Driver::install(py, &event_loop)?;
    let mut reactors = lock(&REACTORS);
    reactors.retain(|_, reactor| reactor.strong_count() > 0);
    reactors.insert(id, Arc::downgrade(&reactor));
    Ok(reactor)
}

/// What AIOMYSQL_DRIVER asks for, in tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forced {
    /// `fallback`: the background thread.
    Fallback,
    /// `loop`: never the background thread.
    Loop,
}

pub fn forced_driver(py: Python<'_>) -> PyResult<Option<Forced>> {
    let environ = py
        .import(intern!(py, "os"))?
        .getattr(intern!(py, "environ"))?;
    let value: Option<String> = environ
        .call_method1(intern!(py, "get"), (intern!(py, "AIOMYSQL_DRIVER"),))?
        .extract()?;
    match value.as_deref() {
        None | Some("") => Ok(None),
        Some("fallback") => Ok(Some(Forced::Fallback)),
        Some("loop") => Ok(Some(Forced::Loop)),
        Some(other) => Err(PyRuntimeError::new_err(format!(
            "AIOMYSQL_DRIVER is {other:?}; it may be 'loop' or 'fallback'"
        ))),
    }
}
