//! What a pool asks of the server on connections that are free already: to end a transaction, to
//! reset the session, or whether it is still there. Until it has answered, they are not lent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use super::log::log;
use super::object::Pool;
use super::stats::Reason;
use super::{health, hook};
use crate::awaitable::{Operation, run_in_background};
use crate::connection::Link;
use crate::runtime::deadline::{Limit, within};
use crate::runtime::fork::generation;
use crate::runtime::{self, lock, running_loop};

/// What the connections that wait are to be closed for when they have their answers, if anything,
/// by their addresses.
type Waiting = HashMap<usize, Option<Reason>>;

#[derive(Default)]
struct State {
    waiting: Waiting,
    generation: u32,
}

/// The connections that wait for an answer.
#[derive(Default)]
pub struct Rests(Mutex<State>);

impl Rests {
    fn with<T>(&self, f: impl FnOnce(&mut Waiting) -> T) -> T {
        let mut state = lock(&self.0);
        if state.generation != generation() {
            // A forked child gets no answer: it has forgotten what would read them.
            *state = State {
                waiting: HashMap::new(),
                generation: generation(),
            };
        }
        f(&mut state.waiting)
    }

    pub fn is_empty(&self) -> bool {
        self.with(|waiting| waiting.is_empty())
    }

    /// Whether it cannot be lent yet. One that was closed meanwhile can be found out at once.
    pub fn has(&self, member: &Bound<'_, PyAny>) -> bool {
        self.with(|waiting| waiting.contains_key(&key(member)))
            && !health::is_closed(member).unwrap_or(true)
    }

    /// Has it closed when the server has answered; false where it does not wait for an answer.
    pub fn let_go(&self, member: &Bound<'_, PyAny>, reason: Reason) -> bool {
        self.with(|waiting| {
            waiting
                .get_mut(&key(member))
                .map(|place| *place = Some(reason))
        })
        .is_some()
    }
}

fn key(member: &Bound<'_, PyAny>) -> usize {
    member.as_ptr() as usize
}

/// What is asked.
pub enum Errand {
    /// To end a transaction that has only read, or just for an answer.
    Ask(Arc<Link>),
    /// To make the session as good as new.
    Reset,
}

impl Errand {
    async fn run(self, rest: &Rest) -> bool {
        match self {
            Self::Ask(link) => health::ask(&link, rest.limit).await,
            Self::Reset => rest.reset().await,
        }
    }

    fn failure(&self) -> Reason {
        match self {
            Self::Ask(_) => Reason::Lost,
            Self::Reset => Reason::Reset,
        }
    }
}

/// A connection's entry, until the server has answered or nobody can hear it any more.
struct Rest {
    rests: Arc<Rests>,
    key: usize,
    /// Weak: a loop that is closed meanwhile would never let go of a pool that names it.
    pool: Py<PyWeakrefReference>,
    member: Py<PyAny>,
    limit: Duration,
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Rest {
    fn leave(&self) -> Option<Reason> {
        self.rests
            .with(|waiting| waiting.remove(&self.key))
            .flatten()
    }

    /// `Connection.reset()`, and the pool's `init` as for a new connection.
    async fn reset(&self) -> bool {
        let begun = Python::attach(|py| -> PyResult<_> {
            let pool = self.pool.bind(py).upgrade_as::<Pool>()?;
            let policy = pool.map(|pool| pool.borrow().policy().clone());
            let reset = self.member.getattr(py, intern!(py, "reset"))?;
            Ok((
                runtime::current(py)?,
                policy,
                reset,
                self.member.clone_ref(py),
            ))
        });
        let Ok((reactor, policy, reset, member)) = begun else {
            return false;
        };
        let work = async move {
            hook::call(&reset, None).await?;
            match policy.as_ref().and_then(|policy| policy.init.as_ref()) {
                Some(init) => hook::call(init, Some(&member)).await,
                None => Ok(()),
            }
        };
        match within(&reactor, Some(Limit::Total(self.limit)), work).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                let text = "a connection is closed, as its session could not be reset: %s";
                // Logging may fail in a handler of the application's; the pool goes on.
                let _ = Python::attach(|py| log(py, text, error.into()));
                false
            }
            Err(_elapsed) => false,
        }
    }

    /// `failure`: what was wrong with the answer, if anything.
    fn end(&self, py: Python<'_>, failure: Option<Reason>) -> PyResult<()> {
        let unwanted = self.leave();
        let member = self.member.bind(py);
        let Some(pool) = self.pool.bind(py).upgrade_as::<Pool>()? else {
            return member.call_method0(intern!(py, "close")).map(drop);
        };
        let closing = pool.borrow().is_closing().then_some(Reason::Shutdown);
        if failure.is_some() {
            pool.borrow().take_out(member)?;
        }
        if let Some(reason) = unwanted.or(failure).or(closing) {
            pool.borrow().close_member(member, reason)?;
        }
        Pool::changed(&pool)
    }
}

/// Asks the server on a free connection, where its loop runs; false where it does not.
pub fn begin(
    pool: &Bound<'_, Pool>,
    member: &Bound<'_, PyAny>,
    errand: Errand,
    limit: Duration,
) -> PyResult<bool> {
    let py = pool.py();
    let link = health::native_link(member);
    let here = running_loop(py).is_ok_and(|event_loop| {
        link.as_ref()
            .is_none_or(|link| link.reactor().is_loop(&event_loop))
    });
    if !here {
        return Ok(false);
    }
    let rests = Arc::clone(pool.borrow().rests());
    rests.with(|waiting| waiting.insert(key(member), None));
    let rest = Rest {
        rests,
        key: key(member),
        pool: PyWeakrefReference::new(pool)?.unbind(),
        member: member.clone().unbind(),
        limit,
    };
    let work = async move {
        let failure = errand.failure();
        let failure = (!errand.run(&rest).await).then_some(failure);
        Python::attach(|py| {
            rest.end(py, failure)?;
            Ok(py.None())
        })
    };
    run_in_background(py, Operation::new("Pool.release", None, work))?;
    Ok(true)
}
