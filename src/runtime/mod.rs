//! The bridge: how tokio futures make progress under an asyncio event loop.
//!
//! Each event loop has one [`Reactor`], shared by all pools, connections and cursors used on it.
//! Futures are always polled inline, on the loop's thread, by the task that awaits them; what
//! differs between the two drivers is only who notices that a socket is ready:
//!
//! * [`loop_driver`]: a current-thread tokio runtime that the event loop itself drives. Its epoll
//!   descriptor is registered with `loop.add_reader`. No other thread is involved.
//! * [`fallback`]: a background thread turns the runtime, and wakes the loop once for a batch.

pub mod deadline;
#[cfg(target_os = "linux")]
mod descriptor;
mod driver;
mod fallback;
pub mod fork;
pub mod graveyard;
#[cfg(target_os = "linux")]
mod loop_driver;
mod ready;
mod registry;
#[cfg(target_os = "linux")]
mod turn;
mod yielding;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::intern;
use pyo3::prelude::*;
use slab::Slab;
use tokio::runtime::Handle;

pub use driver::Driver;
pub use ready::{Key, OperationWaker};
pub use registry::{current, running_loop};
pub use yielding::{take_yield_request, yield_to_loop};

use crate::awaitable::Waiter;
use fork::ProcessBound;
use ready::ReadyList;

/// Locks a mutex whose data stay consistent even where a holder panicked.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who notices that a socket is ready.
enum Engine {
    #[cfg(target_os = "linux")]
    Loop(loop_driver::LoopDriver),
    Fallback(fallback::Fallback),
}

fn run_method(event_loop: &Bound<'_, PyAny>) -> PyResult<usize> {
    let name = intern!(event_loop.py(), "run_forever");
    Ok(event_loop.get_type().getattr(name)?.as_ptr() as usize)
}

fn plain_run_method(event_loop: &Bound<'_, PyAny>) -> Option<usize> {
    let is_patched = event_loop.hasattr(intern!(event_loop.py(), "_nest_patched"));
    run_method(event_loop)
        .ok()
        .filter(|_| !is_patched.unwrap_or(true))
}

/// All that is live for one event loop. `None` fields mean that the loop is gone.
struct Live {
    engine: Engine,
    handle: Handle,
}

/// How a turn of the runtime went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turned {
    Done,
    /// Tasks of the runtime have more to do at once.
    Unfinished,
    /// Another runtime is being driven on this thread.
    Refused,
}

/// The bridge between one event loop and tokio.
pub struct Reactor {
    /// The loop's address: which loop this is, without holding it.
    loop_id: usize,
    /// The address of the loop class's `run_forever`, by which a patched class is known; None
    /// where it was patched before.
    plain_run: Option<usize>,
    generation: u32,
    event_loop: Mutex<Option<Py<PyAny>>>,
    live: Mutex<Option<ProcessBound<Live>>>,
    ready: ReadyList,
    waiters: Mutex<Slab<Option<Py<Waiter>>>>,
}

impl Reactor {
    fn new(event_loop: &Bound<'_, PyAny>, engine: Engine, handle: Handle) -> Arc<Self> {
        Arc::new(Self {
            loop_id: event_loop.as_ptr() as usize,
            plain_run: plain_run_method(event_loop),
            generation: fork::generation(),
            event_loop: Mutex::new(Some(event_loop.clone().unbind())),
            live: Mutex::new(Some(ProcessBound::new(Live { engine, handle }))),
            ready: ReadyList::default(),
            waiters: Mutex::new(Slab::new()),
        })
    }

