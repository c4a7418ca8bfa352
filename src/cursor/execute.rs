//! The fast path of execute, executemany and nextset: interpolation, round trip and rows in one
//! native step, taken while no hook is overridden.

use std::sync::Arc;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use super::object::{Cursor, Executed};
use crate::awaitable::Operation;
use crate::connection::{Connection, Limits, Link, Statement, observed, run, with_lease};
use crate::encode::interpolate;
use crate::errors::{Error, Result};
use crate::hooks::Traits;
use crate::result::{Reading, ResultSet, Shape, advance, open_stream, read_set};

impl Traits {
    fn shape(self) -> Shape {
        if self.dicts {
            Shape::Dicts
        } else {
            Shape::Tuples
        }
    }
}

/// What a fast path needs, or None where a hook is to be called instead.
pub(super) fn fast<'py>(
    cursor: &Bound<'py, Cursor>,
) -> PyResult<Option<(Bound<'py, Connection>, Traits)>> {
    let mut this = cursor.borrow_mut();
    this.check_open()?;
    let Some(connection) = this.native_connection(cursor.py()) else {
        return Ok(None);
    };
    if this.echo || this.has_own_hooks {
        return Ok(None);
    }
    let traits = this.judged.traits_of(cursor.as_any())?;
    let usable = traits.plain && Connection::is_plain(&connection)?;
    Ok(usable.then_some((connection, traits)))
}

/// An operation that sends a statement for a cursor and shows its result there; it gives the
/// number of rows.
pub(super) fn sending(
    cursor: Bound<'_, Cursor>,
    connection: Bound<'_, Connection>,
    traits: Traits,
    sql: Arc<Vec<u8>>,
    executed: Executed,
) -> Operation {
    let observer = Connection::observer(&connection, &sql, !traits.streamed);
    let session = connection.borrow();
    let statement = Statement {
        sql,
        reading: session.reading(cursor.py(), traits.shape(), traits.json),
        unbuffered: traits.streamed,
    };
    let limits = session.limits();
    let link = session.link();
    drop(session);
    let (cursor, connection) = (cursor.unbind(), connection.unbind());
    match link {
        Ok(link) => observed(
            "Cursor.execute",
            Arc::clone(link.reactor()),
            observer,
            async move {
                Python::attach(|py| {
                    let mut cursor = cursor.borrow_mut(py);
                    cursor.forget_result();
                    cursor.last_executed = executed.clone_ref(py);
                });
                let result = run(&link, limits, statement).await?;
                Python::attach(|py| {
                    cursor.borrow_mut(py).executed = executed;
                    show(py, &cursor, &connection, result)
                })
            },
        ),
        Err(error) => Operation::new("Cursor.execute", None, async { Err(error) }),
    }
}

#[pymethods]
impl Cursor {
    /// An operation that does all of `execute`, giving the number of rows; None where a hook is
    /// overridden and the hooks are to be called one by one.
    fn _execute(
        slf: Bound<'_, Self>,
        query: &Bound<'_, PyAny>,
        args: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Operation>> {
        let Some((connection, traits)) = fast(&slf)? else {
            return Ok(None);
        };
        let py = slf.py();
        let session = connection.borrow();
        let (sql, executed) = if args.is_none() {
            let sql = Arc::new(session.encode(query)?);
            (sql, Executed::Given(query.clone().unbind()))
        } else {
            let sql = Arc::new(interpolate(query, args, &session.dialect(py))?);
            let text = Executed::Interpolated(Arc::clone(&sql), session.codec().clone());
            (sql, text)
        };
        drop(session);
        Connection::leave_stream(&connection)?;
        Ok(Some(sending(slf, connection, traits, sql, executed)))
    }

    /// An operation that does all of `nextset`, giving True or None; None where a hook is
    /// overridden.
    fn _nextset(slf: Bound<'_, Self>) -> PyResult<Option<Operation>> {
        let Some((connection, traits)) = fast(&slf)? else {
            return Ok(None);
        };
        let py = slf.py();
        let session = connection.borrow();
        let link = session.link();
        let has_next = match (slf.borrow().result_set(py), session.latest(py)) {
            (Some(mine), Some(latest)) => mine.is(&latest) && mine.borrow().has_unread(),
            _ => false,
        };
        let reading = session.reading(py, traits.shape(), traits.json);
        let limits = session.limits();
        drop(session);
        let (cursor, connection) = (slf.unbind(), connection.unbind());
        Ok(Some(match link {
            Ok(link) if has_next => Operation::new(
                "Cursor.nextset",
                Some(Arc::clone(link.reactor())),
                async move {
                    let next = next_set(&link, limits, reading, traits.streamed).await;
                    Python::attach(|py| match next {
                        Ok(Some(result)) => {
                            show(py, &cursor, &connection, result)?;
                            Ok(true
                                .into_pyobject(py)
                                .map_err(PyErr::from)?
                                .to_owned()
                                .into_any()
                                .unbind())
                        }
                        Ok(None) => Ok(py.None()),
                        Err(error) => {
                            cursor.borrow_mut(py).forget_result();
                            Err(error)
                        }
                    })
                },
            ),
            _ => Operation::new("Cursor.nextset", None, async {
                Python::attach(|py| Ok(py.None()))
            }),
        }))
    }
}

/// Goes to the next set of the last command; None where there is none. What is left of a streamed
/// set is skipped.
async fn next_set(
    link: &Arc<Link>,
    limits: Limits,
    reading: Reading,
    streamed: bool,
) -> Result<Option<ResultSet>> {
    with_lease(link, limits, move |mut lease| async move {
        let next = async {
            while !advance(&mut lease).await? {
                if lease.link().pending() == crate::connection::Pending::Nothing {
                    return Ok(None);
                }
            }
            if streamed {
                open_stream(&mut lease, &reading).await.map(Some)
            } else {
                read_set(&mut lease, &reading).await.map(Some)
            }
        }
        .await;
        (lease, next)
    })
    .await
}

/// Makes a result the latest of the cursor and of its connection; its number of rows.
fn show(
    py: Python<'_>,
    cursor: &Py<Cursor>,
    connection: &Py<Connection>,
    result: ResultSet,
) -> Result<Py<PyAny>> {
    let rows = result.affected_rows();
    let result = Py::new(py, result)?;
    connection
        .try_borrow_mut(py)
        .map_err(|_| PyRuntimeError::new_err("the connection is in use"))
        .map_err(Error::from)?
        .adopt(py, &result);
    let mut cursor = cursor.borrow_mut(py);
    cursor.adopt(py, result);
    cursor.made_rows = true;
    Ok(rows
        .into_pyobject(py)
        .map_err(PyErr::from)?
        .into_any()
        .unbind())
}
