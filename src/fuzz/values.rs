//! Python values of an input: what applications pass as arguments, and what they should not.

use pyo3::ffi::c_str;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyFrozenSet, PyList, PyString, PyTuple};

use super::Input;

/// `{name: value}` for what is easier said in Python.
pub fn constant<'py>(py: Python<'py>, input: &mut Input<'_>) -> Bound<'py, PyAny> {
    let values = py.eval(
        c_str!(
            "__import__('builtins').__dict__.setdefault('_aiomysql_fuzz', (
                lambda d, dt, u, e, inf: [
                    d.Decimal('1.50'), d.Decimal('-Infinity'), d.Decimal('sNaN'), dt.date.min,
                    dt.datetime.max, dt.datetime(2024, 2, 29, 1, 2, 3, 4, dt.timezone.utc),
                    dt.timedelta.min, dt.timedelta(-1, 5, 7), dt.time(23, 59, 59, 1),
                    u.UUID(int=5), e('E', {'A': 1}).A, inf, -inf, inf - inf, 5e-324, -0.0, 10**400,
                    -(2**63), '\\ud800', 'a\\x00\\x1a', object(), type, Ellipsis, 1j, range(3),
                    type('S', (str,), {})('sub'), type('I', (int,), {})(3), memoryview(b'm'),
                    type('B', (bytes,), {})(b'sub'), dt.datetime(1, 1, 1).timetuple()]
            )(*map(__import__, ['decimal', 'datetime', 'uuid']), __import__('enum').Enum,
              float('inf')))"
        ),
        None,
        None,
    );
    let values = values.unwrap().cast_into::<PyList>().unwrap();
    values
        .get_item(usize::from(input.byte()) % values.len())
        .unwrap()
}

pub fn value<'py>(py: Python<'py>, input: &mut Input<'_>, depth: usize) -> Bound<'py, PyAny> {
    let several = |input: &mut Input<'_>| -> Vec<_> {
        let count = if depth == 0 { 0 } else { input.byte() % 4 };
        (0..count).map(|_| value(py, input, depth - 1)).collect()
    };
    match input.byte() % 14 {
        0 => py.None().into_bound(py),
        1 => input
            .flag()
            .into_pyobject(py)
            .unwrap()
            .to_owned()
            .into_any(),
        2 => (input.word() as i64).into_pyobject(py).unwrap().into_any(),
        3 => input.byte().into_pyobject(py).unwrap().into_any(),
        4 => f64::from_bits(input.word())
            .into_pyobject(py)
            .unwrap()
            .into_any(),
        5 => PyBytes::new(py, input.bytes()).into_any(),
        6 => PyByteArray::new(py, input.bytes()).into_any(),
        7 => PyTuple::new(py, several(input)).unwrap().into_any(),
        8 => PyList::new(py, several(input)).unwrap().into_any(),
        9 => {
            let dict = PyDict::new(py);
            for item in several(input) {
                dict.set_item(&*input.text(), item).unwrap();
            }
            dict.into_any()
        }
        10 => {
            let hashable = input.bytes().iter().map(|byte| i64::from(*byte));
            PyFrozenSet::new(py, hashable).unwrap().into_any()
        }
        11 => constant(py, input),
        _ => PyString::new(py, &input.text()).into_any(),
    }
}

/// The exception that a wrong value may cause; any other is a fault of ours.
pub fn assert_expected(py: Python<'_>, error: &PyErr) {
    let expected = [
        "TypeError",
        "ValueError",
        "KeyError",
        "OverflowError",
        "AttributeError",
        "ArithmeticError",
    ];
    let class = error.get_type(py);
    let known = class.mro().iter().any(|base| {
        let name = base.cast::<pyo3::types::PyType>().unwrap().name().unwrap();
        expected.iter().any(|expected| name == *expected) || name == "MySQLError"
    });
    assert!(known, "{error}");
}
