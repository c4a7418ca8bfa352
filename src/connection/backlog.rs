//! Waiting for a unix socket whose queue is full.
//!
//! The server has not taken the earlier connections yet. Over TCP the kernel would try again by
//! itself; at a unix socket a connect that may not block is refused at once. A pool that opens
//! hundreds at the same time gets there.

use std::future::{Future, pending};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::errors::{Cause, Error, Result};
use crate::runtime::Reactor;
use crate::runtime::deadline::{Limit, within};

/// The first pause; each is twice as long as the one before, up to the longest.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(160);
/// Where `connect_timeout` does not end it before.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs `connecting` until it is let in, or refused for another reason.
pub async fn patiently<T, F>(
    reactor: &Arc<Reactor>,
    mut connecting: impl FnMut() -> F,
) -> (Result<T>, Option<i32>)
where
    F: Future<Output = (Result<T>, Option<i32>)>,
{
    let began = Instant::now();
    let mut pause = SHORTEST;
    loop {
        match connecting().await {
            (Err(error), _) if is_queue_full(&error) && began.elapsed() < PATIENCE => {
                let _ = within(reactor, Some(Limit::Total(pause)), pending::<()>()).await;
                pause = LONGEST.min(pause * 2);
            }
            other => return other,
        }
    }
}

/// EAGAIN, which nothing else in an attempt to connect ends with.
fn is_queue_full(error: &Error) -> bool {
    matches!(error, Error::Lost { cause: Some(Cause::Io(error)) } if error.kind() == ErrorKind::WouldBlock)
}
