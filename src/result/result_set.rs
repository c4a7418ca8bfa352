//! One result set as Python sees it: `cursor._result` and `connection._result`.

use std::collections::VecDeque;
use std::sync::Arc;

use mysql_async::Column;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::ROWS_PER_BATCH;
use super::rows::RowMaker;
use crate::charset::Codec;
use crate::connection::{Facts, Link, Pending};
use crate::decode::{Field, description};
use crate::errors::Error;

/// What PyMySQL reports as the row count of a result whose rows have not been read.
const UNKNOWN_ROW_COUNT: u64 = u64::MAX;

/// Rows that arrive while they are fetched.
struct Streamed {
    maker: Arc<RowMaker>,
    /// Where the rows come from: the cursor may know a proxy of the connection only.
    link: Arc<Link>,
    /// The command that the rows belong to (see `Link::epoch`).
    epoch: u64,
    arrived: VecDeque<Py<PyAny>>,
    /// How many have arrived since the event loop had its turn.
    in_a_row: usize,
    /// The server has sent the last row.
    ended: bool,
    /// What ended the stream early; raised after the rows that arrived before it.
    failure: Option<Error>,
}

impl Streamed {
    fn is_unread(&self) -> bool {
        !self.ended || !self.arrived.is_empty() || self.failure.is_some()
    }
}

/// What the server answered to one statement.
#[pyclass(module = "aiomysql._native", weakref)]
pub struct ResultSet {
    columns: Arc<[Column]>,
    codec: Codec,
    /// Rows changed, or rows in the set; 2^64-1 while they are being streamed.
    #[pyo3(get, name = "affected_rows")]
    affected_rows: u64,
    /// The first AUTO_INCREMENT value; None where the statement returned rows.
    #[pyo3(get)]
    insert_id: Option<u64>,
    #[pyo3(get)]
    warning_count: u16,
    #[pyo3(get)]
    server_status: u16,
    /// What the server says of the statement, such as `Records: 3  Duplicates: 0  Warnings: 0`.
    #[pyo3(get)]
    message: String,
    /// Whether another result set follows.
    #[pyo3(get)]
    has_next: bool,
    /// All rows; None where the statement returns none or streams them.
    #[pyo3(get, set)]
    rows: Option<Py<PyAny>>,
    description: Option<Py<PyTuple>>,
    fields: Option<Py<PyList>>,
    streamed: Option<Streamed>,
}

impl ResultSet {
    fn new(columns: Arc<[Column]>, codec: Codec, facts: &Facts, pending: Pending) -> Self {
        Self {
            columns,
            codec,
            affected_rows: facts.affected_rows,
            insert_id: Some(facts.insert_id),
            warning_count: facts.warnings,
            server_status: facts.status.bits(),
            message: facts.message.clone(),
            has_next: !matches!(pending, Pending::Nothing | Pending::Rows),
            rows: None,
            description: None,
            fields: None,
            streamed: None,
        }
    }

    /// A statement that returned no rows.
    pub fn done(codec: Codec, facts: &Facts, pending: Pending) -> Self {
        Self::new(Arc::from([]), codec, facts, pending)
    }

    /// A set that was read to its end.
    pub fn buffered(
        columns: Arc<[Column]>,
        codec: Codec,
        facts: &Facts,
        pending: Pending,
        rows: Py<PyAny>,
        count: usize,
    ) -> Self {
        Self {
            affected_rows: count as u64,
            insert_id: None,
            rows: Some(rows),
            ..Self::new(columns, codec, facts, pending)
        }
    }

    /// A set whose rows are still to come.
    pub fn streamed(
        columns: Arc<[Column]>,
        codec: Codec,
        facts: &Facts,
        maker: RowMaker,
        link: Arc<Link>,
    ) -> Self {
        let epoch = link.epoch();
        Self {
            affected_rows: UNKNOWN_ROW_COUNT,
            insert_id: None,
            warning_count: 0,
            streamed: Some(Streamed {
                maker: Arc::new(maker),
                link,
                epoch,
                arrived: VecDeque::new(),
                in_a_row: 0,
                ended: false,
                failure: None,
            }),
            ..Self::new(columns, codec, facts, Pending::Rows)
        }
    }

    pub fn affected_rows(&self) -> u64 {
        self.affected_rows
    }

    pub fn insert_id(&self) -> Option<u64> {
        self.insert_id
    }

    pub fn warning_count(&self) -> u16 {
        self.warning_count
    }

    pub fn has_next(&self) -> bool {
        self.has_next
    }

