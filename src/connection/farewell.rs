//! How a connection ends.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};

use mysql_async::Conn;

use crate::panics;
use crate::runtime::Reactor;
use crate::runtime::graveyard::discard;

/// Sends COM_QUIT where the socket takes it at once, and closes: a server that gets no COM_QUIT
/// logs an aborted connection.
pub fn say_goodbye(reactor: &Arc<Reactor>, conn: Conn) {
    let Some(handle) = reactor.handle() else {
        discard(conn);
        return;
    };
    let mut farewell = Box::pin(conn.disconnect());
    {
        let _context = handle.enter();
        // One poll writes the packet and shuts the socket down; what would have to wait, does not.
        let _ = panics::quietly(|| {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                farewell
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
            }))
        });
    }
    discard(farewell);
}
