//! The native half of `aiomysql.Pool`.

use std::sync::Arc;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet, PyTuple};

use super::acquire::{acquire, acquire_within};
use super::health;
use super::log::log;
use super::opening::{self, Openings};
use super::policy::Policy;
use super::queue::{Queue, Ticket};
use super::rest::Rests;
use super::stats::{Reason, Stats};
use super::upkeep::{self, Upkeep};
use crate::awaitable::Operation;
use crate::errors::{Error, Result};

/// Base class of `aiomysql.Pool`: limits, order, health and shutdown.
#[pyclass(subclass, generic, weakref, module = "aiomysql._native")]
pub struct Pool {
    #[pyo3(get, name = "_minsize")]
    minsize: usize,
    /// 0: no limit.
    maxsize: usize,
    /// Seconds of idleness after which a connection is not lent any more; -1: never.
    #[pyo3(get, set, name = "_recycle")]
    recycle: f64,
    /// A deque of idle connections, the one to be lent next at its left.
    #[pyo3(get, name = "_free")]
    free: Py<PyAny>,
    #[pyo3(get, name = "_used")]
    used: Py<PySet>,
    /// Connections that `terminate` closed while they were lent.
    #[pyo3(get, name = "_terminated")]
    terminated: Py<PySet>,
    /// The tasks that open connections.
    tasks: Py<PySet>,
    #[pyo3(get, name = "_closing")]
    closing: bool,
    #[pyo3(get, name = "_closed")]
    closed: bool,
    queue: Arc<Queue>,
    openings: Arc<Openings>,
    rests: Arc<Rests>,
    policy: Arc<Policy>,
    stats: Arc<Stats>,
    upkeep: Arc<Upkeep>,
    /// Those who wait until all connections are closed.
    leaving: Arc<Queue>,
    /// Those who wait until connections have been opened.
    filling: Arc<Queue>,
}

impl Pool {
    pub fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    pub fn openings(&self) -> &Arc<Openings> {
        &self.openings
    }

    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    pub fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    pub fn upkeep(&self) -> &Arc<Upkeep> {
        &self.upkeep
    }

    pub fn leaving(&self) -> &Arc<Queue> {
        &self.leaving
    }

    pub fn rests(&self) -> &Arc<Rests> {
        &self.rests
    }

    pub fn recycle(&self) -> f64 {
        self.recycle
    }

