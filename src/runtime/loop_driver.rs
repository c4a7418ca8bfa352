//! A current-thread runtime that the event loop itself drives.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Runtime;

use super::descriptor;
use super::turn::new_runtime;

/// The runtime of one event loop. Fields drop in this order: nothing may outlive the runtime
/// that it is registered with, and our duplicate of its epoll goes last.
pub struct LoopDriver {
    wake: AsyncFd<OwnedFd>,
    /// None while a turn is running, so that a nested turn finds nothing to do.
    runtime: Option<Runtime>,
    epoll: OwnedFd,
}

impl LoopDriver {
    pub fn new() -> std::io::Result<Self> {
        let runtime = new_runtime()?;
        let epoll = descriptor::epoll_of(&runtime).map_err(std::io::Error::other)?;
        let wake = {
            let _context = runtime.enter();
            // SAFETY: the AsyncFd owns the eventfd, and an OwnedFd never changes its number.
            unsafe { AsyncFd::register_with_interest(eventfd()?, Interest::READABLE) }
                .map_err(std::io::Error::from)?
        };
        Ok(Self {
            wake,
            runtime: Some(runtime),
            epoll,
        })
    }

    pub fn handle(&self) -> Option<tokio::runtime::Handle> {
        self.runtime
            .as_ref()
            .map(|runtime| runtime.handle().clone())
    }

    pub fn epoll_fd(&self) -> i32 {
        self.epoll.as_raw_fd()
    }

    pub fn take_runtime(&mut self) -> Option<Runtime> {
        self.runtime.take()
    }

    pub fn put_runtime(&mut self, runtime: Runtime) {
        self.runtime = Some(runtime);
    }

    /// Makes the epoll, and so the event loop, notice.
    pub fn signal(&self) {
        let one = 1_u64.to_ne_bytes();
        // The registration is edge-triggered, so each write is an event and nobody has to read;
        // the counter would overflow after 2^64 of them.
        // SAFETY: eight readable bytes and a descriptor that `self` owns.
        unsafe {
            libc::write(self.wake.as_raw_fd(), one.as_ptr().cast(), one.len());
        }
    }

    pub fn shutdown(mut self) {
        drop(self.wake);
        if let Some(runtime) = self.runtime.take() {
            // A plain drop would wait for a name resolution that is still running.
            runtime.shutdown_background();
        }
        drop(self.epoll);
    }
}

fn eventfd() -> std::io::Result<OwnedFd> {
    // SAFETY: a plain system call; the result is checked.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if fd < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
