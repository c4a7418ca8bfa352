//! Getting a connection out of a pool.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;

use super::health::{self, Verdict};
use super::hook;
use super::log::log;
use super::object::Pool;
use super::queue::Ticket;
use super::rest::{self, Errand};
use super::stats::Reason;
use crate::connection::{Link, now};
use crate::errors::{Error, Result};
use crate::runtime;
use crate::runtime::deadline::{Limit, within};

/// The same as [`acquire`], within a number of seconds.
pub async fn acquire_within(pool: Py<Pool>, seconds: f64) -> Result<Py<PyAny>> {
    // What is too long for a duration is no limit.
    let limit = Duration::try_from_secs_f64(seconds).ok().map(Limit::Total);
    let (reactor, work) =
        Python::attach(|py| Ok::<_, PyErr>((runtime::current(py)?, acquire(pool.clone_ref(py)))))?;
    match within(&reactor, limit, work).await {
        Ok(acquired) => acquired,
        Err(_elapsed) => Python::attach(|py| {
            let pool = pool.borrow(py);
            pool.stats().timed_out();
            Err(Error::PoolTimeout(format!(
                "no connection within {seconds} s: {}",
                pool.describe(py)?
            )))
        }),
    }
}

/// A free connection in good health, or one that has just been opened; in turn.
pub async fn acquire(pool: Py<Pool>) -> Result<Py<PyAny>> {
    let mut ticket: Option<Ticket> = None;
    let mut waiting_since: Option<f64> = None;
    loop {
        let must_queue = Python::attach(|py| {
            let pool = pool.borrow(py);
            pool.check_open()?;
            Ok::<_, Error>(ticket.is_none() && !pool.queue().is_empty())
        })?;
        if let Some(place) = &mut ticket {
            place.take_turn();
        }
        if !must_queue && let Some(connection) = take_healthy(&pool, &mut waiting_since).await? {
            if let Some(ticket) = ticket {
                ticket.leave_served();
            }
            Python::attach(|py| {
                let waited = waiting_since.map_or(0.0, |since| now() - since);
                pool.borrow(py).stats().acquired(waited);
                Pool::call_waiters(pool.bind(py))?;
                // Whoever came while this connection was still free has counted on it.
                Pool::open_for_waiters(pool.bind(py))
            })?;
            return Ok(connection);
        }
        waiting_since.get_or_insert_with(now);
        let place = match &mut ticket {
            Some(place) => {
                place.wait_again();
                place
            }
            none => none.insert(Python::attach(|py| pool.borrow(py).join())?),
        };
        Python::attach(|py| {
            // Both may have changed while the connection's health was looked at: the pool may have
            // been closed, and a connection may have come back to one who was not waiting then.
            pool.borrow(py).check_open()?;
            Pool::call_waiters(pool.bind(py))?;
            Ok::<_, Error>(Pool::open_missing(pool.bind(py))?)
        })?;
        place.called().await?;
    }
}

/// The first free connection that is fit to be lent; the unfit ones before it are closed.
async fn take_healthy(pool: &Py<Pool>, since: &mut Option<f64>) -> Result<Option<Py<PyAny>>> {
    loop {
        let Some((mut loan, verdict)) = Python::attach(|py| Loan::of_next_free(pool.bind(py)))?
        else {
            return Ok(None);
        };
        let mut fit = match verdict {
            Verdict::Good => true,
            Verdict::Bad(reason) => {
                loan.failure = reason;
                false
            }
            Verdict::Ask => {
                since.get_or_insert_with(now);
                let fit = loan.answers().await?;
                if !fit {
                    Python::attach(|py| ask_the_others(pool.bind(py)))?;
                }
                fit
            }
        };
        if fit && loan.has_check {
            since.get_or_insert_with(now);
            fit = loan.passes_check().await;
        }
        if fit {
            return Ok(Some(loan.keep()));
        }
    }
}

/// Where one connection does not answer others may not either: they are asked all at once, rather
/// than one after another, and in the other half of the time.
fn ask_the_others(pool: &Bound<'_, Pool>) -> PyResult<()> {
    let (recycle, policy) = (pool.borrow().recycle(), pool.borrow().policy().clone());
    for member in pool.borrow().lendable(pool.py())? {
        if let Verdict::Ask = health::look(&member, recycle, &policy)?
            && let Some(link) = health::native_link(&member)
        {
            let limit = health::patience(&member)? / 2;
            rest::begin(pool, &member, Errand::Ask(link), limit)?;
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
    has_check: bool,
    /// Why it is closed, if it is.
    failure: Reason,
}

impl Loan {
    fn of_next_free(pool: &Bound<'_, Pool>) -> PyResult<Option<(Self, Verdict)>> {
        let py = pool.py();
        let this = pool.borrow();
        let Some(connection) = this.take_free(py)? else {
            return Ok(None);
        };
        this.used(py).add(&connection)?;
        let policy = this.policy();
        let loan = Self {
            pool: pool.clone().unbind(),
            connection: Some(connection.clone().unbind()),
            none: py.None(),
            has_check: policy.check_hook().is_some(),
            failure: Reason::Lost,
        };
        let verdict = health::look(&connection, this.recycle(), policy)?;
        Ok(Some((loan, verdict)))
    }

    fn connection(&self) -> &Py<PyAny> {
        self.connection.as_ref().unwrap_or(&self.none)
    }

    /// Whether the server answers on it, in half of the time.
    async fn answers(&self) -> PyResult<bool> {
        let asked = Python::attach(|py| -> PyResult<Option<(Arc<Link>, Duration)>> {
            let connection = self.connection().bind(py);
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

    /// Whether the application's `check` raises nothing.
    async fn passes_check(&mut self) -> bool {
        self.failure = Reason::Check;
        let policy = Python::attach(|py| self.pool.borrow(py).policy().clone());
        match policy.check_hook() {
            Some(check) => match hook::call(check, Some(self.connection())).await {
                Ok(()) => true,
                Err(error) => {
                    let text = "a connection is replaced, as the check refused it: %s";
                    // Logging may fail in a handler of the application's; the pool goes on.
                    let _ = Python::attach(|py| log(py, text, error.into()));
                    false
                }
            },
            None => true,
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
                let connection = connection.bind(py);
                // Nobody is there to hear of a failure to close what is being thrown away.
                let _ = pool.borrow().used(py).discard(connection);
                let _ = pool.borrow().terminated(py).discard(connection);
                let _ = pool.borrow().close_member(connection, self.failure);
                let _ = Pool::changed(pool);
            });
        }
    }
}
