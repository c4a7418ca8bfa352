//! A `Conn` that is dropped where, and only where, that is safe.

use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

use mysql_async::Conn;

use crate::runtime::{fork, graveyard};

/// Owns a `Conn`. In a forked child it is forgotten, and inside a runtime context it waits
/// until the context is left: see [`fork`] and [`graveyard`].
pub struct Wire {
    conn: ManuallyDrop<Conn>,
    generation: u32,
}

impl Wire {
    pub fn new(conn: Conn) -> Self {
        Self {
            conn: ManuallyDrop::new(conn),
            generation: fork::generation(),
        }
    }

    /// Whether this process made the connection.
    pub fn is_ours(&self) -> bool {
        self.generation == fork::generation()
    }

    /// The connection itself; None in a child, where it is forgotten.
    pub fn into_inner(mut self) -> Option<Conn> {
        if !self.is_ours() {
            return None;
        }
        // A generation that never comes keeps our own `drop` away from the connection.
        self.generation = u32::MAX;
        // SAFETY: the mark above makes this the only place that takes it.
        Some(unsafe { ManuallyDrop::take(&mut self.conn) })
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if !self.is_ours() {
            return;
        }
        // SAFETY: drop runs once, and not for what `into_inner` took.
        let conn = unsafe { ManuallyDrop::take(&mut self.conn) };
        graveyard::discard(conn);
    }
}

impl Deref for Wire {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Wire {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