    pub fn free<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.free.bind(py).clone()
    }

    pub fn tasks<'py>(&self, py: Python<'py>) -> Bound<'py, PySet> {
        self.tasks.bind(py).clone()
    }

    pub fn used<'py>(&self, py: Python<'py>) -> Bound<'py, PySet> {
        self.used.bind(py).clone()
    }

    pub fn terminated<'py>(&self, py: Python<'py>) -> Bound<'py, PySet> {
        self.terminated.bind(py).clone()
    }

    pub fn is_closing(&self) -> bool {
        self.closing
    }

    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// False where it is closed already.
    pub fn begin_closing(&mut self) -> bool {
        self.closing |= !self.closed;
        !self.closed
    }

    pub fn end_closing(&mut self) {
        self.closed = true;
    }

    pub fn check_open(&self) -> Result<()> {
        if self.closing {
            Err(PyRuntimeError::new_err("Cannot acquire connection after closing pool").into())
        } else {
            Ok(())
        }
    }

    /// Takes the connection that has been free for longest, of those that may be lent.
    pub fn take_free<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if self.rests.is_empty() {
            return self.take_next(py);
        }
        match self.lendable(py)?.into_iter().next() {
            Some(member) => {
                self.take_out(&member)?;
                Ok(Some(member))
            }
            None => Ok(None),
        }
    }

    pub fn take_next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let free = self.free.bind(py);
        if free.is_empty()? {
            Ok(None)
        } else {
            free.call_method0(intern!(py, "popleft")).map(Some)
        }
    }

    /// Takes a connection out of the free ones, if it is among them.
    pub fn take_out(&self, member: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = member.py();
        match self.free.call_method1(py, intern!(py, "remove"), (member,)) {
            Err(error) if !error.is_instance_of::<PyValueError>(py) => Err(error),
            _ => Ok(()),
        }
    }

    /// The free connections that do not wait for an answer of the server.
    pub fn lendable<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let free: Vec<_> = self.free.bind(py).try_iter()?.collect::<PyResult<_>>()?;
        Ok(free
            .into_iter()
            .filter(|each| !self.rests.has(each))
            .collect())
    }

    fn count_lendable(&self, py: Python<'_>) -> PyResult<usize> {
        if self.rests.is_empty() {
            return self.free.bind(py).len();
        }
        Ok(self.lendable(py)?.len())
    }

    /// A place in the queue of those who wait, unless as many wait as may.
    pub fn join(&self) -> Result<Ticket> {
        let (waiting, most) = (self.queue.len(), self.policy.max_waiting);
        if most > 0 && waiting >= most {
            self.stats.refused();
            return Err(Error::TooManyRequests(waiting));
        }
        Ok(self.queue.join())
    }

    /// Closes a connection that the pool does not hold any more.
    pub fn close_member(&self, member: &Bound<'_, PyAny>, reason: Reason) -> PyResult<()> {
        self.stats.closed(reason);
        let py = member.py();
        member.call_method0(intern!(py, "close")).map(drop)
    }

    /// Why nothing can be lent.
    pub fn describe(&self, py: Python<'_>) -> PyResult<String> {
        let limit = match self.maxsize {
            0 => String::new(),
            most => format!(" of {most}"),
        };
        Ok(format!(
            "{}{limit} are lent, {} are being opened, {} others wait",
            self.used.bind(py).len(),
            self.openings.count(),
            self.queue.len(),
        ))
    }

    pub fn has_more_than_least(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.size(py)? > self.minsize)
    }

    fn size(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.free.bind(py).len()? + self.used.bind(py).len() + self.openings.count())
    }

    fn has_room(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.maxsize == 0 || self.size(py)? < self.maxsize)
    }

    /// Calls a waiter, if there is a free connection that nobody has been called to.
    pub fn call_waiters(slf: &Bound<'_, Self>) -> PyResult<()> {
        let pool = slf.borrow();
        if pool.queue.called() < pool.count_lendable(slf.py())? {
            pool.queue.call_next();
        }
        Ok(())
    }

    /// Begins to open what those who wait will need, as far as there is room.
    pub fn open_for_waiters(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::open_up_to(slf, 0)
    }

    /// The same, and what is missing to `minsize`.
    pub fn open_missing(slf: &Bound<'_, Self>) -> PyResult<()> {
        let minsize = slf.borrow().minsize;
        Self::open_up_to(slf, minsize)
    }

    fn open_up_to(slf: &Bound<'_, Self>, least: usize) -> PyResult<()> {
        let py = slf.py();
        loop {
            {
                let pool = slf.borrow();
                // Those who are called count, as do the free connections that they are called to.
                let waiting = pool.queue.waiting() + pool.queue.called();
                if waiting == 0 && least == 0 {
                    return Ok(());
                }
                let coming = pool.openings.count() + pool.free.bind(py).len()?;
                let wanted = waiting > coming || pool.size(py)? < least;
                if pool.closing || !wanted || !pool.has_room(py)? {
                    return Ok(());
                }
            }
            opening::begin(slf)?;
        }
    }

    /// A connection has been opened.
    pub fn take_in(slf: &Bound<'_, Self>, connection: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        slf.borrow().stats.opened();
        slf.borrow().upkeep.opened();
        if slf.borrow().closing {
            slf.borrow().close_member(connection, Reason::Shutdown)?;
        } else {
            if let Some(most) = slf.borrow().policy.max_lifetime {
                health::set_lifetime(connection, upkeep::lifetime(most));
            }
            let free = slf.borrow().free(py);
            free.call_method1(intern!(py, "append"), (connection,))?;
        }
        Self::changed(slf)?;
        upkeep::schedule(slf)
    }

    /// A connection could not be opened: whoever waits first is told, else whoever fills the pool.
    pub fn opening_failed(slf: &Bound<'_, Self>, error: PyErr) -> PyResult<()> {
        let (queue, filling) = {
            let pool = slf.borrow();
            (Arc::clone(&pool.queue), Arc::clone(&pool.filling))
        };
        if let Some(unheard) = queue.fail_next(Error::Python(error)) {
            // Nobody asked for it any more: the next acquire will meet the failure itself.
            if let Some(unheard) = filling.fail_next(unheard)
                && slf.borrow().policy.keep_minsize
            {
                log(
                    slf.py(),
                    "a connection could not be opened: %s",
                    unheard.into(),
                )?;
            }
        }
        slf.borrow().stats.failed();
        slf.borrow().upkeep.failed();
        Self::changed(slf)?;
        upkeep::schedule(slf)
    }

    /// After any change of what is free, used or being opened.
    pub fn changed(slf: &Bound<'_, Self>) -> PyResult<()> {
        let closing = {
            let pool = slf.borrow();
            // They wait for different things.
            pool.leaving.call_all();
            pool.filling.call_next();
            pool.closing
        };
        if closing {
            return Ok(());
        }
        Self::call_waiters(slf)?;
        let keeps = {
            let pool = slf.borrow();
            pool.policy.keep_minsize && pool.upkeep.may_open()
        };
        if keeps {
            return Self::open_missing(slf);
        }
        // Only those who wait are served here: what is missing to `minsize` is opened by the next
        // acquire, so that a server that is down is not asked again and again.
        Self::open_for_waiters(slf)
    }
}

