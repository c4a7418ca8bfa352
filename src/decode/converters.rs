//! Which conversions a connection's `conv` mapping asks for.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use pyo3::{PyTraverseError, PyVisit};

use mysql_async::consts::ColumnType;

/// The connection's mapping from a field type's number to a callable.
pub struct Converters(Py<PyAny>);

/// What the mapping says of one field type.
pub enum Converter {
    /// Nothing, or PyMySQL's function that returns what it is given.
    None,
    /// A function of PyMySQL's for which there is a decoder of ours.
    Native(Native, Py<PyAny>),
    Custom(Py<PyAny>),
}

/// The values that PyMySQL's own functions make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Native {
    Int,
    Float,
    Decimal,
    DateTime,
    Date,
    Time,
}

impl Native {
    fn of(field_type: ColumnType) -> Option<Self> {
        use ColumnType::*;
        match field_type {
            MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_LONG | MYSQL_TYPE_LONGLONG
            | MYSQL_TYPE_INT24 | MYSQL_TYPE_YEAR => Some(Self::Int),
            MYSQL_TYPE_FLOAT | MYSQL_TYPE_DOUBLE => Some(Self::Float),
            MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => Some(Self::Decimal),
            MYSQL_TYPE_TIMESTAMP | MYSQL_TYPE_DATETIME => Some(Self::DateTime),
            MYSQL_TYPE_DATE => Some(Self::Date),
            MYSQL_TYPE_TIME => Some(Self::Time),
            _ => None,
        }
    }
}

impl Converters {
    pub fn new(mapping: &Bound<'_, PyAny>) -> Self {
        Self(mapping.clone().unbind())
    }

    /// Asked for each result set: an entry changed in place takes effect with the next one.
    pub fn lookup(&self, py: Python<'_>, field_type: ColumnType) -> PyResult<Converter> {
        let mapping = self.0.bind(py);
        let number = field_type as u8;
        let entry = match mapping.cast_exact::<PyDict>() {
            Ok(dict) => dict.get_item(number)?,
            Err(_) => Some(mapping.call_method1(intern!(py, "get"), (number,))?),
        };
        match entry {
            Some(function) if !function.is_none() => {
                Ok(Snapshot::get(py)?.classify(function, field_type))
            }
            _ => Ok(Converter::None),
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }
}

/// PyMySQL's decoders as they were when this module was imported.
struct Snapshot {
    by_type: Vec<Option<Py<PyAny>>>,
    through: Py<PyAny>,
}

/// One field type for each native decoder. A connection that maps DECIMAL to `float`, say, is
/// served natively too.
const REPRESENTATIVES: [ColumnType; 6] = [
    ColumnType::MYSQL_TYPE_LONG,
    ColumnType::MYSQL_TYPE_DOUBLE,
    ColumnType::MYSQL_TYPE_NEWDECIMAL,
    ColumnType::MYSQL_TYPE_DATETIME,
    ColumnType::MYSQL_TYPE_DATE,
    ColumnType::MYSQL_TYPE_TIME,
];

impl Snapshot {
    fn get(py: Python<'_>) -> PyResult<&Self> {
        static SNAPSHOT: PyOnceLock<Snapshot> = PyOnceLock::new();
        SNAPSHOT.get_or_try_init(py, || {
            let module = py.import(intern!(py, "pymysql.converters"))?;
            let decoders = module.getattr(intern!(py, "decoders"))?;
            let by_type = (0..=u8::MAX)
                .map(|number| {
                    let entry = decoders.call_method1(intern!(py, "get"), (number,))?;
                    Ok((!entry.is_none()).then(|| entry.unbind()))
                })
                .collect::<PyResult<_>>()?;
            let through = module.getattr(intern!(py, "through"))?.unbind();
            Ok(Self { by_type, through })
        })
    }

    fn classify(&self, function: Bound<'_, PyAny>, field_type: ColumnType) -> Converter {
        if function.is(&self.through) {
            return Converter::None;
        }
        for known in [field_type].into_iter().chain(REPRESENTATIVES) {
            if let Some(Some(original)) = self.by_type.get(usize::from(known as u8))
                && function.is(original)
                && let Some(native) = Native::of(known)
            {
                return Converter::Native(native, function.unbind());
            }
        }
        Converter::Custom(function.unbind())
    }
}

/// Takes the snapshot, before anyone changes PyMySQL's dictionary.
pub fn remember_originals(py: Python<'_>) -> PyResult<()> {
    Snapshot::get(py).map(drop)
}
