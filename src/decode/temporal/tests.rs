use super::*;

const fn date(year: u16, month: u8, day: u8) -> Date {
    Date { year, month, day }
}

const fn datetime(
    date: Date,
    [hour, minute, second]: [u8; 3],
    microsecond: u32,
) -> Option<DateTime> {
    Some(DateTime {
        date,
        hour,
        minute,
        second,
        microsecond,
    })
}

const FEBRUARY: Date = date(2007, 2, 25);
const EVENING: [u8; 3] = [23, 6, 20];

#[test]
fn datetimes_with_and_without_a_fraction() {
    let table: &[(&[u8], u32)] = &[
        (b"2007-02-25 23:06:20", 0),
        (b"2007-02-25T23:06:20", 0),
        (b"2007-02-25 23:06:20.1", 100_000),
        (b"2007-02-25 23:06:20.12", 120_000),
        (b"2007-02-25 23:06:20.123", 123_000),
        (b"2007-02-25 23:06:20.1234", 123_400),
        (b"2007-02-25 23:06:20.12345", 123_450),
        (b"2007-02-25 23:06:20.123456", 123_456),
        (b"2007-02-25 23:06:20.000001", 1),
        (b"2007-02-25 23:06:20.1234567", 123_456),
        (b"2007-2-25 23:6:20.5", 500_000),
        (b"2007-02-25 23:06:20.", 0),
        (b"2007-02-25 23:06:20.x", 0),
        (b"2007-02-25 23:06:20 junk", 0),
        (b"2007-02-25 23:06:20x5", 500_000),
        (b"2007-02-25 23:06:201234", 234_000),
        (b"2007-02-25 23:06:20\n5", 0),
    ];
    for (text, microsecond) in table {
        assert_eq!(
            parse_datetime(text),
            datetime(FEBRUARY, EVENING, *microsecond),
            "{text:?}"
        );
    }
    assert_eq!(
        parse_datetime(b"7-2-5 3:6:2"),
        datetime(date(7, 2, 5), [3, 6, 2], 0)
    );
    assert_eq!(
        parse_datetime(b"9999-12-31 23:59:59.999999"),
        datetime(date(9999, 12, 31), [23, 59, 59], 999_999)
    );
}

#[test]
fn no_datetime() {
    let table: &[&[u8]] = &[
        b"",
        b"random crap",
        b"0000-00-00 00:00:00",
        b"0000-01-01 00:00:00",
        b"2007-02-31 23:06:20",
        b"2007-13-01 00:00:00",
        b"2007-00-10 00:00:00",
        b"2007-02-25 24:00:00",
        b"2007-02-25 23:60:00",
        b"2007-02-25 23:06:60",
        b"12007-02-25 23:06:20",
        b"2007-02-25 23:06",
        b"2007-02-25  23:06:20",
        b"2007-02-25",
        b"2007-02-25 ",
        b"2007-02-25 23:06:",
        b"20a7-02-25 23:06:20",
        b"\xff\xff\xff\xff-\xff\xff-\xff\xff \xff\xff:\xff\xff:\xff\xff",
    ];
    for text in table {
        assert_eq!(parse_datetime(text), None, "{text:?}");
    }
}

