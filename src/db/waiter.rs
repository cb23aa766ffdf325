//! One that waits for something to take out of a key, and the round in which those are served whom one command has something for.
//!
//! Who waits tries by itself, once it is called. It is called either by one that goes on after it - a round, which waits until the
//! try is over and then looks at the line again - or by one that does not: then it calls the next itself when it leaves.
//! Invariant: a round serves one at a time, in the order in which keys became ready and, at a key, in that of its line. What
//! becomes ready by a try comes behind what is ready already, as in Redis. A round waits for nobody who is not in a line,
//! and whoever it has served goes on when it is over.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::db::op::Kind;
use crate::db::stream::StreamId;

/// A key that came to show something while somebody waited there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// Orders those of one command.
    pub(super) ticket: u64,
    /// The database.
    pub db: u32,
    /// The key.
    pub key: Box<[u8]>,
}

/// One that waits, in one line or in several. It tries by itself when it is called: what nobody can be given any more stays.
#[derive(Debug)]
pub struct Waiter {
    pub(super) kind: Kind,
    /// Of a reader of streams.
    pub reads: Option<Reads>,
    state: Mutex<State>,
}

/// What a reader of streams waits for.
#[derive(Debug, Clone, Default)]
pub struct Reads {
    /// The group that it reads for: what one of a group is given the others are not.
    pub group: Option<Box<[u8]>>,
    /// Behind which ids, in the order of its keys.
    pub behind: Vec<StreamId>,
    /// It is given what no master can precede any more.
    pub stable: bool,
}

#[derive(Debug, Default)]
struct State {
    /// How often it was called, how many of these calls it has heard, and how many it has tried for.
    called: u64,
    heard: u64,
    tried: u64,
    /// It is in no line any more.
    is_gone: bool,
    /// Somebody called who does not go on after it.
    is_alone: bool,
    round: Option<Arc<Round>>,
    own: Option<Waker>,
    observers: Vec<Waker>,
}

impl Waiter {
    /// One that waits for this kind of value.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            reads: None,
            state: Mutex::default(),
        }
    }

    /// One that reads streams.
    pub fn of_streams(reads: Reads) -> Self {
        Self {
            reads: Some(reads),
            ..Self::new(Kind::Stream)
        }
    }

    /// The group that it reads streams for.
    pub(super) fn group(&self) -> Option<&[u8]> {
        self.reads.as_ref()?.group.as_deref()
    }

    /// Whether it waits for what is settled.
    pub(super) fn is_stable(&self) -> bool {
        self.reads.as_ref().is_some_and(|reads| reads.stable)
    }

    /// Calls it; nobody goes on after it.
    pub fn call_alone(&self) {
        let mut state = self.state.lock();
        state.is_alone = true;
        state.called += 1;
        // Taken out first: a waker is not to be called under a lock of its own.
        let waker = state.own.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Calls it for a round, which goes on after it. The number is that of the call.
    pub fn call_in(&self, round: &Arc<Round>) -> u64 {
        let mut state = self.state.lock();
        state.round = Some(Arc::clone(round));
        state.called += 1;
        let (call, waker) = (state.called, state.own.take());
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        call
    }

    /// Whether it was called since the last time that this said so.
    pub fn poll_called(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if state.called > state.heard {
            state.heard = state.called;
            return Poll::Ready(());
        }
        let old = state.own.replace(cx.waker().clone());
        drop(state);
        drop(old);
        Poll::Pending
    }

    /// Whether it has tried for this call, or left.
    pub fn poll_tried(&self, call: u64, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if state.is_gone || state.tried >= call {
            return Poll::Ready(());
        }
        state.observers.push(cx.waker().clone());
        Poll::Pending
    }

    /// It has tried for all calls that it has heard, and waits on.
    pub fn tried(&self) {
        let mut state = self.state.lock();
        state.tried = state.heard;
        let observers = std::mem::take(&mut state.observers);
        drop(state);
        observers.into_iter().for_each(Waker::wake);
    }

    /// It was called, but something holds it back: nobody is to wait for its try.
    pub fn held_back(&self) {
        self.state.lock().is_alone = true;
        self.tried();
    }

    /// It has left all its lines.
    pub fn left(&self) {
        let mut state = self.state.lock();
        state.is_gone = true;
        let observers = std::mem::take(&mut state.observers);
        drop(state);
        observers.into_iter().for_each(Waker::wake);
    }

    /// The round that it was called in, where that goes on after it.
    pub fn round(&self) -> Option<Arc<Round>> {
        let state = self.state.lock();
        let round = state.round.clone()?;
        drop(state);
        let is_over = round.state.lock().is_over;
        (!is_over).then_some(round)
    }

    /// Whether somebody else looks at its lines when it leaves them.
    pub(super) fn is_followed(&self) -> bool {
        !self.state.lock().is_alone && self.round().is_some()
    }
}

