//! Values of the binary protocol in the text protocol's form, so that one set of decoders, and
//! a user's converters, serve prepared statements too.

use std::borrow::Cow;

use mysql_async::Value;
use mysql_async::consts::ColumnType;

/// A cell as the text protocol would carry it; None for NULL.
pub fn as_text(value: &Value, field_type: ColumnType) -> Option<Cow<'_, [u8]>> {
    let text = match *value {
        Value::NULL => return None,
        Value::Bytes(ref bytes) => return Some(Cow::Borrowed(bytes)),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Date(year, month, day, hour, minute, second, microsecond) => {
            let date = format!("{year:04}-{month:02}-{day:02}");
            if field_type == ColumnType::MYSQL_TYPE_DATE {
                date
            } else {
                let fraction = fraction(microsecond);
                format!("{date} {hour:02}:{minute:02}:{second:02}{fraction}")
            }
        }
        Value::Time(negative, days, hours, minutes, seconds, microseconds) => {
            let sign = if negative { "-" } else { "" };
            let hours = u64::from(days) * 24 + u64::from(hours);
            let fraction = fraction(microseconds);
            format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{fraction}")
        }
    };
    Some(Cow::Owned(text.into_bytes()))
}

fn fraction(microseconds: u32) -> String {
    match microseconds {
        0 => String::new(),
        _ => format!(".{microseconds:06}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_text_protocol() {
        use ColumnType::*;
        let table = [
            (Value::Int(-5), MYSQL_TYPE_LONG, "-5"),
            (
                Value::UInt(u64::MAX),
                MYSQL_TYPE_LONGLONG,
                "18446744073709551615",
            ),
            (Value::Float(1.1), MYSQL_TYPE_FLOAT, "1.1"),
            (Value::Double(-0.25), MYSQL_TYPE_DOUBLE, "-0.25"),
            (
                Value::Date(2007, 2, 25, 0, 0, 0, 0),
                MYSQL_TYPE_DATE,
                "2007-02-25",
            ),
            (
                Value::Date(0, 0, 0, 0, 0, 0, 0),
                MYSQL_TYPE_DATETIME,
                "0000-00-00 00:00:00",
            ),
            (
                Value::Date(7, 2, 5, 3, 6, 2, 90),
                MYSQL_TYPE_TIMESTAMP,
                "0007-02-05 03:06:02.000090",
            ),
            (
                Value::Time(true, 34, 22, 59, 59, 5),
                MYSQL_TYPE_TIME,
                "-838:59:59.000005",
            ),
            (
                Value::Time(false, 0, 1, 2, 3, 0),
                MYSQL_TYPE_TIME,
                "01:02:03",
            ),
        ];
        for (value, field_type, expected) in table {
            assert_eq!(
                as_text(&value, field_type).as_deref(),
                Some(expected.as_bytes())
            );
        }
        assert_eq!(as_text(&Value::NULL, MYSQL_TYPE_LONG), None);
        let bytes = Value::from("abc");
        assert!(matches!(
            as_text(&bytes, MYSQL_TYPE_BLOB),
            Some(Cow::Borrowed(b"abc"))
        ));
    }
}
