//! What a child process must not touch: its parent's runtimes and sockets.
//!
//! A child that drops a registered socket removes it from the epoll that it shares with its
//! parent, and one that turns an inherited runtime steals its parent's events. So whatever is
//! bound to a process remembers the generation it was made in, and a child forgets it.

use std::mem::ManuallyDrop;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Counts the forks between the process that loaded the module and this one.
pub fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

extern "C" fn count_fork() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Starts counting forks. Called once, when the module is loaded.
pub fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        #[cfg(unix)]
        // SAFETY: the handler only touches an atomic, which is async-signal-safe; it is a plain
        // function, and extension modules are never unloaded.
        unsafe {
            libc::pthread_atfork(None, None, Some(count_fork));
        }
    });
}

/// A value that is dropped only in the process that made it; a forked child forgets it.
pub struct ProcessBound<T> {
    generation: u32,
    value: ManuallyDrop<T>,
}

impl<T> ProcessBound<T> {
    pub fn new(value: T) -> Self {
        Self {
            generation: generation(),
            value: ManuallyDrop::new(value),
        }
    }

    /// Whether this process is the one that made the value.
    pub fn is_ours(&self) -> bool {
        self.generation == generation()
    }

    pub fn get(&self) -> &T {
        &self.value
    }

    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The value itself, or None in a child, where it is forgotten.
    pub fn into_inner(mut self) -> Option<T> {
        let ours = self.is_ours();
        // SAFETY: `self` is forgotten right below, so the value is taken exactly once.
        let value = unsafe { ManuallyDrop::take(&mut self.value) };
        std::mem::forget(self);
        if ours {
            Some(value)
        } else {
            std::mem::forget(value);
            None
        }
    }
}

impl<T> Drop for ProcessBound<T> {
    fn drop(&mut self) {
        if self.is_ours() {
            // SAFETY: drop runs once, and `into_inner` forgets `self` before taking the value.
            unsafe { ManuallyDrop::drop(&mut self.value) }
        }
    }
}
