//! An `ssl.SSLContext`: what it wishes, as far as Python can tell.
//!
//! Its client certificate, and the authorities of a `capath`, cannot be seen from outside.

use pyo3::exceptions::PyNotImplementedError;
use pyo3::intern;
use pyo3::prelude::*;

use super::{Checks, Tls, refuse};
use crate::errors::{Error, Result};

/// Constants of Python's `ssl`, which are OpenSSL's.
const CERT_NONE: i64 = 0;
const TLS_1_3: i64 = 0x0304;
const MAXIMUM_SUPPORTED: i64 = -1;
const CRL_CHECKS: i64 = 0x4 | 0x8;

/// The highest level of OpenSSL whose demands on keys rustls makes as well.
const SECURITY_LEVEL: i64 = 2;

/// What rustls with ring may agree on, by OpenSSL's names.
const CIPHERS: [&str; 9] = [
    "TLS_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-CHACHA20-POLY1305",
];

pub fn read(context: &Bound<'_, PyAny>) -> Result<Tls> {
    let ssl = context.py().import(intern!(context.py(), "ssl"))?;
    let constant = |name: &str| -> PyResult<i64> { ssl.getattr(name)?.extract() };
    let wish = |name: &str| -> PyResult<i64> { context.getattr(name)?.extract() };
    let options = wish("options")?;

    if wish("protocol")? == constant("PROTOCOL_TLS_SERVER")? {
        return refuse("ssl: a context for the server's side");
    }
    if !matches!(wish("maximum_version")?, MAXIMUM_SUPPORTED | TLS_1_3) {
        return refuse("ssl: the context's maximum_version");
    }
    if options & constant("OP_NO_TLSv1_3")? != 0 {
        return refuse("ssl: the context's OP_NO_TLSv1_3");
    }
    if wish("verify_flags")? & CRL_CHECKS != 0 {
        return refuse("ssl: the context's revocation lists (CRLs)");
    }
    if context.hasattr("security_level")? && wish("security_level")? > SECURITY_LEVEL {
        return refuse("ssl: the context's security_level");
    }
    refuse_ciphers(context, &ssl)?;

    let checks = if wish("verify_mode")? == CERT_NONE {
        Checks::Nothing
    } else if context.getattr("check_hostname")?.is_truthy()? {
        Checks::ChainAndName
    } else {
        Checks::Chain
    };
    let roots = match checks {
        Checks::Nothing => Vec::new(),
        _ => authorities(context)?,
    };
    Ok(Tls {
        checks,
        roots,
        identity: None,
        only_tls13: wish("minimum_version")? == TLS_1_3
            || options & constant("OP_NO_TLSv1_2")? != 0,
    })
}

/// Refuses a context that forbids a cipher which could be agreed on, unless the machine's own
/// policy forbids it to every context.
fn refuse_ciphers(context: &Bound<'_, PyAny>, ssl: &Bound<'_, PyModule>) -> Result<()> {
    let allowed = ciphers(context)?;
    if CIPHERS
        .iter()
        .all(|cipher| allowed.iter().any(|name| name == cipher))
    {
        return Ok(());
    }
    let untouched = ssl.call_method1("SSLContext", (ssl.getattr("PROTOCOL_TLS_CLIENT")?,))?;
    if allowed == ciphers(&untouched)? {
        return Ok(());
    }
    refuse("ssl: the context's ciphers")
}

fn ciphers(context: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    context
        .call_method0("get_ciphers")?
        .try_iter()?
        .map(|cipher| cipher?.get_item("name")?.extract())
        .collect()
}

fn authorities(context: &Bound<'_, PyAny>) -> Result<Vec<Vec<u8>>> {
    let py = context.py();
    let roots = match context.call_method1("get_ca_certs", (true,)) {
        Ok(roots) => roots.extract::<Vec<Vec<u8>>>()?,
        // A context that verifies by other means, as truststore's.
        Err(error) if error.is_instance_of::<PyNotImplementedError>(py) => {
            return refuse("ssl: a context that does not show its certificate authorities");
        }
        Err(error) => return Err(error.into()),
    };
    if roots.is_empty() {
        return Err(Error::NotSupported(
            "ssl: the context shows no certificate authorities to verify the server with (those \
             of a capath cannot be seen); load them with cafile or cadata, or give the \
             dictionary form"
                .into(),
        ));
    }
    Ok(roots)
}