    /// `"loop"` or `"fallback"`: which driver this loop has.
    pub fn driver_name(&self) -> &'static str {
        match lock(&self.live).as_ref().map(|live| &live.get().engine) {
            #[cfg(target_os = "linux")]
            Some(Engine::Loop(_)) => "loop",
            Some(Engine::Fallback(_)) => "fallback",
            None => "closed",
        }
    }

    pub fn is_loop(&self, event_loop: &Bound<'_, PyAny>) -> bool {
        self.loop_id == event_loop.as_ptr() as usize
    }

    /// Whether this process made it; a forked child must leave it alone.
    pub fn is_ours(&self) -> bool {
        self.generation == fork::generation()
    }

    /// Whether it still serves: its loop is not closed and the process has not forked.
    pub fn is_live(&self) -> bool {
        self.is_ours() && lock(&self.live).is_some()
    }

    /// The runtime that polls need around them; None where the reactor no longer serves.
    pub fn handle(&self) -> Option<Handle> {
        let live = lock(&self.live);
        let live = live.as_ref()?;
        live.is_ours().then(|| live.get().handle.clone())
    }

    /// The event loop; None once it is gone.
    pub fn event_loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        lock(&self.event_loop)
            .as_ref()
            .map(|event_loop| event_loop.bind(py).clone())
    }

    /// A key for an operation that is about to wait.
    pub fn enrol(&self) -> Key {
        lock(&self.waiters).insert(None)
    }

    pub fn withdraw(&self, key: Key) {
        let _dropped_after_the_lock = lock(&self.waiters).try_remove(key);
    }

    /// Says who is to be resumed when `key` is woken.
    pub fn set_waiter(&self, key: Key, waiter: Py<Waiter>) {
        let previous = lock(&self.waiters)
            .get_mut(key)
            .and_then(|slot| slot.replace(waiter));
        drop(previous);
    }

    /// Whether somebody waits for `key` and has been neither woken nor cancelled.
    pub fn is_waiting(&self, key: Key) -> bool {
        let waiters = lock(&self.waiters);
        let waiter = waiters.get(key).and_then(Option::as_ref);
        waiter.is_some_and(|waiter| !waiter.get().is_done())
    }

    fn take_waiter(&self, key: Key) -> Option<Py<Waiter>> {
        lock(&self.waiters).get_mut(key).and_then(Option::take)
    }

    /// Drives the runtime once, where it is ours to drive. No lock is held meanwhile: the wakers
    /// that it calls look at this reactor.
    fn turn(&self) -> Turned {
        #[cfg(target_os = "linux")]
        if let Some((runtime, epoll)) = self
            .with_loop_driver(|driver| Some((driver.take_runtime()?, driver.epoll_fd())))
            .flatten()
        {
            let turned = turn::turn(&runtime, epoll);
            self.with_loop_driver(|driver| driver.put_runtime(runtime));
            return turned;
        }
        Turned::Done
    }

    #[cfg(target_os = "linux")]
    fn with_loop_driver<T>(&self, f: impl FnOnce(&mut loop_driver::LoopDriver) -> T) -> Option<T> {
        match &mut lock(&self.live).as_mut()?.get_mut().engine {
            Engine::Loop(driver) => Some(f(driver)),
            Engine::Fallback(_) => None,
        }
    }

    /// Whether a callback of the loop may run the loop (nest_asyncio): then a task that was resumed
    /// in the reader's callback would keep the reader from being called in there.
    fn may_be_reentered(&self, py: Python<'_>) -> PyResult<bool> {
        let Some(event_loop) = self.event_loop(py) else {
            return Ok(false);
        };
        Ok(self.plain_run != Some(run_method(&event_loop)?))
    }

    /// Gives the loop one signal that the ready list has something.
    fn signal(self: &Arc<Self>) {
        let live = lock(&self.live);
        if let Some(live) = live.as_ref().filter(|live| live.is_ours()) {
            match &live.get().engine {
                #[cfg(target_os = "linux")]
                Engine::Loop(driver) => driver.signal(),
                Engine::Fallback(driver) => driver.signal(self),
            }
        }
    }

    /// Stops serving: wakers do nothing from now on, and what was under way ends here, with its
    /// connections.
    fn close(&self) {
        let live = lock(&self.live).take();
        let waiters = std::mem::take(&mut *lock(&self.waiters));
        for (_, waiter) in &waiters {
            if let Some(waiter) = waiter {
                waiter.get().abandon_operation();
            }
        }
        let event_loop = lock(&self.event_loop).take();
        if let Some(live) = live.and_then(ProcessBound::into_inner) {
            match live.engine {
                #[cfg(target_os = "linux")]
                Engine::Loop(driver) => driver.shutdown(),
                Engine::Fallback(_) => {}
            }
        }
        drop((waiters, event_loop));
    }
}
