//! Deadlines, by the event loop's own timers: a tokio timer would not wake the loop.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use pyo3::intern;
use pyo3::prelude::*;

use super::graveyard::discard;
use super::{Reactor, lock};

/// The time was up: that much.
#[derive(Debug, thiserror::Error)]
#[error("timed out")]
pub struct Elapsed(pub Duration);

#[derive(Default)]
struct Shared {
    fired: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// What `loop.call_later` calls.
#[pyclass(frozen, module = "aiomysql._native")]
struct Alarm(Arc<Shared>);

#[pymethods]
impl Alarm {
    fn __call__(&self) {
        self.0.fired.store(true, Ordering::SeqCst);
        let waker = lock(&self.0.waker).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Wakes the operation, and remembers that it was not the timer that did.
struct Progress {
    made: AtomicBool,
    operation: Waker,
}

impl Wake for Progress {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.made.store(true, Ordering::SeqCst);
        self.operation.wake_by_ref();
    }
}

/// What a deadline bounds.
pub enum Limit {
    /// The whole work, from its first wait.
    Total(Duration),
    /// Each wait: the time in which nothing at all happens. How long this one may be is asked
    /// whenever the work has to wait; None: as long as it takes.
    Silence(Box<dyn Fn() -> Option<Duration> + Send + Sync>),
}

/// `work`, but within a limit; without one where it is None.
///
/// The timer is set when the work first has to wait, so work that is ready at once costs nothing.
pub fn within<F: Future + Send + 'static>(
    reactor: &Arc<Reactor>,
    limit: Option<Limit>,
    work: F,
) -> Deadline<F> {
    Deadline {
        reactor: Arc::clone(reactor),
        limit,
        work: Some(Box::pin(work)),
        timer: None,
        progress: None,
        since: None,
    }
}

pub struct Deadline<F: Send + 'static> {
    reactor: Arc<Reactor>,
    limit: Option<Limit>,
    work: Option<Pin<Box<F>>>,
    timer: Option<Timer>,
    /// What the work is polled with where silence is measured.
    progress: Option<Arc<Progress>>,
    /// When the work that is bounded, or the wait, began.
    since: Option<Instant>,
}

impl<F: Future + Send + 'static> Future for Deadline<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let waker = this.waker(context);
        // Both the timer and something else may have come in one turn of the loop.
        let fired = this.timer.take_if(|timer| timer.has_fired()).is_some();
        let has_progressed = !fired
            || this
                .progress
                .as_ref()
                .is_some_and(|progress| progress.made.load(Ordering::SeqCst));
        if let Some(progress) = &this.progress {
            progress.made.store(false, Ordering::SeqCst);
        }
        let Some(work) = this.work.as_mut() else {
            return Poll::Ready(Err(Elapsed(Duration::ZERO)));
        };
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Poll::Ready(Ok(done));
        }
        match this.keep_waiting(has_progressed, context.waker()) {
            Ok(()) => Poll::Pending,
            Err(elapsed) => {
                // The work may hold a connection, and this is the middle of a poll.
                discard(this.work.take());
                Poll::Ready(Err(elapsed))
            }
        }
    }
}

impl<F: Send + 'static> Deadline<F> {
    /// The waker for the work: the operation's own unless silence is measured.
    fn waker(&mut self, context: &Context<'_>) -> Waker {
        if !matches!(self.limit, Some(Limit::Silence(_))) {
            return context.waker().clone();
        }
        match &self.progress {
            Some(known) if known.operation.will_wake(context.waker()) => {
                Waker::from(Arc::clone(known))
            }
            _ => {
                let progress = Arc::new(Progress {
                    made: AtomicBool::new(false),
                    operation: context.waker().clone(),
                });
                self.progress = Some(Arc::clone(&progress));
                Waker::from(progress)
            }
        }
    }

    /// Sees to it that a timer wakes the operation when its time is up, unless that is now.
    fn keep_waiting(&mut self, has_progressed: bool, waker: &Waker) -> Result<(), Elapsed> {
        let now = Instant::now();
        let most = match &self.limit {
            None => return Ok(()),
            Some(Limit::Total(most)) => Some(*most),
            Some(Limit::Silence(most)) => {
                if has_progressed {
                    self.since = Some(now);
                }
                most()
            }
        };
        let since = *self.since.get_or_insert(now);
        // A time that cannot be counted is no limit.
        let Some((most, due)) = most.and_then(|most| Some((most, since.checked_add(most)?))) else {
            self.timer = None;
            return Ok(());
        };
        if !has_progressed && due <= now {
            return Err(Elapsed(most));
        }
        match &self.timer {
            // One that comes too early is set anew then.
            Some(timer) if timer.due <= due => timer.wakes(waker),
            _ => self.timer = Timer::set(&self.reactor, now, due, waker),
        }
        Ok(())
    }
}

/// A running timer of the event loop; cancelled when it is dropped.
struct Timer {
    shared: Arc<Shared>,
    handle: Py<PyAny>,
    due: Instant,
}

impl Drop for Timer {
    fn drop(&mut self) {
        let _ = Python::try_attach(|py| {
            // Fails only on a closed loop, whose timers are gone anyway.
            let _ = self.handle.call_method0(py, intern!(py, "cancel"));
        });
    }
}

impl Timer {
    /// None where the loop sets no timers any more: it is closing, and the operation with it.
    fn set(reactor: &Arc<Reactor>, now: Instant, due: Instant, waker: &Waker) -> Option<Self> {
        let shared = Arc::new(Shared {
            fired: AtomicBool::new(false),
            waker: Mutex::new(Some(waker.clone())),
        });
        let alarm = Alarm(Arc::clone(&shared));
        let seconds = due.saturating_duration_since(now).as_secs_f64();
        let handle = Python::attach(|py| {
            let event_loop = reactor.event_loop(py)?;
            event_loop
                .call_method1(intern!(py, "call_later"), (seconds, alarm))
                .ok()
                .map(Bound::unbind)
        });
        handle.map(|handle| Self {
            shared,
            handle,
            due,
        })
    }

    fn has_fired(&self) -> bool {
        self.shared.fired.load(Ordering::SeqCst)
    }

    fn wakes(&self, waker: &Waker) {
        *lock(&self.shared.waker) = Some(waker.clone());
    }
}
