//! Coroutines that are asynchronous context managers too: the native half of `aiomysql.utils`.

use pyo3::exceptions::PyStopIteration;
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::send::{Step, Stepped, resume};
use super::{Operation, Ready, Resolved};

/// Base class of `aiomysql.utils._ContextManager`: awaited it gives what its coroutine gives, and
/// with `async with` that is closed at the end, or given back to its pool.
#[pyclass(subclass, module = "aiomysql._native")]
pub struct ContextManager {
    #[pyo3(get, set, name = "_coro")]
    coroutine: Py<PyAny>,
    /// What was entered.
    #[pyo3(get, set, name = "_obj")]
    object: Option<Py<PyAny>>,
    #[pyo3(get, set, name = "_pool")]
    pool: Option<Py<PyAny>>,
}

#[pymethods]
impl ContextManager {
    #[new]
    #[pyo3(signature = (coro, pool=None))]
    fn new(coro: Py<PyAny>, pool: Option<Py<PyAny>>) -> Self {
        Self {
            coroutine: coro,
            object: None,
            pool,
        }
    }

    fn send<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = value.py();
        self.coroutine
            .bind(py)
            .call_method1(intern!(py, "send"), (value,))
    }

    #[pyo3(signature = (typ, val=None, tb=None))]
    fn throw<'py>(
        &self,
        typ: &Bound<'py, PyAny>,
        val: Option<&Bound<'py, PyAny>>,
        tb: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = typ.py();
        let throw = self.coroutine.bind(py).getattr(intern!(py, "throw"))?;
        match (val, tb) {
            // The form with one argument is the only one that is not deprecated.
            (None, None) => throw.call1((typ,)),
            _ => throw.call1((typ, val, tb)),
        }
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.coroutine.call_method0(py, intern!(py, "close"))?;
        Ok(())
    }

    fn __await__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.coroutine
            .bind(py)
            .call_method0(intern!(py, "__await__"))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.__await__(py)
    }

    fn __aenter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let coroutine = slf.borrow().coroutine.bind(py).clone();
        if let Ok(resolved) = coroutine.cast_exact::<Resolved>() {
            let object = resolved.get().value(py);
            slf.borrow_mut().object = Some(object.clone_ref(py));
            return Ok(Bound::new(py, Ready::new(object))?.into_any());
        }
        let entering = Entering {
            waiting: resumable(coroutine)?.unbind(),
            owner: slf.clone().unbind(),
        };
        Ok(Bound::new(py, entering)?.into_any())
    }

    fn __aexit__<'py>(
        slf: &Bound<'py, Self>,
        _exc_type: &Bound<'py, PyAny>,
        _exc: &Bound<'py, PyAny>,
        _tb: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let (object, pool) = {
            let mut this = slf.borrow_mut();
            (this.object.take(), this.pool.take())
        };
        let object = object.unwrap_or_else(|| py.None());
        match pool {
            Some(pool) => pool
                .bind(py)
                .call_method1(intern!(py, "release"), (object,)),
            None => object.bind(py).call_method0(intern!(py, "close")),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.coroutine)?;
        visit.call(&self.object)?;
        visit.call(&self.pool)
    }

    fn __clear__(&mut self) {
        self.object = None;
        self.pool = None;
    }
}

/// What `await` would resume: a coroutine itself, without the wrapper that `__await__` makes.
fn resumable<'py>(coroutine: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: it only looks at the object's type.
    let is_coroutine = unsafe { ffi::PyCoro_CheckExact(coroutine.as_ptr()) } != 0;
    match is_coroutine || coroutine.is_exact_instance_of::<Operation>() {
        true => Ok(coroutine),
        false => coroutine.call_method0(intern!(coroutine.py(), "__await__")),
    }
}

/// `__aenter__` while it runs: hands everything to the coroutine and keeps what it returns.
#[pyclass(frozen, module = "aiomysql._native")]
pub struct Entering {
    waiting: Py<PyAny>,
    owner: Py<ContextManager>,
}

impl Entering {
    fn keep<'py>(
        &self,
        py: Python<'py>,
        stepped: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Err(error) = &stepped
            && error.is_instance_of::<PyStopIteration>(py)
        {
            let value = error.value(py).getattr(intern!(py, "value"))?;
            self.owner.borrow_mut(py).object = Some(value.unbind());
        }
        stepped
    }
}

impl Stepped for Entering {
    fn step(slf: &Bound<'_, Self>) -> PyResult<Step> {
        let (py, this) = (slf.py(), slf.get());
        let stepped = resume(this.waiting.bind(py))?;
        if let Step::Return(object) = &stepped {
            this.owner.borrow_mut(py).object = Some(object.clone_ref(py));
        }
        Ok(stepped)
    }
}

#[pymethods]
impl Entering {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Self::step(slf)?.into_next(slf.py())
    }

    fn send<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = value.py();
        let sent = self
            .waiting
            .bind(py)
            .call_method1(intern!(py, "send"), (value,));
        self.keep(py, sent)
    }

    #[pyo3(signature = (typ, val=None, tb=None))]
    fn throw<'py>(
        &self,
        typ: &Bound<'py, PyAny>,
        val: Option<&Bound<'py, PyAny>>,
        tb: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = typ.py();
        let throw = self.waiting.bind(py).getattr(intern!(py, "throw"))?;
        let thrown = match (val, tb) {
            (None, None) => throw.call1((typ,)),
            _ => throw.call1((typ, val, tb)),
        };
        self.keep(py, thrown)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.waiting.call_method0(py, intern!(py, "close"))?;
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.waiting)?;
        visit.call(&self.owner)
    }
}
