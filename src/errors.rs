//! Every error of the native half, and the one place where errors become Python exceptions.
//!
//! Inside, errors are this enum. At the border each variant becomes the exception that PyMySQL
//! and aiomysql users catch (the very classes of `pymysql.err`), with `(errno, message)` as its
//! arguments where the server or MySQL's client library has a number for it, and with its cause
//! chained as `__cause__`.

use std::any::Any;
use std::io;
use std::path::PathBuf;

use mysql_async::{DriverError, IoError, ServerError, TlsError};
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyTimeoutError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::panics;

pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong underneath a failed connect or a lost connection.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A file that an option names cannot be read.
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{0}")]
    Tls(String),
    /// The server's certificate does not prove that it is the wanted server.
    #[error("certificate verify failed: {0}")]
    Certificate(rustls::CertificateError),
    #[error("timed out after {0} s")]
    TimedOut(f64),
    #[error("{0}")]
    Protocol(String),
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server answered with an error packet.
    #[error("{message}")]
    Server {
        code: u16,
        message: String,
        sqlstate: String,
    },
    /// No connection could be made (CR_CONN_HOST_ERROR, 2003).
    #[error("Can't connect to MySQL server on {host}")]
    Connect { host: String, cause: Cause },
    /// The server asked for an authentication plugin that we do not serve (2059).
    #[error("Authentication plugin '{0}' not configured")]
    AuthPlugin(String),
    /// The server wants parsec, which the driver cannot do with an empty password (2061).
    #[error("Authentication plugin 'parsec' reported error: the password is empty")]
    EmptyPassword,
    /// The connection broke while it was in use (CR_SERVER_LOST, 2013).
    #[error("Lost connection to MySQL server during query")]
    Lost { cause: Option<Cause> },
    /// The connection is closed, or was never made.
    #[error("(0, 'Not connected')")]
    NotConnected,
    /// A query on it was cancelled, and so it was closed.
    #[error("Cancelled during execution")]
    Cancelled,
    /// The task that was opening a connection for a pool was cancelled.
    #[error("opening a connection for the pool was cancelled")]
    OpeningCancelled,
    /// A pool had no connection to lend in time.
    #[error("{0}")]
    PoolTimeout(String),
    /// As many wait for a connection of a pool as may.
    #[error("{0} wait for a connection already, which is as many as may (max_waiting)")]
    TooManyRequests(usize),
    /// Another task is in the middle of a command on it.
    #[error(
        "another command is running on this connection: a connection serves one task at a time; \
         use one connection for each task, or a pool"
    )]
    Busy,
    /// The statement is larger than the server or the protocol takes.
    #[error("Got a packet bigger than 'max_allowed_packet' bytes")]
    PacketTooLarge,
    /// Bytes that are not MySQL's protocol.
    #[error("{0}")]
    Protocol(String),
    /// A panic in a dependency, caught.
    #[error("internal error while the connection was in use: {0}")]
    Panic(String),
    #[error("{0}")]
    NotSupported(String),
    /// An exception of PEP 249's ProgrammingError class.
    #[error("{0}")]
    Programming(String),
    #[error("{0}")]
    Python(#[from] PyErr),
}

impl Error {
    pub fn from_panic(payload: &(dyn Any + Send)) -> Self {
        Self::Panic(panics::message(payload).to_owned())
    }

    /// Whether the connection is as usable after this error as it was before.
    pub fn leaves_connection_usable(&self) -> bool {
        matches!(
            self,
            Self::Server { .. } | Self::Python(_) | Self::NotSupported(_) | Self::Programming(_)
        )
    }

    /// Whether the peer closed an established connection.
    pub fn is_loss_of_peer(&self) -> bool {
        match self {
            Self::Lost { cause: None } => true,
            Self::Lost {
                cause: Some(Cause::Io(error)),
            } => matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
            ),
            _ => false,
        }
    }

    /// The same failure, met while connecting to `host`.
    pub fn while_connecting(self, host: &str) -> Self {
        let cause = match self {
            Self::Lost { cause: Some(cause) } => cause,
            Self::Lost { cause: None } => {
                io::Error::new(io::ErrorKind::UnexpectedEof, "connection closed").into()
            }
            Self::Protocol(text) => Cause::Protocol(text),
            other => return other,
        };
        Self::Connect {
            host: host.to_owned(),
            cause,
        }
    }
}

impl From<mysql_async::Error> for Error {
    fn from(error: mysql_async::Error) -> Self {
        match error {
            mysql_async::Error::Server(error) => error.into(),
            mysql_async::Error::Io(error) => Self::Lost {
                cause: Some(error.into()),
            },
            mysql_async::Error::Driver(error) => error.into(),
            other => Self::Protocol(other.to_string()),
        }
    }
}

impl From<ServerError> for Error {
    fn from(error: ServerError) -> Self {
        // Before the handshake is done mysql_async takes the state for a part of the text.
        let (sqlstate, message) = match error.message.strip_prefix('#') {
            Some(rest) if rest.is_char_boundary(5) && rest.len() >= 5 => rest.split_at(5),
            _ => (error.state.as_str(), error.message.as_str()),
        };
        Self::Server {
            code: error.code,
            message: message.to_owned(),
            sqlstate: sqlstate.to_owned(),
        }
    }
}

