//! From options to a session that is ready: socket, handshake, authentication, settings.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use mysql_async::consts::StatusFlags;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, SslOpts, Value};

use super::link::Link;
use super::options::Options;
use super::socket;
use crate::errors::{Cause, Error, Result};
use crate::runtime::Reactor;
use crate::runtime::deadline::{Limit, within};

/// A connection whose session is ready, and what the server calls its version.
pub struct Opened {
    pub link: Arc<Link>,
    pub server_version: String,
    pub thread_id: u32,
}

/// Opens a connection; `connect_timeout` covers all of it.
pub async fn open(
    reactor: &Arc<Reactor>,
    options: Options,
    tls: Option<SslOpts>,
) -> Result<Opened> {
    let (limit, host) = (options.timeout(), options.host.clone());
    let reactor = Arc::clone(reactor);
    let ready = {
        let reactor = Arc::clone(&reactor);
        async move { get_ready(&reactor, &options, tls).await }
    };
    match within(&reactor, limit.map(Limit::Total), ready).await {
        Ok(opened) => opened.map_err(|error| error.while_connecting(&host)),
        Err(_elapsed) => Err(Error::Connect {
            host,
            cause: Cause::TimedOut(limit.unwrap_or_default().as_secs_f64()),
        }),
    }
}

async fn get_ready(
    reactor: &Arc<Reactor>,
    options: &Options,
    tls: Option<SslOpts>,
) -> Result<Opened> {
    let (conn, socket) = learning_the_socket(Conn::new(options.to_opts(tls))).await;
    let link = Link::new(reactor, conn?, socket);
    let mut lease = link.lease()?;
    let server_version = settle(&mut lease, options).await;
    let thread_id = lease.id();
    lease.note(super::Pending::Nothing);
    let server_version = lease.conclude(server_version)?;
    Ok(Opened {
        link,
        server_version,
        thread_id,
    })
}

/// Brings the session to our settings, in one round trip, and asks for the server's version.
async fn settle(conn: &mut Conn, options: &Options) -> Result<String> {
    let mut statements = options.settings.clone();
    let is_on = conn.last_ok_packet().is_some_and(|ok| {
        ok.status_flags()
            .contains(StatusFlags::SERVER_STATUS_AUTOCOMMIT)
    });
    if let Some(wanted) = options.autocommit.filter(|wanted| *wanted != is_on) {
        statements.push(format!("SET AUTOCOMMIT = {}", u8::from(wanted)));
    }
    statements.push("SELECT VERSION()".into());
    let mut version = String::new();
    let mut result = conn.query_iter(statements.join(";")).await?;
    loop {
        match result.next().await? {
            Some(row) => {
                if let Some(Value::Bytes(text)) = row.as_ref(0) {
                    version = greeted(&String::from_utf8_lossy(text));
                }
            }
            None if result.is_empty() => break,
            None => {}
        }
    }
    result.drop_result().await?;
    Ok(version)
}

/// The version as the greeting has it: MariaDB before 11 puts this in front, for replicas of old.
fn greeted(version: &str) -> String {
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    match major {
        Some(0..=10) if version.contains("MariaDB") => format!("5.5.5-{version}"),
        _ => version.to_owned(),
    }
}

/// Runs `connecting` and learns which descriptor its socket has got.
///
/// mysql_async does not tell. A new socket gets the lowest free number; where another thread was
/// faster the number learnt is a wrong one, and the worst that comes of it is that the pool
/// replaces a healthy connection, or finds out about a dead one a query later.
async fn learning_the_socket<F: Future>(connecting: F) -> (F::Output, Option<i32>) {
    let mut connecting = pin!(connecting);
    let mut learnt = None;
    let output = poll_fn(|context| {
        let candidate = socket::next_descriptor();
        let polled = connecting.as_mut().poll(context);
        if let Some(fd) = candidate.filter(|fd| socket::is_stream_socket(*fd)) {
            learnt = Some(fd);
        }
        match polled {
            Poll::Ready(output) => Poll::Ready(output),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
    (output, learnt.filter(|fd| socket::is_stream_socket(*fd)))
}
