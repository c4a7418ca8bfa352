//! Cells and rows of the text protocol into Python objects, without a server.

#![allow(
    clippy::unwrap_used,
    reason = "a measurement ends where it cannot go on"
)]

use std::hint::black_box;
use std::time::Duration;

use aiomysql::measured::{Codec, Converters, DecodeOptions, DictKeys, RowPlan, remember_originals};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mysql_async::consts::ColumnType::{self, *};
use mysql_async::{Column, Value};
use pyo3::prelude::*;

const BINARY: u16 = 63;
const UTF8MB4: u16 = 255;
/// Cells in a row of one type.
const WIDTH: usize = 1000;

const CELLS: [(&str, ColumnType, u16, &str); 13] = [
    ("int", MYSQL_TYPE_LONG, BINARY, "123456"),
    ("bigint", MYSQL_TYPE_LONGLONG, BINARY, "1234567890123456789"),
    (
        "ASCII",
        MYSQL_TYPE_VAR_STRING,
        UTF8MB4,
        "customer-0000123456",
    ),
    (
        "accented",
        MYSQL_TYPE_VAR_STRING,
        UTF8MB4,
        "naïve café crème",
    ),
    (
        "Cyrillic",
        MYSQL_TYPE_VAR_STRING,
        UTF8MB4,
        "широкая электрификация",
    ),
    ("CJK", MYSQL_TYPE_VAR_STRING, UTF8MB4, "水火木金土"),
    ("bytes", MYSQL_TYPE_BLOB, BINARY, "0123456789abcdef"),
    ("float", MYSQL_TYPE_DOUBLE, BINARY, "1234.5678"),
    ("decimal", MYSQL_TYPE_NEWDECIMAL, BINARY, "12345.67"),
    (
        "datetime",
        MYSQL_TYPE_DATETIME,
        BINARY,
        "2024-02-29 23:06:20",
    ),
    (
        "datetime(6)",
        MYSQL_TYPE_DATETIME,
        BINARY,
        "2024-02-29 23:06:20.123456",
    ),
    ("date", MYSQL_TYPE_DATE, BINARY, "2024-02-29"),
    ("time", MYSQL_TYPE_TIME, BINARY, "-12:34:56"),
];

/// The table of the Python benches: a row of eight columns.
const ROW: [(ColumnType, u16, Option<&str>); 8] = [
    (MYSQL_TYPE_LONG, BINARY, Some("54321")),
    (MYSQL_TYPE_LONGLONG, BINARY, Some("380247000054321")),
    (MYSQL_TYPE_VAR_STRING, UTF8MB4, Some("name 54321")),
    (MYSQL_TYPE_VAR_STRING, UTF8MB4, Some("žluťoučký kůň 54321")),
    (MYSQL_TYPE_NEWDECIMAL, BINARY, Some("543.21")),
    (MYSQL_TYPE_DATETIME, BINARY, Some("2024-02-29 23:06:20")),
    (MYSQL_TYPE_DATE, BINARY, Some("2024-02-29")),
    (MYSQL_TYPE_DOUBLE, BINARY, Some("18107.0")),
];

fn column(kind: ColumnType, collation: u16, index: usize) -> Column {
    Column::new(kind)
        .with_character_set(collation)
        .with_name(format!("column_{index}").as_bytes())
}

fn options(py: Python<'_>) -> DecodeOptions {
    let converters = py.import("pymysql.converters").unwrap();
    DecodeOptions {
        codec: Codec::Utf8,
        use_unicode: true,
        converters: Converters::new(&converters.getattr("decoders").unwrap()),
    }
}

fn cells(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cell");
    group.throughput(Throughput::Elements(WIDTH as u64));
    Python::attach(|py| {
        for (name, kind, collation, text) in CELLS {
            let columns: Vec<_> = (0..WIDTH).map(|i| column(kind, collation, i)).collect();
            let plan = RowPlan::new(py, &columns, &options(py), false).unwrap();
            let row = vec![Some(Value::from(text)); WIDTH];
            group.bench_function(name, |bencher| {
                bencher.iter(|| plan.decode_tuple(py, black_box(&row)).unwrap());
            });
        }
    });
}

fn rows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("row");
    Python::attach(|py| {
        let columns: Vec<_> = ROW
            .iter()
            .enumerate()
            .map(|(index, (kind, collation, _))| column(*kind, *collation, index))
            .collect();
        let row: Vec<_> = ROW
            .iter()
            .map(|(_, _, text)| text.map(Value::from))
            .collect();
        let options = options(py);
        let plan = RowPlan::new(py, &columns, &options, false).unwrap();
        let keys = DictKeys::new(py, &columns, &options.codec).unwrap();
        group.bench_function("tuple", |bencher| {
            bencher.iter(|| plan.decode_tuple(py, black_box(&row)).unwrap());
        });
        group.bench_function("dict", |bencher| {
            bencher.iter(|| plan.decode_dict(py, black_box(&row), &keys).unwrap());
        });
        group.bench_function("plan of its columns", |bencher| {
            bencher.iter(|| RowPlan::new(py, black_box(&columns), &options, false).unwrap());
        });
    });
}

fn prepared() -> Criterion {
    Python::initialize();
    Python::attach(remember_originals).unwrap();
    Criterion::default().measurement_time(Duration::from_secs(2))
}

criterion_group!(name = decode; config = prepared(); targets = cells, rows);
criterion_main!(decode);
