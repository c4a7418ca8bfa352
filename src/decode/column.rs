//! How the cells of one column become Python objects: chosen once for each result set.

use mysql_async::Column;
use mysql_async::consts::ColumnType;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit, ffi, intern};

use super::converters::{Converter, Converters, Native};
use super::text::TextCodec;
use super::{number, temporal, text};

/// The collation that marks a column as bytes.
const BINARY: u16 = 63;

pub enum Decoder {
    Raw(Raw),
    Native(Native),
    Converted {
        raw: Raw,
        converter: Py<PyAny>,
    },
    Json {
        document: Box<Decoder>,
        loads: Py<PyAny>,
    },
}

/// What a cell is without a converter, and what a converter is called with.
pub enum Raw {
    Bytes,
    Ascii,
    Text(TextCodec),
}

impl Decoder {
    pub fn choose(
        py: Python<'_>,
        column: &Column,
        text: Option<&TextCodec>,
        converters: &Converters,
    ) -> PyResult<Self> {
        let field_type = column.column_type();
        let form = Form::of(column);
        let raw = Raw::choose(form, text);
        Ok(match converters.lookup(py, field_type)? {
            Converter::None => Self::Raw(raw),
            // Text and bytes are left to the function itself: it may read more than the ASCII of
            // numbers and dates, which our decoders are made for.
            Converter::Native(native, _) if form == Form::Ascii => Self::Native(native),
            Converter::Native(_, converter) | Converter::Custom(converter) => {
                Self::Converted { raw, converter }
            }
        })
    }

    /// The same decoder, with `json.loads` behind it.
    pub fn deserialize_json(self, py: Python<'_>) -> PyResult<Self> {
        let loads = py
            .import(intern!(py, "json"))?
            .getattr(intern!(py, "loads"))?
            .unbind();
        Ok(Self::Json {
            document: Box::new(self),
            loads,
        })
    }

    /// The object for a cell that is not NULL.
    #[inline]
    pub fn decode<'py>(&self, py: Python<'py>, cell: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Native(native) => native.decode(py, cell),
            Self::Raw(raw) => raw.decode(py, cell),
            Self::Converted { raw, converter } => {
                converter.bind(py).call1((raw.decode(py, cell)?,))
            }
            Self::Json { document, loads } => {
                let document = document.decode(py, cell)?;
                match loads.bind(py).call1((&document,)) {
                    Ok(value) => Ok(value),
                    Err(error)
                        if error.is_instance_of::<PyValueError>(py)
                            || error.is_instance_of::<PyTypeError>(py) =>
                    {
                        Ok(document)
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Whether no object of this column can refer to another one, and so be part of a cycle.
    pub fn is_atomic(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(match self {
            Self::Raw(_) => true,
            Self::Native(Native::Decimal) => {
                let class = number::decimal_type(py)?.as_type_ptr();
                // SAFETY: `class` points at a type object that the static in `number` keeps alive.
                unsafe { ffi::PyType_IS_GC(class) == 0 }
            }
            Self::Native(_) => true,
            Self::Converted { .. } | Self::Json { .. } => false,
        })
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Raw(_) | Self::Native(_) => Ok(()),
            Self::Converted { converter, .. } => visit.call(converter),
            Self::Json { document, loads } => {
                visit.call(loads)?;
                document.traverse(visit)
            }
        }
    }
}

impl Native {
    #[inline]
    fn decode<'py>(self, py: Python<'py>, cell: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Int => number::int(py, cell),
            Self::Float => number::float(py, cell),
            Self::Decimal => number::decimal(py, cell),
            Self::DateTime => temporal::datetime(py, cell),
            Self::Date => temporal::date(py, cell),
            Self::Time => temporal::timedelta(py, cell),
        }
    }
}

impl Raw {
    fn choose(form: Form, text: Option<&TextCodec>) -> Self {
        match (form, text) {
            (Form::Ascii, Some(_)) => Self::Ascii,
            (Form::Text, Some(codec)) => Self::Text(codec.clone()),
            (Form::Bytes, _) | (_, None) => Self::Bytes,
        }
    }

    #[inline]
    fn decode<'py>(&self, py: Python<'py>, cell: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Text(codec) => codec.decode(py, cell),
            Self::Ascii => text::ascii(py, cell),
            Self::Bytes => text::bytes(py, cell),
        }
    }
}

/// What the server's bytes are, by the column's type and collation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Bytes,
    /// Numbers, dates and times.
    Ascii,
    Text,
}

impl Form {
    fn of(column: &Column) -> Self {
        use ColumnType::*;
        match column.column_type() {
            // A JSON column is marked binary, CAST(… AS JSON) is not; both are text.
            MYSQL_TYPE_JSON => Self::Text,
            MYSQL_TYPE_VECTOR => Self::Bytes,
            MYSQL_TYPE_BIT
            | MYSQL_TYPE_BLOB
            | MYSQL_TYPE_TINY_BLOB
            | MYSQL_TYPE_MEDIUM_BLOB
            | MYSQL_TYPE_LONG_BLOB
            | MYSQL_TYPE_STRING
            | MYSQL_TYPE_VAR_STRING
            | MYSQL_TYPE_VARCHAR
            | MYSQL_TYPE_GEOMETRY => match column.character_set() {
                BINARY => Self::Bytes,
                _ => Self::Text,
            },
            _ => Self::Ascii,
        }
    }
}
