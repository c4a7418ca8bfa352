//! Commands: what is sent on a connection, and the frame around each of them.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use mysql_async::prelude::Queryable;

use super::limits::Limits;
use super::link::{Lease, Link, Pending};
use super::single::refuse_several;
use crate::errors::{Cause, Error, Result};
use crate::result::{Reading, ResultSet, drain, open_stream, read_set};
use crate::runtime::deadline::{Elapsed, within};

/// A statement and how its answer is wanted.
pub struct Statement {
    pub sql: Arc<Vec<u8>>,
    pub reading: Reading,
    /// Rows are left on the wire until they are fetched.
    pub unbuffered: bool,
}

/// Runs one command on a leased connection and puts the connection back, or closes it where the
/// protocol is out of step. Ends early where the connection is closed by somebody else, and where
/// a silence is longer than `limits` allow.
pub async fn with_lease<T, W, F>(link: &Arc<Link>, limits: Limits, work: W) -> Result<T>
where
    T: Send + 'static,
    W: FnOnce(Lease) -> F,
    F: Future<Output = (Lease, Result<T>)> + Send + 'static,
{
    let work = work(link.lease()?);
    let done = match limits.on(link) {
        None => until_closed(link, work).await,
        Some(limit) => {
            let link = Arc::clone(link);
            let watched = {
                let link = Arc::clone(&link);
                async move { until_closed(&link, work).await }
            };
            match within(link.reactor(), Some(limit), watched).await {
                Ok(done) => done,
                Err(Elapsed(most)) => {
                    link.abandon();
                    Err(Error::Lost {
                        cause: Some(Cause::TimedOut(most.as_secs_f64())),
                    })
                }
            }
        }
    };
    let (lease, result) = done.map_err(|error| link.infile().take_failure().unwrap_or(error))?;
    lease.conclude(result)
}

/// `work`, unless the connection is closed under it.
async fn until_closed<F: Future>(link: &Arc<Link>, work: F) -> Result<F::Output> {
    let mut work = pin!(work);
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Ok(done)),
        Poll::Pending => match link.watch(context.waker()) {
            Ok(()) => Poll::Pending,
            Err(closed) => Poll::Ready(Err(closed)),
        },
    })
    .await
}

/// Sends a statement and reads its answer.
pub async fn run(link: &Arc<Link>, limits: Limits, statement: Statement) -> Result<ResultSet> {
    with_lease(link, limits, |mut lease| async move {
        let result = answer(&mut lease, &statement).await;
        (lease, result)
    })
    .await
}

async fn answer(lease: &mut Lease, statement: &Statement) -> Result<ResultSet> {
    send(lease, &statement.sql).await?;
    receive(lease, &statement.reading, statement.unbuffered).await
}

/// Sends a statement and reads the header of its answer.
pub async fn send(lease: &mut Lease, sql: &[u8]) -> Result<()> {
    begin(lease, sql).await?;
    if !lease.link().takes_several()
        && let Err(refused) = refuse_several(lease, sql).await
    {
        lease.note(Pending::Nothing);
        return Err(refused);
    }
    dispatch(lease, sql).await
}

async fn dispatch(lease: &mut Lease, sql: &[u8]) -> Result<()> {
    let returns_rows = match lease.query_iter(sql).await {
        Ok(result) => !result.columns_ref().is_empty(),
        Err(error) => {
            lease.note(Pending::Nothing);
            return Err(error.into());
        }
    };
    lease.note(Pending::Header);
    if !returns_rows {
        lease.note_no_rows();
    }
    Ok(())
}

/// Before a command: reads and drops what an earlier one left unread, and ends its streams.
async fn begin(lease: &mut Lease, sql: &[u8]) -> Result<()> {
    if lease.link().pending() != Pending::Nothing {
        drain(lease).await?;
    }
    lease.begin_command(sql);
    Ok(())
}

/// Reads the current set, or opens a stream over it.
pub async fn receive(lease: &mut Lease, reading: &Reading, unbuffered: bool) -> Result<ResultSet> {
    if unbuffered {
        open_stream(lease, reading).await
    } else {
        read_set(lease, reading).await
    }
}

/// Sends a statement that returns no rows.
pub async fn perform(link: &Arc<Link>, limits: Limits, sql: Vec<u8>) -> Result<()> {
    with_lease(link, limits, move |mut lease| async move {
        let performed = match send(&mut lease, &sql).await {
            Ok(()) => drain(&mut lease).await,
            failed => failed,
        };
        (lease, performed)
    })
    .await
}

/// COM_PING.
pub async fn ping(link: &Arc<Link>, limits: Limits) -> Result<()> {
    with_lease(link, limits, |mut lease| async move {
        let result = match begin(&mut lease, &[]).await {
            Ok(()) => lease.ping().await.map_err(Error::from),
            failed => failed,
        };
        lease.note(Pending::Nothing);
        (lease, result)
    })
    .await
}

/// COM_RESET_CONNECTION, and statements that return no rows.
pub async fn reset(link: &Arc<Link>, limits: Limits, statements: Vec<u8>) -> Result<()> {
    with_lease(link, limits, |mut lease| async move {
        let done = reset_session(&mut lease, &statements).await;
        (lease, done)
    })
    .await
}

async fn reset_session(lease: &mut Lease, statements: &[u8]) -> Result<()> {
    begin(lease, &[]).await?;
    if !lease.reset().await? {
        return Err(Error::NotSupported(
            "the server is too old to reset a session".into(),
        ));
    }
    lease.note(Pending::Nothing);
    // Ours, in one round trip.
    begin(lease, statements).await?;
    dispatch(lease, statements).await?;
    drain(lease).await
}