    pub fn rows(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.rows.as_ref().map(|rows| rows.clone_ref(py))
    }

    /// Whether something of the answer is still to be read: rows of this set, or another set.
    pub fn has_unread(&self) -> bool {
        self.has_next || self.has_rows_unread()
    }

    /// Whether rows of a stream were not fetched, be they on the wire or here.
    pub fn has_rows_unread(&self) -> bool {
        self.streamed.as_ref().is_some_and(Streamed::is_unread)
    }

    /// Who makes rows of what is still on the wire, and the command that they answer; None once
    /// all have arrived.
    pub fn maker(&self) -> Option<(Arc<RowMaker>, u64)> {
        self.streamed
            .as_ref()
            .filter(|streamed| !streamed.ended)
            .map(|streamed| (Arc::clone(&streamed.maker), streamed.epoch))
    }

    /// The session that the stream belongs to.
    pub fn link(&self) -> Option<Arc<Link>> {
        self.streamed
            .as_ref()
            .map(|streamed| Arc::clone(&streamed.link))
    }

    /// Takes in a row that has arrived.
    pub fn take_in(&mut self, row: Py<PyAny>) {
        if let Some(streamed) = &mut self.streamed {
            streamed.arrived.push_back(row);
            streamed.in_a_row += 1;
        }
    }

    /// Whether it is the event loop's turn: rows that are all in the socket's buffer would never
    /// let go.
    pub fn is_loops_turn(&mut self) -> bool {
        self.streamed
            .as_mut()
            .filter(|streamed| streamed.in_a_row >= ROWS_PER_BATCH)
            .is_some_and(|streamed| std::mem::take(&mut streamed.in_a_row) > 0)
    }

    /// The stream broke off.
    pub fn fail_stream(&mut self, failure: Error) {
        if let Some(streamed) = &mut self.streamed {
            streamed.ended = true;
            streamed.failure = Some(failure);
        }
    }

    /// What broke the stream off, once.
    pub fn take_failure(&mut self) -> Option<Error> {
        self.streamed.as_mut()?.failure.take()
    }

    /// The last row has arrived, and with it the server's closing word.
    pub fn end_stream(&mut self, facts: &Facts, pending: Pending) {
        self.abandon_stream();
        self.warning_count = facts.warnings;
        self.server_status = facts.status.bits();
        self.has_next = pending != Pending::Nothing;
    }

    /// No more rows will arrive.
    pub fn abandon_stream(&mut self) {
        if let Some(streamed) = &mut self.streamed {
            streamed.ended = true;
        }
    }

    /// Rows that have arrived and were not fetched are not wanted any more.
    pub fn forget_arrived(&mut self) {
        if let Some(streamed) = &mut self.streamed {
            streamed.arrived.clear();
            streamed.failure = None;
        }
    }

    pub fn next_arrived(&mut self) -> Option<Py<PyAny>> {
        self.streamed.as_mut()?.arrived.pop_front()
    }

    pub fn arrived(&self) -> usize {
        self.streamed
            .as_ref()
            .map_or(0, |streamed| streamed.arrived.len())
    }

    pub fn describe<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        if self.columns.is_empty() {
            return Ok(None);
        }
        if self.description.is_none() {
            self.description = Some(description(py, &self.columns, &self.codec)?.unbind());
        }
        Ok(self
            .description
            .as_ref()
            .map(|known| known.bind(py).clone()))
    }
}

#[pymethods]
impl ResultSet {
    #[getter]
    fn field_count(&self) -> usize {
        self.columns.len()
    }

    /// PEP 249's description: a tuple of 7-tuples, or None.
    #[getter]
    fn get_description<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.describe(py)
    }

    /// The columns as the server defines them.
    #[getter]
    fn fields<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        if let Some(known) = &self.fields {
            return Ok(known.bind(py).clone());
        }
        let fields = self
            .columns
            .iter()
            .map(|column| Py::new(py, Field::new(column, &self.codec)))
            .collect::<PyResult<Vec<_>>>()?;
        let fields = PyList::new(py, fields)?;
        self.fields = Some(fields.clone().unbind());
        Ok(fields)
    }

    /// Whether rows are still on the wire.
    #[getter]
    fn unbuffered_active(&self) -> bool {
        self.has_rows_unread()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.rows)?;
        if let Some(streamed) = &self.streamed {
            streamed.maker.traverse(&visit)?;
            for row in &streamed.arrived {
                visit.call(row)?;
            }
        }
        Ok(())
    }

    fn __clear__(&mut self) {
        self.rows = None;
        self.streamed = None;
    }
}
