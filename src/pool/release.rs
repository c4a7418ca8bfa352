//! Taking a connection back.

use pyo3::exceptions::PyAssertionError;
use pyo3::intern;
use pyo3::prelude::*;

use super::health::{self, Returned};
use super::object::Pool;
use super::rest::{self, Errand};
use super::stats::Reason;
use crate::awaitable::Ready;
use crate::connection::now;

#[pymethods]
impl Pool {
    /// Takes a connection back. One that is closed, busy or in a transaction is not kept.
    fn release(slf: &Bound<'_, Self>, conn: &Bound<'_, PyAny>) -> PyResult<Ready> {
        let py = slf.py();
        let (used, terminated) = {
            let pool = slf.borrow();
            (pool.used(py), pool.terminated(py))
        };
        let done = Ready::new(py.None());
        if terminated.contains(conn)? {
            terminated.discard(conn)?;
            return Ok(done);
        }
        if !used.contains(conn)? {
            return Err(PyAssertionError::new_err(format!(
                "{} is not a connection that this pool has lent",
                conn.repr()?
            )));
        }
        used.discard(conn)?;
        take_back(slf, conn)?;
        Self::changed(slf)?;
        Ok(done)
    }
}

fn take_back(pool: &Bound<'_, Pool>, conn: &Bound<'_, PyAny>) -> PyResult<()> {
    if health::is_closed(conn)? {
        pool.borrow().stats().closed(Reason::Returned);
        return Ok(());
    }
    let returned = match unfit(pool, conn)? {
        Ok(returned) => returned,
        Err(reason) => return pool.borrow().close_member(conn, reason),
    };
    let py = pool.py();
    let free = pool.borrow().free(py);
    free.call_method1(intern!(py, "append"), (conn,))?;
    let limit = || health::patience(conn);
    if pool.borrow().policy().reset {
        if !rest::begin(pool, conn, Errand::Reset, limit()?)? {
            // Outside of its loop it cannot be reset.
            pool.borrow().take_out(conn)?;
            return pool.borrow().close_member(conn, Reason::Reset);
        }
    } else if let Returned::Reading(link) = returned {
        rest::begin(pool, conn, Errand::Ask(link), limit()?)?;
    }
    Ok(())
}

/// The state of a connection that can be lent again, or else why it cannot.
fn unfit(
    pool: &Bound<'_, Pool>,
    conn: &Bound<'_, PyAny>,
) -> PyResult<std::result::Result<Returned, Reason>> {
    let pool = pool.borrow();
    if pool.is_closing() {
        return Ok(Err(Reason::Shutdown));
    }
    Ok(match health::inspect(conn)? {
        Returned::Occupied => Err(Reason::Unread),
        Returned::InTransaction if !pool.policy().reset => Err(Reason::Transaction),
        _ if pool.policy().max_lifetime.is_some() && now() >= health::expiry(conn) => {
            Err(Reason::Lifetime)
        }
        returned => Ok(returned),
    })
}
