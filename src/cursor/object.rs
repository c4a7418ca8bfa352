//! The native half of `aiomysql.Cursor`: its state, by the names that applications read.

use std::sync::Arc;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use crate::awaitable::Ready;
use crate::charset::Codec;
use crate::connection::Connection;
use crate::errors::{Error, Result};
use crate::hooks::{Judged, set_attribute};
use crate::result::ResultSet;

/// The statement that was executed last, in the form that was cheapest to keep.
pub enum Executed {
    Nothing,
    /// As the caller gave it, or assigned it.
    Given(Py<PyAny>),
    /// Interpolated: text, once somebody asks for it.
    Interpolated(Arc<Vec<u8>>, Codec),
    /// Made by a bulk insert: bytes, as upstream keeps them.
    Bulk(Arc<Vec<u8>>),
}

impl Executed {
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    fn to_python(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(match self {
            Self::Nothing => py.None(),
            Self::Given(statement) => statement.clone_ref(py),
            Self::Interpolated(sql, codec) => codec.decode_escaped(py, sql)?.into_any().unbind(),
            Self::Bulk(sql) => PyBytes::new(py, sql).into_any().unbind(),
        })
    }

    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Given(statement) => Self::Given(statement.clone_ref(py)),
            Self::Interpolated(sql, codec) => Self::Interpolated(Arc::clone(sql), codec.clone()),
            Self::Bulk(sql) => Self::Bulk(Arc::clone(sql)),
        }
    }

    fn visit(&self, visit: &PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        match self {
            Self::Given(statement) => visit.call(statement),
            _ => Ok(()),
        }
    }
}

/// Base class of `aiomysql.Cursor`.
#[pyclass(subclass, generic, module = "aiomysql._native")]
pub struct Cursor {
    /// None once the cursor is closed.
    #[pyo3(get, set, name = "_connection")]
    pub(super) connection: Option<Py<PyAny>>,
    #[pyo3(get, set, name = "_echo")]
    pub(super) echo: bool,
    #[pyo3(get, set, name = "_arraysize")]
    pub(super) arraysize: usize,
    #[pyo3(get, set, name = "_rownumber")]
    pub(super) rownumber: usize,
    /// -1 before the first statement.
    #[pyo3(get, set, name = "_rowcount")]
    pub(super) rowcount: i128,
    #[pyo3(get, set, name = "_lastrowid")]
    pub(super) lastrowid: Option<u64>,
    #[pyo3(get, set, name = "_result")]
    pub(super) result: Option<Py<PyAny>>,
    #[pyo3(get, set, name = "_rows")]
    pub(super) rows: Option<Py<PyAny>>,
    /// What was assigned; the result's own where nothing was.
    description: Option<Option<Py<PyAny>>>,
    /// The rows are as this cursor's class wants them; False where a hook is to convert them.
    #[pyo3(get, name = "_made_rows")]
    pub(super) made_rows: bool,
    pub(super) executed: Executed,
    pub(super) last_executed: Executed,
    /// A hook was assigned on the instance.
    pub(super) has_own_hooks: bool,
    /// Which hooks its class overrides.
    pub(super) judged: Judged,
    /// What `async for` was given last.
    pub(super) step: Option<Py<Ready>>,
}

impl Cursor {
    /// The connection's native half; None where it is a proxy.
    pub(super) fn native_connection<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Connection>> {
        self.connection
            .as_ref()?
            .bind(py)
            .cast::<Connection>()
            .ok()
            .cloned()
    }

    /// Before a statement is sent: nothing of the last one shows any more.
    pub(super) fn forget_result(&mut self) {
        self.rownumber = 0;
        self.result = None;
        self.rowcount = 0;
        self.description = None;
        self.lastrowid = None;
        self.rows = None;
    }

    /// Shows a statement's result.
    pub(super) fn adopt(&mut self, py: Python<'_>, result: Py<ResultSet>) {
        let set = result.borrow(py);
        self.rownumber = 0;
        self.rowcount = set.affected_rows().into();
        self.lastrowid = set.insert_id();
        self.rows = set.rows(py);
        self.description = None;
        drop(set);
        self.result = Some(result.into_any());
    }

