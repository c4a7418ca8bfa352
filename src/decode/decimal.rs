//! DECIMAL cells to `decimal.Decimal`: half of what such a cell costs is Python's calling of it.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyList, PyTuple, PyType};
use pyo3::{ffi, intern};

use super::column::Decode;
use super::object::{self, Object};
use super::text;

/// The `Decimal`s of one column.
pub struct Decimals {
    maker: &'static Maker,
    /// The one argument of every call, so that no call makes a tuple of its own.
    arguments: Py<PyTuple>,
}

/// What all columns share.
struct Maker {
    class: Py<PyType>,
    /// `create_decimal` of a context that is exact for all that a server can send.
    exact: Option<Method>,
}

/// A method of C that takes a tuple.
struct Method {
    function: ffi::PyCFunction,
    object: Py<PyAny>,
}

impl Decimals {
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        static MAKER: PyOnceLock<Maker> = PyOnceLock::new();
        Ok(Self {
            maker: MAKER.get_or_try_init(py, || Maker::new(py))?,
            arguments: PyTuple::new(py, [py.None()])?.unbind(),
        })
    }

    /// The method's value; None, and no exception, where it has none.
    fn call<'py>(&self, method: &Method, text: Bound<'py, PyAny>) -> Object<'py> {
        let py = text.py();
        let arguments = self.arguments.as_ptr();
        // SAFETY: `PyTuple_SetItem` takes over the text and drops the last one; it refuses if
        // anyone else has come by the tuple. `Method::of` vouches for the call.
        unsafe {
            if ffi::PyTuple_SetItem(arguments, 0, text.into_ptr()) == 0
                && let value = (method.function)(method.object.as_ptr(), arguments)
                && !value.is_null()
            {
                return object::owned(py, value);
            }
            ffi::PyErr_Clear();
        }
        None
    }
}

impl Decode for Decimals {
    /// What `Decimal` makes of the text. It decides itself on what no server sends.
    fn decode<'py>(&self, py: Python<'py>, bytes: &[u8]) -> Object<'py> {
        if let Some(method) = &self.maker.exact
            && let Some(value) = self.call(method, text::ascii(py, bytes)?)
        {
            return Some(value);
        }
        let text = text::ascii(py, bytes)?;
        object::or_set(py, self.maker.class.bind(py).call1((text,)))
    }

    fn is_atomic(&self, py: Python<'_>) -> bool {
        // SAFETY: the class is alive.
        unsafe { ffi::PyType_IS_GC(self.maker.class.bind(py).as_type_ptr()) == 0 }
    }
}

impl Maker {
    fn new(py: Python<'_>) -> PyResult<Self> {
        let module = py.import(intern!(py, "decimal"))?;
        let settings = [
            ("prec", module.getattr("MAX_PREC")?),
            ("Emin", module.getattr("MIN_EMIN")?),
            ("Emax", module.getattr("MAX_EMAX")?),
            ("rounding", module.getattr("ROUND_HALF_EVEN")?),
            ("capitals", 1_i32.into_pyobject(py)?.into_any()),
            ("clamp", 0_i32.into_pyobject(py)?.into_any()),
            ("flags", PyList::empty(py).into_any()),
            (
                "traps",
                PyList::new(py, [module.getattr("InvalidOperation")?])?.into_any(),
            ),
        ];
        let context = module
            .getattr("Context")?
            .call((), Some(&settings.into_py_dict(py)?))?;
        Ok(Self {
            class: module.getattr("Decimal")?.cast_into()?.unbind(),
            exact: Method::of(&context.getattr("create_decimal")?),
        })
    }
}

impl Method {
    /// None where it is written in Python, or is called in another way.
    fn of(method: &Bound<'_, PyAny>) -> Option<Self> {
        // SAFETY: a C function, as is asked first; its flags say that it is called with its own
        // object, which we keep alive, and a tuple.
        unsafe {
            let pointer = method.as_ptr();
            if ffi::PyCFunction_CheckExact(pointer) == 0
                || ffi::PyCFunction_GetFlags(pointer) != ffi::METH_VARARGS
            {
                return None;
            }
            let object = ffi::PyCFunction_GetSelf(pointer);
            Some(Self {
                function: ffi::PyCFunction_GetFunction(pointer)?,
                object: Bound::from_borrowed_ptr_or_opt(method.py(), object)?.unbind(),
            })
        }
    }
}
