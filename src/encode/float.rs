//! Doubles as Python's `repr` writes them: the fewest digits that read back as the same number.

/// Below this `repr` writes an exponent, zmij only below a tenth of it.
const LEAST_FIXED: f64 = 1e-4;
const LEAST_FIXED_OF_ZMIJ: f64 = 1e-5;

/// `value`, which is finite, with an exponent always, so that the server reads a DOUBLE.
pub fn float(value: f64, out: &mut Vec<u8>) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value).as_bytes();
    if let Some(mark) = memchr::memchr(b'e', text) {
        out.extend_from_slice(&text[..mark]);
        exponent(&text[mark + 1..], out);
    } else if (LEAST_FIXED_OF_ZMIJ..LEAST_FIXED).contains(&value.abs()) {
        with_an_exponent(text, out);
    } else {
        out.extend_from_slice(text);
        out.extend_from_slice(b"e0");
    }
}

/// With its sign and two digits at least.
fn exponent(text: &[u8], out: &mut Vec<u8>) {
    let (sign, digits) = match text {
        [sign @ (b'-' | b'+'), digits @ ..] => (*sign, digits),
        digits => (b'+', digits),
    };
    out.extend_from_slice(&[b'e', sign]);
    if digits.len() < 2 {
        out.push(b'0');
    }
    out.extend_from_slice(digits);
}

/// `0.00001234` as `1.234e-05`.
fn with_an_exponent(text: &[u8], out: &mut Vec<u8>) {
    if text[0] == b'-' {
        out.push(b'-');
    }
    let digits = text.iter().position(|byte| (b'1'..=b'9').contains(byte));
    let (first, more) = text[digits.unwrap_or(0)..].split_at(1);
    out.extend_from_slice(first);
    if !more.is_empty() {
        out.push(b'.');
        out.extend_from_slice(more);
    }
    exponent(b"-5", out);
}

#[cfg(test)]
mod tests {
    use super::float;

    #[test]
    fn laid_out_as_repr_does() {
        for (value, expected) in [
            (0.0, "0.0e0"),
            (-0.0, "-0.0e0"),
            (1.0, "1.0e0"),
            (-2.5, "-2.5e0"),
            (1.0 / 7.0, "0.14285714285714285e0"),
            (0.0001, "0.0001e0"),
            (0.00001, "1e-05"),
            (-0.000012345, "-1.2345e-05"),
            (9.999999999999999e-5, "9.999999999999999e-05"),
            (1.25e-7, "1.25e-07"),
            (1234567.0, "1234567.0e0"),
            (1e15, "1000000000000000.0e0"),
            // A tie between two shortest forms: the even digit.
            (182091558367597.62, "182091558367597.62e0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (5e-324, "5e-324"),
            (-f64::MAX, "-1.7976931348623157e+308"),
        ] {
            let mut out = Vec::new();
            float(value, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
