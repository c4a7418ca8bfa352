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

/// The time was up.
#[derive(Debug, thiserror::Error)]
#[error("timed out")]
pub struct Elapsed;

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
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    /// The whole work, from its first wait.
    Total(Duration),
    /// Each wait: the time in which nothing at all happens.
    Silence(Duration),
}

impl Limit {
    fn duration(self) -> Duration {
        match self {
            Self::Total(duration) | Self::Silence(duration) => duration,
        }
    }
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
        last_progress: None,
    }
}

pub struct Deadline<F: Send + 'static> {
    reactor: Arc<Reactor>,
    limit: Option<Limit>,
    work: Option<Pin<Box<F>>>,
    timer: Option<Timer>,
    /// What the work is polled with where silence is measured.
    progress: Option<Arc<Progress>>,
    /// When the work was last polled for another reason than the timer.
    last_progress: Option<Instant>,
}

impl<F: Future + Send + 'static> Future for Deadline<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let waker = this.waker(context);
        let made_progress = this
            .progress
            .as_ref()
            .is_some_and(|progress| progress.made.swap(false, Ordering::SeqCst));
        let Some(work) = this.work.as_mut() else {
            return Poll::Ready(Err(Elapsed));
        };
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Poll::Ready(Ok(done));
        }
        let Some(limit) = this.limit else {
            return Poll::Pending;
        };
        match this.timer.take() {
            Some(timer) if timer.shared.fired.load(Ordering::SeqCst) => {
                // Both may have come in one turn of the loop.
                if made_progress {
                    this.last_progress = Some(Instant::now());
                }
                let Some(rest) = this.rest(limit) else {
                    this.give_up();
                    return Poll::Ready(Err(Elapsed));
                };
                this.timer = Timer::set(&this.reactor, rest, context.waker());
            }
            Some(timer) => {
                *lock(&timer.shared.waker) = Some(context.waker().clone());
                this.timer = Some(timer);
                this.last_progress = Some(Instant::now());
            }
            None => {
                this.timer = Timer::set(&this.reactor, limit.duration(), context.waker());
                this.last_progress = Some(Instant::now());
            }
        }
        Poll::Pending
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

    /// What is left although the timer has fired; None where the time is up.
    fn rest(&self, limit: Limit) -> Option<Duration> {
        match (limit, self.last_progress) {
            (Limit::Silence(most), Some(last)) => most
                .checked_sub(last.elapsed())
                .filter(|rest| !rest.is_zero()),
            _ => None,
        }
    }

    /// The work may hold a connection, and this is the middle of a poll.
    fn give_up(&mut self) {
        discard(self.work.take());
    }
}

/// A running timer of the event loop; cancelled when it is dropped.
struct Timer {
    shared: Arc<Shared>,
    handle: Py<PyAny>,
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
    fn set(reactor: &Arc<Reactor>, after: Duration, waker: &Waker) -> Option<Self> {
        let shared = Arc::new(Shared {
            fired: AtomicBool::new(false),
            waker: Mutex::new(Some(waker.clone())),
        });
        let alarm = Alarm(Arc::clone(&shared));
        let handle = Python::attach(|py| {
            let event_loop = reactor.event_loop(py)?;
            event_loop
                .call_method1(intern!(py, "call_later"), (after.as_secs_f64(), alarm))
                .ok()
                .map(Bound::unbind)
        });
        handle.map(|handle| Self { shared, handle })
    }
}
