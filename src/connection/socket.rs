//! Looking at a connection's socket, which mysql_async does not show.

#[cfg(unix)]
mod unix {
    use std::io;

    /// The descriptor that the next socket will get, if nobody else is faster.
    pub fn next_descriptor() -> Option<i32> {
        // SAFETY: duplicates the standard input's descriptor, or fails where it is closed.
        let fd = unsafe { libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 0) };
        if fd < 0 {
            return None;
        }
        // SAFETY: the descriptor was made the line above and nobody else knows it.
        unsafe { libc::close(fd) };
        Some(fd)
    }

    /// Whether `fd` is a stream socket.
    pub fn is_stream_socket(fd: i32) -> bool {
        get_option(fd, libc::SOL_SOCKET, libc::SO_TYPE) == Some(libc::SOCK_STREAM)
    }

    /// Whether the socket takes nothing at the moment, as the peer has not taken what was sent.
    pub fn is_full(fd: i32) -> bool {
        let mut poll = libc::pollfd {
            fd,
            events: libc::POLLOUT,
            revents: 0,
        };
        // SAFETY: one valid pollfd, and a time-out of zero.
        let ready = unsafe { libc::poll(&raw mut poll, 1, 0) };
        ready == 0
    }

    /// Has the kernel ask a silent peer more often than its default of 75 seconds, once it asks.
    ///
    /// Only where the socket asks after `idle`, which is how mysql_async was told to make ours: a
    /// descriptor that was guessed wrongly is left alone.
    #[cfg(target_os = "linux")]
    pub fn hasten_keepalive(fd: i32, idle: std::time::Duration) {
        const SECONDS_BETWEEN: libc::c_int = 10;
        const UNANSWERED: libc::c_int = 6;
        let is_ours = get_option(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE) == Some(1)
            && get_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE)
                .is_some_and(|seconds| u64::try_from(seconds) == Ok(idle.as_secs()));
        if is_ours {
            set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, SECONDS_BETWEEN);
            set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPCNT, UNANSWERED);
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub fn hasten_keepalive(_fd: i32, _idle: std::time::Duration) {}

    fn get_option(fd: i32, level: libc::c_int, name: libc::c_int) -> Option<libc::c_int> {
        let mut value: libc::c_int = 0;
        let mut size = size_of::<libc::c_int>() as libc::socklen_t;
        // SAFETY: `value` and `size` are valid for writes of their size; a wrong fd only fails.
        let result =
            unsafe { libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut size) };
        (result == 0).then_some(value)
    }

    #[cfg(target_os = "linux")]
    fn set_option(fd: i32, level: libc::c_int, name: libc::c_int, value: libc::c_int) {
        let size = size_of::<libc::c_int>() as libc::socklen_t;
        // SAFETY: `value` is valid for reads of its size. Where it fails, the default stays.
        unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), size) };
    }

    /// Whether the peer has closed, or has sent what nobody asked for (a server's last words).
    pub fn has_hung_up(fd: i32) -> bool {
        let mut poll = libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one valid pollfd, and a time-out of zero.
        let ready = unsafe { libc::poll(&raw mut poll, 1, 0) };
        ready > 0 || (ready < 0 && io::Error::last_os_error().kind() != io::ErrorKind::Interrupted)
    }
}

#[cfg(unix)]
pub use unix::{has_hung_up, hasten_keepalive, is_full, is_stream_socket, next_descriptor};

#[cfg(not(unix))]
mod elsewhere {
    pub fn next_descriptor() -> Option<i32> {
        None
    }

    pub fn is_stream_socket(_fd: i32) -> bool {
        false
    }

    pub fn has_hung_up(_fd: i32) -> bool {
        false
    }

    pub fn is_full(_fd: i32) -> bool {
        false
    }

    pub fn hasten_keepalive(_fd: i32, _idle: std::time::Duration) {}
}

#[cfg(not(unix))]
pub use elsewhere::{has_hung_up, hasten_keepalive, is_full, is_stream_socket, next_descriptor};
