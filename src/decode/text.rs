//! Character data: bytes on the wire to `str` and `bytes`, always strictly.

use std::ffi::{CString, c_char};
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::charset::Codec;

/// A connection's codec, made ready for many cells.
#[derive(Debug, Clone)]
pub enum TextCodec {
    Utf8,
    Python {
        name: CString,
        /// ASCII bytes stand for themselves, so that no codec need be called for them.
        ascii_safe: bool,
    },
}

impl TextCodec {
    pub fn new(codec: &Codec) -> PyResult<Self> {
        Ok(match codec {
            Codec::Utf8 => Self::Utf8,
            Codec::Python(name) => Self::Python {
                name: CString::new(name.as_str())?,
                ascii_safe: codec.is_ascii_safe(),
            },
        })
    }

    #[inline]
    pub fn decode<'py>(&self, py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Utf8 => utf8(py, bytes),
            Self::Python { name, ascii_safe } => {
                if *ascii_safe && bytes.len() > 1 && bytes.is_ascii() {
                    return copy_ascii(py, bytes);
                }
                let (data, size) = raw_parts(bytes);
                // SAFETY: `data` and `size` describe a live slice, `name` ends with NUL, and a
                // null pointer for `errors` means "strict". The result is a new reference or null.
                unsafe {
                    let text = ffi::PyUnicode_Decode(data, size, name.as_ptr(), ptr::null());
                    Bound::from_owned_ptr_or_err(py, text)
                }
            }
        }
    }
}

/// `bytes` as they are.
#[inline]
pub fn bytes<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    Ok(PyBytes::new(py, bytes).into_any())
}

/// ASCII text; UnicodeDecodeError for any other byte.
#[inline]
pub fn ascii<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    // CPython's decoder shares its one-character strings; let it.
    if bytes.len() > 1 && bytes.is_ascii() {
        return copy_ascii(py, bytes);
    }
    let (data, size) = raw_parts(bytes);
    // SAFETY: a live slice and strict errors, as above.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_DecodeASCII(data, size, ptr::null())) }
}

/// UTF-8 text; UnicodeDecodeError where it is none.
#[inline]
pub fn utf8<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    if bytes.len() > 1 {
        if bytes.is_ascii() {
            return copy_ascii(py, bytes);
        }
        // Rust and Python accept the same sequences: no surrogates, no overlong forms.
        if let Ok(text) = std::str::from_utf8(bytes) {
            return copy_wide(py, text);
        }
    }
    let (data, size) = raw_parts(bytes);
    // SAFETY: a live slice and strict errors, as above.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_DecodeUTF8(data, size, ptr::null())) }
}

fn raw_parts(bytes: &[u8]) -> (*const c_char, ffi::Py_ssize_t) {
    // A slice never holds more than isize::MAX bytes.
    (bytes.as_ptr().cast(), bytes.len() as ffi::Py_ssize_t)
}

/// A new `str` of ASCII bytes: the caller has looked at each of them.
#[inline]
fn copy_ascii<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    debug_assert!(bytes.is_ascii());
    let (_, size) = raw_parts(bytes);
    // SAFETY: PyUnicode_New gives a str of `size` one-byte characters that nobody else sees yet;
    // all of them are written, with values below 0x80 as its maximum of 0x7f requires.
    unsafe {
        let text = Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_New(size, 0x7f))?;
        let data = ffi::PyUnicode_1BYTE_DATA(text.as_ptr());
        ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len());
        Ok(text)
    }
}

/// A new `str` of text that holds at least one character beyond ASCII.
fn copy_wide<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let shape = Shape::of(text.as_bytes());
    // SAFETY: PyUnicode_New gives a str of exactly `shape.length` characters of the width that
    // `shape.widest` asks for, which nobody else sees yet. `text.chars()` yields that many, each
    // of which fits: `Shape` counted their leading bytes and looked at the greatest of these. No
    // narrower width would do, as CPython requires of its strings.
    unsafe {
        let object =
            Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_New(shape.length, shape.widest))?;
        let data = ffi::PyUnicode_DATA(object.as_ptr());
        match shape.widest {
            0xff => fill::<u8>(data.cast(), text, |character| character as u8),
            0xffff => fill::<u16>(data.cast(), text, |character| character as u16),
            _ => fill::<u32>(data.cast(), text, |character| character),
        }
        Ok(object)
    }
}

/// # Safety
/// `data` must have room for one `T` for each character of `text`.
#[inline]
unsafe fn fill<T>(data: *mut T, text: &str, narrow: impl Fn(u32) -> T) {
    for (index, character) in text.chars().enumerate() {
        // SAFETY: `index` counts the characters, for which the caller vouches that there is room.
        unsafe { data.add(index).write(narrow(u32::from(character))) };
    }
}

/// How CPython stores a text: how many characters, and the largest that their width may hold.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    length: ffi::Py_ssize_t,
    widest: ffi::Py_UCS4,
}

impl Shape {
    /// Of valid UTF-8 that is not all ASCII.
    fn of(utf8: &[u8]) -> Self {
        let mut length: ffi::Py_ssize_t = 0;
        let mut greatest = 0;
        for byte in utf8 {
            length += ffi::Py_ssize_t::from(byte & 0xc0 != 0x80);
            greatest = byte.max(&greatest).to_owned();
        }
        let widest = match greatest {
            ..0xc4 => 0xff,
            0xc4..0xf0 => 0xffff,
            _ => 0x0010_ffff,
        };
        Self { length, widest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_width_that_holds_every_character() {
        let table = [
            ("é", 1, 0xff),
            ("a\u{80}", 2, 0xff),
            ("ÿ", 1, 0xff),
            ("Ā", 1, 0xffff),
            ("aé水", 3, 0xffff),
            ("\u{ffff}", 1, 0xffff),
            ("\u{10000}", 1, 0x0010_ffff),
            ("é水🐍", 3, 0x0010_ffff),
        ];
        for (text, length, widest) in table {
            assert_eq!(
                Shape::of(text.as_bytes()),
                Shape { length, widest },
                "{text:?}"
            );
        }
    }
}
