//! A coroutine whose value is known when it is made.

use std::sync::Mutex;

use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::send::{Step, Stepped};
use super::thrown;
use crate::runtime::lock;

/// An awaitable of a value that may be awaited again and again.
#[pyclass(frozen, weakref, module = "aiomysql._native")]
pub struct Resolved(Py<PyAny>);

impl Resolved {
    pub fn value(&self, py: Python<'_>) -> Py<PyAny> {
        self.0.clone_ref(py)
    }
}

#[pymethods]
impl Resolved {
    #[new]
    fn new(value: Py<PyAny>) -> Self {
        Self(value)
    }

    fn __await__(&self, py: Python<'_>) -> Ready {
        Ready::new(self.0.clone_ref(py))
    }

    fn send(&self, py: Python<'_>, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Step::Return(self.0.clone_ref(py)).into_next(py)
    }

    #[pyo3(signature = (kind, value=None, _traceback=None, /))]
    fn throw(
        &self,
        kind: &Bound<'_, PyAny>,
        value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        Err(thrown(kind, value)?)
    }

    fn close(&self) {}

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }
}

/// An awaitable that has its outcome, and never yields to the event loop.
#[pyclass(frozen, weakref, module = "aiomysql._native")]
pub struct Ready(Mutex<Outcome>);

enum Outcome {
    Return(Py<PyAny>),
    /// `async for` has come to the end.
    Stop,
    Taken,
}

impl Ready {
    pub fn new(value: Py<PyAny>) -> Self {
        Self(Mutex::new(Outcome::Return(value)))
    }

    /// Raises StopAsyncIteration.
    pub fn stop() -> Self {
        Self(Mutex::new(Outcome::Stop))
    }

    /// Makes a new awaitable of it. Nobody else may hold it.
    pub fn refill(&self, value: Py<PyAny>) {
        let old = std::mem::replace(&mut *lock(&self.0), Outcome::Return(value));
        drop(old);
    }

    fn take(&self) -> Outcome {
        std::mem::replace(&mut *lock(&self.0), Outcome::Taken)
    }
}

impl Stepped for Ready {
    fn step(slf: &Bound<'_, Self>) -> PyResult<Step> {
        match slf.get().take() {
            Outcome::Return(value) => Ok(Step::Return(value)),
            Outcome::Stop => Err(PyStopAsyncIteration::new_err(())),
            Outcome::Taken => Err(PyRuntimeError::new_err(
                "cannot reuse already awaited coroutine",
            )),
        }
    }
}

#[pymethods]
impl Ready {
    #[getter]
    fn __name__(&self) -> &'static str {
        "Ready"
    }

    #[getter]
    fn __qualname__(&self) -> &'static str {
        "Ready"
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
        self.close();
        Err(thrown(kind, value)?)
    }

    fn close(&self) {
        drop(self.take());
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.try_lock().as_deref() {
            Ok(Outcome::Return(value)) => visit.call(value),
            _ => Ok(()),
        }
    }

    fn __clear__(&self) {
        self.close();
    }
}
