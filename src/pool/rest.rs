//! What a pool asks of the server on connections that are free already: to end a transaction, or
//! whether it is still there. Until it has answered, they are not lent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use super::health;
use super::object::Pool;
use crate::awaitable::{Operation, run_in_background};
use crate::connection::Link;
use crate::runtime::fork::generation;
use crate::runtime::{lock, running_loop};

#[derive(Default)]
struct State {
    /// Links by their address, and whether they are to be closed at the end.
    links: HashMap<usize, bool>,
    generation: u32,
}

/// The connections that wait for an answer.
#[derive(Default)]
pub struct Rests(Mutex<State>);

impl Rests {
    fn with<T>(&self, f: impl FnOnce(&mut HashMap<usize, bool>) -> T) -> T {
        let mut state = lock(&self.0);
        if state.generation != generation() {
            // A forked child gets no answer: it has forgotten what would read them.
            *state = State {
                links: HashMap::new(),
                generation: generation(),
            };
        }
        f(&mut state.links)
    }

    pub fn is_empty(&self) -> bool {
        self.with(|links| links.is_empty())
    }

    /// Whether it cannot be lent yet. One that was closed meanwhile can be found out at once.
    pub fn has(&self, member: &Bound<'_, PyAny>) -> bool {
        !self.is_empty()
            && health::native_link(member)
                .is_some_and(|link| !link.is_closed() && self.with(|l| l.contains_key(&key(&link))))
    }

    /// Has it closed when the server has answered; false where it does not wait for an answer.
    pub fn let_go(&self, member: &Bound<'_, PyAny>) -> bool {
        health::native_link(member).is_some_and(|link| {
            self.with(|links| links.get_mut(&key(&link)).map(|unwanted| *unwanted = true))
                .is_some()
        })
    }
}

fn key(link: &Arc<Link>) -> usize {
    Arc::as_ptr(link) as usize
}

/// A connection's entry, until the server has answered or nobody can hear it any more.
struct Rest {
    rests: Arc<Rests>,
    link: Arc<Link>,
    /// Weak: a loop that is closed meanwhile would never let go of a pool that names it.
    pool: Py<PyWeakrefReference>,
    member: Py<PyAny>,
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Rest {
    fn leave(&self) -> bool {
        let unwanted = self.rests.with(|links| links.remove(&key(&self.link)));
        unwanted.unwrap_or(false)
    }

    fn end(&self, py: Python<'_>, is_fit: bool) -> PyResult<()> {
        let unwanted = self.leave();
        let member = self.member.bind(py);
        let pool = self.pool.bind(py).upgrade_as::<Pool>()?;
        let closing = pool.as_ref().is_none_or(|pool| pool.borrow().is_closing());
        if !is_fit && let Some(pool) = &pool {
            pool.borrow().take_out(member)?;
        }
        if !is_fit || unwanted || closing {
            member.call_method0(intern!(py, "close"))?;
        }
        pool.map_or(Ok(()), |pool| Pool::changed(&pool))
    }
}

/// Asks the server on a free connection. Does nothing where its loop does not run: then it is
/// asked when it is to be lent.
pub fn begin(
    pool: &Bound<'_, Pool>,
    member: &Bound<'_, PyAny>,
    link: Arc<Link>,
    limit: Duration,
) -> PyResult<()> {
    let py = pool.py();
    if !running_loop(py).is_ok_and(|event_loop| link.reactor().is_loop(&event_loop)) {
        return Ok(());
    }
    let rests = Arc::clone(pool.borrow().rests());
    rests.with(|links| links.insert(key(&link), false));
    let rest = Rest {
        rests,
        link: Arc::clone(&link),
        pool: PyWeakrefReference::new(pool)?.unbind(),
        member: member.clone().unbind(),
    };
    let reactor = Arc::clone(link.reactor());
    run_in_background(
        py,
        Operation::new("Pool.release", Some(reactor), async move {
            let is_fit = health::ask(&rest.link, limit).await;
            Python::attach(|py| {
                rest.end(py, is_fit)?;
                Ok(py.None())
            })
        }),
    )
}
