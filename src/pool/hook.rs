//! Functions of the application that a pool calls with a connection.

use std::future::Future;
use std::pin::Pin;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3_async_runtimes::{TaskLocals, into_future_with_locals};

use crate::errors::Result;

/// A coroutine of Python's while it runs, in a task of its own; cancelled where nobody waits for
/// it any more.
struct Running {
    task: Py<PyAny>,
    ended: Pin<Box<dyn Future<Output = PyResult<Py<PyAny>>> + Send>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Python::try_attach(|py| {
            // Fails only on a loop that is closed, where nothing runs any more.
            let _ = self.task.call_method0(py, intern!(py, "cancel"));
        });
    }
}

/// Calls a function, with a connection where one is given, and awaits what it returns where that
/// can be awaited.
pub async fn call(function: &Py<PyAny>, connection: Option<&Py<PyAny>>) -> Result<()> {
    let running = Python::attach(|py| -> PyResult<Option<Running>> {
        let function = function.bind(py);
        let returned = match connection {
            Some(connection) => function.call1((connection,))?,
            None => function.call0()?,
        };
        if !returned.hasattr(intern!(py, "__await__"))? {
            return Ok(None);
        }
        let task = py
            .import(intern!(py, "asyncio"))?
            .call_method1(intern!(py, "ensure_future"), (returned,))?;
        let locals = TaskLocals::with_running_loop(py)?.copy_context(py)?;
        let ended = into_future_with_locals(&locals, task.clone())?;
        Ok(Some(Running {
            task: task.unbind(),
            ended: Box::pin(ended),
        }))
    })?;
    if let Some(mut running) = running {
        running.ended.as_mut().await?;
    }
    Ok(())
}
