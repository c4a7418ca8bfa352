//! Operations that run by themselves, awaited by nobody.
//!
//! A task of asyncio would do, but whoever lists, counts or cancels all tasks would meet it, and
//! a loop that is closed at once would complain of it.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::send::{Step, Stepped};
use super::{Operation, Waiter};
use crate::runtime::running_loop;

/// What a waiter calls in place of a task: resumes its operation.
#[pyclass(frozen, module = "aiomysql._native")]
struct Resume(Py<Operation>);

/// Polls an operation now, and again whenever it is woken, until it ends. What it returns or
/// raises is dropped: it has to see to both itself.
pub fn run_in_background(py: Python<'_>, operation: Operation) -> PyResult<()> {
    let operation = Py::new(py, operation)?;
    Resume::step(&Bound::new(py, Resume(operation))?)
}

/// The same from any thread, from the next iteration of the operation's loop on.
pub fn run_in_background_soon(event_loop: &Bound<'_, PyAny>, operation: Operation) -> PyResult<()> {
    let py = event_loop.py();
    let resume = Resume(Py::new(py, operation)?);
    event_loop
        .call_method1(intern!(py, "call_soon_threadsafe"), (resume, py.None()))
        .map(drop)
}

impl Resume {
    fn step(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let yielded = match Operation::step(slf.get().0.bind(py)) {
            Ok(Step::Yield(yielded)) => yielded.into_bound(py),
            Ok(Step::Return(_)) | Err(_) => return Ok(()),
        };
        match yielded.cast::<Waiter>() {
            Ok(waiter) => Waiter::add_done_callback(waiter, slf.clone().into_any().unbind(), None),
            // It lets the loop run for one iteration.
            Err(_) => running_loop(py)?
                .call_method1(intern!(py, "call_soon"), (slf, py.None()))
                .map(drop),
        }
    }
}

#[pymethods]
impl Resume {
    fn __call__(slf: &Bound<'_, Self>, _waiter: &Bound<'_, PyAny>) -> PyResult<()> {
        Self::step(slf)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }
}
