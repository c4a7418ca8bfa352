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
        let mut kind: libc::c_int = 0;
        let mut size = size_of::<libc::c_int>() as libc::socklen_t;
        // SAFETY: `kind` and `size` are valid for writes of their size; a wrong fd only fails.
        let result = unsafe {
            libc::getsockopt(
                fd,
                libc::SOL_SOCKET,
                libc::SO_TYPE,
                (&raw mut kind).cast(),
                &raw mut size,
            )
        };
        result == 0 && kind == libc::SOCK_STREAM
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
pub use unix::{has_hung_up, is_stream_socket, next_descriptor};

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
}

#[cfg(not(unix))]
pub use elsewhere::{has_hung_up, is_stream_socket, next_descriptor};
