//! The script that runs: how long it has, whether it has written, and who wants it stopped.
//!
//! Invariant: of "it writes" and "it is killed" the first one counts; a script that was killed has written nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
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
    /// The function's name, where it is one.
    pub function: Option<String>,
    /// The call, where others can see it.
    pub command: Vec<Vec<u8>>,
}

/// What is shown of the run.
#[derive(Debug, Default)]
struct Named {
    function: Option<String>,
    command: Vec<Vec<u8>>,
}

/// See the head of the file. What a short script needs of it is a few numbers, which cost no lock.
#[derive(Debug)]
pub struct Running {
    keyspace: Arc<Keyspace>,
    state: AtomicU8,
    /// What times are counted from.
    start: Instant,
    /// When the run began, in nanoseconds.
    since: AtomicU64,
    /// So many nanoseconds later it is stopped.
    limit: AtomicU64,
    /// So many nanoseconds later others are told that the server is busy.
    busy_after: AtomicU64,
    /// Where it runs: on its session's thread.
    is_at_once: AtomicBool,
    is_function: AtomicBool,
    /// Of a function, and of what runs apart.
    named: Mutex<Named>,
    /// It was stopped to be started again elsewhere.
    is_too_slow: AtomicBool,
    /// The server ends.
    is_ending: AtomicBool,
    generation: AtomicU32,
}

fn nanos(time: Option<Duration>) -> u64 {
    time.map_or(u64::MAX, |time| time.as_nanos() as u64)
}

impl Running {
    /// Nothing runs.
    pub fn new(keyspace: &Arc<Keyspace>) -> Self {
        Self {
            keyspace: Arc::clone(keyspace),
            state: AtomicU8::new(IDLE),
            start: Instant::now(),
            since: AtomicU64::new(0),
            limit: AtomicU64::new(u64::MAX),
            busy_after: AtomicU64::new(u64::MAX),
            is_at_once: AtomicBool::new(false),
            is_function: AtomicBool::new(false),
            named: Mutex::default(),
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
        let is_at_once = place == Place::AtOnce;
        if function.is_some() || !is_at_once {
            *self.named.lock() = Named {
                function: function.map(str::to_owned),
                command: match place {
                    Place::Apart => command(),
                    Place::AtOnce => Vec::new(),
                },
            };
        }
        self.is_too_slow.store(false, Ordering::Relaxed);
        let since = since.unwrap_or_else(Instant::now);
        let since = since.saturating_duration_since(self.start);
        self.since.store(nanos(Some(since)), Ordering::Relaxed);
        self.limit.store(u64::MAX, Ordering::Relaxed);
        self.busy_after.store(nanos(busy_after), Ordering::Relaxed);
        self.is_at_once.store(is_at_once, Ordering::Relaxed);
        self.is_function
            .store(function.is_some(), Ordering::Relaxed);
        // Who sees this sees all that.
        self.state.store(CLEAN, Ordering::Release);
    }

    /// A library is loaded.
    pub(super) fn begin_loading(&self) {
        self.begin(Place::Apart, None, Some(""), None, Vec::new);
        self.limit.store(nanos(Some(LOAD_MAX)), Ordering::Relaxed);
    }

    /// It has ended: how long it took, and whether it was killed.
    pub(super) fn end(&self) -> (Duration, bool) {
        let took = self.took();
        if self.is_function.load(Ordering::Relaxed) || !self.is_at_once.load(Ordering::Relaxed) {
            *self.named.lock() = Named::default();
        }
        if self.state.load(Ordering::Relaxed) == WRITTEN {
            // Nobody else changes that.
            self.state.store(IDLE, Ordering::Release);
            return (took, false);
        }
        (took, self.state.swap(IDLE, Ordering::SeqCst) == KILLED)
    }

    /// How long the run has taken so far.
    fn took(&self) -> Duration {
        let since = Duration::from_nanos(self.since.load(Ordering::Relaxed));
        self.start.elapsed().saturating_sub(since)
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
        let took = self.took();
        let is_over = |after: &AtomicU64| took.as_nanos() as u64 >= after.load(Ordering::Relaxed);
        if is_over(&self.limit) {
            return false;
        }
        let is_at_once = self.is_at_once.load(Ordering::Relaxed);
        if is_at_once && took > AT_ONCE_MAX && !self.has_written() {
            self.is_too_slow.store(true, Ordering::Relaxed);
            return false;
        }
        if is_over(&self.busy_after) {
            self.keyspace.gate.set_busy();
        }
        true
    }

    /// Stops what runs, if it has not written. `is_function` is the kind that is meant.
    pub fn kill(&self, is_function: bool) -> Killed {
        match self.state.load(Ordering::Acquire) {
            IDLE => return Killed::Nothing,
            CLEAN | KILLED if self.is_function() != is_function => return Killed::OtherKind,
            _ => {}
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
        if self.state.load(Ordering::Acquire) == IDLE {
            return None;
        }
        let since = Duration::from_nanos(self.since.load(Ordering::Relaxed));
        let named = self.named.lock();
        Some(Run {
            since: self.start + since,
            function: self
                .is_function()
                .then(|| named.function.clone().unwrap_or_default()),
            command: named.command.clone(),
        })
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
        self.is_function.load(Ordering::Relaxed)
    }
}
