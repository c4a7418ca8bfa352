//! Finds the epoll descriptor of a tokio runtime, and verifies it.
//!
//! tokio does not expose it. But `epoll_ctl(fd, EPOLL_CTL_MOD, socket)` succeeds on exactly one
//! epoll instance, the one that holds `socket`, and changes nothing anywhere else. So: register a
//! throw-away socket with the runtime, and try the process's descriptors, nearest number first.
//! (A probe with EPOLL_CTL_ADD would leave traces in other people's epolls: never do that.)

use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream as StdUnixStream;

use tokio::net::UnixStream;
use tokio::runtime::Runtime;

use super::turn;

/// How far from the throw-away socket's number the search goes, in either direction.
const REACH: RawFd = 65_536;

#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    #[error("cannot make a socket pair: {0}")]
    Pair(#[source] io::Error),
    #[error("no descriptor of this process is the runtime's epoll")]
    NoMatch,
    #[error("the descriptor found does not behave as the runtime's epoll")]
    Unverified,
    #[error("cannot duplicate the runtime's epoll: {0}")]
    Duplicate(#[source] io::Error),
}

/// A duplicate of the epoll descriptor that drives `runtime`.
pub fn epoll_of(runtime: &Runtime) -> Result<OwnedFd, NotFound> {
    let (probe, _peer) = registered_pair(runtime)?;
    let found = find_holder(probe.as_raw_fd()).ok_or(NotFound::NoMatch)?;
    let epoll = duplicate(found).map_err(NotFound::Duplicate)?;
    drop(probe);
    verify(runtime, &epoll)?;
    Ok(epoll)
}

/// A socket registered with the runtime, and its peer.
fn registered_pair(runtime: &Runtime) -> Result<(UnixStream, StdUnixStream), NotFound> {
    let _context = runtime.enter();
    let (ours, peer) = StdUnixStream::pair().map_err(NotFound::Pair)?;
    ours.set_nonblocking(true).map_err(NotFound::Pair)?;
    let ours = UnixStream::from_std(ours).map_err(NotFound::Pair)?;
    Ok((ours, peer))
}

fn find_holder(socket: RawFd) -> Option<RawFd> {
    (1..REACH)
        .flat_map(|distance| [socket - distance, socket + distance])
        .filter(|fd| *fd >= 0)
        .find(|fd| holds(*fd, socket))
}

/// Whether `fd` is an epoll that holds `socket`.
fn holds(fd: RawFd, socket: RawFd) -> bool {
    // Token 0 is mio's own wake-up token, which tokio ignores: a late event does no harm.
    let mut event = libc::epoll_event {
        events: libc::EPOLLIN as u32,
        u64: 0,
    };
    // SAFETY: `event` outlives the call; any number may be passed as a descriptor, and MOD on
    // whatever is not an epoll that holds the socket fails and has no effect.
    unsafe { libc::epoll_ctl(fd, libc::EPOLL_CTL_MOD, socket, &mut event) == 0 }
}

fn duplicate(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: `fd` was found open a moment ago; at worst the call fails with EBADF.
    let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Readable when, and only when, the runtime has something to do: checked with a fresh pair.
fn verify(runtime: &Runtime, epoll: &OwnedFd) -> Result<(), NotFound> {
    let (_ours, mut peer) = registered_pair(runtime)?;
    let turn = || turn::turn(runtime, epoll.as_raw_fd());
    turn();
    let quiet = !is_readable(epoll);
    peer.write_all(&[1]).map_err(NotFound::Pair)?;
    let woken = is_readable(epoll);
    turn();
    if quiet && woken && !is_readable(epoll) {
        Ok(())
    } else {
        Err(NotFound::Unverified)
    }
}

/// Whether a descriptor is readable now.
pub fn is_readable(fd: &impl AsRawFd) -> bool {
    let mut poll = libc::pollfd {
        fd: fd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one valid pollfd, and a time-out of zero.
    unsafe { libc::poll(&mut poll, 1, 0) == 1 && poll.revents & libc::POLLIN != 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runtime_has_its_own_epoll() {
        let runtimes: Vec<_> = (0..3).map(|_| turn::new_runtime().unwrap()).collect();
        for runtime in &runtimes {
            let epoll = epoll_of(runtime).unwrap();
            assert!(!is_readable(&epoll));
            let (_ours, mut peer) = registered_pair(runtime).unwrap();
            turn::turn(runtime, epoll.as_raw_fd());
            peer.write_all(&[1]).unwrap();
            assert!(is_readable(&epoll));
            for other in runtimes.iter().filter(|r| !std::ptr::eq(*r, runtime)) {
                turn::turn(other, epoll.as_raw_fd());
            }
            assert!(is_readable(&epoll));
            turn::turn(runtime, epoll.as_raw_fd());
            assert!(!is_readable(&epoll));
        }
    }
}
