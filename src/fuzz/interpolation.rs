//! Statements and arguments of any kind: the native way and Python's own `%` say the same.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::values::{assert_expected, value};
use super::{Input, fuzz};
use crate::charset::Codec;
use crate::encode::interpolate::interpolate_by_python;
use crate::encode::{Dialect, interpolate};

const CODECS: [&str; 6] = ["utf-8", "utf-8", "utf-8", "cp1252", "gbk", "ascii"];

/// What decides the spelling of literals, of an input.
pub fn with_dialect<'py, T>(
    py: Python<'py>,
    input: &mut Input<'_>,
    work: impl FnOnce(&Dialect<'_, 'py>, &mut Input<'_>) -> T,
) -> T {
    let name = input.pick(&CODECS);
    let codec = Codec::lookup(py, name).unwrap();
    let encoders = py
        .import("pymysql.converters")
        .unwrap()
        .getattr("encoders")
        .unwrap();
    let dialect = Dialect {
        codec: &codec,
        no_backslash_escapes: input.flag(),
        encoders: encoders.cast::<PyDict>().unwrap(),
    };
    work(&dialect, input)
}

/// `%9999999999d`: Python's business, and GBs of blanks.
pub fn asks_for_a_width(query: &str) -> bool {
    let long = |run: &[u8]| run.len() > 4 && run.iter().all(u8::is_ascii_digit);
    query.contains('*') || query.as_bytes().windows(5).any(long)
}

fn compare(py: Python<'_>, input: &mut Input<'_>) {
    with_dialect(py, input, |dialect, input| {
        let args = value(py, input, 3);
        let query = input.rest();
        if asks_for_a_width(&query) {
            return;
        }
        let query = PyString::new(py, &query).into_any();
        match (
            interpolate(&query, &args, dialect),
            interpolate_by_python(&query, &args, dialect),
        ) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs),
            (Err(ours), Err(theirs)) => {
                assert_expected(py, &ours);
                // Which of several wrong values is met first may differ.
                assert_expected(py, &theirs);
            }
            // A value that no placeholder names is not looked at.
            (Ok(_), Err(theirs)) if args.is_instance_of::<PyDict>() => assert_expected(py, &theirs),
            (ours, theirs) => panic!("{query:?} % {args:?}: {ours:?}, but Python {theirs:?}"),
        }
    });
}

#[test]
fn fuzz_interpolation() {
    fuzz("interpolation", compare);
}
