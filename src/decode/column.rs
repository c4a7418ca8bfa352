//! How the cells of one column become Python objects: chosen once for each result set.

use mysql_async::Column;
use mysql_async::consts::ColumnType;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit, ffi, intern};

use super::converters::{Converter, Converters, Native};
use super::decimal::Decimals;
use super::object::{self, Object};
use super::text::TextCodec;
use super::{number, temporal, text};

/// The collation that marks a column as bytes.
const BINARY: u16 = 63;

pub enum Decoder {
    Int,
    Float,
    Decimal(Decimals),
    DateTime,
    Date,
    Time,
    Bytes,
    /// What a number, a date or a time is without a converter.
    Ascii,
    Text(TextCodec),
    Converted {
        raw: Box<Decoder>,
        converter: Py<PyAny>,
    },
    Json {
        document: Box<Decoder>,
        loads: Py<PyAny>,
    },
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
        Ok(match converters.lookup(py, field_type)? {
            Converter::None => Self::raw(form, text),
            // Text and bytes are left to the function itself: it may read more than the ASCII of
            // numbers and dates, which our decoders are made for.
            Converter::Native(native, _) if form == Form::Ascii => Self::native(py, native)?,
            Converter::Native(_, converter) | Converter::Custom(converter) => Self::Converted {
                raw: Box::new(Self::raw(form, text)),
                converter,
            },
        })
    }

    /// What a cell is without a converter, and what a converter is called with.
    fn raw(form: Form, text: Option<&TextCodec>) -> Self {
        match (form, text) {
            (Form::Ascii, Some(_)) => Self::Ascii,
            (Form::Text, Some(codec)) => Self::Text(codec.clone()),
            (Form::Bytes, _) | (_, None) => Self::Bytes,
        }
    }

    fn native(py: Python<'_>, native: Native) -> PyResult<Self> {
        Ok(match native {
            Native::Int => Self::Int,
            Native::Float => Self::Float,
            Native::Decimal => Self::Decimal(Decimals::new(py)?),
            Native::DateTime => Self::DateTime,
            Native::Date => Self::Date,
            Native::Time => Self::Time,
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

    /// The object for a cell that is not NULL. No branch is inlined, so that each is a jump to a
    /// function that saves no more registers than it needs itself.
    #[inline(never)]
    pub fn decode<'py>(&self, py: Python<'py>, cell: &[u8]) -> Object<'py> {
        match self {
            Self::Int => number::int(py, cell),
            Self::Float => number::float(py, cell),
            Self::Decimal(decimals) => decimals.decode(py, cell),
            Self::DateTime => temporal::datetime(py, cell),
            Self::Date => temporal::date(py, cell),
            Self::Time => temporal::timedelta(py, cell),
            Self::Bytes => text::bytes(py, cell),
            Self::Ascii => text::ascii(py, cell),
            Self::Text(codec) => codec.decode(py, cell),
            Self::Converted { raw, converter } => convert(py, raw, converter, cell),
            Self::Json { document, loads } => deserialize(py, document, loads, cell),
        }
    }

    /// Whether no object of this column can refer to another one, and so be part of a cycle.
    pub fn is_atomic(&self, py: Python<'_>) -> bool {
        match self {
            // SAFETY: the class is alive.
            Self::Decimal(decimals) => unsafe {
                ffi::PyType_IS_GC(decimals.class(py).as_type_ptr()) == 0
            },
            Self::Converted { .. } | Self::Json { .. } => false,
            _ => true,
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Converted { converter, .. } => visit.call(converter),
            Self::Json { document, loads } => {
                visit.call(loads)?;
                document.traverse(visit)
            }
            _ => Ok(()),
        }
    }
}

#[inline(never)]
fn convert<'py>(py: Python<'py>, raw: &Decoder, converter: &Py<PyAny>, cell: &[u8]) -> Object<'py> {
    let value = raw.decode(py, cell)?;
    object::or_set(py, converter.bind(py).call1((value,)))
}

/// What is no JSON document stays what it is.
#[inline(never)]
fn deserialize<'py>(
    py: Python<'py>,
    document: &Decoder,
    loads: &Py<PyAny>,
    cell: &[u8],
) -> Object<'py> {
    let document = document.decode(py, cell)?;
    match loads.bind(py).call1((&document,)) {
        Err(error)
            if error.is_instance_of::<PyValueError>(py)
                || error.is_instance_of::<PyTypeError>(py) =>
        {
            Some(document)
        }
        value => object::or_set(py, value),
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
