//! The queue of those who wait for a connection: first come, first served.
//!
//! Nothing is handed over through the queue. A waiter whose turn has come is told so, and takes a
//! connection itself; one that is cancelled meanwhile passes its turn on. So a cancelled waiter
//! loses nothing and blocks nobody.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::errors::{Error, Result};
use crate::runtime::lock;

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Turn {
    #[default]
    Waiting,
    /// Its turn has come.
    Called,
    /// It is taking a connection.
    Taking,
}

#[derive(Default)]
struct Place {
    number: u64,
    turn: Turn,
    /// What it is to raise instead of taking a turn.
    failure: Option<Error>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct State {
    places: VecDeque<Place>,
    next_number: u64,
}

impl State {
    fn position(&self, number: u64) -> Option<usize> {
        self.places.iter().position(|place| place.number == number)
    }
}

#[derive(Default)]
pub struct Queue(Mutex<State>);

impl Queue {
    /// A place at the end of the queue.
    pub fn join(self: &Arc<Self>) -> Ticket {
        let mut state = lock(&self.0);
        let number = state.next_number;
        state.next_number += 1;
        state.places.push_back(Place {
            number,
            ..Place::default()
        });
        Ticket {
            queue: Arc::clone(self),
            number,
        }
    }

    pub fn is_empty(&self) -> bool {
        lock(&self.0).places.is_empty()
    }

    pub fn len(&self) -> usize {
        lock(&self.0).places.len()
    }

    /// How many wait without having been called.
    pub fn waiting(&self) -> usize {
        self.count(|place| place.turn == Turn::Waiting)
    }

    /// How many have been called to a connection, and have not come for it yet.
    pub fn called(&self) -> usize {
        self.count(|place| place.turn == Turn::Called && place.failure.is_none())
    }

    fn count(&self, is_meant: impl Fn(&Place) -> bool) -> usize {
        let state = lock(&self.0);
        state.places.iter().filter(|place| is_meant(place)).count()
    }

    /// Calls the first who has not been called yet.
    pub fn call_next(&self) {
        self.tell_next(None);
    }

    /// Calls all who have not been called yet.
    pub fn call_all(&self) {
        while self.waiting() > 0 {
            self.call_next();
        }
    }

    /// Makes the first who has not been called raise `failure`; gives it back where nobody waits.
    pub fn fail_next(&self, failure: Error) -> Option<Error> {
        self.tell_next(Some(failure))
    }

    fn tell_next(&self, failure: Option<Error>) -> Option<Error> {
        let mut state = lock(&self.0);
        let mut places = state.places.iter_mut();
        let Some(place) = places.find(|place| place.turn == Turn::Waiting) else {
            return failure;
        };
        place.turn = Turn::Called;
        place.failure = failure;
        let waker = place.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        None
    }
}

/// A place in the queue. Leaving it passes a turn that was not used to the next.
pub struct Ticket {
    queue: Arc<Queue>,
    number: u64,
}

impl Ticket {
    /// Waits for this place's turn.
    pub fn called(&mut self) -> Called<'_> {
        Called { ticket: self }
    }

    /// The turn begins: it counts no longer as one of those for whom a connection is free.
    pub fn take_turn(&mut self) {
        self.turn(Turn::Taking);
    }

    /// The turn has brought nothing: waits for another one, without losing the place.
    pub fn wait_again(&mut self) {
        self.turn(Turn::Waiting);
    }

    /// The turn was used.
    pub fn leave_served(self) {
        self.turn(Turn::Waiting);
    }

    fn turn(&self, turn: Turn) {
        let mut state = lock(&self.queue.0);
        if let Some(index) = state.position(self.number) {
            state.places[index].turn = turn;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = lock(&self.queue.0);
        let place = state
            .position(self.number)
            .and_then(|index| state.places.remove(index));
        drop(state);
        if place.is_some_and(|place| place.turn != Turn::Waiting && place.failure.is_none()) {
            self.queue.call_next();
        }
    }
}

pub struct Called<'a> {
    ticket: &'a mut Ticket,
}

impl Future for Called<'_> {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ticket = &self.ticket;
        let mut state = lock(&ticket.queue.0);
        let Some(index) = state.position(ticket.number) else {
            return Poll::Ready(Ok(()));
        };
        let place = &mut state.places[index];
        if place.turn == Turn::Waiting {
            place.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        match place.failure.take() {
            Some(failure) => {
                // Its turn is spent on the failure; leaving must not pass it on.
                place.turn = Turn::Waiting;
                Poll::Ready(Err(failure))
            }
            None => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_called(ticket: &mut Ticket) -> bool {
        let mut called = std::pin::pin!(ticket.called());
        matches!(
            called
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop())),
            Poll::Ready(Ok(()))
        )
    }

    #[test]
    fn first_come_first_served() {
        let queue = Arc::new(Queue::default());
        let (mut first, mut second) = (queue.join(), queue.join());
        assert!(!is_called(&mut first));
        queue.call_next();
        assert!(is_called(&mut first));
        assert!(!is_called(&mut second));
        first.leave_served();
        assert!(!is_called(&mut second));
        queue.call_next();
        assert!(is_called(&mut second));
    }

    #[test]
    fn a_waiter_that_leaves_passes_its_turn_on() {
        let queue = Arc::new(Queue::default());
        let (first, mut second) = (queue.join(), queue.join());
        queue.call_next();
        drop(first);
        assert!(is_called(&mut second));
    }

    #[test]
    fn who_is_called_counts_until_it_comes() {
        let queue = Arc::new(Queue::default());
        let (mut first, _second) = (queue.join(), queue.join());
        queue.call_next();
        assert_eq!((queue.called(), queue.waiting()), (1, 1));
        first.take_turn();
        assert_eq!((queue.called(), queue.waiting()), (0, 1));
        drop(first);
        assert_eq!((queue.called(), queue.waiting()), (1, 0));
    }

    #[test]
    fn a_failure_is_one_waiters_alone() {
        let queue = Arc::new(Queue::default());
        let (mut first, mut second) = (queue.join(), queue.join());
        assert!(queue.fail_next(Error::NotConnected).is_none());
        let mut called = std::pin::pin!(first.called());
        let polled = called
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Err(Error::NotConnected))));
        drop(first);
        assert!(!is_called(&mut second));
        assert_eq!(queue.waiting(), 1);
    }
}
