//! PyMySQL's dictionary form of `ssl=`.

use std::path::PathBuf;

use mysql_async::ClientIdentity;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyMapping};

use super::{Checks, Tls, read_file, refuse, system};
use crate::errors::{Error, Result};

const KNOWN: [&str; 6] = [
    "ca",
    "capath",
    "cert",
    "key",
    "check_hostname",
    "verify_mode",
];

/// Keys that documents tell people to write only to have a dictionary that is not empty.
const FILLERS: [&str; 2] = ["fake_flag_to_enable_tls", "ssl"];

pub fn read(dictionary: &Bound<'_, PyMapping>) -> Result<Tls> {
    for key in dictionary.keys()?.iter() {
        let name: String = key.extract()?;
        let value = dictionary.get_item(&key)?;
        let is_filler = FILLERS.contains(&name.as_str()) && value.is_instance_of::<PyBool>();
        if !value.is_none() && !is_filler && !KNOWN.contains(&name.as_str()) {
            return refuse(&format!("ssl: {name:?}"));
        }
    }
    let given = |name: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
        if !dictionary.contains(name)? {
            return Ok(None);
        }
        Ok(Some(dictionary.get_item(name)?).filter(|value| !value.is_none()))
    };
    let path = |name: &str| -> PyResult<Option<PathBuf>> {
        given(name)?.map(|value| value.extract()).transpose()
    };

    let (ca, capath) = (path("ca")?, path("capath")?);
    let names_authorities = ca.is_some() || capath.is_some();
    let check_name = given("check_hostname")?
        .map(|value| value.is_truthy())
        .transpose()?;
    let verify = given("verify_mode")?
        .map(|value| reads_as_verification(&value))
        .transpose()?
        .unwrap_or(names_authorities || check_name == Some(true));
    let checks = match (verify, check_name.unwrap_or(names_authorities)) {
        (true, true) => Checks::ChainAndName,
        (true, false) => Checks::Chain,
        (false, _) if check_name == Some(true) => {
            let text = "ssl: check_hostname needs a verify_mode other than none";
            return Err(PyValueError::new_err(text).into());
        }
        (false, _) => Checks::Nothing,
    };

    let mut roots = Vec::new();
    if checks != Checks::Nothing {
        if let Some(ca) = &ca {
            roots.push(read_file(ca)?);
        }
        if let Some(capath) = &capath {
            roots.extend(system::in_folder(capath)?);
        }
        if !names_authorities {
            roots = system::authorities(dictionary.py())?;
        }
    }
    Ok(Tls {
        checks,
        roots,
        identity: identity(path("cert")?, path("key")?)?,
        only_tls13: false,
    })
}

/// The certificate that the client shows, with its key; the key may be in the same file.
fn identity(cert: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<ClientIdentity>> {
    let Some(cert) = cert else {
        return match key {
            None => Ok(None),
            Some(_) => Err(PyValueError::new_err("ssl: key is of no use without cert").into()),
        };
    };
    let chain = read_file(&cert)?;
    let key = match key {
        Some(key) => read_file(&key)?,
        None => chain.clone(),
    };
    if key.windows(ENCRYPTED.len()).any(|part| part == ENCRYPTED)
        || key
            .windows(ENCRYPTED_OLD.len())
            .any(|part| part == ENCRYPTED_OLD)
    {
        return refuse("ssl: an encrypted key");
    }
    Ok(Some(ClientIdentity::new(chain.into(), key.into())))
}

const ENCRYPTED: &[u8] = b"BEGIN ENCRYPTED PRIVATE KEY";
const ENCRYPTED_OLD: &[u8] = b"Proc-Type: 4,ENCRYPTED";

/// `verify_mode` as PyMySQL takes it: a bool, a word, or a constant of `ssl`.
fn reads_as_verification(value: &Bound<'_, PyAny>) -> Result<bool> {
    if let Ok(number) = value.extract::<i64>() {
        return Ok(number != 0);
    }
    let word: String = value.extract()?;
    match word.to_lowercase().as_str() {
        "none" | "0" | "false" | "no" => Ok(false),
        "optional" | "required" | "1" | "true" | "yes" => Ok(true),
        _ => Err(Error::Python(PyValueError::new_err(format!(
            "ssl: verify_mode is \"none\", \"optional\" or \"required\", not {word:?}"
        )))),
    }
}
