//! Dates and times as quoted literals, with microseconds only where there are some.

use pyo3::prelude::*;
use pyo3::types::{
    PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyTime, PyTimeAccess, PyTuple,
};

/// In microseconds.
const SECOND: u32 = 1_000_000;
/// In seconds.
const DAY: i64 = 86_400;

pub fn date(value: &Bound<'_, PyDate>, out: &mut Vec<u8>) {
    out.push(b'\'');
    year_month_day(value, out);
    out.push(b'\'');
}

/// The time zone is dropped: MySQL's DATETIME knows none.
pub fn datetime(value: &Bound<'_, PyDateTime>, out: &mut Vec<u8>) {
    out.push(b'\'');
    year_month_day(value, out);
    out.push(b' ');
    time_of_day(value, out);
    out.push(b'\'');
}

pub fn time(value: &Bound<'_, PyTime>, out: &mut Vec<u8>) {
    out.push(b'\'');
    time_of_day(value, out);
    out.push(b'\'');
}

/// Python keeps the sign of a timedelta in its days alone; MySQL wants it before the whole.
pub fn timedelta(value: &Bound<'_, PyDelta>, out: &mut Vec<u8>) {
    // The longest has more microseconds than an i64 can count.
    let total = i64::from(value.get_days()) * DAY + i64::from(value.get_seconds());
    let mut seconds = total.unsigned_abs();
    let mut micros = value.get_microseconds().unsigned_abs();
    out.push(b'\'');
    if total < 0 {
        out.push(b'-');
        if micros != 0 {
            seconds -= 1;
            micros = SECOND - micros;
        }
    }
    padded(seconds / 3600, 2, out);
    out.push(b':');
    padded(seconds / 60 % 60, 2, out);
    out.push(b':');
    padded(seconds % 60, 2, out);
    fraction(u64::from(micros), out);
    out.push(b'\'');
}

/// A `time.struct_time`: its first six fields, checked as a datetime checks them.
pub fn struct_time(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let fields = value.cast::<PyTuple>()?.get_slice(0, 6);
    let checked = value.py().get_type::<PyDateTime>().call1(fields)?;
    datetime(checked.cast::<PyDateTime>()?, out);
    Ok(())
}

fn year_month_day(value: &impl PyDateAccess, out: &mut Vec<u8>) {
    padded(u64::from(value.get_year().unsigned_abs()), 4, out);
    out.push(b'-');
    padded(u64::from(value.get_month()), 2, out);
    out.push(b'-');
    padded(u64::from(value.get_day()), 2, out);
}

fn time_of_day(value: &impl PyTimeAccess, out: &mut Vec<u8>) {
    padded(u64::from(value.get_hour()), 2, out);
    out.push(b':');
    padded(u64::from(value.get_minute()), 2, out);
    out.push(b':');
    padded(u64::from(value.get_second()), 2, out);
    fraction(u64::from(value.get_microsecond()), out);
}

fn fraction(micros: u64, out: &mut Vec<u8>) {
    if micros != 0 {
        out.push(b'.');
        padded(micros, 6, out);
    }
}

/// `value` in decimal with zeros before it, at least `width` digits.
fn padded(value: u64, width: usize, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value).as_bytes();
    for _ in digits.len()..width {
        out.push(b'0');
    }
    out.extend_from_slice(digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_fill_up_to_the_width() {
        let mut out = Vec::new();
        padded(7, 2, &mut out);
        padded(838, 2, &mut out);
        fraction(0, &mut out);
        fraction(42, &mut out);
        assert_eq!(out, b"07838.000042");
    }
}
