//! From options to a session that is ready: socket, handshake, authentication, settings.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use mysql_async::consts::StatusFlags;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Value};

use super::link::Link;
use super::options::{KEEPALIVE, Options};
use super::socket;
use crate::errors::{Cause, Error, Result};
use crate::local_infile::LocalInfile;
use crate::runtime::Reactor;
use crate::runtime::deadline::{Elapsed, Limit, within};
use crate::tls::Tls;

/// A connection whose session is ready, and what the server calls its version.
pub struct Opened {
    pub link: Arc<Link>,
    pub server_version: String,
    pub thread_id: u32,
}

/// Opens a connection; `connect_timeout` covers all of it.
pub async fn open(reactor: &Arc<Reactor>, options: Options, tls: Option<Tls>) -> Result<Opened> {
    let (limit, host) = (options.timeout(), options.host.clone());
    let asked_for_tls = tls.is_some();
    let reactor = Arc::clone(reactor);
    let ready = {
        let reactor = Arc::clone(&reactor);
        async move { get_ready(&reactor, &options, tls).await }
    };
    match within(&reactor, limit.map(Limit::Total), ready).await {
        // A server that leaves in the midst of the handshake is lost, as it would be later on. In
        // TLS it may have left because of it.
        Ok(Err(error)) if error.is_loss_of_peer() && !asked_for_tls => Err(error),
        Ok(opened) => opened.map_err(|error| error.while_connecting(&host)),
        Err(Elapsed(limit)) => Err(Error::Connect {
            host,
            cause: Cause::TimedOut(limit.as_secs_f64()),
        }),
    }
}

async fn get_ready(reactor: &Arc<Reactor>, options: &Options, tls: Option<Tls>) -> Result<Opened> {
    let infile = LocalInfile::new(options.local_infile);
    let opts = options.to_opts(tls.as_ref(), &infile);
    let (conn, socket) = learning_the_socket(Conn::new(opts)).await;
    let link = Link::new(reactor, conn?, socket, infile, options.takes_several);
    let mut lease = link.lease()?;
    let settled = match check_version(&mut lease, tls.as_ref()).await {
        Ok(()) => settle(&mut lease, options).await,
        Err(error) => Err(error),
    };
    let thread_id = lease.id();
    lease.note(super::Pending::Nothing);
    let server_version = lease.conclude(settled)?;
    link.infile().attach(&link, &server_version);
    if let Some(fd) = socket {
        socket::hasten_keepalive(fd, KEEPALIVE);
    }
    Ok(Opened {
        link,
        server_version,
        thread_id,
    })
}

/// Refuses a session of an older TLS than asked for, which rustls cannot be told to refuse.
async fn check_version(conn: &mut Conn, tls: Option<&Tls>) -> Result<()> {
    if !tls.is_some_and(Tls::accepts_only_tls13) {
        return Ok(());
    }
    let row: Option<(String, String)> = conn
        .query_first("SHOW SESSION STATUS LIKE 'Ssl_version'")
        .await?;
    match row {
        Some((_, version)) if version == "TLSv1.3" => Ok(()),
        Some((_, version)) if !version.is_empty() => Err(too_old(&version)),
        _ => Err(too_old("an unknown version")),
    }
}

fn too_old(version: &str) -> Error {
    Error::Lost {
        cause: Some(Cause::Tls(format!(
            "the session has {version}, and the context's minimum_version is TLSv1.3"
        ))),
    }
}

/// The collation that the handshake asked for: mysql_async goes by the server's version.
fn collation_of_handshake(conn: &Conn) -> &'static str {
    if conn.server_version() >= (5, 5, 3) {
        "utf8mb4_general_ci"
    } else {
        "utf8_general_ci"
    }
}

/// The version as the server's greeting tells it: MariaDB before 11 puts another before its own.
fn as_greeted(version: &str) -> String {
    if version.starts_with("10.") && version.contains("MariaDB") {
        format!("5.5.5-{version}")
    } else {
        version.to_owned()
    }
}

/// Brings the session to our settings, in one round trip, and asks for the server's version.
async fn settle(conn: &mut Conn, options: &Options) -> Result<String> {
    let mut statements = Vec::new();
    if options.collation != collation_of_handshake(conn) {
        let (charset, collation) = (&options.charset, &options.collation);
        statements.push(format!("SET NAMES {charset} COLLATE {collation}"));
    }
    statements.extend(options.settings.iter().cloned());
    let is_on = conn.last_ok_packet().is_some_and(|ok| {
        ok.status_flags()
            .contains(StatusFlags::SERVER_STATUS_AUTOCOMMIT)
    });
    // MySQL says that autocommit is on even where its default is off: do not take its word for it.
    if let Some(wanted) = options.autocommit.filter(|wanted| *wanted || is_on) {
        statements.push(format!("SET AUTOCOMMIT = {}", u8::from(wanted)));
    }
    statements.push("SELECT VERSION()".into());
    let mut version = None;
    let mut result = conn.query_iter(statements.join(";")).await?;
    loop {
        match result.next().await? {
            Some(row) => {
                if let Some(Value::Bytes(text)) = row.as_ref(0) {
                    version = Some(as_greeted(&String::from_utf8_lossy(text)));
                }
            }
            None if result.is_empty() => break,
            None => {}
        }
    }
    result.drop_result().await?;
    // The answers end with it, unless they are out of step.
    version.ok_or_else(|| Error::Protocol("the server did not tell its version".into()))
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
