//! Ending a cancelled command at the server, too: `cancel="kill"`.
//!
//! MySQL's protocol has no request for that, and a server notices that its client is gone only when
//! it next writes. So a second connection says KILL. It runs in the background, without a task: see
//! [`run_in_background_soon`].

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;

use super::command::perform;
use super::limits::Limits;
use super::open::open;
use super::options::Options;
use crate::awaitable::{Operation, run_in_background_soon};
use crate::errors::Result;
use crate::runtime::Reactor;
use crate::runtime::deadline::{Limit, within};
use crate::tls::Tls;

/// How long all of it may take, where `connect_timeout` is not shorter.
const MOST: Duration = Duration::from_secs(5);

/// What it takes to end a session from outside.
pub struct Canceller {
    options: Options,
    tls: Option<Tls>,
    thread_id: u32,
}

impl Canceller {
    pub fn new(options: Options, tls: Option<Tls>, thread_id: u32) -> Self {
        Self {
            options: Options {
                db: None,
                settings: Vec::new(),
                autocommit: None,
                local_infile: false,
                ..options
            },
            tls,
            thread_id,
        }
    }

    /// Begins in the next iteration of the event loop. Nobody waits for it or hears of a failure:
    /// the connection is closed anyway.
    pub fn begin(&self, reactor: &Arc<Reactor>) {
        if !reactor.is_ours() {
            return;
        }
        let most = self
            .options
            .timeout()
            .map_or(MOST, |timeout| timeout.min(MOST));
        let killing = kill(
            Arc::clone(reactor),
            self.options.clone(),
            self.tls.clone(),
            self.thread_id,
        );
        let bounded = within(reactor, Some(Limit::Total(most)), killing);
        let _ = Python::try_attach(|py| {
            let operation =
                Operation::new("Connection._cancel", Some(Arc::clone(reactor)), async {
                    bounded.await.unwrap_or(Ok(()))?;
                    Python::attach(|py| Ok(py.None()))
                });
            match reactor.event_loop(py) {
                // Fails only where the loop is closed. A garbage collection may be what cancels, on
                // any thread.
                Some(event_loop) => run_in_background_soon(&event_loop, operation),
                None => Ok(()),
            }
        });
    }
}

async fn kill(
    reactor: Arc<Reactor>,
    options: Options,
    tls: Option<Tls>,
    thread_id: u32,
) -> Result<()> {
    let link = open(&reactor, options, tls).await?.link;
    // The whole session: its transaction is rolled back, and its locks are free.
    let killed = perform(&link, Limits::default(), format!("KILL {thread_id}").into()).await;
    link.close();
    killed
}
