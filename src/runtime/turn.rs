//! One turn of a current-thread runtime: take what its sockets have to say, and return.

use std::os::fd::RawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::runtime::Runtime;
use tokio::task::yield_now;

use super::Turned;
use super::descriptor::is_readable;
use crate::panics;

/// How many tasks tokio polls in one pass before it looks at its sockets (its event interval).
const TASKS_PER_PASS: usize = 61;

/// How often a pass is repeated for the sake of tokio tasks before the event loop gets its turn.
const MOST_PASSES: usize = 64;

/// Polls the runtime's driver once, without waiting, so that wakers of ready sockets are called.
///
/// One pass is exact while no tokio task is alive. We spawn none, but mysql_async does, for the
/// farewell of a connection that fails inside a poll.
pub fn turn(runtime: &Runtime, epoll: RawFd) -> Turned {
    let turned = panics::quietly(|| {
        catch_unwind(AssertUnwindSafe(|| {
            pass(runtime);
            run_tasks(runtime, epoll)
        }))
    });
    // tokio panics where another runtime's `block_on` is on this thread's stack.
    turned.unwrap_or(Turned::Refused)
}

fn pass(runtime: &Runtime) {
    runtime.block_on(yield_now());
}

/// A pass polls the tasks that were woken before it, and may wake others at its end; the epoll
/// does not tell of those. So: passes until nothing more has arrived for as many of them as it
/// takes to poll every task.
fn run_tasks(runtime: &Runtime, epoll: RawFd) -> Turned {
    let mut quiet = 0;
    for _ in 0..MOST_PASSES {
        let alive = runtime.metrics().num_alive_tasks();
        if alive == 0 || quiet > 1 + alive / TASKS_PER_PASS {
            return Turned::Done;
        }
        quiet = if is_readable(&epoll) { 0 } else { quiet + 1 };
        pass(runtime);
    }
    Turned::Unfinished
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
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
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
        let [outer, inner] = [(), ()].map(|()| {
            tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build()
                .unwrap()
        });
        let epoll = epoll_of(&inner).unwrap();
        let turned = outer.block_on(async { turn(&inner, epoll.as_raw_fd()) });
        assert_eq!(turned, Turned::Refused);
        assert_eq!(turn(&inner, epoll.as_raw_fd()), Turned::Done);
    }
}
