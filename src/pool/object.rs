//! The native half of `aiomysql.Pool`.

use std::sync::Arc;

use pyo3::exceptions::{PyAssertionError, PyRuntimeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet, PyTuple};

use super::acquire::acquire;
use super::health::{self, Returned};
use super::opening::{self, Openings};
use super::queue::{Queue, Ticket};
use super::rest::{self, Rests};
use crate::awaitable::{Operation, Ready};
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

    pub fn rests(&self) -> &Arc<Rests> {
        &self.rests
    }

    pub fn recycle(&self) -> f64 {
        self.recycle
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

    fn take_next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
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

    fn has_lendable(&self, py: Python<'_>) -> PyResult<bool> {
        if self.rests.is_empty() {
            return Ok(!self.free.bind(py).is_empty()?);
        }
        Ok(!self.lendable(py)?.is_empty())
    }

    fn size(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.free.bind(py).len()? + self.used.bind(py).len() + self.openings.count())
    }

    fn has_room(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.maxsize == 0 || self.size(py)? < self.maxsize)
    }

    /// Calls as many waiters as there are free connections for.
    pub fn call_waiters(slf: &Bound<'_, Self>) -> PyResult<()> {
        let pool = slf.borrow();
        if pool.has_lendable(slf.py())? {
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
                let waiting = pool.queue.waiting();
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
        let closing = slf.borrow().closing;
        if closing {
            connection.call_method0(intern!(py, "close"))?;
        } else {
            let free = slf.borrow().free.clone_ref(py);
            free.call_method1(py, intern!(py, "append"), (connection,))?;
        }
        Self::changed(slf)
    }

    /// A connection could not be opened: whoever waits first is told, else whoever fills the pool.
    pub fn opening_failed(slf: &Bound<'_, Self>, error: PyErr) -> PyResult<()> {
        let (queue, filling) = {
            let pool = slf.borrow();
            (Arc::clone(&pool.queue), Arc::clone(&pool.filling))
        };
        if let Some(unheard) = queue.fail_next(Error::Python(error)) {
            // Nobody asked for it any more: the next acquire will meet the failure itself.
            drop(filling.fail_next(unheard));
        }
        Self::changed(slf)
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
        // Only those who wait are served here: what is missing to `minsize` is opened by the next
        // acquire, so that a server that is down is not asked again and again.
        Self::open_for_waiters(slf)
    }

    /// Closes all free connections; those that wait for an answer, when they have it: what is
    /// closed in between cannot say goodbye to the server.
    fn close_free<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut waiting = Vec::new();
        while let Some(connection) = self.take_next(py)? {
            if self.rests.let_go(&connection) {
                waiting.push(connection);
            } else {
                connection.call_method0(intern!(py, "close"))?;
            }
        }
        Ok(waiting)
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

    #[getter]
    fn _size(&self, py: Python<'_>) -> PyResult<usize> {
        self.size(py)
    }

    #[getter]
    fn _acquiring(&self) -> usize {
        self.openings.count()
    }

    /// An operation that gives a connection.
    fn _checkout(slf: Bound<'_, Self>) -> Operation {
        Operation::new("Pool.acquire", None, acquire(slf.unbind()))
    }

    /// An operation that waits until `minsize` connections are open.
    fn _fill(slf: Bound<'_, Self>) -> Operation {
        Operation::new("Pool._fill_free_pool", None, fill(slf.unbind()))
    }

    /// Takes a connection back. One that is closed, busy or in a transaction is not kept.
    fn release(slf: &Bound<'_, Self>, conn: &Bound<'_, PyAny>) -> PyResult<Ready> {
        let py = slf.py();
        let (used, terminated, free, closing) = {
            let pool = slf.borrow();
            (
                pool.used(py),
                pool.terminated.bind(py).clone(),
                pool.free.clone_ref(py),
                pool.closing,
            )
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
        if !health::is_closed(conn)? {
            match health::inspect(conn)? {
                returned if closing || matches!(returned, Returned::Unfit) => {
                    conn.call_method0(intern!(py, "close"))?;
                }
                returned => {
                    free.call_method1(py, intern!(py, "append"), (conn,))?;
                    if let Returned::Reading(link) = returned {
                        rest::begin(slf, conn, link, health::patience(conn)?)?;
                    }
                }
            }
        }
        Self::changed(slf)?;
        Ok(done)
    }

    /// Closes the pool: nothing is lent any more, what comes back is closed, and whoever waits for
    /// a connection gets a RuntimeError.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let queue = {
            let mut pool = slf.borrow_mut();
            if pool.closed {
                return Ok(());
            }
            pool.closing = true;
            Arc::clone(&pool.queue)
        };
        queue.call_all();
        Ok(())
    }

    /// Closes the pool and all its connections, at once; openings are cancelled.
    fn terminate(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::close(slf)?;
        let py = slf.py();
        let (used, terminated, tasks) = {
            let pool = slf.borrow();
            (pool.used(py), pool.terminated(py), pool.tasks(py))
        };
        for task in tasks.iter() {
            task.call_method0(intern!(py, "cancel"))?;
        }
        while let Some(connection) = used.pop() {
            terminated.add(&connection)?;
            connection.call_method0(intern!(py, "close"))?;
        }
        let next = || slf.borrow().take_next(py);
        while let Some(connection) = next()? {
            connection.call_method0(intern!(py, "close"))?;
        }
        Self::changed(slf)
    }

    /// Serves those who wait; called by the loop after an opening was cancelled.
    fn _look_again(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::changed(slf)
    }

    /// An operation that closes all free connections.
    fn _close_free(slf: Bound<'_, Self>) -> Operation {
        let pool = slf.unbind();
        Operation::new("Pool.clear", None, clear(pool))
    }

    /// An operation that waits until all connections have come back and are closed.
    fn _wait_closed(slf: Bound<'_, Self>) -> Operation {
        Operation::new("Pool.wait_closed", None, wait_closed(slf.unbind()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.free)?;
        visit.call(&self.used)?;
        visit.call(&self.terminated)?;
        visit.call(&self.tasks)
    }
}

async fn clear(pool: Py<Pool>) -> Result<Py<PyAny>> {
    let mut waiting: Vec<Py<PyAny>> = Python::attach(|py| {
        let waiting = pool.borrow(py).close_free(py)?;
        Pool::changed(pool.bind(py))?;
        Ok::<_, Error>(waiting.into_iter().map(Bound::unbind).collect())
    })?;
    let mut ticket: Option<Ticket> = None;
    loop {
        Python::attach(|py| waiting.retain(|each| pool.borrow(py).rests.has(each.bind(py))));
        if waiting.is_empty() {
            return Ok(Python::attach(|py| py.None()));
        }
        wait(&mut ticket, &pool, |pool| &pool.leaving).await?;
    }
}

async fn wait_closed(pool: Py<Pool>) -> Result<Py<PyAny>> {
    let mut ticket: Option<Ticket> = None;
    loop {
        let done =
            Python::attach(|py| {
                let this = pool.borrow(py);
                if this.closed {
                    return Ok(true);
                }
                if !this.closing {
                    return Err(Error::from(PyRuntimeError::new_err(
                        ".wait_closed() should be called after .close()",
                    )));
                }
                this.close_free(py)?;
                Ok(this.used.bind(py).is_empty()
                    && this.openings.count() == 0
                    && this.rests.is_empty())
            })?;
        if done {
            return Python::attach(|py| {
                pool.borrow_mut(py).closed = true;
                Ok(py.None())
            });
        }
        wait(&mut ticket, &pool, |pool| &pool.leaving).await?;
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
async fn wait(
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
