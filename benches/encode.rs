//! Parameters into statements, without a server.

#![allow(
    clippy::unwrap_used,
    reason = "a measurement ends where it cannot go on"
)]

use std::ffi::CStr;
use std::hint::black_box;
use std::time::Duration;

use aiomysql::measured::{Batches, BulkInsert, Codec, Dialect, interpolate, remember_originals};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pyo3::prelude::*;
use pyo3::types::PyDict;

const POINT: &str = "SELECT id, name, city FROM bench_point WHERE id = %s";
const INSERT: &str = "INSERT INTO t (id, name, score, created) VALUES (%s, %s, %s, %s)";

/// One row of parameters, as a Python expression.
const ARGUMENTS: [(&str, &CStr); 6] = [
    ("an int", c"(42,)"),
    ("a str", c"('name 54321',)"),
    ("a str to escape", c"('O\\'Reilly \\\\ \"quoted\"',)"),
    ("bytes", c"(bytes(range(256)),)"),
    (
        "a datetime",
        c"(__import__('datetime').datetime(2024, 2, 29, 12, 34, 56),)",
    ),
    ("a Decimal", c"(__import__('decimal').Decimal('12345.67'),)"),
];

fn with_dialect(work: impl FnOnce(Python<'_>, &Dialect<'_, '_>)) {
    Python::attach(|py| {
        let converters = py.import("pymysql.converters").unwrap();
        let encoders = converters.getattr("encoders").unwrap();
        let encoders = encoders.cast_into::<PyDict>().unwrap();
        let dialect = Dialect {
            codec: &Codec::Utf8,
            no_backslash_escapes: false,
            encoders: &encoders,
        };
        work(py, &dialect);
    });
}

fn statements(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("interpolate");
    with_dialect(|py, dialect| {
        let query = POINT.into_pyobject(py).unwrap().into_any();
        for (name, expression) in ARGUMENTS {
            let args = py.eval(expression, None, None).unwrap();
            group.bench_function(name, |bencher| {
                bencher.iter(|| interpolate(black_box(&query), &args, dialect).unwrap());
            });
        }
    });
}

fn bulk(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bulk insert");
    group.bench_function("parse", |bencher| {
        bencher.iter(|| BulkInsert::parse(black_box(INSERT)).unwrap());
    });
    group.throughput(Throughput::Elements(10_000));
    with_dialect(|py, dialect| {
        let insert = BulkInsert::parse(INSERT).unwrap();
        let rows = py
            .eval(
                c"[(n, f'name {n}', n / 7, __import__('datetime').datetime(2024, 2, 29, 12, 34, 56)) \
                   for n in range(10000)]",
                None,
                None,
            )
            .unwrap();
        group.bench_function("10,000 rows", |bencher| {
            bencher.iter(|| {
                let mut batches = Batches::new(&insert, &rows, 1_024_000, dialect).unwrap();
                while let Some(batch) = batches.next(py, dialect).unwrap() {
                    black_box(batch);
                }
            });
        });
    });
}

fn prepared() -> Criterion {
    Python::initialize();
    Python::attach(remember_originals).unwrap();
    Criterion::default().measurement_time(Duration::from_secs(2))
}

criterion_group!(name = encode; config = prepared(); targets = statements, bulk);
criterion_main!(encode);
