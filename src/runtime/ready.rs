//! Which operations have been woken, and the wakers that say so.
//!
//! A waker touches no Python: it puts its key on the ready list and, where nobody is about to
//! read the list anyway, gives the event loop one signal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Wake, Waker};

use super::Reactor;

/// The key of a waiting operation in its reactor.
pub type Key = usize;

#[derive(Default)]
struct State {
    keys: Vec<Key>,
    /// A turn is running on the loop's thread: it reads the list when it ends.
    turning: bool,
    /// The loop was signalled and has not read the list since.
    signalled: bool,
}

#[derive(Default)]
pub struct ReadyList(Mutex<State>);

impl ReadyList {
    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a key; true where the loop must be signalled.
    fn push(&self, key: Key) -> bool {
        self.with(|state| {
            state.keys.push(key);
            !state.turning && !std::mem::replace(&mut state.signalled, true)
        })
    }

    pub fn begin_turn(&self) {
        self.with(|state| state.turning = true);
    }

    /// Ends a turn and hands over at most `limit` keys; true where more are left, in which case
    /// the loop must be signalled.
    pub fn end_turn(&self, limit: usize) -> (Vec<Key>, bool) {
        self.with(|state| {
            state.turning = false;
            let rest = if state.keys.len() > limit {
                state.keys.split_off(limit)
            } else {
                Vec::new()
            };
            let taken = std::mem::replace(&mut state.keys, rest);
            state.signalled = !state.keys.is_empty();
            (taken, state.signalled)
        })
    }

    /// Puts keys back at the front; true where the loop must be signalled.
    pub fn put_back(&self, keys: &[Key]) -> bool {
        self.with(|state| {
            state.keys.splice(0..0, keys.iter().copied());
            !state.keys.is_empty() && !std::mem::replace(&mut state.signalled, true)
        })
    }
}

/// Wakes one operation. Holds its reactor weakly: sockets keep wakers, and must not keep a
/// closed loop's reactor alive.
pub struct OperationWaker {
    key: Key,
    woken: AtomicBool,
    reactor: Weak<Reactor>,
}

impl OperationWaker {
    pub fn new(key: Key, reactor: &Arc<Reactor>) -> Arc<Self> {
        Arc::new(Self {
            key,
            woken: AtomicBool::new(false),
            reactor: Arc::downgrade(reactor),
        })
    }

    pub fn key(&self) -> Key {
        self.key
    }

    pub fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    /// To be called before each poll: from here on a wake-up counts again.
    pub fn arm(&self) {
        self.woken.store(false, Ordering::SeqCst);
    }
}

impl Wake for OperationWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.woken.swap(true, Ordering::SeqCst) {
            return;
        }
        // A child's copy of the list may be locked for ever, by a thread that was not forked.
        if let Some(reactor) = self.reactor.upgrade().filter(|reactor| reactor.is_ours())
            && reactor.ready.push(self.key)
        {
            reactor.signal();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_signal_until_the_list_is_read() {
        let list = ReadyList::default();
        assert!(list.push(1));
        assert!(!list.push(2));
        list.begin_turn();
        assert!(!list.push(3));
        assert_eq!(list.end_turn(10), (vec![1, 2, 3], false));
        assert!(list.push(4));
    }

    #[test]
    fn a_bounded_turn_leaves_the_rest_in_order() {
        let list = ReadyList::default();
        for key in 0..5 {
            list.push(key);
        }
        list.begin_turn();
        assert_eq!(list.end_turn(3), (vec![0, 1, 2], true));
        assert!(!list.put_back(&[2]));
        list.begin_turn();
        assert_eq!(list.end_turn(3), (vec![2, 3, 4], false));
    }
}
