//! One Python value as one SQL literal.
//!
//! Types that PyMySQL knows are written natively as long as the connection's `encoders` still hold
//! PyMySQL's own function for them; otherwise that function is called, as PyMySQL would call it.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyByteArray, PyBytes, PyDate, PyDateTime, PyDelta, PyFloat, PyMemoryView, PyString, PyTime,
    PyType,
};

use super::Dialect;
use super::defaults::{Defaults, Kind};
use super::float::float;
use super::temporal;
use super::text::{Form, Writer, into_string};

/// Writes `value` as the literal that stands for it, in bytes of the connection's character set.
pub fn literal<'py>(
    value: &Bound<'py, PyAny>,
    dialect: &Dialect<'_, 'py>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    Writer {
        dialect: *dialect,
        form: Form::Wire,
        out,
    }
    .parameter(value)
}

/// What `Connection.escape` gives for `value`: the literal as a Python string, or, as upstream,
/// whatever the user's own encoder returned.
pub fn escape_value<'py>(
    value: &Bound<'py, PyAny>,
    dialect: &Dialect<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    let mut out = Vec::new();
    let mut writer = Writer {
        dialect: *dialect,
        form: Form::Text,
        out: &mut out,
    };
    match writer.parameter_route(value)? {
        Route::Native(kind) => writer.native(kind, value, 0)?,
        Route::Custom(encoder) => return encoder.call1((value, dialect.encoders)),
    }
    Ok(into_string(py, &out)?.into_any())
}

/// Who writes a value.
enum Route<'py> {
    Native(Kind),
    Custom(Bound<'py, PyAny>),
}

