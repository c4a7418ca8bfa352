//! Dates and times: what the server writes, to `datetime`, `date` and `timedelta`.
//!
//! What no Python object can hold (zero dates, 31 February) stays text. What is read from the
//! unusual forms that a proxy or a function may produce is what PyMySQL 1.1.2 reads from them.
//!
//! The parsers of the usual forms are inlined by force: structures of single bytes that travel
//! through memory cost a stalled load, a sixth of a DATETIME cell.

use pyo3::ffi;
use pyo3::prelude::*;

use super::object::{self, Object};
use super::text;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    pub date: Date,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub microsecond: u32,
}

/// A TIME value as Python's `timedelta` keeps it: only the days may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration {
    pub days: i32,
    pub seconds: i32,
    pub microseconds: i32,
}

impl Date {
    /// None unless the calendar has that day, between the years 1 and 9999.
    #[inline(always)]
    fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        const DAYS: [u32; 13] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let days = *DAYS.get(month as usize)?;
        let known = (1..=9999).contains(&year) && day >= 1;
        let leap_day = || {
            (month, day) == (2, 29)
                && year.is_multiple_of(4)
                && (!year.is_multiple_of(100) || year.is_multiple_of(400))
        };
        (known && (day <= days || leap_day())).then_some(Self {
            year: year as u16,
            month: month as u8,
            day: day as u8,
        })
    }
}

impl DateTime {
    #[inline(always)]
    fn new(date: Option<Date>, [hour, minute, second]: [u32; 3], microsecond: u32) -> Option<Self> {
        (hour < 24 && minute < 60 && second < 60).then_some(Self {
            date: date?,
            hour: hour as u8,
            minute: minute as u8,
            second: second as u8,
            microsecond,
        })
    }
}

/// A date and a time of day. What follows them is ignored.
#[inline(always)]
pub fn parse_datetime(bytes: &[u8]) -> Option<DateTime> {
    parse_full_datetime(bytes).or_else(|| parse_loose_datetime(bytes))
}

/// The form that servers send, all fields at their full width.
#[inline(always)]
fn parse_full_datetime(bytes: &[u8]) -> Option<DateTime> {
    const CLOCK: Form = Form::new(b"00:00:00");
    let (day, rest) = bytes.split_first_chunk::<10>()?;
    let (clock, rest) = rest.strip_prefix(b" ")?.split_first_chunk()?;
    let [hour, _, _, minute, _, _, second, _] = CLOCK.pairs(clock)?;
    let fraction = match rest {
        [] => 0,
        _ => Scan(rest).fraction(),
    };
    DateTime::new(parse_full_date(day), [hour, minute, second], fraction)
}

#[cold]
fn parse_loose_datetime(bytes: &[u8]) -> Option<DateTime> {
    let mut scan = Scan(bytes);
    let year = scan.number_before(4, b"-")?;
    let month = scan.number_before(2, b"-")?;
    let day = scan.number_before(2, b"T ")?;
    let hour = scan.number_before(2, b":")?;
    let minute = scan.number_before(2, b":")?;
    let second = scan.number(2)?;
    DateTime::new(
        Date::new(year, month, day),
        [hour, minute, second],
        scan.fraction(),
    )
}

#[inline(always)]
pub fn parse_date(bytes: &[u8]) -> Option<Date> {
    let full = bytes.try_into().ok().and_then(parse_full_date);
    full.or_else(|| parse_loose_date(bytes))
}

#[inline(always)]
fn parse_full_date(bytes: &[u8; 10]) -> Option<Date> {
    const START: Form = Form::new(b"0000-00-");
    const END: Form = Form::new(b"00-00-00");
    let [century, _, year, _, _, month, _, _] = START.pairs(bytes.first_chunk()?)?;
    let [.., day, _] = END.pairs(bytes.last_chunk()?)?;
    Date::new(century * 100 + year, month, day)
}

#[cold]
fn parse_loose_date(bytes: &[u8]) -> Option<Date> {
    let mut parts = bytes.splitn(3, |byte| *byte == b'-').map(python_integer);
    Date::new(parts.next()??, parts.next()??, parts.next()??)
}

/// Hours, which may be many, minutes and seconds. What follows them is ignored.
pub fn parse_duration(bytes: &[u8]) -> Option<Duration> {
    const DAY: i64 = 86_400;
    const MICROS: i64 = 1_000_000;
    let (negative, unsigned) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    let mut scan = Scan(unsigned);
    let hours = scan.number_before(3, b":")?;
    let minutes = scan.number_before(2, b":")?;
    let seconds = scan.number(2)?;
    // At most 999:99:99.999999: no sum below can overflow.
    let seconds = i64::from(hours * 3600 + minutes * 60 + seconds);
    let microseconds = seconds * MICROS + i64::from(scan.fraction());
    let signed = if negative {
        -microseconds
    } else {
        microseconds
    };
    let seconds = signed.div_euclid(MICROS);
    Some(Duration {
        days: seconds.div_euclid(DAY) as i32,
        seconds: seconds.rem_euclid(DAY) as i32,
        microseconds: signed.rem_euclid(MICROS) as i32,
    })
}

/// Eight characters, each a digit, where it is written as 0, or a certain separator.
struct Form {
    characters: u64,
    /// What may be added to each byte of a text's difference before its high bit is set.
    margins: u64,
}