impl From<IoError> for Cause {
    fn from(error: IoError) -> Self {
        match error {
            IoError::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(inner) => Self::from_rustls(inner),
                None if is_half_a_packet(&error) => Self::Io(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "connection closed in the midst of a packet",
                )),
                None => Self::Io(error),
            },
            IoError::Tls(TlsError::Tls(error)) => Self::from_rustls(&error),
            IoError::Tls(error) => Self::Tls(error.to_string()),
        }
    }
}

/// tokio-util's decoder has no kind of its own for this.
fn is_half_a_packet(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Other && error.to_string() == "bytes remaining on stream"
}

impl Cause {
    fn from_rustls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => Self::Certificate(error.clone()),
            other => Self::Tls(other.to_string()),
        }
    }
}

impl From<DriverError> for Error {
    fn from(error: DriverError) -> Self {
        match error {
            DriverError::ConnectionClosed => Self::Lost { cause: None },
            DriverError::UnknownAuthPlugin { name } => Self::AuthPlugin(name),
            DriverError::CleartextPluginDisabled => Self::AuthPlugin("mysql_clear_password".into()),
            DriverError::MysqlOldPasswordDisabled => Self::AuthPlugin("mysql_old_password".into()),
            DriverError::PacketTooLarge => Self::PacketTooLarge,
            // Its payload may be anything, a password among it: only its size is told.
            DriverError::UnexpectedPacket { payload } => Self::Protocol(format!(
                "Unexpected packet of {} bytes from the server",
                payload.len()
            )),
            DriverError::NoClientSslFlagFromServer => Self::Lost {
                cause: Some(Cause::Tls(
                    "TLS was asked for, but the server does not offer it".into(),
                )),
            },
            DriverError::NoKeyFound => Self::Lost {
                cause: Some(Cause::Tls("the key file holds no private key".into())),
            },
            other => Self::Protocol(other.to_string()),
        }
    }
}

/// Client error numbers, as in MySQL's errmsg.h.
const CR_CONN_HOST_ERROR: u16 = 2003;
const CR_SERVER_LOST: u16 = 2013;
const CR_NET_PACKET_TOO_LARGE: u16 = 2020;
const CR_AUTH_PLUGIN_CANNOT_LOAD: u16 = 2059;
const CR_AUTH_PLUGIN_ERR: u16 = 2061;

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        Python::attach(|py| to_exception(py, error).unwrap_or_else(|failure| failure))
    }
}

fn to_exception(py: Python<'_>, error: Error) -> PyResult<PyErr> {
    let text = error.to_string();
    match error {
        Error::Python(error) => Ok(error),
        Error::Server {
            code,
            message,
            sqlstate,
        } => {
            let exception = class_for(py, code)?.call1((code, message))?;
            exception.setattr(intern!(py, "sqlstate"), sqlstate)?;
            Ok(PyErr::from_value(exception))
        }
        Error::Connect { host, cause } => {
            let host = pyo3::types::PyString::new(py, &host).repr()?;
            let text = format!("Can't connect to MySQL server on {host}");
            operational(py, CR_CONN_HOST_ERROR, text, Some(cause))
        }
        Error::AuthPlugin(_) => operational(py, CR_AUTH_PLUGIN_CANNOT_LOAD, text, None),
        Error::EmptyPassword => operational(py, CR_AUTH_PLUGIN_ERR, text, None),
        Error::Lost { cause } => {
            let text = match &cause {
                Some(cause) => format!("{text} ({cause})"),
                None => text,
            };
            operational(py, CR_SERVER_LOST, text, cause)
        }
        Error::PacketTooLarge => operational(py, CR_NET_PACKET_TOO_LARGE, text, None),
        Error::NotConnected | Error::Cancelled | Error::OpeningCancelled => {
            raise(py, "InterfaceError", text)
        }
        Error::Protocol(_) | Error::Panic(_) => raise(py, "InternalError", text),
        Error::NotSupported(_) => raise(py, "NotSupportedError", text),
        Error::Programming(_) => raise(py, "ProgrammingError", text),
        Error::PoolTimeout(_) => pool_error(py, "PoolTimeout", text),
        Error::TooManyRequests(_) => pool_error(py, "TooManyRequests", text),
        Error::Busy => Ok(PyRuntimeError::new_err(text)),
    }
}

fn raise(py: Python<'_>, class: &str, text: String) -> PyResult<PyErr> {
    Ok(PyErr::from_value(
        pymysql_err(py)?.getattr(class)?.call1((text,))?,
    ))
}

/// One of the pool's own; the server has no number for it.
fn pool_error(py: Python<'_>, class: &str, text: String) -> PyResult<PyErr> {
    let classes = py.import(intern!(py, "aiomysql._pool_types"))?;
    Ok(PyErr::from_value(classes.getattr(class)?.call1((0, text))?))
}

