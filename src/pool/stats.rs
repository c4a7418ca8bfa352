//! What has happened in a pool so far.

use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::runtime::lock;

/// Why a connection was closed. The names are those of `PoolStats.closed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Found closed, or its peer has hung up or does not answer.
    Lost,
    /// `check` refused it.
    Check,
    /// Whoever had it closed it.
    Returned,
    /// It came back in a transaction.
    Transaction,
    /// It came back busy, or with rows that nobody has read.
    Unread,
    /// Its session could not be reset.
    Reset,
    /// `pool_recycle`.
    Recycle,
    /// `max_lifetime`.
    Lifetime,
    /// `max_idle`.
    Idle,
    /// `clear()`.
    Clear,
    /// `close()` or `terminate()`.
    Shutdown,
}

const NAMES: [&str; 11] = [
    "lost",
    "check",
    "returned",
    "transaction",
    "unread",
    "reset",
    "recycle",
    "lifetime",
    "idle",
    "clear",
    "shutdown",
];

/// Upper bounds of the histogram of waiting times, in seconds; what is above them counts last.
const BOUNDS: [f64; 10] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0];

#[derive(Default, Clone, Copy)]
struct Counts {
    opened: u64,
    failed: u64,
    timed_out: u64,
    refused: u64,
    closed: [u64; NAMES.len()],
    waits: [u64; BOUNDS.len() + 1],
    waited: f64,
}

#[derive(Default)]
pub struct Stats(Mutex<Counts>);

impl Stats {
    pub fn opened(&self) {
        lock(&self.0).opened += 1;
    }

    /// A connection could not be opened.
    pub fn failed(&self) {
        lock(&self.0).failed += 1;
    }

    pub fn closed(&self, reason: Reason) {
        lock(&self.0).closed[reason as usize] += 1;
    }

    pub fn acquired(&self, waited: f64) {
        let bucket = BOUNDS.iter().position(|bound| waited <= *bound);
        let mut counts = lock(&self.0);
        counts.waits[bucket.unwrap_or(BOUNDS.len())] += 1;
        counts.waited += waited;
    }

    pub fn timed_out(&self) {
        lock(&self.0).timed_out += 1;
    }

    pub fn refused(&self) {
        lock(&self.0).refused += 1;
    }

    /// Arguments of `aiomysql.PoolStats`.
    pub fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let closed = PyDict::new(py);
        let told = PyDict::new(py);
        // A copy: making Python objects may run a garbage collection, and that any code.
        let counts = *lock(&self.0);
        for (name, count) in NAMES.iter().zip(counts.closed) {
            closed.set_item(name, count)?;
        }
        told.set_item("opened", counts.opened)?;
        told.set_item("failed", counts.failed)?;
        told.set_item("acquired", counts.waits.iter().sum::<u64>())?;
        told.set_item("timed_out", counts.timed_out)?;
        told.set_item("refused", counts.refused)?;
        told.set_item("wait_seconds", counts.waited)?;
        told.set_item("wait_bounds", PyTuple::new(py, BOUNDS)?)?;
        told.set_item("wait_counts", PyTuple::new(py, counts.waits)?)?;
        told.set_item("closed", closed)?;
        Ok(told)
    }
}
