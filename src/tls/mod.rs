//! What `ssl=` asks for, in rustls's terms. What cannot be honoured is refused by name: a
//! connection is never weaker than asked for, and never silently in the clear.

mod context;
mod dictionary;
mod system;

use std::io;
use std::path::Path;

use mysql_async::{ClientIdentity, SslOpts};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyMapping};

use crate::connection::Options;
use crate::errors::{Cause, Error, Result};

/// How much of the server's certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// The connection is encrypted, with whoever is at the other end.
    Nothing,
    /// Its chain up to a trusted authority.
    Chain,
    /// Its chain, and that it is made out to the host.
    ChainAndName,
}

/// A request for TLS that can be honoured.
#[derive(Clone)]
pub struct Tls {
    checks: Checks,
    /// Certificates of the trusted authorities, each PEM or DER.
    roots: Vec<Vec<u8>>,
    identity: Option<ClientIdentity>,
    /// TLS 1.3 is the least that will do; rustls itself speaks nothing below 1.2.
    only_tls13: bool,
}

/// mysql_async compares the text of rustls's error with this, rather than its kind, to tell that
/// nothing but the name is wrong. The text tells which name was expected, so expecting this one
/// makes the comparison right. Its price: the server is told this name in place of its own (SNI).
const ANY_NAME: &str = "NotValidForName";

impl Tls {
    pub fn to_opts(&self) -> SslOpts {
        let opts = SslOpts::default().with_client_identity(self.identity.clone());
        match self.checks {
            // rustls wants some root even where none is asked; the built-in ones serve.
            Checks::Nothing => opts
                .with_danger_accept_invalid_certs(true)
                .with_danger_skip_domain_validation(true),
            checks => {
                let opts = opts
                    .with_disable_built_in_roots(true)
                    .with_root_certs(self.roots.iter().cloned().map(Into::into).collect());
                if checks == Checks::ChainAndName {
                    return opts;
                }
                opts.with_danger_skip_domain_validation(true)
                    .with_danger_tls_hostname_override(Some(ANY_NAME))
            }
        }
    }

    /// Whether the peer is surely the wanted server, who may be told the password.
    pub fn proves_the_server(&self) -> bool {
        self.checks == Checks::ChainAndName
    }

    pub fn accepts_only_tls13(&self) -> bool {
        self.only_tls13
    }
}

/// Chooses ring as rustls's cryptography for this process; the first to choose wins.
pub fn install_provider() {
    // Fails where another has chosen before us, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// What `ssl=` asks for; None where it asks for no TLS.
pub fn request(ssl: &Bound<'_, PyAny>, options: &Options) -> Result<Option<Tls>> {
    if ssl.is_none() || ssl.is(PyBool::new(ssl.py(), false)) {
        return Ok(None);
    }
    if options.unix_socket.is_some() {
        return Err(Error::NotSupported(
            "ssl cannot be honoured on a unix socket, which does not leave the machine; give \
             either ssl or unix_socket"
                .into(),
        ));
    }
    read(ssl)
        .map(Some)
        .map_err(|error| error.while_connecting(&options.host))
}

fn read(ssl: &Bound<'_, PyAny>) -> Result<Tls> {
    let py = ssl.py();
    if ssl.is_instance_of::<PyBool>() {
        return Ok(Tls {
            checks: Checks::ChainAndName,
            roots: system::authorities(py)?,
            identity: None,
            only_tls13: false,
        });
    }
    let class = py
        .import(intern!(py, "ssl"))?
        .getattr(intern!(py, "SSLContext"))?;
    if ssl.is_instance(&class)? {
        context::read(ssl)
    } else if let Ok(dictionary) = ssl.cast::<PyMapping>() {
        dictionary::read(dictionary)
    } else {
        let class = ssl.get_type().name()?;
        let text = format!("ssl is an ssl.SSLContext, True or a dictionary, not {class}");
        Err(PyTypeError::new_err(text).into())
    }
}

fn refuse<T>(what: &str) -> Result<T> {
    Err(Error::NotSupported(format!(
        "{what} cannot be honoured by this driver's TLS"
    )))
}

/// A certificate or key file. They are small, and read while the options are.
fn read_file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::Lost {
        cause: Some(Cause::File {
            path: path.to_owned(),
            error,
        }),
    }
}
