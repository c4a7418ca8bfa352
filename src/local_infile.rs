//! LOAD DATA LOCAL INFILE: which file a server is given, and how it gets there.
//!
//! mysql_async tells every server that it may ask for files, so a handler is always installed,
//! and what it must never do is fail: an error from it drops the connection. It answers with no
//! bytes at all, keeps the reason here, and the command raises that when the server has answered.
//!
//! The file is opened and read through Python's `open`, in a thread of its own, which waits while
//! the server does not take what was read.

use std::future::ready;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use mysql_async::{InfileData, LocalInfileError};
use pyo3::exceptions::PyOSError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use tokio::sync::mpsc;

use crate::connection::Link;
use crate::errors::{Error, operational_error};
use crate::runtime::lock;

/// Bytes read, and sent as one packet, at a time.
const CHUNK: usize = 256 * 1024;

/// Chunks that wait for the server at most.
const CHUNKS_AHEAD: usize = 2;

/// Error numbers of MySQL, as PyMySQL raises them here.
const FILE_NOT_FOUND: u16 = 1017;
const ERROR_ON_READ: u16 = 1024;

/// What a connection gives to a server that asks for a file.
pub struct LocalInfile {
    /// The argument `local_infile` of `connect()`.
    allowed: bool,
    session: OnceLock<Session>,
    state: Mutex<State>,
}

/// The connection, once it is open; before that no file is sent.
struct Session {
    link: Weak<Link>,
    server_version: String,
}

#[derive(Default)]
struct State {
    /// The running statement, plain (see [`plain`]), where it may ask for a file.
    statement: Option<Vec<u8>>,
    /// Why the running statement did not get its file.
    failure: Option<Error>,
}

type Answer = Pin<Box<dyn Future<Output = Result<InfileData, LocalInfileError>> + Send>>;

impl LocalInfile {
    pub fn new(allowed: bool) -> Arc<Self> {
        Arc::new(Self {
            allowed,
            session: OnceLock::new(),
            state: Mutex::default(),
        })
    }

    pub fn attach(&self, link: &Arc<Link>, server_version: &str) {
        // Set once: a link is opened once.
        let _ = self.session.set(Session {
            link: Arc::downgrade(link),
            server_version: server_version.to_owned(),
        });
    }

    /// Takes note of the statement that is about to be sent.
    pub fn begin(&self, sql: &[u8]) {
        if self.allowed {
            let mut state = lock(&self.state);
            state.failure = None;
            state.statement = mentions_infile(sql).then(|| plain(sql));
        }
    }

    /// Why the statement that has just run did not get its file; told once.
    pub fn take_failure(&self) -> Option<Error> {
        lock(&self.state).failure.take()
    }

    fn fail(&self, error: Error) {
        lock(&self.state).failure = Some(error);
    }

    /// What mysql_async calls with the name of the file that the server asks for.
    pub fn handler(self: &Arc<Self>) -> impl Fn(&[u8]) -> Answer + Send + Sync + 'static {
        let this = Arc::clone(self);
        move |name| {
            let contents = this.give(name);
            Box::pin(ready(Ok(contents)))
        }
    }

    fn give(self: &Arc<Self>, name: &[u8]) -> InfileData {
        match self.check(name).and_then(|()| Contents::open(self, name)) {
            Ok(contents) => Box::pin(contents),
            Err(error) => {
                self.fail(error);
                Box::pin(Nothing)
            }
        }
    }

    fn check(&self, name: &[u8]) -> Result<(), Error> {
        let Some(session) = self.session.get() else {
            return Err(unasked(name));
        };
        if !self.allowed {
            return Err(switched_off(&session.server_version));
        }
        let name_plain = plain(name);
        let asked_for = lock(&self.state)
            .statement
            .as_ref()
            .is_some_and(|statement| memchr::memmem::find(statement, &name_plain).is_some());
        if name_plain.is_empty() || !asked_for {
            return Err(unasked(name));
        }
        Ok(())
    }

    /// Closes the connection: the server must not take what it has for the whole file.
    fn abort(&self) {
        if let Some(link) = self
            .session
            .get()
            .and_then(|session| session.link.upgrade())
        {
            link.close();
        }
    }
}

/// The server asks for a file that the statement does not name. It is not to be trusted further.
fn unasked(name: &[u8]) -> Error {
    Error::Protocol(format!(
        "the server asked for the file {:?}, which the statement does not name; nothing was sent",
        String::from_utf8_lossy(name)
    ))
}

