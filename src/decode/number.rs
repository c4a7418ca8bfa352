//! Numbers: digits as the server writes them, to `int`, `float` and `Decimal`.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyType};

use super::object::{self, Object};
use super::text;

/// An integer column's value: BIGINT UNSIGNED reaches beyond `i64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integer {
    Signed(i64),
    Unsigned(u64),
}

/// Up to seven digits: most integers.
#[inline]
fn parse_short_integer(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() >= 8 {
        return None;
    }
    let mut value = 0;
    for byte in digits {
        value = value * 10 + digit(*byte)? as i64;
    }
    Some(value)
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
    // 19 digits cannot overflow.
    let (eights, rest) = head.as_chunks();
    for eight in eights {
        magnitude = magnitude * 100_000_000 + eight_digits(*eight)?;
    }
    for byte in rest {
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
#[inline]
pub fn parse_float(bytes: &[u8]) -> Option<f64> {
    parse_exact_float(bytes).or_else(|| parse_any_float(bytes))
}

#[inline(never)]
fn parse_any_float(bytes: &[u8]) -> Option<f64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// A number whose digits, and the power of ten that its point divides them by, are both exact as
/// floats: the one division then rounds correctly (Clinger 1990). None for all others.
#[inline]
fn parse_exact_float(bytes: &[u8]) -> Option<f64> {
    const POWERS: [f64; 19] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18,
    ];
    let (negative, number) = match bytes {
        [b'-', number @ ..] => (true, number),
        number => (false, number),
    };
    // 18 digits cannot overflow.
    if number.len() > 19 {
        return None;
    }
    let mut digits: u64 = 0;
    let mut fraction = None;
    for (index, byte) in number.iter().enumerate() {
        match digit(*byte) {
            Some(digit) => digits = digits * 10 + digit,
            None if *byte == b'.' && fraction.is_none() => {
                fraction = Some(number.len() - index - 1)
            }
            None => return None,
        }
    }
    let power = POWERS.get(fraction.unwrap_or(0))?;
    if number.len() == usize::from(fraction.is_some()) || digits > 1 << f64::MANTISSA_DIGITS {
        return None;
    }
    let value = digits as f64 / power;
    Some(if negative { -value } else { value })
}

/// The number that eight digits make: as neighbours are added up in pairs, fours and all eight.
fn eight_digits(digits: [u8; 8]) -> Option<u64> {
    let digits = u64::from_be_bytes(digits);
    let values = digits.wrapping_sub(0x3030_3030_3030_3030);
    // A byte below '0' borrows, one above '9' carries: either sets a high bit somewhere.
    if (digits | values | values.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = (values >> 8 & 0x00ff_00ff_00ff_00ff) * 10 + (values & 0x00ff_00ff_00ff_00ff);
    let fours = (pairs >> 16 & 0xffff_0000_ffff) * 100 + (pairs & 0xffff_0000_ffff);
    Some((fours >> 32) * 10_000 + (fours & 0xffff_ffff))
}

fn digit(byte: u8) -> Option<u64> {
    let value = byte.wrapping_sub(b'0');
    (value < 10).then_some(u64::from(value))
}

/// What Python's `int` makes of the text.
#[inline]
pub fn int<'py>(py: Python<'py>, bytes: &[u8]) -> Object<'py> {
    match parse_short_integer(bytes) {
        // SAFETY: a new reference or null with an exception set.
        Some(value) => unsafe { object::owned(py, ffi::PyLong_FromLongLong(value)) },
        None => long_int(py, bytes),
    }
}

/// What is longer, or no plain number.
#[inline(never)]
fn long_int<'py>(py: Python<'py>, bytes: &[u8]) -> Object<'py> {
    match parse_integer(bytes) {
        // SAFETY: a new reference or null with an exception set.
        Some(Integer::Signed(value)) => unsafe {
            object::owned(py, ffi::PyLong_FromLongLong(value))
        },
        // SAFETY: the same.
        Some(Integer::Unsigned(value)) => unsafe {
            object::owned(py, ffi::PyLong_FromUnsignedLongLong(value))
        },
        None => call_on_text(py, &py.get_type::<PyInt>(), bytes),
    }
}

/// What Python's `float` makes of the text.
#[inline]
pub fn float<'py>(py: Python<'py>, bytes: &[u8]) -> Object<'py> {
    match parse_float(bytes) {
        // SAFETY: a new reference or null with an exception set.
        Some(value) => unsafe { object::owned(py, ffi::PyFloat_FromDouble(value)) },
        None => call_on_text(py, &py.get_type::<PyFloat>(), bytes),
    }
}

/// Python's own constructor decides: what no server sends still gets Python's value or error.
#[cold]
fn call_on_text<'py>(py: Python<'py>, class: &Bound<'py, PyType>, bytes: &[u8]) -> Object<'py> {
    object::or_set(py, class.call1((text::ascii(py, bytes)?,)))
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
    fn no_byte_but_a_digit_at_any_place() {
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                let mut text = *b"12345678";
                text[place] = byte;
                let expected = std::str::from_utf8(&text)
                    .ok()
                    .filter(|_| byte.is_ascii_digit());
                let expected = expected.and_then(|text| text.parse().ok());
                assert_eq!(eight_digits(text), expected, "{text:?}");
            }
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
