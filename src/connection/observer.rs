//! `on_query`: what an application is told of each statement.

use std::sync::Arc;
use std::time::Instant;

use pyo3::exceptions::asyncio::CancelledError;
use pyo3::prelude::*;

use crate::awaitable::Operation;
use crate::charset::Codec;
use crate::errors::{Error, Result};
use crate::runtime::Reactor;

/// A statement that is about to be sent, and whom to tell how it went.
pub struct Observer {
    pub hook: Py<PyAny>,
    pub connection: Py<PyAny>,
    pub sql: Arc<Vec<u8>>,
    pub codec: Codec,
    /// Whether what the work gives is a number of rows.
    pub counts_rows: bool,
}

/// An operation, told to an observer where there is one.
pub fn observed(
    name: &'static str,
    reactor: Arc<Reactor>,
    observer: Option<Observer>,
    work: impl Future<Output = Result<Py<PyAny>>> + Send + 'static,
) -> Operation {
    match observer {
        None => Operation::new(name, Some(reactor), work),
        Some(observer) => Operation::new(name, Some(reactor), observer.watch(work)),
    }
}

/// Tells of the statement once: how it ended, or, when it is dropped before that, that it was
/// cancelled.
struct Report {
    observer: Option<Observer>,
    begun: Instant,
}

impl Observer {
    /// `work`, and then a call of the hook.
    pub async fn watch(self, work: impl Future<Output = Result<Py<PyAny>>>) -> Result<Py<PyAny>> {
        let mut report = Report {
            observer: Some(self),
            begun: Instant::now(),
        };
        // The hook and the caller are to see the same exception.
        let done = work.await.map_err(PyErr::from);
        Python::attach(|py| report.end(py, done.as_ref().map_err(|error| error.clone_ref(py))));
        done.map_err(Error::from)
    }

    fn tell(
        &self,
        py: Python<'_>,
        seconds: f64,
        done: std::result::Result<&Py<PyAny>, PyErr>,
    ) -> PyResult<()> {
        let sql = self.codec.decode_escaped(py, &self.sql)?;
        let (rows, error) = match done {
            Ok(rows) if self.counts_rows => (Some(rows), None),
            Ok(_) => (None, None),
            Err(error) => (None, Some(error.into_value(py))),
        };
        self.hook
            .call1(py, (&self.connection, sql, seconds, rows, error))
            .map(drop)
    }
}

impl Report {
    fn end(&mut self, py: Python<'_>, done: std::result::Result<&Py<PyAny>, PyErr>) {
        let Some(observer) = self.observer.take() else {
            return;
        };
        if let Err(failure) = observer.tell(py, self.begun.elapsed().as_secs_f64(), done) {
            // The statement is not to fail for it.
            failure.write_unraisable(py, Some(observer.hook.bind(py)));
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if self.observer.is_some() {
            let _ = Python::try_attach(|py| self.end(py, Err(CancelledError::new_err(()))));
        }
    }
}
