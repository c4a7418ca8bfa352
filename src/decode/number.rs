//! Numbers: digits as the server writes them, to `int`, `float` and `Decimal`.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyFloat, PyInt, PyType};

use super::text;

/// An integer column's value: BIGINT UNSIGNED reaches beyond `i64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integer {
    Signed(i64),
    Unsigned(u64),
}

/// Digits with an optional sign; None for all else and for what 64 bits do not hold.
pub fn parse_integer(bytes: &[u8]) -> Option<Integer> {
    let (negative, digits) = match bytes {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    // 20 digits hold u64::MAX; zerofill may write more, which the slow path takes.
    if digits.is_empty() || digits.len() > 20 {
        return None;
    }
    let (head, tail) = digits.split_at(digits.len().min(19));
    let mut magnitude: u64 = 0;
    for byte in head {
        // 19 digits cannot overflow.
        magnitude = magnitude * 10 + digit(*byte)?;
    }
    for byte in tail {
        magnitude = magnitude.checked_mul(10)?.checked_add(digit(*byte)?)?;
    }
    if negative {
        0_i64.checked_sub_unsigned(magnitude).map(Integer::Signed)
    } else {
        Some(i64::try_from(magnitude).map_or(Integer::Unsigned(magnitude), Integer::Signed))
    }
}

/// A decimal fraction or a number with an exponent, correctly rounded.
pub fn parse_float(bytes: &[u8]) -> Option<f64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

fn digit(byte: u8) -> Option<u64> {
    let value = byte.wrapping_sub(b'0');
    (value < 10).then_some(u64::from(value))
}

/// What Python's `int` makes of the text.
#[inline]
pub fn int<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    match parse_integer(bytes) {
        Some(Integer::Signed(value)) => Ok(value.into_pyobject(py)?.into_any()),
        Some(Integer::Unsigned(value)) => Ok(value.into_pyobject(py)?.into_any()),
        None => call_on_text(&py.get_type::<PyInt>(), bytes),
    }
}

/// What Python's `float` makes of the text.
#[inline]
pub fn float<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    match parse_float(bytes) {
        Some(value) => Ok(PyFloat::new(py, value).into_any()),
        None => call_on_text(&py.get_type::<PyFloat>(), bytes),
    }
}

/// `decimal.Decimal` of the text.
pub fn decimal<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    call_on_text(decimal_type(py)?, bytes)
}

/// The class that DECIMAL columns become.
pub fn decimal_type(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    DECIMAL.import(py, "decimal", "Decimal")
}

/// Python's own constructor decides: what no server sends still gets Python's value or error.
fn call_on_text<'py>(class: &Bound<'py, PyType>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    class.call1((text::ascii(class.py(), bytes)?,))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_within_64_bits() {
        let table: &[(&[u8], Integer)] = &[
            (b"0", Integer::Signed(0)),
            (b"-0", Integer::Signed(0)),
            (b"+7", Integer::Signed(7)),
            (b"00042", Integer::Signed(42)),
            (b"9223372036854775807", Integer::Signed(i64::MAX)),
            (b"-9223372036854775808", Integer::Signed(i64::MIN)),
            (b"9223372036854775808", Integer::Unsigned(1 << 63)),
            (
                b"9999999999999999999",
                Integer::Unsigned(9_999_999_999_999_999_999),
            ),
            (b"18446744073709551615", Integer::Unsigned(u64::MAX)),
            (b"00000000000000000001", Integer::Signed(1)),
        ];
        for (text, expected) in table {
            assert_eq!(parse_integer(text), Some(*expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_left_to_python() {
        let table: &[&[u8]] = &[
            b"",
            b"-",
            b"+",
            b"--1",
            b"1.5",
            b"1e3",
            b" 1",
            b"1 ",
            b"1_0",
            b"0x1f",
            b"\xff",
            b"1\0",
            b"-9223372036854775809",
            b"18446744073709551616",
            b"99999999999999999999",
            b"000000000000000000001",
        ];
        for text in table {
            assert_eq!(parse_integer(text), None, "{text:?}");
        }
    }

    #[test]
    fn floats_are_correctly_rounded() {
        let table: &[(&[u8], f64)] = &[
            (b"0", 0.0),
            (b"-1.5", -1.5),
            (b"0.1", 0.1),
            (b"1e22", 1e22),
            (b"1.7976931348623157e308", f64::MAX),
            (b"4.9406564584124654e-324", 5e-324),
            (b"9007199254740993", 9_007_199_254_740_992.0),
            (b".5", 0.5),
            (b"5.", 5.0),
            (b"1e999", f64::INFINITY),
        ];
        for (text, expected) in table {
            assert_eq!(parse_float(text), Some(*expected), "{text:?}");
        }
        for text in [b"".as_slice(), b"abc", b"1_0", b" 1", b"1e", b".", b"\xff"] {
            assert_eq!(parse_float(text), None, "{text:?}");
        }
    }
}
