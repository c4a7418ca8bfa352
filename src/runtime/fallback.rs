//! The driver for loops that cannot watch a descriptor for us: a background thread does.
//!
//! One thread serves all loops of the process. It turns a runtime, and for each reactor with
//! something on its ready list it calls `loop.call_soon_threadsafe` once.

use std::sync::{Arc, Mutex, Weak};

use pyo3::intern;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::driver::Collector;
use super::fork::ProcessBound;
use super::{Reactor, lock};

#[derive(Clone)]
struct Background {
    handle: Handle,
    wake: UnboundedSender<Weak<Reactor>>,
    may_enter: MayEnter,
}

/// Whether the thread may enter the interpreter; locked while it does.
type MayEnter = Arc<Mutex<bool>>;

/// The thread of this process; a forked child starts its own.
static BACKGROUND: Mutex<Option<ProcessBound<Background>>> = Mutex::new(None);

fn current() -> Option<Background> {
    let slot = lock(&BACKGROUND);
    let background = slot.as_ref().filter(|background| background.is_ours())?;
    Some(background.get().clone())
}

fn start(py: Python<'_>) -> PyResult<Background> {
    let runtime = Builder::new_current_thread()
        .enable_io()
        .max_blocking_threads(4)
        .thread_name("aiomysql-resolver")
        .build()?;
    let (wake, woken) = unbounded_channel();
    let background = Background {
        handle: runtime.handle().clone(),
        wake,
        may_enter: Arc::new(Mutex::new(true)),
    };
    py.import(intern!(py, "atexit"))?
        .call_method1(intern!(py, "register"), (wrap_pyfunction!(stop, py)?,))?;
    let may_enter = Arc::clone(&background.may_enter);
    std::thread::Builder::new()
        .name("aiomysql-reactor".into())
        .spawn(move || wake_loops(&runtime, woken, &may_enter))?;
    *lock(&BACKGROUND) = Some(ProcessBound::new(background.clone()));
    Ok(background)
}

/// Called at exit: a thread that enters the interpreter while it shuts down is ended there, in the
/// middle of Rust.
#[pyfunction]
fn stop(py: Python<'_>) {
    if let Some(background) = current() {
        py.detach(|| *lock(&background.may_enter) = false);
    }
}

/// Python is entered outside the runtime's context: a garbage collection in there may drop a
/// connection, which nobody would dig out of this thread's graveyard.
fn wake_loops(
    runtime: &Runtime,
    mut woken: UnboundedReceiver<Weak<Reactor>>,
    may_enter: &MayEnter,
) {
    while let Some(reactor) = runtime.block_on(woken.recv()) {
        let may_enter = lock(may_enter);
        if *may_enter {
            // None while the interpreter shuts down: nobody is left to be woken.
            let _ = Python::try_attach(|py| call_soon(py, &reactor));
        }
    }
}

fn call_soon(py: Python<'_>, reactor: &Weak<Reactor>) {
    let Some(reactor) = reactor.upgrade() else {
        return;
    };
    if let Some(event_loop) = reactor.event_loop(py) {
        // Fails only where the loop is closed, and then nobody waits any more.
        let _ = event_loop.call_method1(
            intern!(py, "call_soon_threadsafe"),
            (Collector::new(&reactor),),
        );
    }
}

/// One loop's share of the background thread.
pub struct Fallback(Background);

impl Fallback {
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        Ok(Self(current().map_or_else(|| start(py), Ok)?))
    }

    pub fn handle(&self) -> Handle {
        self.0.handle.clone()
    }

    pub fn signal(&self, reactor: &Arc<Reactor>) {
        // Fails only where the thread is gone, with the process.
        let _ = self.0.wake.send(Arc::downgrade(reactor));
    }
}
