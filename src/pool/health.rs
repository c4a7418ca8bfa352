//! Which free connections may be handed out.

use std::sync::Arc;
use std::time::Duration;

use pyo3::intern;
use pyo3::prelude::*;

use super::policy::{Policy, TRUSTED_IDLE};
use super::stats::Reason;
use crate::connection::{Connection, Limits, Link, now, perform, ping};

/// How long an answer may take, where `connect_timeout` is not shorter.
const PATIENCE: Duration = Duration::from_secs(5);

pub enum Verdict {
    Good,
    /// Closed, expired, or its peer has hung up.
    Bad(Reason),
    /// Only a round trip can tell.
    Ask,
}

/// The native half of a pooled connection; None for a proxy, which is asked through Python.
fn native<'a, 'py>(member: &'a Bound<'py, PyAny>) -> Option<&'a Bound<'py, Connection>> {
    member.cast::<Connection>().ok()
}

/// The session of a pooled connection; None for a proxy.
pub fn native_link(member: &Bound<'_, PyAny>) -> Option<Arc<Link>> {
    native(member)?.borrow().link().ok()
}

pub fn is_closed(member: &Bound<'_, PyAny>) -> PyResult<bool> {
    match native(member) {
        Some(connection) => Ok(connection.borrow().is_closed()),
        None => member.getattr(intern!(member.py(), "closed"))?.is_truthy(),
    }
}

/// Seconds of the monotonic clock when it was used last.
pub fn last_usage(member: &Bound<'_, PyAny>) -> PyResult<f64> {
    match native(member) {
        Some(connection) => Ok(connection.borrow().used_last()),
        None => member
            .getattr(intern!(member.py(), "last_usage"))?
            .extract(),
    }
}

/// When it is too old, in seconds of the monotonic clock.
pub fn expiry(member: &Bound<'_, PyAny>) -> f64 {
    native(member).map_or(f64::INFINITY, |connection| connection.borrow().expiry())
}

/// It may be lent for this many seconds.
pub fn set_lifetime(member: &Bound<'_, PyAny>, seconds: f64) {
    if let Some(connection) = native(member) {
        connection.borrow_mut().expires_at(now() + seconds);
    }
}

/// From now on `pool_recycle` alone says how long it may be lent.
pub fn mark_lent(member: &Bound<'_, PyAny>) {
    if let Some(connection) = native(member) {
        connection.borrow().mark_lent();
    }
}

/// In what state a connection comes back.
pub enum Returned {
    /// Idle, in no transaction, and with nothing left to read.
    Fit,
    /// The same, but for a transaction that has only read.
    Reading(Arc<Link>),
    InTransaction,
    Occupied,
}

pub fn inspect(member: &Bound<'_, PyAny>) -> PyResult<Returned> {
    if native(member).is_some_and(|connection| connection.borrow().is_occupied()) {
        return Ok(Returned::Occupied);
    }
    let in_transaction = member
        .call_method0(intern!(member.py(), "get_transaction_status"))?
        .is_truthy()?;
    if !in_transaction {
        return Ok(Returned::Fit);
    }
    let reading = native_link(member).filter(|link| link.is_only_reading());
    Ok(reading.map_or(Returned::InTransaction, Returned::Reading))
}

/// Looks at a free connection without a round trip.
pub fn look(member: &Bound<'_, PyAny>, recycle: f64, policy: &Policy) -> PyResult<Verdict> {
    if is_closed(member)? {
        return Ok(Verdict::Bad(Reason::Lost));
    }
    let now = now();
    let idle = now - last_usage(member)?;
    // One that has just been opened is for whoever waits for it, however short `recycle` is.
    let is_fresh = native(member).is_some_and(|connection| !connection.borrow().was_lent())
        && idle <= TRUSTED_IDLE;
    if recycle > -1.0 && idle > recycle && !is_fresh {
        return Ok(Verdict::Bad(Reason::Recycle));
    }
    if policy.max_lifetime.is_some() && now >= expiry(member) && !is_fresh {
        return Ok(Verdict::Bad(Reason::Lifetime));
    }
    let hung_up = match native(member) {
        Some(connection) => connection.borrow().has_hung_up(),
        None => None,
    };
    let trusted = policy.trusted_idle();
    Ok(match hung_up {
        Some(true) => Verdict::Bad(Reason::Lost),
        _ if native_link(member).is_some_and(|link| link.is_only_reading()) => Verdict::Ask,
        Some(false) if idle <= trusted => Verdict::Good,
        _ if trusted == f64::INFINITY => Verdict::Good,
        _ => Verdict::Ask,
    })
}

/// Asks the server, and ends a transaction that has only read: whoever comes next is to read what
/// is current, not an old snapshot. False where it does not answer in time.
pub async fn ask(link: &Arc<Link>, limit: Duration) -> bool {
    let limits = Limits::of_any(limit);
    let asked = if link.is_only_reading() {
        perform(link, limits, b"ROLLBACK".to_vec()).await
    } else {
        ping(link, limits).await
    };
    asked.is_ok()
}

/// How long the server may take to answer about a connection.
pub fn patience(member: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let connect_timeout: Option<f64> = member
        .getattr(intern!(member.py(), "connect_timeout"))?
        .extract()?;
    Ok(connect_timeout
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .map_or(PATIENCE, |seconds| seconds.min(PATIENCE)))
}
