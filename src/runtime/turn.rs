//! One turn of a current-thread runtime: take what its sockets have to say, and return.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::os::fd::RawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Poll, Waker};

use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

use super::Turned;
use super::descriptor::is_readable;
use crate::panics;

/// How often tasks are run before the event loop gets its turn.
const MOST_PASSES: usize = 16;

/// A runtime that can be turned.
pub fn new_runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_io()
        .max_blocking_threads(4)
        .thread_name("aiomysql-resolver")
        .on_thread_park(about_to_park)
        .build()
}

/// Polls the runtime's driver once, without waiting, so that wakers of ready sockets are called.
///
/// One pass is exact while no tokio task is alive. We spawn none, but mysql_async does, for the
/// farewell of a connection that fails inside a poll.
pub fn turn(runtime: &Runtime, epoll: RawFd) -> Turned {
    let turned = panics::quietly(|| {
        catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(yield_now());
            run_tasks(runtime, epoll)
        }))
    });
    // tokio panics where another runtime's `block_on` is on this thread's stack.
    turned.unwrap_or(Turned::Refused)
}

/// A pass ends with a look at the sockets, which may wake tasks that then have to wait for the
/// next pass, and the epoll does not tell of them. So: passes until one that had nothing to see.
fn run_tasks(runtime: &Runtime, epoll: RawFd) -> Turned {
    for _ in 0..MOST_PASSES {
        if runtime.metrics().num_alive_tasks() == 0 || runtime.block_on(all_tasks_idle(epoll)) {
            return Turned::Done;
        }
    }
    Turned::Unfinished
}

thread_local! {
    /// Set while [`all_tasks_idle`] waits: whom to wake when the runtime is about to park, and the
    /// runtime's epoll.
    static WAITING: Cell<Option<(Waker, RawFd)>> = const { Cell::new(None) };
    /// Whether the sockets had nothing to say then.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Ends when no task is left that could run at once; true where no socket has news either.
async fn all_tasks_idle(epoll: RawFd) -> bool {
    let mut waits = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waits, true) {
            return Poll::Ready(QUIET.get());
        }
        WAITING.set(Some((context.waker().clone(), epoll)));
        Poll::Pending
    })
    .await
}

/// Called by tokio when it has run out of tasks. Being woken keeps it from blocking.
fn about_to_park() {
    if let Some((waker, epoll)) = WAITING.take() {
        QUIET.set(!is_readable(&epoll));
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::descriptor::epoll_of;
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream as StdUnixStream;
    use tokio::io::AsyncReadExt;
    use tokio::net::UnixStream;

    #[test]
    fn tasks_run_to_their_end() {
        let runtime = new_runtime().unwrap();
        let epoll = epoll_of(&runtime).unwrap();
        let _context = runtime.enter();
        let mut peers = Vec::new();
        for _ in 0..200 {
            let (ours, peer) = StdUnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            let mut ours = UnixStream::from_std(ours).unwrap();
            peers.push(peer);
            runtime.spawn(async move {
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                    ours.read_u8().await.unwrap();
                }
            });
        }
        assert_eq!(turn(&runtime, epoll.as_raw_fd()), Turned::Done);
        for peer in &mut peers {
            peer.write_all(b"abc").unwrap();
        }
        while is_readable(&epoll) {
            turn(&runtime, epoll.as_raw_fd());
        }
        assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    }

    #[test]
    fn a_turn_inside_another_runtime_is_refused() {
        let [outer, inner] = [(), ()].map(|()| new_runtime().unwrap());
        let epoll = epoll_of(&inner).unwrap();
        let turned = outer.block_on(async { turn(&inner, epoll.as_raw_fd()) });
        assert_eq!(turned, Turned::Refused);
        assert_eq!(turn(&inner, epoll.as_raw_fd()), Turned::Done);
    }
}
