//! The one place that knows whether a connection is idle, busy or closed.
//!
//! A command takes the `Conn` out of the link as a [`Lease`] and gives it back when the protocol
//! is in step again. A lease that is dropped before that (the task was cancelled, the future
//! panicked) closes the connection: the next command would read the cancelled one's rows.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Waker;

use mysql_async::Conn;
use mysql_async::consts::StatusFlags;

use crate::errors::{Error, Result};
use crate::local_infile::LocalInfile;
use crate::runtime::{Reactor, lock};

use super::cancel::Canceller;
use super::wire::Wire;
use super::{farewell, socket};

/// What is left to read after the current result set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    Nothing,
    /// The header of the next set has been read already.
    Header,
    /// The current set was an OK packet; the next header is still on the wire.
    AfterOk,
    /// The next set is an error, held back until it is asked for.
    Failure,
    /// Rows of a streamed set are on the wire.
    Rows,
}

/// What the server said last about the session and the last statement.
#[derive(Debug, Clone)]
pub struct Facts {
    pub status: StatusFlags,
    pub affected_rows: u64,
    pub insert_id: u64,
    pub warnings: u16,
    pub message: String,
}

impl Facts {
    fn new() -> Self {
        Self {
            status: StatusFlags::SERVER_STATUS_AUTOCOMMIT,
            affected_rows: 0,
            insert_id: 0,
            warnings: 0,
            message: String::new(),
        }
    }

    fn is_in_transaction(&self) -> bool {
        self.status.contains(StatusFlags::SERVER_STATUS_IN_TRANS)
    }

    /// Takes over what the last OK packet says; an error packet says nothing.
    pub fn absorb(&mut self, conn: &Conn) {
        if let Some(ok) = conn.last_ok_packet() {
            self.status = ok.status_flags();
            self.affected_rows = ok.affected_rows();
            self.insert_id = ok.last_insert_id().unwrap_or(0);
            self.warnings = ok.warnings();
            self.message = ok.info_str().unwrap_or_default().into_owned();
        }
    }
}

/// Why a connection cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// By its user, or it was lost.
    Closed,
    /// Because a command was cancelled half-way.
    Cancelled,
}

impl From<Closed> for Error {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Closed => Self::NotConnected,
            Closed::Cancelled => Self::Cancelled,
        }
    }
}

enum Phase {
    Idle(Wire),
    Busy,
    Closed(Closed),
}

struct Inner {
    phase: Phase,
    pending: Pending,
    facts: Facts,
    /// Wakes the running command, so that it sees that the connection was closed under it.
    running: Option<Waker>,
    /// The transaction that is open was begun, or written to; it has not merely read.
    has_begun: bool,
    /// Counts the commands, so that a stream knows whether its rows are still on the wire.
    epoch: u64,
    /// Seconds of the monotonic clock, which is asyncio's `loop.time()` too.
    last_usage: f64,
    /// The socket, where it could be learnt, to look for the peer's farewell.
    socket: Option<i32>,
}

/// A connection to a server, shared by the Python object and the command that runs on it.
pub struct Link {
    reactor: Arc<Reactor>,
    infile: Arc<LocalInfile>,
    /// Ends a cancelled command at the server, where that is wanted.
    canceller: OnceLock<Canceller>,
    /// A command may hold several statements.
    takes_several: bool,
    inner: Mutex<Inner>,
}

impl Link {
    pub fn new(
        reactor: &Arc<Reactor>,
        conn: Conn,
        socket: Option<i32>,
        infile: Arc<LocalInfile>,
        takes_several: bool,
    ) -> Arc<Self> {
        let mut facts = Facts::new();
        facts.absorb(&conn);
        Arc::new(Self {
            reactor: Arc::clone(reactor),
            infile,
            canceller: OnceLock::new(),
            takes_several,
            inner: Mutex::new(Inner {
                phase: Phase::Idle(Wire::new(conn)),
                pending: Pending::Nothing,
                facts,
                running: None,
                has_begun: false,
                epoch: 0,
                last_usage: now(),
                socket,
            }),
        })
    }

