//! What a cell and a row cost, with PyMySQL on PYTHONPATH:
//! `cargo test --release --lib timings -- --ignored --nocapture --test-threads=1`.

use std::hint::black_box;
use std::time::Instant;

use mysql_async::consts::ColumnType::{self, *};
use mysql_async::{Column, Value};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::{Converters, DecodeOptions, DictKeys, RowPlan};
use crate::charset::Codec;

const REPEATS: usize = 7;

fn options(py: Python<'_>) -> DecodeOptions {
    let decoders = py
        .import("pymysql.converters")
        .unwrap()
        .getattr("decoders")
        .unwrap();
    DecodeOptions {
        codec: Codec::Utf8,
        use_unicode: true,
        converters: Converters::new(&decoders),
    }
}

fn column(field_type: ColumnType, collation: u16, index: usize) -> Column {
    Column::new(field_type)
        .with_character_set(collation)
        .with_name(format!("column_{index}").as_bytes())
}

/// The least of several runs, in nanoseconds.
fn least(mut run: impl FnMut()) -> f64 {
    (0..REPEATS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_nanos() as f64
        })
        .fold(f64::INFINITY, f64::min)
}

#[test]
#[ignore = "a measurement"]
fn cells() {
    const WIDTH: usize = 1000;
    const ROUNDS: usize = 200;
    let kinds = [
        ("int", MYSQL_TYPE_LONG, 63, "123456"),
        ("bigint", MYSQL_TYPE_LONGLONG, 63, "1234567890123456789"),
        (
            "ASCII str",
            MYSQL_TYPE_VAR_STRING,
            255,
            "customer-0000123456",
        ),
        (
            "Cyrillic str",
            MYSQL_TYPE_VAR_STRING,
            255,
            "широкая электрификация",
        ),
        (
            "accented str",
            MYSQL_TYPE_VAR_STRING,
            255,
            "naïve café crème brûlée",
        ),
        (
            "CJK + emoji",
            MYSQL_TYPE_VAR_STRING,
            255,
            "水火木金土 data 🐍",
        ),
        ("float", MYSQL_TYPE_DOUBLE, 63, "1234.5678"),
        ("bytes", MYSQL_TYPE_BLOB, 63, "0123456789abcdef"),
        ("decimal", MYSQL_TYPE_NEWDECIMAL, 63, "12345.67"),
        ("datetime", MYSQL_TYPE_DATETIME, 63, "2024-02-29 23:06:20"),
        (
            "datetime(6)",
            MYSQL_TYPE_DATETIME,
            63,
            "2024-02-29 23:06:20.123456",
        ),
        ("date", MYSQL_TYPE_DATE, 63, "2024-02-29"),
        ("time", MYSQL_TYPE_TIME, 63, "-12:34:56"),
    ];
    Python::initialize();
    Python::attach(|py| {
        for (name, field_type, collation, text) in kinds {
            let columns: Vec<_> = (0..WIDTH)
                .map(|i| column(field_type, collation, i))
                .collect();
            let plan = RowPlan::new(py, &columns, &options(py), false).unwrap();
            let row = vec![Some(Value::from(text)); WIDTH];
            let time = least(|| {
                for _ in 0..ROUNDS {
                    black_box(plan.decode_tuple(py, &row).unwrap());
                }
            });
            println!("{name:14} {:7.1} ns", time / (ROUNDS * WIDTH) as f64);
        }
    });
}

#[test]
#[ignore = "a measurement"]
fn rows() {
    const COUNT: usize = 100_000;
    Python::initialize();
    Python::attach(|py| {
        let columns: Vec<_> = [
            (MYSQL_TYPE_LONG, 63),
            (MYSQL_TYPE_LONGLONG, 63),
            (MYSQL_TYPE_VAR_STRING, 255),
            (MYSQL_TYPE_VAR_STRING, 255),
            (MYSQL_TYPE_NEWDECIMAL, 63),
            (MYSQL_TYPE_DATETIME, 63),
            (MYSQL_TYPE_DATE, 63),
            (MYSQL_TYPE_DOUBLE, 63),
        ]
        .into_iter()
        .enumerate()
        .map(|(index, (field_type, collation))| column(field_type, collation, index))
        .collect();
        let rows: Vec<Vec<Option<Value>>> = (0..COUNT)
            .map(|n| {
                [
                    Value::from(n.to_string()),
                    Value::from((n * 1_000_003).to_string()),
                    Value::from(format!("customer-{n:08}")),
                    Value::from(format!("наименование №{n}")),
                    Value::from(format!("{}.{:02}", n / 7, n % 100)),
                    Value::from("2024-02-29 23:06:20"),
                    Value::from("2024-02-29"),
                    if n % 3 == 0 {
                        Value::NULL
                    } else {
                        Value::from(format!("{n}.25"))
                    },
                ]
                .map(Some)
                .to_vec()
            })
            .collect();
        let options = options(py);
        let plan = RowPlan::new(py, &columns, &options, false).unwrap();
        let keys = DictKeys::new(py, &columns, &options.codec).unwrap();
        let time = least(|| {
            let list = PyList::empty(py);
            for row in &rows {
                list.append(plan.decode_tuple(py, row).unwrap()).unwrap();
            }
        });
        println!("tuples {:6.1} ms", time / 1e6);
        let time = least(|| {
            let list = PyList::empty(py);
            for row in &rows {
                list.append(plan.decode_dict(py, row, &keys).unwrap())
                    .unwrap();
            }
        });
        println!("dicts  {:6.1} ms", time / 1e6);
        let time = least(|| {
            for _ in 0..1000 {
                black_box(RowPlan::new(py, &columns, &options, false).unwrap());
            }
        });
        println!("plan of 8 columns {:6.0} ns", time / 1000.0);
    });
}
