//! Text and bytes between quotes, in the connection's character set or as a Python string.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::Dialect;
use super::escape::{escape_backslash, escape_quotes, hex};
use crate::charset::Codec;

/// What the written bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Bytes of the connection's character set, as they go to the server.
    Wire,
    /// UTF-8 in which lone surrogates are kept, on the way to a Python string. A byte that is not
    /// text stands there as the surrogate that `surrogateescape` makes of it.
    Text,
}

/// Where literals are written, and how they are spelt there.
pub struct Writer<'a, 'py> {
    pub dialect: Dialect<'a, 'py>,
    pub form: Form,
    pub out: &'a mut Vec<u8>,
}

impl Writer<'_, '_> {
    /// `text` as it is.
    pub fn raw(&mut self, text: &Bound<'_, PyString>) -> PyResult<()> {
        match self.form {
            Form::Wire => self
                .out
                .extend_from_slice(&self.dialect.codec.encode(text)?),
            Form::Text => push_text(text, self.out)?,
        }
        Ok(())
    }

    /// `text` escaped, in quotes.
    pub fn quoted_text(&mut self, text: &Bound<'_, PyString>) -> PyResult<()> {
        self.out.push(b'\'');
        match self.form {
            Form::Wire => wire_text(text, &self.dialect, self.out)?,
            Form::Text => shown_text(text, &self.dialect, self.out)?,
        }
        self.out.push(b'\'');
        Ok(())
    }

    /// `bytes` as a literal; `marked` as binary, or in the connection's character set.
    pub fn quoted_bytes(&mut self, bytes: &[u8], marked: bool) {
        if marked {
            self.out.extend_from_slice(b"_binary");
        }
        if !self.dialect.codec.is_ascii_safe() {
            // A byte before a backslash or a quote could swallow it.
            self.out
                .extend_from_slice(if marked { b" x'" } else { b"x'" });
            hex(bytes, self.out);
        } else if self.form == Form::Wire {
            self.out.push(b'\'');
            escape(bytes, &self.dialect, self.out);
        } else {
            self.out.push(b'\'');
            let mut escaped = Vec::new();
            escape(bytes, &self.dialect, &mut escaped);
            push_escaped_surrogates(&escaped, self.out);
        }
        self.out.push(b'\'');
    }
}

/// The bytes that a `Form::Text` writer wrote, as a Python string.
pub fn into_string<'py>(py: Python<'py>, written: &[u8]) -> PyResult<Bound<'py, PyString>> {
    if let Ok(text) = std::str::from_utf8(written) {
        return Ok(PyString::new(py, text));
    }
    let text = PyBytes::new(py, written).call_method1(
        intern!(py, "decode"),
        (intern!(py, "utf-8"), intern!(py, "surrogatepass")),
    )?;
    Ok(text.cast_into::<PyString>()?)
}

fn escape(bytes: &[u8], dialect: &Dialect<'_, '_>, out: &mut Vec<u8>) {
    if dialect.no_backslash_escapes {
        escape_quotes(bytes, out);
    } else {
        escape_backslash(bytes, out);
    }
}

/// Escapes after encoding, not before: Python's euc_jp and shift_jis encode the yen sign as a
/// backslash, which must not come to stand before a quote.
fn wire_text(
    text: &Bound<'_, PyString>,
    dialect: &Dialect<'_, '_>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    if let Ok(utf8) = text.to_str()
        && (*dialect.codec == Codec::Utf8 || utf8.is_ascii())
    {
        escape(utf8.as_bytes(), dialect, out);
        return Ok(());
    }
    if dialect.codec.is_ascii_safe() {
        escape(&dialect.codec.encode(text)?, dialect, out);
        return Ok(());
    }
    overlapping_text(text, dialect, out)
}

/// Text for a character set whose characters may end in a backslash: it is escaped as characters,
/// and only what reads back as the same characters is sent so. Lone surrogates, raw bytes that
/// could swallow what follows them, are refused with UnicodeEncodeError.
fn overlapping_text(
    text: &Bound<'_, PyString>,
    dialect: &Dialect<'_, '_>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    let py = text.py();
    let encode = |text: &Bound<'_, PyString>| -> PyResult<Vec<u8>> {
        let bytes = text.call_method1(intern!(py, "encode"), (dialect.codec.name(),))?;
        Ok(bytes.cast::<PyBytes>()?.as_bytes().to_vec())
    };
    // Refuses surrogates; below, the text is known to be UTF-8.
    encode(text)?;
    let utf8 = text.to_str()?;
    let mut escaped = Vec::new();
    escape(utf8.as_bytes(), dialect, &mut escaped);
    let escaped = into_string(py, &escaped)?;
    let encoded = encode(&escaped)?;
    if dialect
        .codec
        .decode_escaped(py, &encoded)?
        .as_any()
        .eq(&escaped)?
    {
        out.extend_from_slice(&encoded);
        return Ok(());
    }
    for character in utf8.chars() {
        let encoded = encode(&PyString::new(py, character.encode_utf8(&mut [0; 4])))?;
        match encoded.as_slice() {
            [byte] => escape(&[*byte], dialect, out),
            _ => out.extend_from_slice(&encoded),
        }
    }
    Ok(())
}

/// Text for a Python string that will be encoded later: escaped as characters, unless encoding
/// would then give other bytes than `wire_text`'s.
fn shown_text(
    text: &Bound<'_, PyString>,
    dialect: &Dialect<'_, '_>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    let py = text.py();
    let mut plain = Vec::new();
    push_text(text, &mut plain)?;
    let mut escaped = Vec::with_capacity(plain.len());
    escape(&plain, dialect, &mut escaped);
    if *dialect.codec != Codec::Utf8 && !plain.is_ascii() {
        let mut wire = Vec::new();
        wire_text(text, dialect, &mut wire)?;
        if *dialect.codec.encode(&into_string(py, &escaped)?)? != wire {
            return push_text(&dialect.codec.decode_escaped(py, &wire)?, out);
        }
    }
    out.append(&mut escaped);
    Ok(())
}

/// `text` as UTF-8 in which lone surrogates are kept.
fn push_text(text: &Bound<'_, PyString>, out: &mut Vec<u8>) -> PyResult<()> {
    if let Ok(utf8) = text.to_str() {
        out.extend_from_slice(utf8.as_bytes());
        return Ok(());
    }
    let py = text.py();
    let bytes = text.call_method1(
        intern!(py, "encode"),
        (intern!(py, "utf-8"), intern!(py, "surrogatepass")),
    )?;
    out.extend_from_slice(bytes.cast::<PyBytes>()?.as_bytes());
    Ok(())
}

/// Each byte from 0x80 on as the lone surrogate U+DC80 to U+DCFF, in the UTF-8 of `Form::Text`.
fn push_escaped_surrogates(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        if byte < 0x80 {
            out.push(byte);
        } else {
            out.extend_from_slice(&[0xed, 0xb0 | (byte >> 6), 0x80 | (byte & 0x3f)]);
        }
    }
}
