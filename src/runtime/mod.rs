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
#[cfg(target_os = "linux")]
mod loop_driver;
mod ready;
mod registry;
#[cfg(target_os = "linux")]
mod turn;
mod yielding;

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// All that is live for one event loop. `None` fields mean that the loop is gone.
struct Live {
    engine: Engine,
    handle: Handle,
}

/// The bridge between one event loop and tokio.
pub struct Reactor {
    /// The loop's address: which loop this is, without holding it.
    loop_id: usize,
    generation: u32,
    event_loop: Mutex<Option<Py<PyAny>>>,
    live: Mutex<Option<ProcessBound<Live>>>,
    ready: ReadyList,
    waiters: Mutex<Slab<Option<Py<Waiter>>>>,
    /// What must be dropped outside a runtime context (see [`Reactor::bury`]).
    graveyard: Mutex<Vec<Box<dyn Any + Send>>>,
}

impl Reactor {
    fn new(event_loop: &Bound<'_, PyAny>, engine: Engine, handle: Handle) -> Arc<Self> {
        Arc::new(Self {
            loop_id: event_loop.as_ptr() as usize,
            generation: fork::generation(),
            event_loop: Mutex::new(Some(event_loop.clone().unbind())),
            live: Mutex::new(Some(ProcessBound::new(Live { engine, handle }))),
            ready: ReadyList::default(),
            waiters: Mutex::new(Slab::new()),
            graveyard: Mutex::new(Vec::new()),
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

    /// Whether it still serves: its loop is not closed and the process has not forked.
    pub fn is_live(&self) -> bool {
        self.generation == fork::generation() && lock(&self.live).is_some()
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

    fn take_waiter(&self, key: Key) -> Option<Py<Waiter>> {
        lock(&self.waiters).get_mut(key).and_then(Option::take)
    }

    /// Keeps a value until no runtime context is entered on this thread.
    ///
    /// A `Conn` dropped inside a context spawns a farewell task, which nobody drives to its end;
    /// dropped outside, it closes at once.
    pub fn bury(&self, value: Box<dyn Any + Send>) {
        lock(&self.graveyard).push(value);
    }

    /// Drops what was buried. To be called where no context is entered.
    pub fn drop_buried(&self) {
        let buried = std::mem::take(&mut *lock(&self.graveyard));
        drop(buried);
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

    /// Stops serving: wakers do nothing from now on, and waiters are forgotten.
    fn close(&self) {
        let live = lock(&self.live).take();
        let waiters = std::mem::take(&mut *lock(&self.waiters));
        let event_loop = lock(&self.event_loop).take();
        if let Some(live) = live.and_then(ProcessBound::into_inner) {
            match live.engine {
                #[cfg(target_os = "linux")]
                Engine::Loop(driver) => driver.shutdown(),
                Engine::Fallback(_) => {}
            }
        }
        self.drop_buried();
        drop((waiters, event_loop));
    }
}
