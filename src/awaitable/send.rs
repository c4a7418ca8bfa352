//! One step of a coroutine of ours, and how its outcome reaches the interpreter.
//!
//! `await` asks a type for the slot `am_send` first, which returns a value as it is. Types without
//! it must raise StopIteration, which costs some 300 ns a time; pyo3 has no way to define the slot,
//! so it is put into the finished type.

use pyo3::PyClass;
use pyo3::exceptions::PyStopIteration;
#[cfg(Py_3_10)]
use pyo3::ffi;
#[cfg(not(Py_3_10))]
use pyo3::intern;
use pyo3::prelude::*;
#[cfg(Py_3_10)]
use pyo3::types::iterator::{PyIterator, PySendResult};

/// What a coroutine does when it is resumed.
pub enum Step {
    /// It has to wait, and yields this to the event loop.
    Yield(Py<PyAny>),
    Return(Py<PyAny>),
}

impl Step {
    /// The outcome as `__next__` and `send` give it: a return is a StopIteration.
    pub fn into_next(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Yield(value) => Ok(value),
            // Made by a call: `StopIteration((a, b))` given as type and tuple would be taken apart.
            Self::Return(value) => Err(PyErr::from_value(
                py.get_type::<PyStopIteration>().call1((value,))?,
            )),
        }
    }
}

/// A class of coroutines.
pub trait Stepped: PyClass {
    fn step(slf: &Bound<'_, Self>) -> PyResult<Step>;
}

/// Resumes a coroutine, or an iterator that `__await__` gave, as `await` does.
#[cfg(Py_3_10)]
pub fn resume(waiting: &Bound<'_, PyAny>) -> PyResult<Step> {
    // SAFETY: PyIter_Send, which is all that is called, takes objects of any type.
    let waiting = unsafe { waiting.cast_unchecked::<PyIterator>() };
    Ok(
        match waiting.send(&waiting.py().None().into_bound(waiting.py()))? {
            PySendResult::Next(value) => Step::Yield(value.unbind()),
            PySendResult::Return(value) => Step::Return(value.unbind()),
        },
    )
}

#[cfg(not(Py_3_10))]
pub fn resume(waiting: &Bound<'_, PyAny>) -> PyResult<Step> {
    let py = waiting.py();
    // A coroutine is no iterator, and an iterator need not have `send`.
    let resumed = match waiting.hasattr(intern!(py, "__next__"))? {
        true => waiting.call_method0(intern!(py, "__next__")),
        false => waiting.call_method1(intern!(py, "send"), (py.None(),)),
    };
    match resumed {
        Ok(value) => Ok(Step::Yield(value.unbind())),
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
            let value = error.value(py).getattr(intern!(py, "value"))?;
            Ok(Step::Return(value.unbind()))
        }
        Err(error) => Err(error),
    }
}

/// Gives the type of `T` the slot. To be called when the module is made.
#[cfg(Py_3_10)]
pub fn install<T: Stepped>(py: Python<'_>) {
    let class = T::type_object(py);
    let pointer = class.as_type_ptr();
    // SAFETY: a type made by pyo3 is a heap type, whose table of async slots is its own and
    // writable; nobody has used the type yet.
    unsafe {
        if let Some(slots) = (*pointer).tp_as_async.as_mut() {
            slots.am_send = Some(send::<T>);
            ffi::PyType_Modified(pointer);
        }
    }
}

#[cfg(not(Py_3_10))]
pub fn install<T: Stepped>(_py: Python<'_>) {}

#[cfg(Py_3_10)]
unsafe extern "C" fn send<T: Stepped>(
    slf: *mut ffi::PyObject,
    _value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> ffi::PySendResult {
    // The interpreter is attached already: this only lets pyo3 know.
    Python::attach(|py| {
        // SAFETY: the interpreter calls the slot with an instance of the type that it is in, and
        // keeps it alive meanwhile.
        let slf = unsafe { Bound::from_borrowed_ptr(py, slf).cast_into_unchecked::<T>() };
        let (value, kind) = match T::step(&slf) {
            Ok(Step::Yield(value)) => (value.into_ptr(), ffi::PySendResult::PYGEN_NEXT),
            Ok(Step::Return(value)) => (value.into_ptr(), ffi::PySendResult::PYGEN_RETURN),
            Err(error) => {
                error.restore(py);
                (std::ptr::null_mut(), ffi::PySendResult::PYGEN_ERROR)
            }
        };
        // SAFETY: the interpreter gives a place for the result.
        unsafe { *result = value };
        kind
    })
}
