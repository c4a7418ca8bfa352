//! Statements of any text: where one is taken apart for a bulk insert, a single row put back into
//! it gives the statement that interpolation makes of the whole.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use super::interpolation::{asks_for_a_width, with_dialect};
use super::values::{assert_expected, value};
use super::{Input, fuzz};
use crate::encode::{Batches, BulkInsert, interpolate};

fn parse(py: Python<'_>, input: &mut Input<'_>) {
    with_dialect(py, input, |dialect, input| {
        let args: Vec<_> = (0..input.byte() % 4).map(|_| value(py, input, 2)).collect();
        let longest = usize::from(input.byte()) * 4;
        let query = input.rest();
        if asks_for_a_width(&query) {
            return;
        }
        let Some(insert) = BulkInsert::parse(&query) else {
            return;
        };
        assert!(insert.values.starts_with('(') && insert.values.ends_with(')'));
        assert!(query.contains(&insert.values), "{insert:?} of {query:?}");

        let row = PyTuple::new(py, args).unwrap();
        let whole = PyString::new(py, &query).into_any();
        let rows = PyList::new(py, [&row; 3]).unwrap();
        let mut batches = match Batches::new(&insert, &rows, longest, dialect) {
            Ok(batches) => batches,
            Err(error) => return assert_expected(py, &error),
        };
        let mut seen = 0;
        loop {
            match batches.next(py, dialect) {
                Ok(Some(batch)) => {
                    seen += batch.rows;
                    let fits = batch.sql.len() <= longest;
                    assert!(batch.rows == 1 || fits, "{batch:?}");
                    // A postfix of bare percent signs stays as it is, which `%` would refuse.
                    if batch.rows == 1
                        && let Ok(text) = interpolate(&whole, &row, dialect)
                    {
                        assert!(
                            text.trim_ascii_start()
                                .starts_with(batch.sql.trim_ascii_start())
                        );
                    }
                }
                Ok(None) => break assert_eq!(seen, 3),
                Err(error) => break assert_expected(py, &error),
            }
        }
    });
}

#[test]
fn fuzz_bulk_insert() {
    fuzz("bulk_insert", parse);
}
