//! The driver for loops that cannot watch a descriptor for us: a background thread does.
//!
//! One thread serves all loops of the process. It turns a runtime, and for each reactor with
//! something on its ready list it calls `loop.call_soon_threadsafe` once.

use std::sync::{Arc, Mutex, Weak};

use pyo3::prelude::*;
use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::fork::ProcessBound;
use super::{Reactor, lock};

#[derive(Clone)]
struct Background {
    handle: Handle,
    wake: UnboundedSender<Weak<Reactor>>,
}

/// The thread of this process; a forked child starts its own.
static BACKGROUND: Mutex<Option<ProcessBound<Background>>> = Mutex::new(None);

fn background() -> std::io::Result<Background> {
    let mut slot = lock(&BACKGROUND);
    if let Some(background) = slot.as_ref().filter(|background| background.is_ours()) {
        return Ok(background.get().clone());
    }
    let runtime = Builder::new_current_thread()
        .enable_io()
        .max_blocking_threads(4)
        .thread_name("aiomysql-resolver")
        .build()?;
    let (wake, woken) = unbounded_channel();
    let background = Background {
        handle: runtime.handle().clone(),
        wake,
    };
    std::thread::Builder::new()
        .name("aiomysql-reactor".into())
        .spawn(move || runtime.block_on(wake_loops(woken)))?;
    *slot = Some(ProcessBound::new(background.clone()));
    Ok(background)
}

async fn wake_loops(mut woken: UnboundedReceiver<Weak<Reactor>>) {
    while let Some(reactor) = woken.recv().await {
        let Some(reactor) = reactor.upgrade() else {
            continue;
        };
        // None while the interpreter shuts down: nobody is left to be woken.
        let _ = Python::try_attach(|py| call_soon(py, &reactor));
    }
}

fn call_soon(py: Python<'_>, reactor: &Arc<Reactor>) {
    if let Some(event_loop) = reactor.event_loop(py) {
        let collect = super::driver::Collector::new(reactor);
        // Fails only where the loop is closed, and then nobody waits any more.
        let _ = event_loop.call_method1(
            pyo3::intern!(py, "call_soon_threadsafe"),
            (collect,),
        );
    }
}

/// One loop's share of the background thread.
pub struct Fallback(Background);

impl Fallback {
    pub fn new() -> std::io::Result<Self> {
        background().map(Self)
    }

    pub fn handle(&self) -> Handle {
        self.0.handle.clone()
    }

    pub fn signal(&self, reactor: &Arc<Reactor>) {
        // Fails only where the thread is gone, with the process.
        let _ = self.0.wake.send(Arc::downgrade(reactor));
    }
}
