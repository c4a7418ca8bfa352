//! What a pool does while nobody uses it: connections that are too old, idle or lost go, and what
//! is missing to `minsize` is opened.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Mutex;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use super::health::{self, Verdict};
use super::object::Pool;
use super::stats::Reason;
use crate::connection::now;
use crate::runtime::{lock, running_loop};

/// Seconds between two looks at the sockets of a pool that keeps its `minsize`.
const LOOK_EVERY: f64 = 2.0;

/// No timer is set for less.
const SHORTEST: f64 = 0.01;

/// Seconds until the next attempt after a connection could not be opened; doubled each time.
const FIRST_DELAY: f64 = 1.0;
const LONGEST_DELAY: f64 = 60.0;
/// Which part of a delay, or of a lifetime, is left to chance.
const DELAY_JITTER: f64 = 0.1;
const LIFETIME_JITTER: f64 = 0.05;

#[derive(Default)]
struct State {
    failures: u32,
    /// No attempt before this moment.
    retry_at: f64,
    timer: Option<Py<PyAny>>,
    due: f64,
}

#[derive(Default)]
pub struct Upkeep(Mutex<State>);

impl Upkeep {
    /// Whether another attempt to open what is missing may be made now.
    pub fn may_open(&self) -> bool {
        now() >= lock(&self.0).retry_at
    }

    pub fn opened(&self) {
        let mut state = lock(&self.0);
        state.failures = 0;
        state.retry_at = 0.0;
    }

    /// An opening has failed. Those that fail while the next attempt is waited for, on behalf of
    /// somebody who waits for a connection, do not put it off.
    pub fn failed(&self) {
        let mut state = lock(&self.0);
        if now() >= state.retry_at {
            state.retry_at = now() + delay_after(state.failures);
            state.failures = state.failures.saturating_add(1);
        }
    }

    pub fn stop(&self, py: Python<'_>) {
        let timer = lock(&self.0).timer.take();
        if let Some(timer) = timer {
            // Fails only on a loop that is closed, with its timers.
            let _ = timer.call_method0(py, intern!(py, "cancel"));
        }
    }
}

fn delay_after(failures: u32) -> f64 {
    let delay = (FIRST_DELAY * f64::from(failures.min(16)).exp2()).min(LONGEST_DELAY);
    delay * (1.0 + DELAY_JITTER * (2.0 * chance() - 1.0))
}

/// How old a connection may become: up to a twentieth less than `most`, so that those that were
/// opened together do not all end together.
pub fn lifetime(most: f64) -> f64 {
    most * (1.0 - LIFETIME_JITTER * chance())
}

/// A number from 0 to 1. The standard library seeds its hashes by chance.
fn chance() -> f64 {
    RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64
}

/// What `loop.call_later` calls. Weak, so that a pool can be forgotten.
#[pyclass(frozen, module = "aiomysql._native")]
struct Tick(Py<PyWeakrefReference>);

#[pymethods]
impl Tick {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        match self.0.bind(py).upgrade_as::<Pool>()? {
            Some(pool) => tick(&pool),
            None => Ok(()),
        }
    }
}

fn tick(pool: &Bound<'_, Pool>) -> PyResult<()> {
    let upkeep = pool.borrow().upkeep().clone();
    lock(&upkeep.0).timer = None;
    if pool.borrow().is_closing() {
        return Ok(());
    }
    retire(pool)?;
    Pool::changed(pool)?;
    schedule(pool)
}

fn retire(pool: &Bound<'_, Pool>) -> PyResult<()> {
    let py = pool.py();
    let (lendable, policy) = {
        let pool = pool.borrow();
        (pool.lendable(py)?, pool.policy().clone())
    };
    for member in lendable {
        let verdict = health::look(&member, pool.borrow().recycle(), &policy)?;
        let reason = match (verdict, policy.max_idle) {
            (Verdict::Bad(reason), _) => reason,
            (_, Some(most))
                if pool.borrow().has_more_than_least(py)?
                    && now() - health::last_usage(&member)? >= most =>
            {
                Reason::Idle
            }
            _ => continue,
        };
        pool.borrow().take_out(&member)?;
        pool.borrow().close_member(&member, reason)?;
    }
    Ok(())
}

/// Sets the timer for what is due next, unless one is set for that or for something earlier.
pub fn schedule(pool: &Bound<'_, Pool>) -> PyResult<()> {
    let py = pool.py();
    let (upkeep, policy) = {
        let pool = pool.borrow();
        (pool.upkeep().clone(), pool.policy().clone())
    };
    if !policy.needs_upkeep() || pool.borrow().is_closing() {
        return Ok(());
    }
    let due = next_due(pool)?;
    {
        let state = lock(&upkeep.0);
        if state.timer.is_some() && state.due <= due {
            return Ok(());
        }
    }
    upkeep.stop(py);
    let tick = Tick(PyWeakrefReference::new(pool)?.unbind());
    let after = (due - now()).max(SHORTEST);
    let timer = running_loop(py)?.call_method1(intern!(py, "call_later"), (after, tick))?;
    let mut state = lock(&upkeep.0);
    state.timer = Some(timer.unbind());
    state.due = due;
    Ok(())
}

/// No later than anything can become due that is lent or not open yet.
fn next_due(pool: &Bound<'_, Pool>) -> PyResult<f64> {
    let py = pool.py();
    let pool = pool.borrow();
    let policy = pool.policy();
    let now = now();
    let mut due = f64::INFINITY;
    if policy.keep_minsize {
        let retry_at = lock(&pool.upkeep().0).retry_at;
        due = if retry_at > now {
            retry_at
        } else {
            now + LOOK_EVERY
        };
    }
    if let Some(most) = policy.max_lifetime {
        due = due.min(now + most * (1.0 - LIFETIME_JITTER));
    }
    if let Some(most) = policy.max_idle {
        due = due.min(now + most);
    }
    for member in pool.lendable(py)? {
        due = due.min(health::expiry(&member));
        if let Some(most) = policy.max_idle
            && pool.has_more_than_least(py)?
        {
            due = due.min(health::last_usage(&member)? + most);
        }
    }
    Ok(due)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_minute() {
        for (failures, delay) in [(0, 1.0), (1, 2.0), (5, 32.0), (6, 60.0), (4000, 60.0)] {
            let chosen = delay_after(failures);
            assert!((delay * 0.9..=delay * 1.1).contains(&chosen), "{chosen}");
        }
    }

    #[test]
    fn lifetimes_differ_by_a_twentieth() {
        let chosen: Vec<f64> = (0..100).map(|_| lifetime(100.0)).collect();
        assert!(chosen.iter().all(|each| (95.0..=100.0).contains(each)));
        assert!(chosen.iter().any(|each| *each != chosen[0]));
    }
}
