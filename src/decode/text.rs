//! Character data: bytes on the wire to `str` and `bytes`, always strictly.

use std::ffi::{CString, c_char};
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

use super::column::Decode;
use super::object::{self, Object};
use super::wide;
use crate::charset::Codec;

/// A connection's codec, made ready for many cells.
#[derive(Debug, Clone)]
pub enum TextCodec {
    Utf8,
    Python(PythonCodec),
}

#[derive(Debug, Clone)]
pub struct PythonCodec {
    name: CString,
    /// ASCII bytes stand for themselves, so that no codec need be called for them.
    ascii_safe: bool,
}

impl TextCodec {
    pub fn new(codec: &Codec) -> PyResult<Self> {
        Ok(match codec {
            Codec::Utf8 => Self::Utf8,
            Codec::Python(name) => Self::Python(PythonCodec {
                name: CString::new(name.as_str())?,
                ascii_safe: codec.is_ascii_safe(),
            }),
        })
    }
}

impl Decode for PythonCodec {
    fn decode<'py>(&self, py: Python<'py>, bytes: &[u8]) -> Object<'py> {
        if self.ascii_safe
            && let Some(text) = copy_ascii(py, bytes)
        {
            return Some(text);
        }
        let (data, size) = raw_parts(bytes);
        // SAFETY: `data` and `size` describe a live slice, `name` ends with NUL, and a null
        // pointer for `errors` means "strict". The result is a new reference or null.
        unsafe {
            let text = ffi::PyUnicode_Decode(data, size, self.name.as_ptr(), ptr::null());
            object::owned(py, text)
        }
    }
}

/// `bytes` as they are.
#[inline]
pub fn bytes<'py>(py: Python<'py>, bytes: &[u8]) -> Object<'py> {
    let (data, size) = raw_parts(bytes);
    // SAFETY: a live slice, which is copied. The result is a new reference or null.
    unsafe { object::owned(py, ffi::PyBytes_FromStringAndSize(data, size)) }
}

/// ASCII text; UnicodeDecodeError for any other byte.
#[inline]
pub fn ascii<'py>(py: Python<'py>, bytes: &[u8]) -> Object<'py> {
    copy_ascii(py, bytes).or_else(|| {
        let (data, size) = raw_parts(bytes);
        // SAFETY: a live slice and strict errors, as above.
        unsafe { object::owned(py, ffi::PyUnicode_DecodeASCII(data, size, ptr::null())) }
    })
}

/// UTF-8 text; UnicodeDecodeError where it is none.
#[inline]
pub fn utf8<'py>(py: Python<'py>, bytes: &[u8]) -> Object<'py> {
    copy_ascii(py, bytes).or_else(|| other_utf8(py, bytes))
}

#[inline(never)]
fn other_utf8<'py>(py: Python<'py>, bytes: &[u8]) -> Object<'py> {
    wide::short_text(py, bytes).or_else(|| {
        let (data, size) = raw_parts(bytes);
        // SAFETY: a live slice and strict errors, as above.
        unsafe { object::owned(py, ffi::PyUnicode_DecodeUTF8(data, size, ptr::null())) }
    })
}

fn raw_parts(bytes: &[u8]) -> (*const c_char, ffi::Py_ssize_t) {
    // A slice never holds more than isize::MAX bytes.
    (bytes.as_ptr().cast(), bytes.len() as ffi::Py_ssize_t)
}

/// A new `str` of ASCII bytes; None, and no exception, where they are not, and for a single one:
/// CPython's decoders share their strings of one character.
#[inline]
fn copy_ascii<'py>(py: Python<'py>, bytes: &[u8]) -> Object<'py> {
    match bytes.len() {
        4..8 => copy_ascii_words::<4>(py, bytes),
        8..16 => copy_ascii_words::<8>(py, bytes),
        16..32 => copy_ascii_words::<16>(py, bytes),
        0..2 => None,
        _ => copy_ascii_bytes(py, bytes),
    }
}

/// Of `N` bytes to twice as many: the first `N` and the last `N`, which may overlap, are looked at
/// and copied without a loop or a call.
#[inline(always)]
fn copy_ascii_words<'py, const N: usize>(py: Python<'py>, bytes: &[u8]) -> Object<'py> {
    let (first, last) = (bytes.first_chunk::<N>()?, bytes.last_chunk::<N>()?);
    if !(first.is_ascii() && last.is_ascii()) {
        return None;
    }
    new_ascii(py, bytes.len(), |data| {
        // SAFETY: there is room for `bytes.len()` bytes, which is `N` at least.
        unsafe {
            data.cast::<[u8; N]>().write_unaligned(*first);
            data.add(bytes.len() - N)
                .cast::<[u8; N]>()
                .write_unaligned(*last);
        }
    })
}

#[inline(never)]
fn copy_ascii_bytes<'py>(py: Python<'py>, bytes: &[u8]) -> Object<'py> {
    if !bytes.is_ascii() {
        return None;
    }
    new_ascii(py, bytes.len(), |data| {
        // SAFETY: there is room for as many bytes.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len()) };
    })
}

/// `write` must fill the text with ASCII.
#[inline(always)]
fn new_ascii<'py>(py: Python<'py>, size: usize, write: impl FnOnce(*mut u8)) -> Object<'py> {
    // SAFETY: PyUnicode_New gives a str of `size` one-byte characters that nobody else sees yet;
    // all of them are written, with values below 0x80 as its maximum of 0x7f requires.
    unsafe {
        let text = ffi::PyUnicode_New(size as ffi::Py_ssize_t, 0x7f);
        let text = object::owned(py, text).or_else(|| {
            ffi::PyErr_Clear();
            None
        })?;
        write(ffi::PyUnicode_1BYTE_DATA(text.as_ptr()));
        Some(text)
    }
}