/// What a server says to a client that does not offer files.
fn switched_off(server_version: &str) -> Error {
    let (code, message) = if server_version.contains("MariaDB") {
        (
            4166,
            "The used command is not allowed because the MariaDB server or client has disabled \
             the local infile capability",
        )
    } else {
        (
            3948,
            "Loading local data is disabled; this must be enabled on both the client and server \
             sides",
        )
    };
    Error::Server {
        code,
        message: message.into(),
        sqlstate: "42000".into(),
    }
}

fn mentions_infile(sql: &[u8]) -> bool {
    sql.windows(b"infile".len())
        .any(|word| word.eq_ignore_ascii_case(b"infile"))
}

/// Bytes without what may stand before a character in a literal and be gone in its value.
fn plain(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\\' | b'\'' | b'"'))
        .collect()
}

/// An answer of no bytes.
struct Nothing;

impl Stream for Nothing {
    type Item = std::io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(None)
    }
}

/// What the reading thread says.
enum Said {
    Bytes(Bytes),
    /// The file has been read to its end.
    End,
    Failed(PyErr),
}

/// A file on its way to the server.
struct Contents {
    infile: Arc<LocalInfile>,
    said: mpsc::Receiver<Said>,
    has_sent: bool,
}

impl Contents {
    fn open(infile: &Arc<LocalInfile>, name: &[u8]) -> Result<Self, Error> {
        let (sender, said) = mpsc::channel(CHUNKS_AHEAD);
        let name = name.to_vec();
        std::thread::Builder::new()
            .name("aiomysql-infile".into())
            .spawn(move || read_file(&name, &sender))
            .map_err(|error| Error::Python(error.into()))?;
        Ok(Self {
            infile: Arc::clone(infile),
            said,
            has_sent: false,
        })
    }
}

impl Stream for Contents {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let failure = match ready!(self.said.poll_recv(context)) {
            Some(Said::Bytes(bytes)) => {
                self.has_sent = true;
                return Poll::Ready(Some(Ok(bytes)));
            }
            Some(Said::End) => return Poll::Ready(None),
            Some(Said::Failed(error)) => Error::Python(error),
            None => Error::Protocol("the thread that reads the file has ended".into()),
        };
        self.infile.fail(failure);
        if self.has_sent {
            self.infile.abort();
            return Poll::Pending;
        }
        Poll::Ready(None)
    }
}

/// The reading thread. It ends early where nobody listens any more.
fn read_file(name: &[u8], sender: &mpsc::Sender<Said>) {
    // None where Python is shutting down.
    let _ = Python::try_attach(|py| {
        let last = match pass_on(py, name, sender) {
            Ok(()) => Said::End,
            Err(error) => Said::Failed(error),
        };
        py.detach(|| sender.blocking_send(last).ok());
    });
}

fn pass_on(py: Python<'_>, name: &[u8], sender: &mpsc::Sender<Said>) -> PyResult<()> {
    let path = py
        .import(intern!(py, "os"))?
        .call_method1(intern!(py, "fsdecode"), (PyBytes::new(py, name),))?;
    let file = py
        .import(intern!(py, "builtins"))?
        .call_method1(intern!(py, "open"), (&path, "rb"))
        .map_err(|error| not_found(py, &path, error))?;
    let read = read_chunks(&file, sender);
    let closed = file.call_method0(intern!(py, "close"));
    read.and(closed.map(drop)).map_err(|error| {
        let text = format!("Error reading file {path}");
        operational_error(py, ERROR_ON_READ, text, error)
    })
}

fn read_chunks(file: &Bound<'_, PyAny>, sender: &mpsc::Sender<Said>) -> PyResult<()> {
    let py = file.py();
    loop {
        let chunk = file.call_method1(intern!(py, "read"), (CHUNK,))?;
        let bytes = Bytes::copy_from_slice(&chunk.extract::<PyBackedBytes>()?);
        let is_last = bytes.is_empty();
        if is_last || py.detach(|| sender.blocking_send(Said::Bytes(bytes)).is_err()) {
            return Ok(());
        }
    }
}

fn not_found(py: Python<'_>, path: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyOSError>(py) {
        return error;
    }
    let text = format!("Can't find file '{path}'");
    operational_error(py, FILE_NOT_FOUND, text, error)
}
