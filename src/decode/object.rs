//! The objects that decoders make.

use pyo3::ffi;
use pyo3::prelude::*;

/// A new object; None where an exception is set, as in Python's own C functions: a pointer that
/// travels in a register, for which `PyResult` would take seven words of memory.
pub type Object<'py> = Option<Bound<'py, PyAny>>;

/// What a function of the C API returned.
///
/// # Safety
/// `pointer` must be a reference that we own, or null where an exception is set.
#[inline(always)]
pub unsafe fn owned<'py>(py: Python<'py>, pointer: *mut ffi::PyObject) -> Object<'py> {
    // SAFETY: as the caller promises.
    unsafe { Bound::from_owned_ptr_or_opt(py, pointer) }
}

/// The object, or its exception set.
pub fn or_set<'py>(py: Python<'py>, result: PyResult<Bound<'py, PyAny>>) -> Object<'py> {
    result.map_err(|error| error.restore(py)).ok()
}
