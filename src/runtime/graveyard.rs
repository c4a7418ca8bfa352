//! Where values wait to be dropped until this thread has left every runtime context.
//!
//! A `Conn` dropped inside a context spawns a farewell task, which would need somebody to drive it
//! to its end; dropped outside, it closes at once. Drops happen at any time (a garbage collection
//! during a poll is enough), so whatever may hold a `Conn` is dropped by [`discard`].

use std::any::Any;
use std::cell::RefCell;

use tokio::runtime::Handle;

thread_local! {
    static BURIED: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

fn in_context() -> bool {
    Handle::try_current().is_ok()
}

/// Drops `value`: now, or at the next [`drop_buried`] where a runtime context is entered.
pub fn discard<T: 'static>(value: T) {
    if in_context() {
        // Fails only while the thread ends, when no context is entered any more.
        let _ = BURIED.try_with(|buried| buried.borrow_mut().push(Box::new(value)));
    }
}

/// To be called after leaving a context: drops what was discarded in it, unless an outer one is
/// still entered.
pub fn drop_buried() {
    if BURIED.with_borrow(Vec::is_empty) || in_context() {
        return;
    }
    // Taken first: a drop may run Python, and that may discard more.
    let buried = BURIED.take();
    drop(buried);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn nothing_is_dropped_inside_a_context() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let value = Rc::new(());
        {
            let _outer = runtime.enter();
            {
                let _inner = runtime.enter();
                discard(Rc::clone(&value));
            }
            drop_buried();
            assert_eq!(Rc::strong_count(&value), 2);
        }
        drop_buried();
        assert_eq!(Rc::strong_count(&value), 1);
        discard(Rc::clone(&value));
        assert_eq!(Rc::strong_count(&value), 1);
    }
}
