//! How long a command may wait for its server.

use std::sync::Arc;
use std::time::Duration;

use super::Link;
use crate::runtime::deadline::Limit;

/// The longest silences of a command; None: as long as it takes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Any wait, save those that `write` bounds.
    pub read: Option<Duration>,
    /// Waits in which the server does not take what is sent.
    pub write: Option<Duration>,
}

impl Limits {
    pub fn of_any(most: Duration) -> Self {
        Self {
            read: Some(most),
            write: None,
        }
    }

    /// What bounds a command on this connection.
    pub fn on(self, link: &Arc<Link>) -> Option<Limit> {
        if let Self {
            read: None,
            write: None,
        } = self
        {
            return None;
        }
        let link = Arc::clone(link);
        Some(Limit::Silence(Box::new(move || match self.write {
            Some(write) if link.is_sending() => Some(write),
            _ => self.read,
        })))
    }
}
