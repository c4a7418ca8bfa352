//! Opening connections: each in a task of its own, none under a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_async_runtimes::{TaskLocals, into_future_with_locals};

use super::hook;
use super::object::Pool;
use crate::awaitable::Operation;
use crate::errors::{Error, Result};
use crate::runtime;

/// Counts the connections that are being opened.
#[derive(Default)]
pub struct Openings {
    count: AtomicUsize,
    /// A task is being made for one.
    is_beginning: AtomicBool,
}

impl Openings {
    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

/// One connection being opened, counted until it ends, however it ends.
struct Opening {
    pool: Py<Pool>,
    openings: Arc<Openings>,
    /// The task of `aiomysql.pool.connect(...)`, once it has begun.
    connecting: Option<Py<PyAny>>,
    has_ended: bool,
}

impl Opening {
    fn begin(pool: &Bound<'_, Pool>) -> Self {
        let openings = Arc::clone(pool.borrow().openings());
        openings.count.fetch_add(1, Ordering::SeqCst);
        Self {
            pool: pool.clone().unbind(),
            openings,
            connecting: None,
            has_ended: false,
        }
    }

    /// It ended by itself.
    fn end(mut self) {
        self.has_ended = true;
    }

    /// It was cancelled: by `terminate`, or by somebody who cancels whatever runs.
    fn cancelled(&self, py: Python<'_>) -> PyResult<()> {
        let pool = self.pool.bind(py);
        if let Some(connecting) = self.connecting.as_ref().map(|task| task.bind(py))
            && !connecting
                .call_method0(intern!(py, "cancel"))?
                .is_truthy()?
        {
            // It had just ended: nobody will take what it opened, or hear why it failed.
            let was_cancelled = connecting.call_method0(intern!(py, "cancelled"))?;
            if !was_cancelled.is_truthy()?
                && connecting.call_method0(intern!(py, "exception"))?.is_none()
            {
                connecting
                    .call_method0(intern!(py, "result"))?
                    .call_method0(intern!(py, "close"))?;
            }
        }
        if pool.borrow().is_closing() {
            return Pool::changed(pool);
        }
        let queue = Arc::clone(pool.borrow().queue());
        queue.fail_next(Error::OpeningCancelled);
        // Not now: who cancels all tasks must not find new ones.
        runtime::running_loop(py)?.call_method1(
            intern!(py, "call_soon"),
            (pool.getattr(intern!(py, "_look_again"))?,),
        )?;
        Ok(())
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.openings.count.fetch_sub(1, Ordering::SeqCst);
        if !self.has_ended {
            let _ = Python::try_attach(|py| {
                // Fails only where the loop is closed, and nobody waits any more.
                let _ = self.cancelled(py);
            });
        }
    }
}

/// Begins to open a connection, in a task of its own.
pub fn begin(pool: &Bound<'_, Pool>) -> PyResult<()> {
    let py = pool.py();
    let work = open(pool.clone().unbind(), Opening::begin(pool));
    let operation = Py::new(py, Operation::new("Pool._open", None, work))?;
    let event_loop = runtime::running_loop(py)?;
    let openings = Arc::clone(pool.borrow().openings());
    openings.is_beginning.store(true, Ordering::SeqCst);
    let made = event_loop.call_method1(intern!(py, "create_task"), (operation,));
    openings.is_beginning.store(false, Ordering::SeqCst);
    let task = made?;
    // The loop itself holds its tasks weakly.
    let tasks = pool.borrow().tasks(py);
    tasks.add(&task)?;
    task.call_method1(
        intern!(py, "add_done_callback"),
        (tasks.getattr(intern!(py, "discard"))?,),
    )?;
    Ok(())
}

async fn open(pool: Py<Pool>, mut opening: Opening) -> Result<Py<PyAny>> {
    // An eager task is run while it is made. Were the opening to fail there, at once, whoever began
    // it would find it missing and begin another one, for ever.
    if opening.openings.is_beginning.load(Ordering::SeqCst) {
        runtime::yield_to_loop().await;
    }
    let connecting = Python::attach(|py| connecting(pool.bind(py), &mut opening));
    let opened = match connecting {
        Ok(connecting) => match connecting.await {
            Ok(connection) => initialised(&pool, connection).await,
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    opening.end();
    Python::attach(|py| {
        let pool = pool.bind(py);
        match opened {
            Ok(connection) => Pool::take_in(pool, connection.bind(py))?,
            Err(error) => Pool::opening_failed(pool, error)?,
        }
        Ok(py.None())
    })
}

/// The connection when the application's `init` is done with it; one that `init` refuses is closed.
async fn initialised(pool: &Py<Pool>, connection: Py<PyAny>) -> PyResult<Py<PyAny>> {
    let policy = Python::attach(|py| pool.borrow(py).policy().clone());
    if let Some(init) = &policy.init
        && let Err(error) = hook::call(init, Some(&connection)).await
    {
        Python::attach(|py| connection.call_method0(py, intern!(py, "close")))?;
        return Err(error.into());
    }
    Ok(connection)
}

/// Awaits `aiomysql.pool.connect(...)`, looked up now: tracing libraries replace it.
fn connecting(
    pool: &Bound<'_, Pool>,
    opening: &mut Opening,
) -> PyResult<impl Future<Output = PyResult<Py<PyAny>>> + Send + use<>> {
    let py = pool.py();
    let options = pool
        .getattr(intern!(py, "_conn_kwargs"))?
        .cast::<PyDict>()?
        .copy()?;
    options.set_item(intern!(py, "echo"), pool.getattr(intern!(py, "_echo"))?)?;
    options.set_item(intern!(py, "loop"), pool.getattr(intern!(py, "_loop"))?)?;
    let connection = py
        .import(intern!(py, "aiomysql.pool"))?
        .getattr(intern!(py, "connect"))?
        .call((), Some(&options))?;
    let task = py
        .import(intern!(py, "asyncio"))?
        .call_method1(intern!(py, "ensure_future"), (connection,))?;
    opening.connecting = Some(task.clone().unbind());
    let locals = TaskLocals::with_running_loop(py)?.copy_context(py)?;
    into_future_with_locals(&locals, task)
}
