//! What an operation yields while it waits: one wait of one task, in asyncio's Future protocol.

use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyRuntimeError;
use pyo3::exceptions::asyncio::{CancelledError, InvalidStateError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::Operation;
use crate::runtime::{Reactor, lock};

enum Outcome {
    Pending,
    Woken,
    /// With the message that `cancel(msg)` was given.
    Cancelled(Option<Py<PyAny>>),
}

struct Callback {
    function: Py<PyAny>,
    context: Option<Py<PyAny>>,
}

impl Callback {
    fn call(&self, waiter: &Bound<'_, Waiter>) -> PyResult<()> {
        let function = self.function.bind(waiter.py());
        match &self.context {
            Some(context) => call_in_context(context.bind(waiter.py()), function, waiter),
            None => function.call1((waiter,)).map(drop),
        }
    }
}

struct State {
    /// asyncio's mark of a future that a task may wait for; the task clears it.
    blocking: bool,
    outcome: Outcome,
    callbacks: Vec<Callback>,
}

#[pyclass(frozen, weakref, module = "aiomysql._native")]
pub struct Waiter {
    reactor: Arc<Reactor>,
    /// Who waits. The reactor keeps it alive by this while its task is nowhere else.
    operation: Py<Operation>,
    state: Mutex<State>,
}

impl Waiter {
    pub fn new(reactor: &Arc<Reactor>, operation: Py<Operation>) -> Self {
        Self {
            reactor: Arc::clone(reactor),
            operation,
            state: Mutex::new(State {
                blocking: true,
                outcome: Outcome::Pending,
                callbacks: Vec::new(),
            }),
        }
    }

    /// Takes the callbacks where the wait ends now; None where it had ended before.
    fn finish(&self, outcome: Outcome) -> Option<Vec<Callback>> {
        let mut state = lock(&self.state);
        if !matches!(state.outcome, Outcome::Pending) {
            return None;
        }
        state.outcome = outcome;
        Some(std::mem::take(&mut state.callbacks))
    }

    /// Resumes whoever waits: directly, one iteration of the loop earlier than `call_soon` would,
    /// which is for the loop's own callback alone, where no task is running; else by `call_soon`.
    pub fn wake(&self, slf: &Bound<'_, Self>, directly: bool) -> PyResult<()> {
        let callbacks = self.finish(Outcome::Woken).unwrap_or_default();
        let mut callbacks = callbacks.iter();
        if directly && let Some(first) = callbacks.next() {
            let called = first.call(slf);
            // There is one callback, the task's; others come by hand, and wait for their turn.
            self.call_all_soon(slf, callbacks)?;
            return called;
        }
        self.call_all_soon(slf, callbacks)
    }

    pub fn is_done(&self) -> bool {
        !matches!(lock(&self.state).outcome, Outcome::Pending)
    }

    /// What the operation holds is dropped; the loop that could go on with it is gone.
    pub fn abandon_operation(&self) {
        self.operation.get().abandon();
    }

    fn call_all_soon<'a>(
        &self,
        slf: &Bound<'_, Self>,
        callbacks: impl Iterator<Item = &'a Callback>,
    ) -> PyResult<()> {
        for callback in callbacks {
            self.call_soon(slf, callback)?;
        }
        Ok(())
    }

    fn call_soon(&self, slf: &Bound<'_, Self>, callback: &Callback) -> PyResult<()> {
        let py = slf.py();
        let event_loop = self.event_loop(py)?;
        let options = PyDict::new(py);
        if let Some(context) = &callback.context {
            options.set_item(intern!(py, "context"), context)?;
        }
        event_loop.call_method(
            intern!(py, "call_soon"),
            (&callback.function, slf),
            Some(&options),
        )?;
        Ok(())
    }

    fn event_loop<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.reactor
            .event_loop(py)
            .ok_or_else(|| PyRuntimeError::new_err("Event loop is closed"))
    }
}