#[pymethods]
impl Pool {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(
        py: Python<'_>,
        _args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let free = py.import("collections")?.getattr("deque")?.call0()?;
        Ok(Self {
            minsize: 0,
            maxsize: 0,
            recycle: -1.0,
            free: free.unbind(),
            used: PySet::empty(py)?.unbind(),
            terminated: PySet::empty(py)?.unbind(),
            tasks: PySet::empty(py)?.unbind(),
            closing: false,
            closed: false,
            queue: Arc::default(),
            openings: Arc::default(),
            rests: Arc::default(),
            policy: Arc::default(),
            stats: Arc::default(),
            upkeep: Arc::default(),
            leaving: Arc::default(),
            filling: Arc::default(),
        })
    }

    /// Sets the limits; `free` is the deque that holds the idle connections.
    fn _set_limits(&mut self, minsize: usize, maxsize: usize, recycle: f64, free: Py<PyAny>) {
        self.minsize = minsize;
        self.maxsize = maxsize;
        self.recycle = recycle;
        self.free = free;
    }

    fn _set_policy(&mut self, policy: Policy) {
        self.policy = Arc::new(policy);
    }

    /// Arguments of `aiomysql.PoolStats`.
    fn _stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let told = self.stats.to_dict(py)?;
        told.set_item("size", self.size(py)?)?;
        told.set_item("free", self.free.bind(py).len()?)?;
        told.set_item("used", self.used.bind(py).len())?;
        told.set_item("opening", self.openings.count())?;
        told.set_item("waiting", self.queue.len())?;
        Ok(told)
    }

    #[getter]
    fn _size(&self, py: Python<'_>) -> PyResult<usize> {
        self.size(py)
    }

    #[getter]
    fn _acquiring(&self) -> usize {
        self.openings.count()
    }

    /// An operation that gives a connection, within so many seconds.
    #[pyo3(signature = (timeout=None))]
    fn _checkout(slf: Bound<'_, Self>, timeout: Option<f64>) -> Operation {
        let pool = slf.unbind();
        match timeout {
            None => Operation::new("Pool.acquire", None, acquire(pool)),
            Some(seconds) => Operation::new("Pool.acquire", None, acquire_within(pool, seconds)),
        }
    }

    /// An operation that waits until `minsize` connections are open.
    fn _fill(slf: Bound<'_, Self>) -> Operation {
        Operation::new("Pool._fill_free_pool", None, fill(slf.unbind()))
    }

    /// Serves those who wait; called by the loop after an opening was cancelled.
    fn _look_again(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::changed(slf)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        self.policy.traverse(&visit)?;
        visit.call(&self.free)?;
        visit.call(&self.used)?;
        visit.call(&self.terminated)?;
        visit.call(&self.tasks)
    }
}

async fn fill(pool: Py<Pool>) -> Result<Py<PyAny>> {
    let mut ticket: Option<Ticket> = None;
    loop {
        let done = Python::attach(|py| {
            Pool::open_missing(pool.bind(py))?;
            let this = pool.borrow(py);
            Ok::<_, Error>(this.openings.count() == 0 || this.closing)
        })?;
        if done {
            return Python::attach(|py| Ok(py.None()));
        }
        wait(&mut ticket, &pool, |pool| &pool.filling).await?;
    }
}

/// Waits in one of the pool's queues until something has changed.
pub async fn wait(
    ticket: &mut Option<Ticket>,
    pool: &Py<Pool>,
    queue: impl Fn(&Pool) -> &Arc<Queue>,
) -> Result<()> {
    let place = match ticket {
        Some(place) => {
            place.wait_again();
            place
        }
        none => none.insert(Python::attach(|py| queue(&pool.borrow(py)).join())),
    };
    place.called().await
}
