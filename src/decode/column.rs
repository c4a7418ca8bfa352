//! How the cells of one column become Python objects: chosen once for each result set.

use mysql_async::Column;
use mysql_async::consts::ColumnType;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit, intern};

use super::converters::{Converter, Converters, Native};
use super::decimal::Decimals;
use super::object::{self, Object};
use super::text::TextCodec;
use super::{number, temporal, text};

/// The collation that marks a column as bytes.
const BINARY: u16 = 63;

/// Makes the objects of one column.
pub trait Decode: Send + Sync {
    /// The object for a cell that is not NULL.
    fn decode<'py>(&self, py: Python<'py>, cell: &[u8]) -> Object<'py>;

    /// Whether no object of this column can refer to another one, and so be part of a cycle.
    fn is_atomic(&self, _: Python<'_>) -> bool {
        true
    }

    fn traverse(&self, _: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        Ok(())
    }
}

pub type Decoder = Box<dyn Decode>;

impl<F> Decode for F
where
    F: for<'py> Fn(Python<'py>, &[u8]) -> Object<'py> + Send + Sync,
{
    fn decode<'py>(&self, py: Python<'py>, cell: &[u8]) -> Object<'py> {
        self(py, cell)
    }
}

pub fn decoder(
    py: Python<'_>,
    column: &Column,
    text: Option<&TextCodec>,
    converters: &Converters,
) -> PyResult<Decoder> {
    let form = Form::of(column);
    match converters.lookup(py, column.column_type())? {
        Converter::None => Ok(raw(form, text)),
        // Text and bytes are left to the function itself: it may read more than the ASCII of
        // numbers and dates, which our decoders are made for.
        Converter::Native(native, _) if form == Form::Ascii => self::native(py, native),
        Converter::Native(_, converter) | Converter::Custom(converter) => {
            let raw = raw(form, text);
            Ok(Box::new(Converted { raw, converter }))
        }
    }
}

/// What a cell is without a converter, and what a converter is called with.
fn raw(form: Form, text: Option<&TextCodec>) -> Decoder {
    match (form, text) {
        (Form::Ascii, Some(_)) => Box::new(text::ascii),
        (Form::Text, Some(TextCodec::Utf8)) => Box::new(text::utf8),
        (Form::Text, Some(TextCodec::Python(codec))) => Box::new(codec.clone()),
        (Form::Bytes, _) | (_, None) => Box::new(text::bytes),
    }
}

fn native(py: Python<'_>, native: Native) -> PyResult<Decoder> {
    Ok(match native {
        Native::Int => Box::new(number::int),
        Native::Float => Box::new(number::float),
        Native::Decimal => Box::new(Decimals::new(py)?),
        Native::DateTime => Box::new(temporal::datetime),
        Native::Date => Box::new(temporal::date),
        Native::Time => Box::new(temporal::timedelta),
    })
}

/// A user's function behind the decoder of the column's text or bytes.
struct Converted {
    raw: Decoder,
    converter: Py<PyAny>,
}

impl Decode for Converted {
    fn decode<'py>(&self, py: Python<'py>, cell: &[u8]) -> Object<'py> {
        let value = self.raw.decode(py, cell)?;
        object::or_set(py, self.converter.bind(py).call1((value,)))
    }

    fn is_atomic(&self, _: Python<'_>) -> bool {
        false
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.converter)
    }
}

/// `json.loads` behind another decoder.
pub struct Json {
    document: Decoder,
    loads: Py<PyAny>,
}

impl Json {
    pub fn new(py: Python<'_>, document: Decoder) -> PyResult<Self> {
        let loads = py
            .import(intern!(py, "json"))?
            .getattr(intern!(py, "loads"))?
            .unbind();
        Ok(Self { document, loads })
    }
}

impl Decode for Json {
    /// What is no JSON document stays what it is.
    fn decode<'py>(&self, py: Python<'py>, cell: &[u8]) -> Object<'py> {
        let document = self.document.decode(py, cell)?;
        match self.loads.bind(py).call1((&document,)) {
            Err(error)
                if error.is_instance_of::<PyValueError>(py)
                    || error.is_instance_of::<PyTypeError>(py) =>
            {
                Some(document)
            }
            value => object::or_set(py, value),
        }
    }

    fn is_atomic(&self, _: Python<'_>) -> bool {
        false
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.loads)?;
        self.document.traverse(visit)
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
