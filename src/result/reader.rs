//! Reads result sets off a connection, one row at a time, and makes Python objects of the rows
//! as they arrive.

use std::sync::Arc;

use mysql_async::consts::StatusFlags;
use mysql_async::{Column, QueryResult, Row, TextProtocol, Value};
use pyo3::prelude::*;

use super::ROWS_PER_BATCH;
use super::result_set::ResultSet;
use super::rows::{Reading, RowMaker};
use crate::charset::Codec;
use crate::connection::{Lease, Pending};
use crate::errors::Result;
use crate::runtime::yield_to_loop;

/// What is held of a stream at most: whichever comes first.
const STREAM_ROWS: usize = 256;
const STREAM_BYTES: usize = 1 << 20;

/// Reads the current set to its end.
pub async fn read_set(lease: &mut Lease, reading: &Reading) -> Result<ResultSet> {
    let columns = current_columns(lease);
    if columns.is_empty() {
        return Ok(read_ok(lease, reading.decode.codec.clone()));
    }
    let maker = Python::attach(|py| RowMaker::new(py, &columns, reading));
    let rows = match &maker {
        Ok(maker) => read_rows(lease, maker).await?,
        Err(_) => Ok(Vec::new()),
    };
    // The user's converter failed: what is left is read and dropped, so that the connection is in
    // step when the exception arrives.
    let (maker, rows) = match (maker, rows) {
        (Ok(maker), Ok(rows)) => (maker, rows),
        (Err(error), _) | (_, Err(error)) => {
            drain(lease).await?;
            return Err(error.into());
        }
    };
    let pending = after_rows(lease);
    lease.note(pending);
    let facts = lease.link().facts();
    let codec = reading.decode.codec.clone();
    Python::attach(|py| {
        let count = rows.len();
        let rows = maker.collect(py, rows)?;
        Ok(ResultSet::buffered(
            columns, codec, &facts, pending, rows, count,
        ))
    })
}

/// The current set as a stream, or whole where it has no rows.
pub async fn open_stream(lease: &mut Lease, reading: &Reading) -> Result<ResultSet> {
    let columns = current_columns(lease);
    if columns.is_empty() {
        return Ok(read_ok(lease, reading.decode.codec.clone()));
    }
    match Python::attach(|py| RowMaker::new(py, &columns, reading)) {
        Ok(maker) => {
            lease.note(Pending::Rows);
            let facts = lease.link().facts();
            let codec = reading.decode.codec.clone();
            let link = Arc::clone(lease.link());
            Ok(ResultSet::streamed(columns, codec, &facts, maker, link))
        }
        Err(error) => {
            drain(lease).await?;
            Err(error.into())
        }
    }
}

