//! What Python awaits: [`Operation`], a coroutine around a Rust future; [`Waiter`], what it yields
//! to the event loop while it waits; [`Ready`], a coroutine that already has its value.
//!
//! The waiter is an object of its own because asyncio takes anything with
//! `_asyncio_future_blocking` for a Future, and then would not accept it as a coroutine.

mod background;
mod context;
mod operation;
mod ready;
mod send;
mod waiter;

pub use background::{run_in_background, run_in_background_soon};
pub use context::ContextManager;
pub use operation::Operation;
pub use ready::{Ready, Resolved};
pub use waiter::Waiter;

use pyo3::prelude::*;

/// Finishes the types of our coroutines. To be called when the module is made.
pub fn install(py: Python<'_>) {
    send::install::<context::Entering>(py);
    send::install::<Operation>(py);
    send::install::<Ready>(py);
}

/// Makes an exception of what `coroutine.throw()` was given, in either of its two forms.
fn thrown(kind: &Bound<'_, PyAny>, value: Option<&Bound<'_, PyAny>>) -> PyResult<PyErr> {
    if kind.is_instance_of::<pyo3::exceptions::PyBaseException>() {
        return Ok(PyErr::from_value(kind.clone()));
    }
    match value {
        Some(value) if value.is_instance_of::<pyo3::exceptions::PyBaseException>() => {
            Ok(PyErr::from_value(value.clone()))
        }
        Some(value) if !value.is_none() => Ok(PyErr::from_value(kind.call1((value,))?)),
        _ => Ok(PyErr::from_value(kind.call0()?)),
    }
}