/// The keys at which somebody is to be served, until nobody is left for whom there is something.
#[derive(Debug, Default)]
pub struct Round {
    state: Mutex<RoundState>,
}

#[derive(Debug, Default)]
struct RoundState {
    keys: VecDeque<Ready>,
    is_over: bool,
    observers: Vec<Waker>,
}

impl Round {
    /// A round for these keys.
    pub fn new(mut keys: Vec<Ready>) -> Arc<Self> {
        keys.sort_by_key(|ready| ready.ticket);
        let round = Self::default();
        // It is not over.
        drop(round.add(keys));
        Arc::new(round)
    }

    /// Adds keys, unless it is over: then they are given back.
    pub fn add(&self, mut keys: Vec<Ready>) -> Result<(), Vec<Ready>> {
        let mut state = self.state.lock();
        if state.is_over {
            return Err(keys);
        }
        keys.sort_by_key(|ready| ready.ticket);
        for ready in keys {
            let mut others = state.keys.iter();
            if !others.any(|other| (other.db, &other.key) == (ready.db, &ready.key)) {
                state.keys.push_back(ready);
            }
        }
        Ok(())
    }

    /// The key whose turn it is; it is over where there is none.
    pub fn take(&self) -> Option<Ready> {
        let mut state = self.state.lock();
        let key = state.keys.pop_front();
        drop(state);
        if key.is_none() {
            self.end();
        }
        key
    }

    /// It is over; what it has not served.
    pub fn end(&self) -> Vec<Ready> {
        let mut state = self.state.lock();
        state.is_over = true;
        let observers = std::mem::take(&mut state.observers);
        let left = std::mem::take(&mut state.keys);
        drop(state);
        observers.into_iter().for_each(Waker::wake);
        left.into()
    }

    /// Whether it is over.
    pub fn poll_over(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if state.is_over {
            return Poll::Ready(());
        }
        state.observers.push(cx.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(ticket: u64, key: &str) -> Ready {
        Ready {
            ticket,
            db: 0,
            key: key.as_bytes().into(),
        }
    }

    #[test]
    fn a_round_goes_by_the_order_in_which_keys_became_ready_and_names_each_once() {
        let round = Round::new(vec![ready(2, "b"), ready(1, "a")]);
        round.add(vec![ready(3, "b"), ready(4, "c")]).unwrap();
        assert_eq!(round.take(), Some(ready(1, "a")));
        // One that was served may become ready again.
        round.add(vec![ready(5, "a")]).unwrap();
        let rest = std::iter::from_fn(|| round.take());
        assert_eq!(
            rest.collect::<Vec<_>>(),
            [ready(2, "b"), ready(4, "c"), ready(5, "a")]
        );
        assert_eq!(round.add(vec![ready(6, "a")]), Err(vec![ready(6, "a")]));
    }

    #[test]
    fn whoever_called_hears_of_the_try_or_of_the_end() {
        let mut cx = Context::from_waker(Waker::noop());
        let waiter = Waiter::new(Kind::List);
        let round = Round::new(Vec::new());
        let first = waiter.call_in(&round);
        assert!(waiter.is_followed());
        assert!(waiter.poll_tried(first, &mut cx).is_pending());
        assert!(waiter.poll_called(&mut cx).is_ready());
        // A call during a try is tried for by the next one.
        let second = waiter.call_in(&round);
        waiter.tried();
        assert!(waiter.poll_tried(first, &mut cx).is_ready());
        assert!(waiter.poll_tried(second, &mut cx).is_pending());
        assert!(waiter.poll_called(&mut cx).is_ready());
        assert!(waiter.poll_called(&mut cx).is_pending());
        waiter.left();
        assert!(waiter.poll_tried(second, &mut cx).is_ready());
        assert!(round.end().is_empty());
        assert!(!waiter.is_followed());
    }
}