impl<'py> Writer<'_, 'py> {
    /// A parameter of a statement.
    fn parameter(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let route = self.parameter_route(value)?;
        self.write(route, value, 0)
    }

    /// An item of a sequence, `depth` sequences deep.
    pub(super) fn item(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> PyResult<()> {
        let route = self.item_route(value)?;
        self.write(route, value, depth)
    }

    fn write(
        &mut self,
        route: Route<'py>,
        value: &Bound<'py, PyAny>,
        depth: usize,
    ) -> PyResult<()> {
        match route {
            Route::Native(kind) => self.native(kind, value, depth),
            Route::Custom(encoder) => {
                let written = encoder.call1((value, self.dialect.encoders))?;
                match written.cast::<PyString>() {
                    Ok(text) => self.raw(text),
                    // `%s` would have formatted it.
                    Err(_) => self.raw(&written.str()?),
                }
            }
        }
    }

    /// At the top str and bytes are known by isinstance, and `encoders` is not asked.
    fn parameter_route(&self, value: &Bound<'py, PyAny>) -> PyResult<Route<'py>> {
        if value.is_instance_of::<PyString>() {
            Ok(Route::Native(Kind::Text))
        } else if value.is_instance_of::<PyBytes>() {
            Ok(Route::Native(Kind::Binary))
        } else {
            self.item_route(value)
        }
    }

    fn item_route(&self, value: &Bound<'py, PyAny>) -> PyResult<Route<'py>> {
        let py = value.py();
        let class = value.get_type();
        let defaults = Defaults::get(py)?;
        let encoder = self.encoder_of(&class)?;
        if let Some(kind) = defaults.kind(&class, encoder.as_ref()) {
            return Ok(Route::Native(kind));
        }
        if let Some(encoder) = encoder
            && encoder.is_truthy()?
        {
            return Ok(if defaults.is_sequence_encoder(&encoder) {
                Route::Native(Kind::Sequence)
            } else if defaults.is_dict_encoder(&encoder) {
                Route::Native(Kind::Dict)
            } else {
                Route::Custom(encoder)
            });
        }
        if value.is_instance_of::<PyBytes>()
            || value.is_instance_of::<PyByteArray>()
            || value.is_instance_of::<PyMemoryView>()
        {
            return Ok(Route::Native(Kind::Binary));
        }
        let text = py.get_type::<PyString>();
        let Some(fallback) = self.encoder_of(&text)? else {
            return Err(PyTypeError::new_err("no default type converter defined"));
        };
        Ok(match defaults.kind(&text, Some(&fallback)) {
            Some(_) if value.is_instance_of::<PyString>() => Route::Native(Kind::Text),
            Some(_) => Route::Native(Kind::Shown),
            None => Route::Custom(fallback),
        })
    }

    fn encoder_of(&self, class: &Bound<'py, PyType>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.dialect.encoders.get_item(class)
    }

    fn native(&mut self, kind: Kind, value: &Bound<'py, PyAny>, depth: usize) -> PyResult<()> {
        match kind {
            Kind::Text => self.quoted_text(value.cast::<PyString>()?)?,
            Kind::Int => self.int(value)?,
            Kind::Null => self.out.extend_from_slice(b"NULL"),
            Kind::Bool => self.out.push(if value.is_truthy()? { b'1' } else { b'0' }),
            Kind::Float => self.float(value)?,
            Kind::Decimal => self.decimal(value)?,
            Kind::Binary => self.binary(value, depth)?,
            Kind::Date => temporal::date(value.cast::<PyDate>()?, self.out),
            Kind::DateTime => temporal::datetime(value.cast::<PyDateTime>()?, self.out),
            Kind::Time => temporal::time(value.cast::<PyTime>()?, self.out),
            Kind::TimeDelta => temporal::timedelta(value.cast::<PyDelta>()?, self.out),
            Kind::StructTime => temporal::struct_time(value, self.out)?,
            Kind::Sequence => self.sequence(value, depth)?,
            Kind::Dict => {
                return Err(PyTypeError::new_err("dict can not be used as parameter"));
            }
            Kind::Shown => self.shown(value)?,
        }
        Ok(())
    }

    fn int(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        match value.extract::<i64>() {
            Ok(small) => {
                self.out
                    .extend_from_slice(itoa::Buffer::new().format(small).as_bytes());
                Ok(())
            }
            Err(_) => self.raw(&value.str()?),
        }
    }

    /// Python's shortest digits, with an exponent always, so that the server reads a DOUBLE.
    fn float(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let number = value.extract::<f64>()?;
        if number.is_finite() && value.is_exact_instance_of::<PyFloat>() {
            float(number, self.out);
            return Ok(());
        }
        let digits = value.repr()?;
        let digits = digits.to_str()?;
        if !number.is_finite() {
            return Err(unusable(value.py(), digits));
        }
        self.out.extend_from_slice(digits.as_bytes());
        if !digits.contains('e') {
            self.out.extend_from_slice(b"e0");
        }
        Ok(())
    }

    /// Fixed notation: `str` already gives it, except where it chose an exponent.
    fn decimal(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let digits = value.str()?;
        let text = digits.to_str()?;
        let magnitude = text.strip_prefix('-').unwrap_or(text);
        if !magnitude.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(unusable(value.py(), &text.to_ascii_lowercase()));
        }
        if !text.contains(['E', 'e']) {
            self.out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        let py = value.py();
        let fixed = value.call_method1(intern!(py, "__format__"), (intern!(py, "f"),))?;
        self.out
            .extend_from_slice(fixed.cast::<PyString>()?.to_str()?.as_bytes());
        Ok(())
    }

    /// Only a parameter is marked as binary: inside a sequence, as upstream, bytes compare with a
    /// text column by that column's collation.
    fn binary(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> PyResult<()> {
        let marked = depth == 0;
        if let Ok(bytes) = value.cast::<PyBytes>() {
            self.quoted_bytes(bytes.as_bytes(), marked);
        } else if let Ok(bytes) = value.cast::<PyByteArray>() {
            self.quoted_bytes(&bytes.to_vec(), marked);
        } else {
            let bytes = value.call_method0(intern!(value.py(), "tobytes"))?;
            self.quoted_bytes(bytes.cast::<PyBytes>()?.as_bytes(), marked);
        }
        Ok(())
    }

    fn shown(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let text = value.str()?;
        // The server would read both words as the number 0.
        if (text == "True" || text == "False") && value.get_type().module()? == "numpy" {
            self.out.push(if value.is_truthy()? { b'1' } else { b'0' });
            return Ok(());
        }
        self.quoted_text(&text)
    }
}

fn unusable(py: Python<'_>, what: &str) -> PyErr {
    static PROGRAMMING_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    match PROGRAMMING_ERROR.import(py, "pymysql.err", "ProgrammingError") {
        Ok(class) => PyErr::from_type(
            class.clone(),
            (format!("{what} can not be used with MySQL"),),
        ),
        Err(error) => error,
    }
}
