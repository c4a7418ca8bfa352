//! The native half of `aiomysql.Connection`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mysql_async::consts::StatusFlags;
use pyo3::exceptions::{PyTypeError, PyUserWarning};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::cancel::Canceller;
use super::limits::Limits;
use super::link::{Link, Pending, now};
use super::observer::Observer;
use super::open::open;
use super::options::Options;
use crate::awaitable::Operation;
use crate::charset::Codec;
use crate::decode::{Converters, DecodeOptions};
use crate::encode::{Dialect, escape_value};
use crate::errors::{Error, Result};
use crate::hooks::{Judged, set_attribute};
use crate::result::{Reading, ResultSet, Shape};
use crate::runtime;
use crate::tls;

/// How long a ping may wait where neither `read_timeout` nor `connect_timeout` says so.
const LONGEST_PING: Duration = Duration::from_secs(10);

/// What is no duration is no limit.
fn duration(seconds: Option<f64>) -> Option<Duration> {
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

/// Base class of `aiomysql.Connection`: the session itself, without names, defaults and hooks.
#[pyclass(subclass, generic, module = "aiomysql._native")]
pub struct Connection {
    link: Option<Arc<Link>>,
    codec: Codec,
    /// Python type → function that writes its SQL literal.
    #[pyo3(get, set)]
    encoders: Py<PyDict>,
    /// Field type → function that makes a value of text.
    #[pyo3(get, set)]
    decoders: Py<PyAny>,
    #[pyo3(get, set)]
    use_unicode: bool,
    /// Seconds without a sign of the server after which a command fails; None: no limit.
    #[pyo3(get, set)]
    read_timeout: Option<f64>,
    /// Seconds in which the server takes nothing of what is sent; None: `read_timeout`.
    #[pyo3(get, set)]
    write_timeout: Option<f64>,
    /// Called with each statement that has run.
    #[pyo3(get, set)]
    on_query: Option<Py<PyAny>>,
    #[pyo3(get, set, name = "_result")]
    pub(super) result: Option<Py<ResultSet>>,
    #[pyo3(get, set, name = "_affected_rows")]
    affected_rows: u64,
    #[pyo3(get)]
    server_version: Option<String>,
    /// The server's number of this session, in a tuple of one.
    #[pyo3(get)]
    server_thread_id: Option<Py<PyTuple>>,
    last_usage: f64,
    /// A hook was assigned on the instance.
    has_own_hooks: bool,
    /// Which hooks its class overrides.
    judged: Judged,
    was_lent: AtomicBool,
    /// When a pool is to replace it, in seconds of the monotonic clock.
    expiry: f64,
}

impl Connection {
    /// Whether no hook of the connection or of its class is overridden.
    pub fn is_plain(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let mut this = slf.borrow_mut();
        Ok(!this.has_own_hooks && this.judged.traits_of(slf.as_any())?.plain)
    }

    /// The session, where there is one.
    pub fn link(&self) -> Result<Arc<Link>> {
        self.link.clone().ok_or(Error::NotConnected)
    }

    pub fn codec(&self) -> &Codec {
        &self.codec
    }

    pub fn limits(&self) -> Limits {
        Limits {
            read: duration(self.read_timeout),
            write: duration(self.write_timeout),
        }
    }

    /// For a ping, which is always bounded.
    pub(super) fn limits_of_ping(slf: &Bound<'_, Self>) -> PyResult<Limits> {
        let limits = slf.borrow().limits();
        let connect_timeout: Option<f64> = slf
            .getattr(intern!(slf.py(), "connect_timeout"))?
            .extract()?;
        let read = limits.read.or(duration(connect_timeout));
        Ok(Limits {
            read: Some(read.unwrap_or(LONGEST_PING)),
            ..limits
        })
    }

    pub fn reading(&self, py: Python<'_>, shape: Shape, json: bool) -> Reading {
        Reading {
            decode: DecodeOptions {
                codec: self.codec.clone(),
                use_unicode: self.use_unicode,
                converters: Converters::new(self.decoders.bind(py)),
            },
            shape,
            json,
        }
    }

    pub fn dialect<'a, 'py>(&'a self, py: Python<'py>) -> Dialect<'a, 'py> {
        Dialect {
            codec: &self.codec,
            no_backslash_escapes: self.link.as_ref().is_some_and(|link| {
                link.status()
                    .contains(StatusFlags::SERVER_STATUS_NO_BACKSLASH_ESCAPES)
            }),
            encoders: self.encoders.bind(py),
        }
    }

    pub fn is_closed(&self) -> bool {
        self.link.as_ref().is_none_or(|link| link.is_closed())
    }

    /// Whether a command is running, or its answer has not been read to the end.
    pub fn is_occupied(&self) -> bool {
        self.link
            .as_ref()
            .is_some_and(|link| link.is_busy() || link.pending() != Pending::Nothing)
    }

    /// Whether a pool has lent it before.
    pub fn was_lent(&self) -> bool {
        self.was_lent.load(Ordering::Relaxed)
    }

    pub fn expiry(&self) -> f64 {
        self.expiry
    }

    pub fn expires_at(&mut self, moment: f64) {
        self.expiry = moment;
    }

    pub fn mark_lent(&self) {
        self.was_lent.store(true, Ordering::Relaxed);
    }

    /// Seconds of the monotonic clock when it was used last.
    pub fn used_last(&self) -> f64 {
        self.link
            .as_ref()
            .map_or(self.last_usage, |link| link.last_usage())
    }

    /// Whether the peer has closed an idle connection; None where that cannot be told.
    pub fn has_hung_up(&self) -> Option<bool> {
        self.link.as_ref().and_then(|link| link.has_hung_up())
    }

    /// The result that this connection gave last.
    pub fn latest<'py>(&self, py: Python<'py>) -> Option<Bound<'py, ResultSet>> {
        self.result.as_ref().map(|result| result.bind(py).clone())
    }

    /// Makes a result the connection's latest.
    pub fn adopt(&mut self, py: Python<'_>, result: &Py<ResultSet>) {
        self.affected_rows = result.borrow(py).affected_rows();
        self.result = Some(result.clone_ref(py));
    }

    /// Before another command: rows of a stream that nobody has fetched are lost, with a warning.
    pub fn leave_stream(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let stream = {
            let this = slf.borrow();
            this.latest(py)
                .filter(|result| result.borrow().has_rows_unread())
        };
        let Some(stream) = stream else {
            return Ok(());
        };
        {
            let mut stream = stream.borrow_mut();
            stream.abandon_stream();
            stream.forget_arrived();
        }
        let text = "Previous unbuffered result was left incomplete";
        py.import(intern!(py, "aiomysql._warn"))?
            .call_method1(intern!(py, "warn"), (text, py.get_type::<PyUserWarning>()))?;
        Ok(())
    }

    /// A statement's bytes: text in the connection's character set, bytes as they are.
    pub fn encode(&self, statement: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
        if let Ok(text) = statement.cast::<PyString>() {
            return Ok(self.codec.encode(text)?.into_owned());
        }
        match statement.extract::<pyo3::pybacked::PyBackedBytes>() {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(_) => Err(PyTypeError::new_err(format!(
                "a statement is str or bytes, not {}",
                statement.get_type().name()?
            ))),
        }
    }

    /// Who is to be told of a statement, if anybody; `counts_rows` says whether the operation gives
    /// a number of rows.
    pub fn observer(
        slf: &Bound<'_, Self>,
        sql: &Arc<Vec<u8>>,
        counts_rows: bool,
    ) -> Option<Observer> {
        let this = slf.borrow();
        this.on_query.as_ref().map(|hook| Observer {
            hook: hook.clone_ref(slf.py()),
            connection: slf.clone().into_any().unbind(),
            sql: Arc::clone(sql),
            codec: this.codec.clone(),
            counts_rows,
        })
    }
}

