//! The connection's character set as Python knows it: how its text becomes bytes and back.

use std::borrow::Cow;

use pyo3::exceptions::PyLookupError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// A Python codec. UTF-8, by far the most common, is handled without a call into Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codec {
    Utf8,
    /// A codec that Python knows by this name, such as `cp1252` or `gbk`.
    Python(String),
}

impl Codec {
    /// The codec that Python finds under `name`; LookupError where it knows none.
    pub fn lookup(py: Python<'_>, name: &str) -> PyResult<Self> {
        let info = py
            .import(intern!(py, "codecs"))?
            .call_method1(intern!(py, "lookup"), (name,))?;
        let canonical: String = info.getattr(intern!(py, "name"))?.extract()?;
        match canonical.as_str() {
            "utf-8" => Ok(Self::Utf8),
            "" => Err(PyLookupError::new_err(format!("unknown encoding: {name}"))),
            _ => Ok(Self::Python(canonical)),
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Python(name) => name,
        }
    }

    /// Whether a byte below 0x80 always stands for itself. False for gbk, big5, sjis and their
    /// kin, in which a backslash or a quote may be the second byte of a character.
    pub fn is_ascii_safe(&self) -> bool {
        match self {
            Self::Utf8 => true,
            Self::Python(name) => !matches!(
                name.as_str(),
                "gbk"
                    | "gb18030"
                    | "big5"
                    | "big5hkscs"
                    | "cp950"
                    | "shift_jis"
                    | "cp932"
                    | "shift_jisx0213"
                    | "shift_jis_2004"
            ),
        }
    }

    /// `text` as bytes of this character set; lone surrogates become the bytes they escape.
    pub fn encode<'a>(&self, text: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, [u8]>> {
        if *self == Self::Utf8
            && let Ok(utf8) = text.to_str()
        {
            return Ok(Cow::Borrowed(utf8.as_bytes()));
        }
        let py = text.py();
        let encoded = text.call_method1(
            intern!(py, "encode"),
            (self.name(), intern!(py, "surrogateescape")),
        )?;
        Ok(Cow::Owned(encoded.cast::<PyBytes>()?.as_bytes().to_vec()))
    }

    /// Bytes that we wrote ourselves, as text: what `encode` may have escaped comes back.
    pub fn decode_escaped<'py>(
        &self,
        py: Python<'py>,
        bytes: &[u8],
    ) -> PyResult<Bound<'py, PyString>> {
        if *self == Self::Utf8
            && let Ok(utf8) = std::str::from_utf8(bytes)
        {
            return Ok(PyString::new(py, utf8));
        }
        let text = PyBytes::new(py, bytes).call_method1(
            intern!(py, "decode"),
            (self.name(), intern!(py, "surrogateescape")),
        )?;
        Ok(text.cast_into::<PyString>()?)
    }
}
