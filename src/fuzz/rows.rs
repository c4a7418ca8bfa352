//! Rows of any bytes, of columns of any kind, in any character set.

use mysql_async::{Column, Value};
use pyo3::prelude::*;

use super::values::assert_expected;
use super::{Input, fuzz};
use crate::charset::Codec;
use crate::decode::field::column;
use crate::decode::{Converters, DecodeOptions, DictKeys, RowPlan, description};

const CODECS: [&str; 8] = [
    "utf-8",
    "utf-8",
    "utf-8",
    "cp1252",
    "gbk",
    "ascii",
    "utf-16",
    "shift_jis",
];

fn columns(input: &mut Input<'_>) -> Vec<Column> {
    (0..input.byte() % 6)
        .filter_map(|_| {
            let charset = *input.pick(&[63, 255, 45, 28, 0xffff]);
            let flags = u16::from(input.byte()) << 8 | u16::from(input.byte());
            let column = column(input.byte(), charset, flags).ok()?;
            Some(column.with_name(input.bytes()).with_decimals(input.byte()))
        })
        .collect()
}

fn cell(input: &mut Input<'_>) -> Option<Value> {
    match input.byte() % 16 {
        0 => None,
        1 => Some(Value::NULL),
        2 => Some(Value::Int(input.word() as i64)),
        3 => Some(Value::UInt(input.word())),
        4 => Some(Value::Float(f32::from_bits(input.word() as u32))),
        5 => Some(Value::Double(f64::from_bits(input.word()))),
        6 => Some(Value::Date(
            input.word() as u16,
            input.byte(),
            input.byte(),
            input.byte(),
            input.byte(),
            input.byte(),
            input.word() as u32,
        )),
        7 => Some(Value::Time(
            input.flag(),
            input.word() as u32,
            input.byte(),
            input.byte(),
            input.byte(),
            input.word() as u32,
        )),
        _ => Some(Value::Bytes(input.bytes().to_vec())),
    }
}

/// Whatever comes, it is a row of as many objects, or one of the exceptions that decoding has; and
/// a dictionary holds what the tuple holds.
fn decode(py: Python<'_>, input: &mut Input<'_>) {
    let settings = input.byte();
    let (use_unicode, json) = (settings & 3 != 0, settings & 4 != 0);
    let name = input.pick(&CODECS);
    let codec = Codec::lookup(py, name).unwrap();
    let decoders = py
        .import("pymysql.converters")
        .unwrap()
        .getattr("decoders")
        .unwrap();
    let options = DecodeOptions {
        codec,
        use_unicode,
        converters: Converters::new(&decoders),
    };
    let columns = columns(input);
    let described = description(py, &columns, &options.codec);
    let keys = match DictKeys::new(py, &columns, &options.codec) {
        Ok(keys) => keys,
        Err(error) => return assert_expected(py, &error),
    };
    if let Ok(described) = described {
        assert_eq!(described.len(), columns.len());
    }
    let plan = RowPlan::new(py, &columns, &options, json).unwrap();
    let width = columns.len() + usize::from(settings == 255);
    let cells: Vec<_> = (0..width).map(|_| cell(input)).collect();
    let (tuple, dict) = (
        plan.decode_tuple(py, &cells),
        plan.decode_dict(py, &cells, &keys),
    );
    match (tuple, dict) {
        (Ok(tuple), Ok(dict)) => {
            assert_eq!(tuple.len(), width);
            // Of columns of one name and table the last stays.
            if dict.len() == width {
                assert_eq!(tuple.repr().unwrap().to_string(), {
                    let values = keys.names().iter().map(|name| dict.get_item(name).unwrap());
                    let values: Vec<_> = values.map(Option::unwrap).collect();
                    pyo3::types::PyTuple::new(py, values)
                        .unwrap()
                        .repr()
                        .unwrap()
                        .to_string()
                });
            }
        }
        (Err(error), Err(_)) => assert_expected(py, &error),
        (tuple, dict) => panic!("{tuple:?}, but {dict:?}"),
    }
}

#[test]
fn fuzz_rows() {
    fuzz("rows", decode);
}
