//! What a pool was asked to do beyond what aiomysql's does.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

/// A connection idle for longer than this many seconds is asked whether it is still there.
pub const TRUSTED_IDLE: f64 = 1.0;

/// The arguments of `create_pool` that are given by name alone; times are in seconds.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Policy {
    /// How many may wait at a time; 0 for no limit.
    pub max_waiting: usize,
    /// The age at which a connection is replaced.
    pub max_lifetime: Option<f64>,
    /// How long one may be idle while there are more than `minsize`.
    pub max_idle: Option<f64>,
    pub check: Check,
    /// Whether sessions are reset when they come back.
    pub reset: bool,
    /// What is done with each new connection, and again after a reset.
    pub init: Option<Py<PyAny>>,
    /// Whether `minsize` connections are kept open in the background.
    pub keep_minsize: bool,
}

/// When a connection is asked whether it is still there, before it is lent.
pub enum Check {
    /// After this much idleness.
    After(f64),
    /// By a function of the application's, which raises where it is not.
    By(Py<PyAny>),
}

impl<'py> FromPyObject<'_, 'py> for Check {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if value.is_none() {
            Ok(Self::After(f64::INFINITY))
        } else if value.is_callable() {
            Ok(Self::By(value.to_owned().unbind()))
        } else {
            value.extract().map(Self::After)
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_waiting: 0,
            max_lifetime: None,
            max_idle: None,
            check: Check::After(TRUSTED_IDLE),
            reset: false,
            init: None,
            keep_minsize: false,
        }
    }
}

impl Policy {
    /// Seconds of idleness in which a connection is trusted to be there.
    pub fn trusted_idle(&self) -> f64 {
        match self.check {
            Check::After(seconds) => seconds,
            Check::By(_) => f64::INFINITY,
        }
    }

    pub fn check_hook(&self) -> Option<&Py<PyAny>> {
        match &self.check {
            Check::After(_) => None,
            Check::By(hook) => Some(hook),
        }
    }

    /// Whether there is anything to be done while nobody uses the pool.
    pub fn needs_upkeep(&self) -> bool {
        self.keep_minsize || self.max_lifetime.is_some() || self.max_idle.is_some()
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.init)?;
        visit.call(self.check_hook())
    }
}
