//! Which types are encoded natively, and how to tell that nobody wants them encoded otherwise.

use pyo3::exceptions::PyAttributeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDelta, PyDict, PyFloat, PyFrozenSet, PyInt, PyList,
    PyNone, PySet, PyString, PyTime, PyTuple, PyType,
};

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Null,
    Bool,
    Int,
    Float,
    Decimal,
    Text,
    Binary,
    Date,
    DateTime,
    Time,
    TimeDelta,
    StructTime,
    Sequence,
    Dict,
    /// Whatever `str()` makes of it, quoted.
    Shown,
}

/// The encoders that PyMySQL registers, as they were when this module first looked.
pub struct Defaults {
    entries: Vec<Entry>,
    /// `escape_sequence` and `escape_dict`: a user may register them for further types.
    sequence: Option<Py<PyAny>>,
    dict: Option<Py<PyAny>>,
}

struct Entry {
    class: Py<PyType>,
    kind: Kind,
    /// PyMySQL's own encoder; None where its dictionary has none for the class.
    encoder: Option<Py<PyAny>>,
}

static DEFAULTS: PyOnceLock<Defaults> = PyOnceLock::new();

impl Defaults {
    pub fn get(py: Python<'_>) -> PyResult<&Self> {
        DEFAULTS.get_or_try_init(py, || Self::read(py))
    }

    /// The native kind of the exact type `class`, provided that `encoder`, what the connection's
    /// dictionary holds for it now, is PyMySQL's own.
    pub fn kind(
        &self,
        class: &Bound<'_, PyType>,
        encoder: Option<&Bound<'_, PyAny>>,
    ) -> Option<Kind> {
        let entry = self.entries.iter().find(|entry| entry.class.is(class))?;
        match (&entry.encoder, encoder) {
            (Some(own), Some(encoder)) => own.is(encoder),
            (None, None) => true,
            _ => false,
        }
        .then_some(entry.kind)
    }

    pub fn is_sequence_encoder(&self, encoder: &Bound<'_, PyAny>) -> bool {
        self.sequence.as_ref().is_some_and(|own| own.is(encoder))
    }

    pub fn is_dict_encoder(&self, encoder: &Bound<'_, PyAny>) -> bool {
        self.dict.as_ref().is_some_and(|own| own.is(encoder))
    }

    fn read(py: Python<'_>) -> PyResult<Self> {
        let converters = py.import(intern!(py, "pymysql.converters"))?;
        let encoders = converters
            .getattr(intern!(py, "encoders"))?
            .cast_into::<PyDict>()?;
        let mut entries = Vec::new();
        for (class, kind, names) in known_classes(py)? {
            let encoder = encoders.get_item(&class)?;
            // An encoder that was replaced before this module was imported is the user's.
            if let Some(encoder) = &encoder
                && !is_pymysql_function(encoder, names)?
            {
                continue;
            }
            entries.push(Entry {
                class: class.unbind(),
                kind,
                encoder: encoder.map(Bound::unbind),
            });
        }
        Ok(Self {
            entries,
            sequence: function(&converters, "escape_sequence")?,
            dict: function(&converters, "escape_dict")?,
        })
    }
}

/// A type, how it is written, and the names of PyMySQL's encoder for it.
type Known<'py> = (Bound<'py, PyType>, Kind, &'static [&'static str]);

/// The types that PyMySQL registers, the most frequent first, each with the names that its encoder
/// bears in PyMySQL 1.0 to 1.2.
fn known_classes(py: Python<'_>) -> PyResult<Vec<Known<'_>>> {
    const SEQUENCE: &[&str] = &["escape_sequence", "escape_not_supported"];
    let decimal = py
        .import("decimal")?
        .getattr("Decimal")?
        .cast_into::<PyType>()?;
    let struct_time = py
        .import("time")?
        .getattr("struct_time")?
        .cast_into::<PyType>()?;
    Ok(vec![
        (py.get_type::<PyInt>(), Kind::Int, &["escape_int"]),
        (py.get_type::<PyString>(), Kind::Text, &["escape_str"]),
        (py.get_type::<PyNone>(), Kind::Null, &["escape_None"]),
        (py.get_type::<PyFloat>(), Kind::Float, &["escape_float"]),
        (
            py.get_type::<PyDateTime>(),
            Kind::DateTime,
            &["escape_datetime"],
        ),
        (decimal, Kind::Decimal, &["Decimal2Literal"]),
        (py.get_type::<PyBool>(), Kind::Bool, &["escape_bool"]),
        (py.get_type::<PyDate>(), Kind::Date, &["escape_date"]),
        (py.get_type::<PyBytes>(), Kind::Binary, &["escape_bytes"]),
        (py.get_type::<PyList>(), Kind::Sequence, SEQUENCE),
        (py.get_type::<PyTuple>(), Kind::Sequence, SEQUENCE),
        (
            py.get_type::<PyDelta>(),
            Kind::TimeDelta,
            &["escape_timedelta"],
        ),
        (py.get_type::<PyTime>(), Kind::Time, &["escape_time"]),
        (py.get_type::<PySet>(), Kind::Sequence, SEQUENCE),
        (py.get_type::<PyFrozenSet>(), Kind::Sequence, SEQUENCE),
        (
            py.get_type::<PyDict>(),
            Kind::Dict,
            &["escape_dict", "escape_not_supported"],
        ),
        (struct_time, Kind::StructTime, &["escape_struct_time"]),
    ])
}

fn is_pymysql_function(encoder: &Bound<'_, PyAny>, names: &[&str]) -> PyResult<bool> {
    let py = encoder.py();
    let Some(module) = encoder.getattr_opt(intern!(py, "__module__"))? else {
        return Ok(false);
    };
    let Some(name) = encoder.getattr_opt(intern!(py, "__name__"))? else {
        return Ok(false);
    };
    if !module.eq(intern!(py, "pymysql.converters"))? {
        return Ok(false);
    }
    for expected in names {
        if name.eq(*expected)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A function of PyMySQL's; None where the name is gone or stands for something else.
fn function(converters: &Bound<'_, PyModule>, name: &str) -> PyResult<Option<Py<PyAny>>> {
    match converters.getattr(name) {
        Ok(found) if found.is_callable() => Ok(Some(found.unbind())),
        Ok(_) => Ok(None),
        Err(error) if error.is_instance_of::<PyAttributeError>(converters.py()) => Ok(None),
        Err(error) => Err(error),
    }
}