    /// The native result; None where there is none or it was replaced.
    pub(super) fn result_set<'py>(&self, py: Python<'py>) -> Option<Bound<'py, ResultSet>> {
        self.result
            .as_ref()?
            .bind(py)
            .cast::<ResultSet>()
            .ok()
            .cloned()
    }

    pub(super) fn check_open(&self) -> Result<&Py<PyAny>> {
        self.connection
            .as_ref()
            .ok_or_else(|| Error::Programming("Cursor closed".into()))
    }

    pub(super) fn check_executed(&self) -> Result<()> {
        if self.executed.is_nothing() {
            Err(Error::Programming("execute() first".into()))
        } else {
            Ok(())
        }
    }
}

#[pymethods]
impl Cursor {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            connection: None,
            echo: false,
            arraysize: 1,
            rownumber: 0,
            rowcount: -1,
            lastrowid: None,
            result: None,
            rows: None,
            description: None,
            made_rows: false,
            executed: Executed::Nothing,
            last_executed: Executed::Nothing,
            has_own_hooks: false,
            judged: Judged::default(),
            step: None,
        }
    }

    /// Raises ProgrammingError before the first statement.
    #[pyo3(name = "_check_executed")]
    fn check_executed_first(&self) -> Result<()> {
        self.check_executed()
    }

    fn __setattr__(
        slf: &Bound<'_, Self>,
        name: &Bound<'_, PyString>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if set_attribute(slf.as_any(), name, Some(value))? {
            slf.borrow_mut().has_own_hooks = true;
        }
        Ok(())
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<()> {
        set_attribute(slf.as_any(), name, None).map(drop)
    }

    #[getter(_description)]
    fn shown_description(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match (&self.description, self.result_set(py)) {
            (Some(assigned), _) => Ok(assigned.as_ref().map(|value| value.clone_ref(py))),
            (None, Some(result)) => Ok(result
                .borrow_mut()
                .describe(py)?
                .map(|value| value.into_any().unbind())),
            (None, None) => Ok(None),
        }
    }

    #[setter(_description)]
    fn set_description(&mut self, description: Option<Py<PyAny>>) {
        self.description = Some(description);
    }

    #[getter(_executed)]
    fn shown_executed(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.executed.to_python(py)
    }

    #[setter(_executed)]
    fn set_executed(&mut self, py: Python<'_>, statement: Py<PyAny>) {
        self.executed = given(py, statement);
    }

    #[getter(_last_executed)]
    fn shown_last_executed(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.last_executed.to_python(py)
    }

    #[setter(_last_executed)]
    fn set_last_executed(&mut self, py: Python<'_>, statement: Py<PyAny>) {
        self.last_executed = given(py, statement);
    }

    /// Whether the server warned about the last statement, and no further result is to come.
    #[getter]
    fn _has_warnings(&self, py: Python<'_>) -> bool {
        self.result_set(py).is_some_and(|result| {
            let result = result.borrow();
            result.warning_count() > 0 && !result.has_next()
        })
    }

    /// Whether something of the last statement's answer is still to be read.
    #[getter]
    fn _has_unread(&self, py: Python<'_>) -> bool {
        match self.result_set(py) {
            Some(result) => {
                let result = result.borrow();
                result.has_unread()
            }
            None => self.result.is_some(),
        }
    }

    fn _clear_result(&mut self) {
        self.forget_result();
    }

    /// Shows the connection's latest result.
    fn _adopt_result(&mut self, py: Python<'_>, result: &Bound<'_, PyAny>) -> PyResult<()> {
        self.made_rows = false;
        match result.cast::<ResultSet>() {
            Ok(result) => self.adopt(py, result.clone().unbind()),
            Err(_) => {
                self.rownumber = 0;
                self.rowcount = result.getattr("affected_rows")?.extract()?;
                self.lastrowid = result.getattr("insert_id")?.extract()?;
                self.rows = Some(result.getattr("rows")?.unbind());
                self.description = Some(Some(result.getattr("description")?.unbind()));
                self.result = Some(result.clone().unbind());
            }
        }
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.connection)?;
        visit.call(&self.result)?;
        visit.call(&self.rows)?;
        visit.call(&self.step)?;
        if let Some(Some(description)) = &self.description {
            visit.call(description)?;
        }
        self.executed.visit(&visit)?;
        self.last_executed.visit(&visit)
    }

    fn __clear__(&mut self) {
        self.connection = None;
        self.result = None;
        self.rows = None;
        self.step = None;
        self.description = None;
        self.executed = Executed::Nothing;
        self.last_executed = Executed::Nothing;
    }
}

fn given(py: Python<'_>, statement: Py<PyAny>) -> Executed {
    if statement.is_none(py) {
        Executed::Nothing
    } else {
        Executed::Given(statement)
    }
}
