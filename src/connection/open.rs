//! From options to a session that is ready: socket, handshake, authentication, settings.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use mysql_async::consts::StatusFlags;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, Value};

use super::backlog::patiently;
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
    let (conn, socket) = patiently(reactor, || log_in(opts.clone(), options)).await;
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
    if let (Some(fd), None) = (socket, &options.unix_socket) {
        socket::hasten_keepalive(fd, KEEPALIVE);
    }
    Ok(Opened {
        link,
        server_version,
        thread_id,
    })
}

/// mysql_common 0.37 takes the last byte of a challenge for its end mark where it is zero, which one
/// in 256 of MariaDB's is: ed25519 then signs the wrong thing, and parsec panics. Try again.
const LOGINS: usize = 3;
const ACCESS_DENIED: u16 = 1045;

/// The panic for parsec, which also meets an empty password.
const NOTHING_TO_SEND: &str = "called `Option::unwrap()` on a `None` value";

async fn log_in(opts: Opts, options: &Options) -> (Result<Conn>, Option<i32>) {
    for _ in 1..LOGINS {
        let (conn, socket) = learning_the_socket(catching(Conn::new(opts.clone()))).await;
        let may_be_spoilt = match &conn {
            Err(Error::Panic(text)) => text == NOTHING_TO_SEND && !options.password.is_empty(),
            Err(Error::Server { code, .. }) => *code == ACCESS_DENIED && options.ed25519,
            _ => false,
        };
        if !may_be_spoilt {
            return (conn.map_err(|error| empty_password(error, options)), socket);
        }
    }
    learning_the_socket(catching(Conn::new(opts))).await
}

fn empty_password(error: Error, options: &Options) -> Error {
    match error {
        Error::Panic(text) if text == NOTHING_TO_SEND && options.password.is_empty() => {
            Error::EmptyPassword
        }
        other => other,
    }
}

/// Makes an error of a panic in mysql_async.
async fn catching(connecting: impl Future<Output = mysql_async::Result<Conn>>) -> Result<Conn> {
    let mut connecting = pin!(connecting);
    poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| connecting.as_mut().poll(context)))
            .map(|polled| polled.map_err(Error::from))
            .unwrap_or_else(|payload| Poll::Ready(Err(Error::from_panic(&*payload))))
    })
    .await
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

/// The character set that the handshake asked for: mysql_async goes by the server's version.
fn charset_of_handshake(conn: &Conn) -> &'static str {
    if conn.server_version() >= (5, 5, 3) {
        "utf8mb4"
    } else {
        "utf8"
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
    if options.charset != charset_of_handshake(conn) {
        // The collation is the server's own for this character set, as it would be by a handshake.
        statements.push(format!("SET NAMES {}", options.charset));
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
        // Found already, unless it was something else's (a resolver's) and is gone.
        if learnt.is_some_and(socket::is_stream_socket) {
            return connecting.as_mut().poll(context);
        }
        let candidate = socket::next_descriptor();
        let polled = connecting.as_mut().poll(context);
        learnt = candidate.filter(|fd| socket::is_stream_socket(*fd));
        polled
    })
    .await;
    (output, learnt.filter(|fd| socket::is_stream_socket(*fd)))
}