#[pymethods]
impl Connection {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(
        py: Python<'_>,
        _args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> Self {
        Self {
            link: None,
            codec: Codec::Utf8,
            encoders: PyDict::new(py).unbind(),
            decoders: PyDict::new(py).into_any().unbind(),
            use_unicode: true,
            read_timeout: None,
            write_timeout: None,
            on_query: None,
            result: None,
            affected_rows: 0,
            server_version: None,
            server_thread_id: None,
            last_usage: now(),
            has_own_hooks: false,
            judged: Judged::default(),
            was_lent: AtomicBool::new(false),
            expiry: f64::INFINITY,
        }
    }

    fn __setattr__(
        slf: &Bound<'_, Self>,
        name: &Bound<'_, PyString>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if set_attribute(slf.as_any(), name, Some(value))? {
            slf.borrow_mut().has_own_hooks = true;
        }
        Ok(())
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<()> {
        set_attribute(slf.as_any(), name, None).map(drop)
    }

    /// Opens the session. `options`: see the stub file.
    fn _open(
        slf: Bound<'_, Self>,
        options: Options,
        ssl: &Bound<'_, PyAny>,
    ) -> PyResult<Operation> {
        let tls = tls::request(ssl, &options)?;
        let this = slf.unbind();
        Ok(Operation::new("Connection._connect", None, async move {
            let reactor = Python::attach(runtime::current)?;
            let cancelling = options
                .kill_cancelled
                .then(|| (options.clone(), tls.clone()));
            let opened = open(&reactor, options, tls).await?;
            if let Some((options, tls)) = cancelling {
                let canceller = Canceller::new(options, tls, opened.thread_id);
                opened.link.set_canceller(canceller);
            }
            Python::attach(|py| {
                let thread_id = PyTuple::new(py, [opened.thread_id])?.unbind();
                let mut this = this.borrow_mut(py);
                this.server_version = Some(opened.server_version);
                this.server_thread_id = Some(thread_id);
                this.result = None;
                let previous = this.link.replace(opened.link);
                drop(this);
                if let Some(previous) = previous {
                    previous.close();
                }
                Ok(py.None())
            })
        }))
    }

    /// Raises InterfaceError where the session is closed, and says why.
    fn _check_alive(&self) -> Result<()> {
        match &self.link {
            Some(link) => link.check_open(),
            None => Err(Error::NotConnected),
        }
    }

    /// Whether no hook of the connection or of its class is overridden.
    #[getter]
    fn _is_plain(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Self::is_plain(slf)
    }

    /// Closes the session at once. Closing it again does nothing.
    fn close(&self) {
        if let Some(link) = &self.link {
            link.close();
        }
    }

    /// Whether the session is closed, or was never opened.
    #[getter]
    fn closed(&self) -> bool {
        self.is_closed()
    }

    /// Whether the server has closed its end; None where that cannot be told at once.
    #[getter(_has_hung_up)]
    fn shown_hung_up(&self) -> Option<bool> {
        self.has_hung_up()
    }

    /// The status flags that the server sent last (constants in `pymysql.constants`'s
    /// SERVER_STATUS).
    #[getter]
    fn server_status(&self) -> u16 {
        self.link.as_ref().map_or(0, |link| link.status().bits())
    }

    /// When the connection was used last, in seconds of `loop.time()`.
    #[getter]
    fn last_usage(&self) -> f64 {
        self.used_last()
    }

    fn _touch(&mut self) {
        match &self.link {
            Some(link) => link.touch(),
            None => self.last_usage = now(),
        }
    }

    /// The Python codec of the connection's character set.
    fn _set_codec(&mut self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.codec = Codec::lookup(py, name)?;
        Ok(())
    }

    /// The SQL literal of a value, as `aiomysql.Connection.escape`.
    fn _escape<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        escape_value(value, &self.dialect(value.py()))
    }

    /// The event loop that the session was opened on, not kept alive by it; before that, the running
    /// one, and None where there is none.
    #[getter]
    fn _loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        match &self.link {
            Some(link) => link.reactor().event_loop(py),
            None => runtime::running_loop(py).ok(),
        }
    }

    /// `"loop"` or `"fallback"`: which driver serves this connection. For tests.
    #[getter]
    fn _driver(&self) -> Option<&'static str> {
        self.link.as_ref().map(|link| link.reactor().driver_name())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.encoders)?;
        visit.call(&self.decoders)?;
        visit.call(&self.on_query)?;
        visit.call(&self.result)
    }

    fn __clear__(&mut self) {
        self.result = None;
        self.on_query = None;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            link.close();
        }
    }
}