/// `context.run(function, waiter)`, without the detour through Python.
fn call_in_context(
    context: &Bound<'_, PyAny>,
    function: &Bound<'_, PyAny>,
    waiter: &Bound<'_, Waiter>,
) -> PyResult<()> {
    // SAFETY: Enter raises for whatever is not a Context or has been entered already, and only an
    // entered context is left again; both under the GIL, on the same thread.
    if unsafe { pyo3::ffi::PyContext_Enter(context.as_ptr()) } != 0 {
        return Err(PyErr::fetch(context.py()));
    }
    let called = function.call1((waiter,));
    // SAFETY: as above.
    if unsafe { pyo3::ffi::PyContext_Exit(context.as_ptr()) } != 0 {
        return Err(PyErr::fetch(context.py()));
    }
    called.map(drop)
}

#[pymethods]
impl Waiter {
    #[getter(_asyncio_future_blocking)]
    fn blocking(&self) -> bool {
        lock(&self.state).blocking
    }

    #[setter(_asyncio_future_blocking)]
    fn set_blocking(&self, blocking: bool) {
        lock(&self.state).blocking = blocking;
    }

    fn get_loop<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.event_loop(py)
    }

    #[pyo3(signature = (function, /, *, context=None))]
    pub fn add_done_callback(
        slf: &Bound<'_, Self>,
        function: Py<PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let this = slf.get();
        let callback = Callback { function, context };
        {
            let mut state = lock(&this.state);
            if matches!(state.outcome, Outcome::Pending) {
                state.callbacks.push(callback);
                return Ok(());
            }
        }
        this.call_soon(slf, &callback)
    }

    fn remove_done_callback(&self, function: &Bound<'_, PyAny>) -> PyResult<usize> {
        // Compared outside the lock: equality may run Python, and may fail.
        let callbacks = std::mem::take(&mut lock(&self.state).callbacks);
        let mut failure = None;
        let (removed, kept): (Vec<_>, _) = callbacks.into_iter().partition(|callback| {
            let equal = callback.function.bind(function.py()).eq(function);
            equal.unwrap_or_else(|error| {
                failure.get_or_insert(error);
                false
            })
        });
        lock(&self.state).callbacks.splice(0..0, kept);
        failure.map_or(Ok(removed.len()), Err)
    }

    fn done(&self) -> bool {
        self.is_done()
    }

    fn cancelled(&self) -> bool {
        matches!(lock(&self.state).outcome, Outcome::Cancelled(_))
    }

    /// None once woken: the value comes from the operation. Raises CancelledError with the
    /// message that `cancel` was given, or InvalidStateError while waiting.
    fn result(&self, py: Python<'_>) -> PyResult<()> {
        match &lock(&self.state).outcome {
            Outcome::Woken => Ok(()),
            Outcome::Cancelled(None) => Err(CancelledError::new_err(())),
            Outcome::Cancelled(Some(message)) => {
                Err(CancelledError::new_err((message.clone_ref(py),)))
            }
            Outcome::Pending => Err(InvalidStateError::new_err("Result is not set.")),
        }
    }

    fn exception(&self, py: Python<'_>) -> PyResult<()> {
        self.result(py)
    }

    /// Ends the wait; the task is resumed in the loop's next iteration, with CancelledError.
    #[pyo3(signature = (msg=None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        let this = slf.get();
        let Some(callbacks) = this.finish(Outcome::Cancelled(msg)) else {
            return Ok(false);
        };
        this.call_all_soon(slf, callbacks.iter())?;
        Ok(true)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.operation)?;
        if let Ok(state) = self.state.try_lock() {
            if let Outcome::Cancelled(message) = &state.outcome {
                visit.call(message)?;
            }
            for callback in &state.callbacks {
                visit.call(&callback.function)?;
                visit.call(&callback.context)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let callbacks = std::mem::take(&mut lock(&self.state).callbacks);
        drop(callbacks);
    }
}