    pub fn reactor(&self) -> &Arc<Reactor> {
        &self.reactor
    }

    /// What the server is given that asks for a file.
    pub fn infile(&self) -> &LocalInfile {
        &self.infile
    }

    /// From now on, a command that is cancelled or takes too long is ended at the server, too.
    pub fn set_canceller(&self, canceller: Canceller) {
        // Set once: a link is opened once.
        let _ = self.canceller.set(canceller);
    }

    /// Whether a command may hold several statements.
    pub fn takes_several(&self) -> bool {
        self.takes_several
    }

    pub fn facts(&self) -> Facts {
        lock(&self.inner).facts.clone()
    }

    pub fn status(&self) -> StatusFlags {
        lock(&self.inner).facts.status
    }

    /// Whether a transaction is open that has only read, as any SELECT with autocommit off leaves.
    pub fn is_only_reading(&self) -> bool {
        let inner = lock(&self.inner);
        inner.facts.is_in_transaction() && !inner.has_begun
    }

    pub fn pending(&self) -> Pending {
        lock(&self.inner).pending
    }

    /// The number of the command that was sent last.
    pub fn epoch(&self) -> u64 {
        lock(&self.inner).epoch
    }

    pub fn last_usage(&self) -> f64 {
        lock(&self.inner).last_usage
    }

    pub fn touch(&self) {
        lock(&self.inner).last_usage = now();
    }

    /// A forked child's copy counts as closed: the connection is the parent's.
    pub fn is_closed(&self) -> bool {
        !self.reactor.is_ours() || matches!(lock(&self.inner).phase, Phase::Closed(_))
    }

    pub fn check_open(&self) -> Result<()> {
        match lock(&self.inner).phase {
            Phase::Closed(closed) => Err(closed.into()),
            _ => Ok(()),
        }
    }

    pub fn is_busy(&self) -> bool {
        matches!(lock(&self.inner).phase, Phase::Busy)
    }

    /// Whether the server has closed its end of an idle connection; None where that cannot be
    /// told without a round trip.
    pub fn has_hung_up(&self) -> Option<bool> {
        let inner = lock(&self.inner);
        match (&inner.phase, inner.socket) {
            (Phase::Idle(wire), Some(fd)) if wire.is_ours() => Some(socket::has_hung_up(fd)),
            _ => None,
        }
    }

    /// Whether the server does not take what is being sent; false where that cannot be told.
    pub fn is_sending(&self) -> bool {
        let inner = lock(&self.inner);
        match (&inner.phase, inner.socket) {
            (Phase::Busy, Some(fd)) if self.reactor.is_ours() => socket::is_full(fd),
            _ => false,
        }
    }

    /// Takes the connection for one command; refused where another has it or it is closed.
    pub fn lease(self: &Arc<Self>) -> Result<Lease> {
        let mut inner = lock(&self.inner);
        match std::mem::replace(&mut inner.phase, Phase::Busy) {
            Phase::Idle(wire) if wire.is_ours() => {
                inner.last_usage = now();
                Ok(Lease {
                    link: Arc::clone(self),
                    wire,
                    guard: Guard {
                        link: Some(Arc::clone(self)),
                    },
                })
            }
            Phase::Idle(_inherited_by_a_fork) => {
                inner.phase = Phase::Closed(Closed::Closed);
                Err(Error::NotConnected)
            }
            Phase::Busy => Err(Error::Busy),
            Phase::Closed(closed) => {
                inner.phase = Phase::Closed(closed);
                Err(closed.into())
            }
        }
    }