#[test]
fn dates() {
    let table: &[(&[u8], Option<Date>)] = &[
        (b"2007-02-26", Some(date(2007, 2, 26))),
        (b"0001-01-01", Some(date(1, 1, 1))),
        (b"9999-12-31", Some(date(9999, 12, 31))),
        (b"2000-02-29", Some(date(2000, 2, 29))),
        (b"2024-02-29", Some(date(2024, 2, 29))),
        (b"1900-02-29", None),
        (b"2023-02-29", None),
        (b"2007-02-31", None),
        (b"2007-04-31", None),
        (b"2007-13-01", None),
        (b"2007-00-10", None),
        (b"2007-01-00", None),
        (b"0000-00-00", None),
        (b"random crap", None),
        (b"", None),
        (b"-", None),
        (b"--", None),
        (b"2007", None),
        (b"2007-02", None),
        (b"2007-02-26-1", None),
        (b"2007--2-26", None),
        (b"-1-2-3", None),
        (b"99999-1-1", None),
        (b"99999999999999999999-1-1", None),
        (b"2007-02-25 23:06:20", None),
        (b" 2007-02-26", Some(date(2007, 2, 26))),
        (b"2007-02-26\x0b\n", Some(date(2007, 2, 26))),
        (b"2007-+2-26", Some(date(2007, 2, 26))),
        (b"2007-0_2-26", Some(date(2007, 2, 26))),
        (b"2007-_2-26", None),
        (b"2007-1__0-1", None),
        (b"2007-1_-1", None),
        (b"2007-1-1\x1c", None),
        (b"\xff-\xff-\xff", None),
    ];
    for (text, expected) in table {
        assert_eq!(parse_date(text), *expected, "{text:?}");
    }
}

const fn duration(days: i32, seconds: i32, microseconds: i32) -> Option<Duration> {
    Some(Duration {
        days,
        seconds,
        microseconds,
    })
}

#[test]
fn durations() {
    let table: &[(&[u8], Option<Duration>)] = &[
        (b"00:00:00", duration(0, 0, 0)),
        (b"25:06:17", duration(1, 3977, 0)),
        (b"-25:06:17", duration(-2, 82_423, 0)),
        (b"838:59:59", duration(34, 82_799, 0)),
        (b"-838:59:59.999999", duration(-35, 3600, 1)),
        (b"-00:30:00", duration(-1, 84_600, 0)),
        (b"00:00:00.1", duration(0, 0, 100_000)),
        (b"-00:00:00.000001", duration(-1, 86_399, 999_999)),
        (b"1:2:3", duration(0, 3723, 0)),
        (b"00:99:99", duration(0, 6039, 0)),
        (b"999:99:99.999999", duration(41, 60_039, 999_999)),
        (b"12:34:56.", duration(0, 45_296, 0)),
        (b"12:34:56.1234567", duration(0, 45_296, 123_456)),
        (b"12:34:567", duration(0, 45_296, 0)),
        (b"12:34:5678", duration(0, 45_296, 800_000)),
        (b"12:34:56\n7", duration(0, 45_296, 0)),
        (b"", None),
        (b"-", None),
        (b"-1", None),
        (b"12:34", None),
        (b"12:34:", None),
        (b"--12:00:00", None),
        (b"+01:00:00", None),
        (b"1000:00:00", None),
        (b"1 12:34:56", None),
        (b"random crap", None),
        (b"\xff:\xff:\xff", None),
    ];
    for (text, expected) in table {
        assert_eq!(parse_duration(text), *expected, "{text:?}");
    }
}

#[test]
fn the_full_form_and_no_other_at_any_place() {
    let whole = *b"2011-11-11 11:11:11";
    for place in 0..whole.len() {
        for byte in 0..=u8::MAX {
            let mut text = whole;
            text[place] = byte;
            let is_digit = whole[place].is_ascii_digit();
            let has_form = match is_digit {
                true => byte.is_ascii_digit(),
                false => byte == whole[place],
            };
            let expected = parse_loose_datetime(&text).filter(|_| has_form);
            assert_eq!(parse_full_datetime(&text), expected, "{text:?}");
        }
    }
}

#[test]
fn no_input_panics() {
    // Every string of five from an alphabet that reaches all branches, and every truncation.
    let alphabet = b"09-:. T\xff";
    for number in 0..8_usize.pow(5) {
        let text: Vec<u8> = (0..5)
            .map(|place| alphabet[(number >> (3 * place)) & 7])
            .collect();
        let _ = (
            parse_datetime(&text),
            parse_date(&text),
            parse_duration(&text),
        );
    }
    let whole = b"-2007-02-25 23:06:20.123456789";
    for start in 0..whole.len() {
        for end in start..whole.len() {
            let text = &whole[start..end];
            let _ = (parse_datetime(text), parse_date(text), parse_duration(text));
        }
    }
}