impl Form {
    const fn new(characters: &[u8; 8]) -> Self {
        let mut margins = [0x7f; 8];
        let mut index = 0;
        while index < 8 {
            if characters[index] == b'0' {
                margins[index] -= 9;
            }
            index += 1;
        }
        Self {
            characters: u64::from_le_bytes(*characters),
            margins: u64::from_le_bytes(margins),
        }
    }

    /// The number that two digits make, for the digit at each place and the next; None where the
    /// text has another form.
    #[inline(always)]
    fn pairs(&self, text: &[u8; 8]) -> Option<[u32; 8]> {
        let digits = u64::from_le_bytes(*text) ^ self.characters;
        // No byte carries into the next one without a high bit of its own.
        if (digits | digits.wrapping_add(self.margins)) & 0x8080_8080_8080_8080 != 0 {
            return None;
        }
        let pairs = digits * 10 + (digits >> 8);
        Some(pairs.to_le_bytes().map(u32::from))
    }
}

/// What Python's `int` reads: spaces around it, a sign and single underscores between digits are
/// no hindrance. None for a negative number, and for one of more digits than a date can have.
fn python_integer(bytes: &[u8]) -> Option<u32> {
    let mut trimmed = bytes;
    while let [first, rest @ ..] = trimmed
        && is_space(*first)
    {
        trimmed = rest;
    }
    while let [rest @ .., last] = trimmed
        && is_space(*last)
    {
        trimmed = rest;
    }
    let digits = trimmed.strip_prefix(b"+").unwrap_or(trimmed);
    digits
        .split(|byte| *byte == b'_')
        .try_fold(0_u32, |value, group| {
            if group.is_empty() {
                return None;
            }
            group.iter().try_fold(value, |value, byte| {
                let value = value * 10 + u32::from(byte.is_ascii_digit().then(|| byte - b'0')?);
                (value <= 9999).then_some(value)
            })
        })
}

/// C's `isspace`, which Rust's lacks the vertical tab for.
fn is_space(byte: u8) -> bool {
    byte == 0x0b || byte.is_ascii_whitespace()
}

/// What is left of the text.
struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    /// As many digits as there are, at most `limit`, at least one.
    fn number(&mut self, limit: usize) -> Option<u32> {
        let mut value = 0;
        let mut taken = 0;
        while taken < limit
            && let [byte @ b'0'..=b'9', rest @ ..] = self.0
        {
            value = value * 10 + u32::from(byte - b'0');
            taken += 1;
            self.0 = rest;
        }
        (taken > 0).then_some(value)
    }

    /// A number and the one of `separators` behind it.
    fn number_before(&mut self, limit: usize, separators: &[u8]) -> Option<u32> {
        let value = self.number(limit)?;
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        separators.contains(first).then_some(value)
    }

    /// Up to six digits behind any one character of the line, as microseconds.
    fn fraction(&self) -> u32 {
        let [separator, digits @ ..] = self.0 else {
            return 0;
        };
        if *separator == b'\n' {
            return 0;
        }
        let (mut value, mut unit) = (0, 100_000);
        for byte in digits
            .iter()
            .take(6)
            .take_while(|byte| byte.is_ascii_digit())
        {
            value += u32::from(byte - b'0') * unit;
            unit /= 10;
        }
        value
    }
}

/// A DATETIME or TIMESTAMP cell: `datetime`, else `date`, else the text.
#[inline]
pub fn datetime<'py>(py: Python<'py>, bytes: &[u8]) -> Object<'py> {
    let Some(moment) = parse_datetime(bytes) else {
        return date(py, bytes);
    };
    let api = api(py)?;
    // SAFETY: the API's own type, and None for no time zone; a new reference or null.
    unsafe {
        let made = (api.DateTime_FromDateAndTime)(
            moment.date.year.into(),
            moment.date.month.into(),
            moment.date.day.into(),
            moment.hour.into(),
            moment.minute.into(),
            moment.second.into(),
            moment.microsecond as _,
            ffi::Py_None(),
            api.DateTimeType,
        );
        object::owned(py, made)
    }
}

/// A DATE cell: `date`, else the text.
#[inline]
pub fn date<'py>(py: Python<'py>, bytes: &[u8]) -> Object<'py> {
    let Some(Date { year, month, day }) = parse_date(bytes) else {
        return text::ascii(py, bytes);
    };
    let api = api(py)?;
    // SAFETY: the API's own type; a new reference or null.
    unsafe {
        let made = (api.Date_FromDate)(year.into(), month.into(), day.into(), api.DateType);
        object::owned(py, made)
    }
}

/// A TIME cell: `timedelta`, else the text.
#[inline]
pub fn timedelta<'py>(py: Python<'py>, bytes: &[u8]) -> Object<'py> {
    let Some(Duration {
        days,
        seconds,
        microseconds,
    }) = parse_duration(bytes)
    else {
        return text::ascii(py, bytes);
    };
    let api = api(py)?;
    // SAFETY: the API's own type, and numbers within its limits, as "normalized" claims; a new
    // reference or null.
    unsafe {
        let made = (api.Delta_FromDelta)(days, seconds, microseconds, 0, api.DeltaType);
        object::owned(py, made)
    }
}

/// The C API of `datetime`; None with an exception set where it cannot be imported.
#[inline]
fn api(_: Python<'_>) -> Option<&'static ffi::PyDateTime_CAPI> {
    // SAFETY: attached to Python; what is imported once is never freed.
    unsafe {
        if ffi::PyDateTimeAPI().is_null() {
            ffi::PyDateTime_IMPORT();
        }
        ffi::PyDateTimeAPI().as_ref()
    }
}

#[cfg(test)]
mod tests;
