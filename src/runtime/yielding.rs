//! Handing the thread back to the event loop between batches of work.
//!
//! Futures polled inline have no cooperative budget of their own. [`yield_to_loop`] makes the
//! operation yield a bare `None`, asyncio's own way to say "go on in the next iteration".

use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;

thread_local! {
    static REQUESTED: Cell<bool> = const { Cell::new(false) };
}

/// Lets the event loop run its other callbacks before the future goes on.
pub async fn yield_to_loop() {
    let mut yielded = false;
    poll_fn(|_| {
        if std::mem::replace(&mut yielded, true) {
            Poll::Ready(())
        } else {
            REQUESTED.set(true);
            Poll::Pending
        }
    })
    .await;
}

/// Whether the future that has just been polled asked for a bare yield; asked once.
pub fn take_yield_request() -> bool {
    REQUESTED.replace(false)
}
