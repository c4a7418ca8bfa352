//! What a connection is asked to do: each verb as an operation on its session.

use std::sync::Arc;

use pyo3::prelude::*;

use super::command::{self, Statement, receive, send, with_lease};
use super::link::Link;
use super::object::Connection;
use super::observer::{Observer, observed};
use crate::awaitable::Operation;
use crate::errors::{Error, Result};
use crate::result::{ResultSet, Shape, advance, drain};

#[pymethods]
impl Connection {
    /// Sends a statement and reads its answer; the number of rows.
    #[pyo3(signature = (sql, unbuffered=false))]
    fn _run(slf: Bound<'_, Self>, sql: &Bound<'_, PyAny>, unbuffered: bool) -> PyResult<Operation> {
        let py = slf.py();
        Self::leave_stream(&slf)?;
        let this = slf.borrow();
        let sql = Arc::new(this.encode(sql)?);
        let observer = Self::observer(&slf, &sql, !unbuffered);
        let statement = Statement {
            sql,
            reading: this.reading(py, Shape::Tuples, false),
            unbuffered,
        };
        let limits = this.limits();
        let object = slf.clone().unbind();
        Ok(
            this.observed("Connection.query", observer, |link| async move {
                if !link.is_closed() {
                    Python::attach(|py| object.borrow_mut(py).result = None);
                }
                let result = command::run(&link, limits, statement).await?;
                Python::attach(|py| conclude(py, &object, result))
            }),
        )
    }

    /// Sends a statement and reads the first packet of its answer.
    fn _send(slf: Bound<'_, Self>, sql: &Bound<'_, PyAny>) -> PyResult<Operation> {
        Self::leave_stream(&slf)?;
        let this = slf.borrow();
        let sql = Arc::new(this.encode(sql)?);
        let observer = Self::observer(&slf, &sql, false);
        let limits = this.limits();
        let object = slf.clone().unbind();
        Ok(
            this.observed("Connection._execute_command", observer, |link| async move {
                with_lease(&link, limits, |mut lease| async move {
                    let sent = send(&mut lease, &sql).await;
                    (lease, sent)
                })
                .await?;
                Python::attach(|py| {
                    object.borrow_mut(py).result = None;
                    Ok(py.None())
                })
            }),
        )
    }

    /// Sends a statement that returns no rows.
    fn _perform(slf: Bound<'_, Self>, sql: &Bound<'_, PyAny>) -> PyResult<Operation> {
        Self::leave_stream(&slf)?;
        let this = slf.borrow();
        let sql = Arc::new(this.encode(sql)?);
        let observer = Self::observer(&slf, &sql, false);
        let limits = this.limits();
        let object = slf.clone().unbind();
        Ok(
            this.observed("Connection._command", observer, |link| async move {
                command::perform(&link, limits, sql.to_vec()).await?;
                Python::attach(|py| {
                    object.borrow_mut(py).result = None;
                    Ok(py.None())
                })
            }),
        )
    }

    /// Reads the answer to what was sent before, or the next result set; the number of rows.
    #[pyo3(signature = (unbuffered=false))]
    fn _receive(slf: Bound<'_, Self>, unbuffered: bool) -> Operation {
        let this = slf.borrow();
        let reading = this.reading(slf.py(), Shape::Tuples, false);
        let limits = this.limits();
        let object = slf.clone().unbind();
        this.operation("Connection._read_query_result", |link| async move {
            let result = with_lease(&link, limits, |mut lease| async move {
                let result = match advance(&mut lease).await {
                    Ok(true) => receive(&mut lease, &reading, unbuffered).await,
                    Ok(false) => Err(Error::Programming("no more results".into())),
                    Err(error) => Err(error),
                };
                (lease, result)
            })
            .await?;
            Python::attach(|py| conclude(py, &object, result))
        })
    }

    /// Reads and drops what is left of the last statement's answer.
    fn _drain(slf: Bound<'_, Self>) -> Operation {
        let this = slf.borrow();
        let limits = this.limits();
        this.operation("Connection._drain", |link| async move {
            with_lease(&link, limits, |mut lease| async move {
                let drained = drain(&mut lease).await;
                (lease, drained)
            })
            .await?;
            Python::attach(|py| Ok(py.None()))
        })
    }

    /// COM_RESET_CONNECTION, and then `statements`, which bring the session to our settings.
    fn _reset(slf: &Bound<'_, Self>, statements: String) -> PyResult<Operation> {
        Self::leave_stream(slf)?;
        let this = slf.borrow();
        let limits = this.limits();
        Ok(this.operation("Connection.reset", |link| async move {
            command::reset(&link, limits, statements.into_bytes()).await?;
            Python::attach(|py| Ok(py.None()))
        }))
    }

    fn _ping(slf: &Bound<'_, Self>) -> PyResult<Operation> {
        Self::leave_stream(slf)?;
        let limits = Self::limits_of_ping(slf)?;
        let this = slf.borrow();
        Ok(this.operation("Connection.ping", |link| async move {
            command::ping(&link, limits).await?;
            Python::attach(|py| Ok(py.None()))
        }))
    }
}

impl Connection {
    fn operation<F>(&self, name: &'static str, work: impl FnOnce(Arc<Link>) -> F) -> Operation
    where
        F: Future<Output = Result<Py<PyAny>>> + Send + 'static,
    {
        self.observed(name, None, work)
    }

    fn observed<F>(
        &self,
        name: &'static str,
        observer: Option<Observer>,
        work: impl FnOnce(Arc<Link>) -> F,
    ) -> Operation
    where
        F: Future<Output = Result<Py<PyAny>>> + Send + 'static,
    {
        match self.link() {
            Ok(link) => {
                let reactor = Arc::clone(link.reactor());
                observed(name, reactor, observer, work(link))
            }
            Err(error) => Operation::new(name, None, async { Err(error) }),
        }
    }
}

/// Makes `result` the connection's latest; its number of rows.
fn conclude(py: Python<'_>, object: &Py<Connection>, result: ResultSet) -> Result<Py<PyAny>> {
    let result = Py::new(py, result)?;
    object.borrow_mut(py).adopt(py, &result);
    let rows = result.borrow(py).affected_rows();
    Ok(rows
        .into_pyobject(py)
        .map_err(PyErr::from)?
        .into_any()
        .unbind())
}
