//! Many rows as few statements: rows are taken from any iterable, one statement at a time.

use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyString};

use super::Dialect;
use super::bulk_insert::BulkInsert;
use super::interpolate::interpolate_by_python;
use super::template::Template;

/// One statement of a bulk insert.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch {
    pub sql: Vec<u8>,
    pub rows: usize,
}

/// The statements of a bulk insert, made one by one as they are asked for.
pub struct Batches {
    rows: Py<PyIterator>,
    prefix: Vec<u8>,
    /// The row as a template; None where Python's own `%` must fill it.
    template: Option<Template<'static>>,
    values: Py<PyString>,
    postfix: Vec<u8>,
    max_stmt_length: usize,
    /// A row that no longer fitted into the statement before.
    carried: Option<Vec<u8>>,
}

impl Batches {
    /// `rows`: an iterable of what `execute` takes as arguments. A statement is at most
    /// `max_stmt_length` bytes long, unless a single row is longer.
    pub fn new<'py>(
        insert: &BulkInsert,
        rows: &Bound<'py, PyAny>,
        max_stmt_length: usize,
        dialect: &Dialect<'_, 'py>,
    ) -> PyResult<Self> {
        let py = rows.py();
        let encode = |text: &str| -> PyResult<Vec<u8>> {
            Ok(dialect.codec.encode(&PyString::new(py, text))?.into_owned())
        };
        let template = Template::compile(py, &insert.values, dialect.codec)?;
        Ok(Self {
            rows: rows.try_iter()?.unbind(),
            prefix: encode(&insert.prefix)?,
            template: template.map(Template::into_owned),
            values: PyString::new(py, &insert.values).unbind(),
            postfix: encode(&insert.postfix)?,
            max_stmt_length,
            carried: None,
        })
    }

    /// The next statement; None when the rows are used up. An error is that of a row or of the
    /// iterable; the rows before it in the same statement are lost with it.
    pub fn next<'py>(
        &mut self,
        py: Python<'py>,
        dialect: &Dialect<'_, 'py>,
    ) -> PyResult<Option<Batch>> {
        let mut sql = self.prefix.clone();
        let mut rows = 0;
        if let Some(row) = self.carried.take() {
            sql.extend_from_slice(&row);
            rows = 1;
        }
        let mut iterator = self.rows.bind(py).clone();
        for args in &mut iterator {
            let before = sql.len();
            if rows != 0 {
                sql.push(b',');
            }
            let row = sql.len();
            self.write_row(&args?, dialect, &mut sql)?;
            if rows != 0 && sql.len() + self.postfix.len() > self.max_stmt_length {
                self.carried = Some(sql[row..].to_vec());
                sql.truncate(before);
                break;
            }
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        sql.extend_from_slice(&self.postfix);
        Ok(Some(Batch { sql, rows }))
    }

    fn write_row<'py>(
        &self,
        args: &Bound<'py, PyAny>,
        dialect: &Dialect<'_, 'py>,
        out: &mut Vec<u8>,
    ) -> PyResult<()> {
        if let Some(template) = &self.template
            && template.fill(args, dialect, out)?
        {
            return Ok(());
        }
        let values = self.values.bind(args.py()).as_any();
        out.extend_from_slice(&interpolate_by_python(values, args, dialect)?);
        Ok(())
    }
}