fn operational(py: Python<'_>, code: u16, text: String, cause: Option<Cause>) -> PyResult<PyErr> {
    let class = pymysql_err(py)?.getattr(intern!(py, "OperationalError"))?;
    let error = PyErr::from_value(class.call1((code, text))?);
    if let Some(cause) = cause {
        error.set_cause(py, Some(cause_exception(py, cause)?));
    }
    Ok(error)
}

fn cause_exception(py: Python<'_>, cause: Cause) -> PyResult<PyErr> {
    let text = cause.to_string();
    Ok(match cause {
        Cause::Io(error) => os_error(py, error, None)?,
        Cause::File { path, error } => os_error(py, error, Some(path))?,
        Cause::TimedOut(_) => PyTimeoutError::new_err(text),
        Cause::Tls(_) => ssl_error(py, "SSLError", text)?,
        Cause::Certificate(error) => certificate_error(py, &error, text)?,
        Cause::Protocol(_) => raise(py, "InternalError", text)?,
    })
}

/// An OSError that reads like Python's own.
fn os_error(py: Python<'_>, error: io::Error, path: Option<PathBuf>) -> PyResult<PyErr> {
    if let Some(number) = error.raw_os_error() {
        // By errno, so that Python picks ConnectionRefusedError and its kin itself.
        let text = py
            .import(intern!(py, "os"))?
            .call_method1(intern!(py, "strerror"), (number,))?
            .unbind();
        return Ok(match path {
            Some(path) => PyOSError::new_err((number, text, path.into_os_string())),
            None => PyOSError::new_err((number, text)),
        });
    }
    let text = error.to_string();
    if let Some(reason) = text.strip_prefix("failed to lookup address information: ") {
        let class = py
            .import(intern!(py, "socket"))?
            .getattr(intern!(py, "gaierror"))?;
        return Ok(PyErr::from_value(
            class.call1((lookup_code(reason), reason))?,
        ));
    }
    Ok(error.into())
}

/// The number of getaddrinfo's message: Rust's standard library keeps the text alone.
#[cfg(unix)]
fn lookup_code(reason: &str) -> i32 {
    [
        libc::EAI_NONAME,
        libc::EAI_AGAIN,
        libc::EAI_FAIL,
        libc::EAI_FAMILY,
        libc::EAI_NODATA,
        libc::EAI_SERVICE,
        libc::EAI_MEMORY,
    ]
    .into_iter()
    .find(|code| {
        // SAFETY: gai_strerror gives a static string for any number.
        let text = unsafe { std::ffi::CStr::from_ptr(libc::gai_strerror(*code)) };
        text.to_bytes() == reason.as_bytes()
    })
    .unwrap_or(libc::EAI_FAIL)
}

#[cfg(not(unix))]
fn lookup_code(_reason: &str) -> i32 {
    11001
}

fn ssl_error(py: Python<'_>, class: &str, text: String) -> PyResult<PyErr> {
    const SSL_ERROR_SSL: u8 = 1;
    let class = py.import(intern!(py, "ssl"))?.getattr(class)?;
    Ok(PyErr::from_value(class.call1((SSL_ERROR_SSL, text))?))
}

/// `ssl.SSLCertVerificationError` with OpenSSL's number of the fault.
fn certificate_error(
    py: Python<'_>,
    error: &rustls::CertificateError,
    text: String,
) -> PyResult<PyErr> {
    use rustls::CertificateError::*;
    let code = match error {
        NotValidYet | NotValidYetContext { .. } => 9,
        Expired | ExpiredContext { .. } => 10,
        UnknownIssuer => 20,
        Revoked => 23,
        InvalidPurpose | InvalidPurposeContext { .. } => 26,
        NotValidForName | NotValidForNameContext { .. } => 62,
        _ => 1,
    };
    let exception = ssl_error(py, "SSLCertVerificationError", text)?;
    let value = exception.value(py);
    value.setattr(intern!(py, "verify_code"), code)?;
    value.setattr(intern!(py, "verify_message"), error.to_string())?;
    value.setattr(intern!(py, "reason"), "CERTIFICATE_VERIFY_FAILED")?;
    value.setattr(intern!(py, "library"), "SSL")?;
    Ok(exception)
}

/// An OperationalError of this number, with its cause.
pub fn operational_error(py: Python<'_>, code: u16, text: String, cause: PyErr) -> PyErr {
    match operational(py, code, text, None) {
        Ok(error) => {
            error.set_cause(py, Some(cause));
            error
        }
        Err(failure) => failure,
    }
}

pub fn pymysql_err(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static MODULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    Ok(MODULE
        .get_or_try_init(py, || {
            py.import(intern!(py, "pymysql.err"))
                .map(|module| module.into_any().unbind())
        })?
        .bind(py))
}

/// The class of a server error: PyMySQL's own table, and its rule for what is not in it.
fn class_for(py: Python<'_>, code: u16) -> PyResult<Bound<'_, PyAny>> {
    let errors = pymysql_err(py)?;
    let table = errors
        .getattr(intern!(py, "error_map"))?
        .cast_into::<PyDict>()?;
    match table.get_item(code)? {
        Some(class) => Ok(class),
        None if code < 1000 => errors.getattr(intern!(py, "InternalError")),
        None => errors.getattr(intern!(py, "OperationalError")),
    }
}
