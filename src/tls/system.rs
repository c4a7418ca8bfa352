//! The certificate authorities that the machine trusts.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use pyo3::prelude::*;

use super::{read_file, unreadable};
use crate::errors::{Cause, Error, Result};
use crate::runtime::lock;

/// They are many, and read once: the first connection that asks for them pays.
static KNOWN: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

pub fn authorities(py: Python<'_>) -> Result<Vec<Vec<u8>>> {
    {
        let known = lock(&KNOWN);
        if !known.is_empty() {
            return Ok(known.clone());
        }
    }
    let ssl = py.import("ssl")?;
    let mut roots: Vec<Vec<u8>> = ssl
        .call_method0("create_default_context")?
        .call_method1("get_ca_certs", (true,))?
        .extract()?;
    if roots.is_empty() {
        let folder: Option<PathBuf> = ssl
            .call_method0("get_default_verify_paths")?
            .getattr("capath")?
            .extract()?;
        if let Some(folder) = folder {
            roots = in_folder(&folder)?;
        }
    }
    if roots.is_empty() {
        return Err(Error::Lost {
            cause: Some(Cause::Tls(
                "this machine has no certificate authorities to verify the server with".into(),
            )),
        });
    }
    lock(&KNOWN).clone_from(&roots);
    Ok(roots)
}

/// The authorities in a folder that is laid out for OpenSSL: a file for each, or a link to it,
/// named after a hash (`5ed36f99.0`).
pub fn in_folder(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| is_hashed(path))
        .collect();
    paths.sort();
    paths.iter().map(|path| read_file(path)).collect()
}

fn is_hashed(path: &Path) -> bool {
    let (Some(stem), Some(number)) = (path.file_stem(), path.extension()) else {
        return false;
    };
    stem.len() == 8
        && stem.as_encoded_bytes().iter().all(u8::is_ascii_hexdigit)
        && number.as_encoded_bytes().iter().all(u8::is_ascii_digit)
}
