//! Getting a connection out of a pool.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;

use super::health::{self, Verdict};
use super::object::Pool;
use super::queue::Ticket;
use super::rest;
use crate::connection::Link;
use crate::errors::{Error, Result};

/// A free connection in good health, or one that has just been opened; in turn.
pub async fn acquire(pool: Py<Pool>) -> Result<Py<PyAny>> {
    let mut ticket: Option<Ticket> = None;
    loop {
        let must_queue = Python::attach(|py| {
            let pool = pool.borrow(py);
            pool.check_open()?;
            Ok::<_, Error>(ticket.is_none() && !pool.queue().is_empty())
        })?;
        if !must_queue && let Some(connection) = take_healthy(&pool).await? {
            if let Some(ticket) = ticket {
                ticket.leave_served();
            }
            Python::attach(|py| {
                Pool::call_waiters(pool.bind(py))?;
                // Whoever came while this connection was still free has counted on it.
                Pool::open_for_waiters(pool.bind(py))
            })?;
            return Ok(connection);
        }
        let place = match &mut ticket {
            Some(place) => {
                place.wait_again();
                place
            }
            none => none.insert(Python::attach(|py| pool.borrow(py).queue().join())),
        };
        Python::attach(|py| Pool::open_missing(pool.bind(py)))?;
        place.called().await?;
    }
}

/// The first free connection that is fit to be lent; the unfit ones before it are closed.
async fn take_healthy(pool: &Py<Pool>) -> Result<Option<Py<PyAny>>> {
    loop {
        let Some((lent, verdict)) = Python::attach(|py| Loan::of_next_free(pool.bind(py)))? else {
            return Ok(None);
        };
        let fit = match verdict {
            Verdict::Good => true,
            Verdict::Bad => false,
            Verdict::Ask => {
                let fit = lent.answers().await?;
                if !fit {
                    Python::attach(|py| ask_the_others(pool.bind(py)))?;
                }
                fit
            }
        };
        if fit {
            return Ok(Some(lent.keep()));
        }
    }
}

/// Where one connection does not answer others may not either: they are asked all at once, rather
/// than one after another, and in the other half of the time.
fn ask_the_others(pool: &Bound<'_, Pool>) -> PyResult<()> {
    let recycle = pool.borrow().recycle();
    for member in pool.borrow().lendable(pool.py())? {
        if let Verdict::Ask = health::look(&member, recycle)?
            && let Some(link) = health::native_link(&member)
        {
            rest::begin(pool, &member, link, health::patience(&member)? / 2)?;
        }
    }
    Ok(())
}

/// A connection among the used ones while it is not certain that it will be lent. Unless it is
/// kept, it is closed and gone from the pool.
struct Loan {
    pool: Py<Pool>,
    connection: Option<Py<PyAny>>,
    none: Py<PyAny>,
}

impl Loan {
    fn of_next_free(pool: &Bound<'_, Pool>) -> PyResult<Option<(Self, Verdict)>> {
        let py = pool.py();
        let Some(connection) = pool.borrow().take_free(py)? else {
            return Ok(None);
        };
        pool.borrow().used(py).add(&connection)?;
        let recycle = pool.borrow().recycle();
        let loan = Self {
            pool: pool.clone().unbind(),
            connection: Some(connection.clone().unbind()),
            none: py.None(),
        };
        let verdict = health::look(&connection, recycle)?;
        Ok(Some((loan, verdict)))
    }

    /// Whether the server answers on it, in half of the time.
    async fn answers(&self) -> PyResult<bool> {
        let asked = Python::attach(|py| -> PyResult<Option<(Arc<Link>, Duration)>> {
            let Some(connection) = &self.connection else {
                return Ok(None);
            };
            let connection = connection.bind(py);
            let Some(link) = health::native_link(connection) else {
                return Ok(None);
            };
            Ok(Some((link, health::patience(connection)? / 2)))
        })?;
        match asked {
            Some((link, limit)) => Ok(health::ask(&link, limit).await),
            // A proxy's connection is taken on trust, as upstream's pool takes all.
            None => Ok(true),
        }
    }

    fn keep(mut self) -> Py<PyAny> {
        Python::attach(|py| {
            let connection = self
                .connection
                .take()
                .unwrap_or_else(|| self.none.clone_ref(py));
            health::mark_lent(connection.bind(py));
            connection
        })
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            let _ = Python::try_attach(|py| {
                let pool = self.pool.bind(py);
                // Nobody is there to hear of a failure to close what is being thrown away.
                let _ = pool.borrow().used(py).discard(connection.bind(py));
                let _ = pool.borrow().terminated(py).discard(connection.bind(py));
                let _ = connection.call_method0(py, pyo3::intern!(py, "close"));
                let _ = Pool::open_for_waiters(pool);
            });
        }
    }
}
