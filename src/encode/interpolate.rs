//! A statement with its arguments in place of the placeholders: upstream's `query % escaped`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList, PyString, PyTuple};

use super::Dialect;
use super::literal::escape_value;
use super::template::Template;

/// `query % args`, each argument as a literal, in bytes of the connection's character set.
///
/// `args` is a tuple or a list, a dict, or a single value. What the native reader does not know
/// goes through Python's own `%`, so that its results and its errors are Python's.
pub fn interpolate<'py>(
    query: &Bound<'py, PyAny>,
    args: &Bound<'py, PyAny>,
    dialect: &Dialect<'_, 'py>,
) -> PyResult<Vec<u8>> {
    if let Ok(query) = query.cast_exact::<PyString>()
        && let Ok(text) = query.to_str()
        && let Some(template) = Template::compile(query.py(), text, dialect.codec)?
    {
        let mut out = Vec::with_capacity(text.len() + 64);
        if template.fill(args, dialect, &mut out)? {
            return Ok(out);
        }
    }
    interpolate_by_python(query, args, dialect)
}

/// The same by escaping each argument to a string and applying Python's `%`.
pub fn interpolate_by_python<'py>(
    query: &Bound<'py, PyAny>,
    args: &Bound<'py, PyAny>,
    dialect: &Dialect<'_, 'py>,
) -> PyResult<Vec<u8>> {
    let statement = query.rem(escape_args(args, dialect)?)?;
    if let Ok(text) = statement.cast::<PyString>() {
        Ok(dialect.codec.encode(text)?.into_owned())
    } else if let Ok(bytes) = statement.cast::<PyBytes>() {
        Ok(bytes.as_bytes().to_vec())
    } else if let Ok(bytes) = statement.cast::<PyByteArray>() {
        Ok(bytes.to_vec())
    } else {
        let class = statement.get_type().name()?;
        Err(PyTypeError::new_err(format!(
            "a statement must be str or bytes, not {class}"
        )))
    }
}

fn escape_args<'py>(
    args: &Bound<'py, PyAny>,
    dialect: &Dialect<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = args.py();
    if args.is_instance_of::<PyTuple>() || args.is_instance_of::<PyList>() {
        let escaped = args
            .try_iter()?
            .map(|arg| escape_value(&arg?, dialect))
            .collect::<PyResult<Vec<_>>>()?;
        Ok(PyTuple::new(py, escaped)?.into_any())
    } else if args.is_instance_of::<PyDict>() {
        let escaped = PyDict::new(py);
        for item in args.call_method0("items")?.try_iter()? {
            let (key, value) = item?.extract::<(Bound<'py, PyAny>, Bound<'py, PyAny>)>()?;
            escaped.set_item(key, escape_value(&value, dialect)?)?;
        }
        Ok(escaped.into_any())
    } else {
        escape_value(args, dialect)
    }
}
