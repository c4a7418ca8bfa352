//! A column's metadata as an object, with the attributes of PyMySQL's field packets.

use mysql_async::Column;
use mysql_async::consts::{ColumnFlags, ColumnType};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use super::description;
use crate::charset::Codec;

/// One column of a result set.
#[pyclass(frozen, module = "aiomysql._native")]
pub struct Field {
    column: Column,
    codec: Codec,
}

impl Field {
    pub fn new(column: &Column, codec: &Codec) -> Self {
        Self {
            column: column.clone(),
            codec: codec.clone(),
        }
    }

    pub fn column(&self) -> &Column {
        &self.column
    }
}

#[pymethods]
impl Field {
    #[new]
    #[pyo3(signature = (name, type_code, *, table_name="", org_table="", org_name="", db=b"".as_slice(),
                        charsetnr=0, length=0, flags=0, scale=0, encoding="utf-8"))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of the server's packet"
    )]
    fn py_new(
        py: Python<'_>,
        name: &Bound<'_, PyString>,
        type_code: u8,
        table_name: &str,
        org_table: &str,
        org_name: &str,
        db: &[u8],
        charsetnr: u16,
        length: u32,
        flags: u16,
        scale: u8,
        encoding: &str,
    ) -> PyResult<Self> {
        let codec = Codec::lookup(py, encoding)?;
        let encode = |text: &str| {
            codec
                .encode(&PyString::new(py, text))
                .map(std::borrow::Cow::into_owned)
        };
        let column = column(type_code, charsetnr, flags)?
            .with_name(&codec.encode(name)?)
            .with_table(&encode(table_name)?)
            .with_org_table(&encode(org_table)?)
            .with_org_name(&encode(org_name)?)
            .with_schema(db)
            .with_column_length(length)
            .with_decimals(scale);
        Ok(Self { column, codec })
    }

    #[getter]
    fn name<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.codec.decode_escaped(py, self.column.name_ref())
    }

    #[getter]
    fn org_name<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.codec.decode_escaped(py, self.column.org_name_ref())
    }

    #[getter]
    fn table_name<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.codec.decode_escaped(py, self.column.table_ref())
    }

    #[getter]
    fn org_table<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.codec.decode_escaped(py, self.column.org_table_ref())
    }

    /// Bytes, as PyMySQL has it.
    #[getter]
    fn db<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.column.schema_ref())
    }

    /// The protocol knows no other.
    #[getter]
    fn catalog(&self) -> &'static [u8] {
        b"def"
    }

    #[getter]
    fn charsetnr(&self) -> u16 {
        self.column.character_set()
    }

    #[getter]
    fn length(&self) -> u32 {
        self.column.column_length()
    }

    #[getter]
    fn type_code(&self) -> u8 {
        self.column.column_type() as u8
    }

    #[getter]
    fn flags(&self) -> u16 {
        self.column.flags().bits()
    }

    #[getter]
    fn scale(&self) -> u8 {
        self.column.decimals()
    }

    fn get_column_length(&self) -> u32 {
        description::internal_size(&self.column)
    }

    fn description<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        description::describe(py, &self.column, &self.codec)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (table, name) = (self.table_name(py)?, self.name(py)?);
        let (type_code, flags) = (self.type_code(), self.flags());
        Ok(format!(
            "<Field {} of {}, type_code={type_code}, flags={flags:#x}>",
            name.repr()?,
            table.repr()?,
        ))
    }
}

/// A column of the given type, for those that no server described.
pub fn column(type_code: u8, charsetnr: u16, flags: u16) -> PyResult<Column> {
    let column_type = ColumnType::try_from(type_code)
        .map_err(|_| PyValueError::new_err(format!("unknown field type {type_code}")))?;
    Ok(Column::new(column_type)
        .with_character_set(charsetnr)
        .with_flags(ColumnFlags::from_bits_truncate(flags)))
}
