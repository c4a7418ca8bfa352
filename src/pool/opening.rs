//! Opening connections: each in a task of its own, none under a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_async_runtimes::{TaskLocals, into_future_with_locals};

use super::object::Pool;
use crate::awaitable::Operation;
use crate::errors::Result;
use crate::runtime;

/// Counts the connections that are being opened.
#[derive(Default)]
pub struct Openings(AtomicUsize);

impl Openings {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn begin(self: &Arc<Self>) -> Opening {
        self.0.fetch_add(1, Ordering::SeqCst);
        Opening(Arc::clone(self))
    }
}

/// One connection being opened, counted until it ends, however it ends.
struct Opening(Arc<Openings>);

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Begins to open a connection, in a task of its own.
pub fn begin(pool: &Bound<'_, Pool>) -> PyResult<()> {
    let py = pool.py();
    let opening = pool.borrow().openings().begin();
    let work = open(pool.clone().unbind(), opening);
    let operation = Py::new(py, Operation::new("Pool._open", None, work))?;
    let event_loop = runtime::running_loop(py)?;
    let task = event_loop.call_method1(intern!(py, "create_task"), (operation,))?;
    // The loop itself holds its tasks weakly.
    let tasks = pool.borrow().tasks(py);
    tasks.add(&task)?;
    task.call_method1(
        intern!(py, "add_done_callback"),
        (tasks.getattr(intern!(py, "discard"))?,),
    )?;
    Ok(())
}

async fn open(pool: Py<Pool>, opening: Opening) -> Result<Py<PyAny>> {
    let connecting = Python::attach(|py| connecting(pool.bind(py)));
    let opened = match connecting {
        Ok(connecting) => connecting.await,
        Err(error) => Err(error),
    };
    drop(opening);
    Python::attach(|py| {
        let pool = pool.bind(py);
        match opened {
            Ok(connection) => Pool::take_in(pool, connection.bind(py))?,
            Err(error) => Pool::opening_failed(pool, error)?,
        }
        Ok(py.None())
    })
}

/// Awaits `aiomysql.pool.connect(...)`, looked up now: tracing libraries replace it.
fn connecting(
    pool: &Bound<'_, Pool>,
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
    let locals = TaskLocals::with_running_loop(py)?.copy_context(py)?;
    into_future_with_locals(&locals, connection)
}