    /// Closes at once. An idle connection says goodbye to the server where that takes no waiting;
    /// a running command ends with an error.
    pub fn close(&self) {
        let (phase, running) = {
            let mut inner = lock(&self.inner);
            if let Phase::Closed(_) = inner.phase {
                return;
            }
            let phase = std::mem::replace(&mut inner.phase, Phase::Closed(Closed::Closed));
            (phase, inner.running.take())
        };
        if let Some(waker) = running {
            waker.wake();
        }
        if let Phase::Idle(wire) = phase
            && let Some(conn) = wire.into_inner()
        {
            farewell::say_goodbye(&self.reactor, conn);
        }
    }

    /// For the running command: whether the connection was closed under it, and if not, whom to
    /// wake when that happens.
    pub fn watch(&self, waker: &Waker) -> Result<()> {
        let mut inner = lock(&self.inner);
        if let Phase::Closed(_) = inner.phase {
            return Err(Error::Lost { cause: None });
        }
        match &inner.running {
            Some(known) if known.will_wake(waker) => {}
            _ => inner.running = Some(waker.clone()),
        }
        Ok(())
    }

    /// Closes under a command that is given up half-way.
    pub fn abandon(&self) {
        let was_running = self.is_busy();
        self.end(Phase::Closed(Closed::Cancelled));
        if let Some(canceller) = self.canceller.get().filter(|_| was_running) {
            canceller.begin(&self.reactor);
        }
    }

    /// What a command leaves behind; not wanted any more where the link was closed meanwhile.
    fn end(&self, phase: Phase) {
        let unwanted = {
            let mut inner = lock(&self.inner);
            inner.running = None;
            match inner.phase {
                Phase::Busy => std::mem::replace(&mut inner.phase, phase),
                _ => phase,
            }
        };
        drop(unwanted);
    }
}

/// The connection while a command has it.
pub struct Lease {
    link: Arc<Link>,
    wire: Wire,
    guard: Guard,
}

/// Closes the link unless the lease ended in order.
struct Guard {
    link: Option<Arc<Link>>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            link.abandon();
        }
    }
}

impl Lease {
    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// Copies what the server said in its last answer.
    pub fn note(&self, pending: Pending) {
        let mut inner = lock(&self.link.inner);
        inner.pending = pending;
        inner.facts.absorb(&self.wire);
        inner.has_begun &= inner.facts.is_in_transaction();
    }

    /// The statement returned no rows: a transaction that is open now was begun, or written to.
    pub fn note_no_rows(&self) {
        let mut inner = lock(&self.link.inner);
        inner.has_begun = inner.facts.is_in_transaction();
    }

    /// A new command is about to be sent: streams of earlier ones have ended.
    pub fn begin_command(&self, sql: &[u8]) {
        self.link.infile.begin(sql);
        lock(&self.link.inner).epoch += 1;
    }

    /// The command is done and the connection in step.
    pub fn give_back(self) {
        self.end(Phase::Idle)
    }

    /// The end of a command: back to the link where the connection survived `result`, else closed.
    pub fn conclude<T>(self, result: Result<T>) -> Result<T> {
        let result = match self.link.infile.take_failure() {
            None => result,
            Some(failure) => Err(failure),
        };
        match &result {
            Err(error) if !error.leaves_connection_usable() => {
                self.end(|_wire| Phase::Closed(Closed::Closed));
            }
            _ => self.give_back(),
        }
        result
    }

    fn end(self, phase: impl FnOnce(Wire) -> Phase) {
        let Self {
            link,
            wire,
            mut guard,
        } = self;
        guard.link = None;
        link.end(phase(wire));
    }
}

impl Deref for Lease {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.wire
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.wire
    }
}

/// Seconds of the monotonic clock: what `loop.time()` counts.
pub fn now() -> f64 {
    #[cfg(unix)]
    {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: a valid timespec to write to; this clock always exists.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
        time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
    }
    #[cfg(not(unix))]
    {
        static START: std::sync::LazyLock<std::time::Instant> =
            std::sync::LazyLock::new(std::time::Instant::now);
        START.elapsed().as_secs_f64()
    }
}