/// Reads the next rows of a stream and hands over each: at least one unless it has ended, `wanted`
/// at most, and no more than a stream may hold. Once the last row has arrived, gives what follows.
pub async fn read_more(
    lease: &mut Lease,
    maker: &RowMaker,
    wanted: usize,
    hand_over: impl Fn(Python<'_>, Py<PyAny>),
) -> Result<Option<Pending>> {
    let mut result = QueryResult::<TextProtocol>::new(&mut **lease);
    let mut bytes = 0;
    for _ in 0..wanted.clamp(1, STREAM_ROWS) {
        let row = match result.next().await {
            Ok(Some(row)) => row.unwrap_raw(),
            Ok(None) => {
                let pending = after_rows(lease);
                lease.note(pending);
                return Ok(Some(pending));
            }
            Err(error) => {
                lease.note(Pending::Nothing);
                return Err(error.into());
            }
        };
        bytes += size_of(&row);
        let made = Python::attach(|py| maker.make(py, &row).map(|made| hand_over(py, made)));
        if let Err(error) = made {
            drain(lease).await?;
            return Err(error.into());
        }
        if bytes >= STREAM_BYTES {
            break;
        }
    }
    Ok(None)
}

/// Goes to the next result set; false where there is none. A statement of the batch that failed
/// is raised here.
pub async fn advance(lease: &mut Lease) -> Result<bool> {
    match lease.link().pending() {
        Pending::Nothing => Ok(false),
        Pending::Header => Ok(true),
        Pending::Rows => {
            while next_row(lease).await?.is_some() {}
            let pending = after_rows(lease);
            lease.note(pending);
            Ok(false)
        }
        Pending::AfterOk | Pending::Failure => {
            let before = lease.link().pending();
            let stepped = QueryResult::<TextProtocol>::new(&mut **lease).next().await;
            lease.note(Pending::Nothing);
            stepped?;
            if before == Pending::AfterOk && is_failure_next(lease) {
                // The next statement failed: its error is what this step is to raise.
                QueryResult::<TextProtocol>::new(&mut **lease)
                    .next()
                    .await?;
            }
            Ok(true)
        }
    }
}

/// Reads and drops whatever is left of the last command.
pub async fn drain(lease: &mut Lease) -> Result<()> {
    let drained = QueryResult::<TextProtocol>::new(&mut **lease)
        .drop_result()
        .await;
    lease.note(Pending::Nothing);
    Ok(drained?)
}

fn current_columns(lease: &mut Lease) -> Arc<[Column]> {
    QueryResult::<TextProtocol>::new(&mut **lease)
        .columns()
        .unwrap_or_else(|| Arc::from([]))
}

/// The next row of the current set. After an error nothing more is to come.
async fn next_row(lease: &mut Lease) -> Result<Option<Row>> {
    let row = QueryResult::<TextProtocol>::new(&mut **lease).next().await;
    if row.is_err() {
        lease.note(Pending::Nothing);
    }
    Ok(row?)
}

/// The rows of a set, or the exception that making one of them raised; the connection's own
/// failures are the outer error.
async fn read_rows(lease: &mut Lease, maker: &RowMaker) -> Result<PyResult<Vec<Py<PyAny>>>> {
    let mut result = QueryResult::<TextProtocol>::new(&mut **lease);
    let mut rows = Vec::new();
    let mut failure = None;
    let mut batch = 0;
    let read = loop {
        let row = match result.next().await {
            Ok(Some(row)) => row.unwrap_raw(),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        if failure.is_none() {
            match Python::attach(|py| maker.make(py, &row)) {
                Ok(made) => rows.push(made),
                Err(error) => failure = Some(error),
            }
        }
        batch += 1;
        if batch == ROWS_PER_BATCH {
            batch = 0;
            yield_to_loop().await;
        }
    };
    drop(result);
    if let Err(error) = read {
        lease.note(Pending::Nothing);
        return Err(error.into());
    }
    Ok(failure.map_or(Ok(rows), Err))
}

/// The current set is an OK packet.
fn read_ok(lease: &Lease, codec: Codec) -> ResultSet {
    let more = lease.last_ok_packet().is_some_and(|ok| {
        ok.status_flags()
            .contains(StatusFlags::SERVER_MORE_RESULTS_EXISTS)
    });
    let pending = if more {
        Pending::AfterOk
    } else {
        Pending::Nothing
    };
    lease.note(pending);
    lease.note_no_rows();
    ResultSet::done(codec, &lease.link().facts(), pending)
}

/// What follows a set whose last row has just been read: mysql_async has read the next set's
/// header already.
fn after_rows(lease: &mut Lease) -> Pending {
    if QueryResult::<TextProtocol>::new(&mut **lease)
        .columns()
        .is_some()
    {
        Pending::Header
    } else if is_failure_next(lease) {
        Pending::Failure
    } else {
        Pending::Nothing
    }
}

/// An error packet takes the place of the last OK packet.
fn is_failure_next(lease: &Lease) -> bool {
    lease.last_ok_packet().is_none()
}

fn size_of(cells: &[Option<Value>]) -> usize {
    let sizes = cells.iter().map(|cell| match cell {
        Some(Value::Bytes(bytes)) => bytes.len(),
        _ => 0,
    });
    sizes.sum()
}
