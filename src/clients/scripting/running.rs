//! The script that runs: how long it has, whether it has written, and who wants it stopped.
//!
//! Invariant: of "it writes" and "it is killed" the first one counts; a script that was killed has written nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::clients::errors;
use crate::keyspace::Keyspace;

/// Whoever runs on a session's thread for longer than this, and has written nothing, is started again on another one.
const AT_ONCE_MAX: Duration = Duration::from_millis(5);

/// How long loading a library may take.
const LOAD_MAX: Duration = Duration::from_millis(500);

const IDLE: u8 = 0;
const CLEAN: u8 = 1;
const WRITTEN: u8 = 2;
const KILLED: u8 = 3;

/// Where a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the thread of its session, which others wait for.
    AtOnce,
    /// On one of its own.
    Apart,
}

/// What SCRIPT KILL and its kin come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killed {
    /// It will stop.
    Done,
    /// Nothing runs.
    Nothing,
    /// It has written.
    HasWritten,
    /// It is of the other kind: EVAL's, or a function.
    OtherKind,
}

/// What is known of the run.
#[derive(Debug, Clone)]
pub struct Run {
    /// When it began.
    pub since: Instant,
    place: Place,
    /// It is stopped then.
    limit: Option<Duration>,
    busy_after: Option<Duration>,
    /// The function's name, where it is one.
    pub function: Option<String>,
    /// The call.
    pub command: Vec<Vec<u8>>,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Running {
    keyspace: Arc<Keyspace>,
    state: AtomicU8,
    run: Mutex<Option<Run>>,
    /// It was stopped to be started again elsewhere.
    is_too_slow: AtomicBool,
    /// The server ends.
    is_ending: AtomicBool,
    generation: AtomicU32,
}

impl Running {
    /// Nothing runs.
    pub fn new(keyspace: &Arc<Keyspace>) -> Self {
        Self {
            keyspace: Arc::clone(keyspace),
            state: AtomicU8::new(IDLE),
            run: Mutex::default(),
            is_too_slow: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
            generation: AtomicU32::new(0),
        }
    }

    /// A number for another machine.
    pub(super) fn next_generation(&self) -> u32 {
        self.generation.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A script begins, or has begun a moment ago. `command` is only asked for where others can see it.
    pub(super) fn begin(
        &self,
        place: Place,
        busy_after: Option<Duration>,
        function: Option<&str>,
        since: Option<Instant>,
        command: impl FnOnce() -> Vec<Vec<u8>>,
    ) {
        self.is_too_slow.store(false, Ordering::Relaxed);
        let command = if place == Place::Apart {
            command()
        } else {
            Vec::new()
        };
        *self.run.lock() = Some(Run {
            since: since.unwrap_or_else(Instant::now),
            place,
            limit: None,
            busy_after,
            function: function.map(str::to_owned),
            command,
        });
        self.state.store(CLEAN, Ordering::SeqCst);
    }

    /// A library is loaded.
    pub(super) fn begin_loading(&self) {
        self.begin(Place::Apart, None, Some(""), None, Vec::new);
        if let Some(run) = self.run.lock().as_mut() {
            run.limit = Some(LOAD_MAX);
        }
    }

    /// It has ended: how long it took, and whether it was killed.
    pub(super) fn end(&self) -> (Duration, bool) {
        let was = self.state.swap(IDLE, Ordering::SeqCst);
        let run = self.run.lock().take();
        let took = run.map(|run| run.since.elapsed()).unwrap_or_default();
        (took, was == KILLED)
    }

    /// It is about to write: whether it may.
    pub(super) fn may_write(&self) -> bool {
        if self.state.load(Ordering::Relaxed) == WRITTEN {
            return true;
        }
        let was = self
            .state
            .compare_exchange(CLEAN, WRITTEN, Ordering::SeqCst, Ordering::SeqCst);
        was.is_ok()
    }

    /// Whether it has written.
    pub(super) fn has_written(&self) -> bool {
        self.state.load(Ordering::SeqCst) == WRITTEN
    }

    /// Whether it was stopped to be started again elsewhere.
    pub(super) fn is_too_slow(&self) -> bool {
        self.is_too_slow.load(Ordering::Relaxed)
    }

    /// Asked now and then while it runs.
    pub(super) fn may_go_on(&self) -> bool {
        if self.is_ending.load(Ordering::Relaxed) || self.state.load(Ordering::SeqCst) == KILLED {
            return false;
        }
        let run = self.run.lock();
        let Some(run) = run.as_ref() else {
            return true;
        };
        let took = run.since.elapsed();
        if run.limit.is_some_and(|limit| took > limit) {
            return false;
        }
        if run.place == Place::AtOnce && took > AT_ONCE_MAX && !self.has_written() {
            self.is_too_slow.store(true, Ordering::Relaxed);
            return false;
        }
        if run.busy_after.is_some_and(|after| took >= after) {
            self.keyspace.gate.set_busy();
        }
        true
    }

    /// Stops what runs, if it has not written. `is_function` is the kind that is meant.
    pub fn kill(&self, is_function: bool) -> Killed {
        {
            let run = self.run.lock();
            match run.as_ref() {
                None => return Killed::Nothing,
                Some(run) if run.function.is_some() != is_function => return Killed::OtherKind,
                Some(_) => {}
            }
        }
        let was = self
            .state
            .compare_exchange(CLEAN, KILLED, Ordering::SeqCst, Ordering::SeqCst);
        match was {
            Ok(_) | Err(KILLED) => Killed::Done,
            Err(IDLE) => Killed::Nothing,
            Err(_) => Killed::HasWritten,
        }
    }

    /// The server ends: nothing runs on, whatever it has written.
    pub fn end_all(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }

    /// The server goes on after all.
    pub fn go_on(&self) {
        self.is_ending.store(false, Ordering::Relaxed);
    }

    /// What runs now.
    pub fn present(&self) -> Option<Run> {
        self.run.lock().clone()
    }

    /// What others are told while it runs for long.
    pub fn busy_text(&self) -> &'static str {
        if self.is_function() {
            errors::BUSY_FUNCTION
        } else {
            errors::BUSY_SCRIPT
        }
    }

    /// Whether what runs is a function.
    fn is_function(&self) -> bool {
        let run = self.run.lock();
        run.as_ref().is_some_and(|run| run.function.is_some())
    }
}
