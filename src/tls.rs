//! What `ssl=` asks for, in rustls's terms.

use mysql_async::SslOpts;
use pyo3::prelude::*;

use crate::connection::Options;
use crate::errors::{Error, Result};

/// Chooses ring as rustls's cryptography for this process; the first to choose wins.
pub fn install_provider() {}

/// The TLS options of a connection; None where none was asked for.
pub fn options(ssl: &Bound<'_, PyAny>, _options: &Options) -> Result<Option<SslOpts>> {
    if ssl.is_none() || !ssl.is_truthy()? {
        return Ok(None);
    }
    Err(Error::NotSupported("ssl".into()))
}
