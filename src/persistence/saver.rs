//! Who saves, when, and how it went.
//!
//! Invariant: one save at a time. Whoever claims it files what came of it, a panic included.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::db::UnixMillis;
use crate::keyspace::Keyspace;
use crate::persistence::save::{Progress, SaveOptions, save};

/// How long a save that failed is not tried again by a save point.
const RETRY: Duration = Duration::from_secs(5);

/// A save is due after so much time and so many changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavePoint {
    /// How long ago the last one is.
    pub after: Duration,
    /// How many changes there were since.
    pub changes: u64,
}

/// What kind of save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One that somebody waits for.
    Save,
    /// One in the background.
    Background,
    /// The base of an append-only file, in the background.
    Rewrite,
}

/// Another save is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

/// What INFO shows.
#[derive(Debug, Clone, Default)]
pub struct SaverStatus {
    /// Changes since the last save.
    pub changes: u64,
    /// When the one that is under way in the background began.
    pub running: Option<Duration>,
    /// The same of a base that is rewritten.
    pub rewriting: Option<Duration>,
    /// One is to be.
    pub is_rewrite_scheduled: bool,
    /// Bases that were rewritten, and how the last one went.
    pub rewrites: Rewrites,
    /// Keys that it has written.
    pub keys_written: u64,
    /// When the last one was that came to a file, in seconds since 1970; the start where there was none.
    pub last_save: u64,
    /// Whether the last one in the background failed.
    pub has_failed: bool,
    /// How long the last one in the background took.
    pub last_took: Option<Duration>,
    /// How many came to a file.
    pub saves: u64,
    /// Keys of the file that was loaded, and those of it that had expired.
    pub loaded: (u64, u64),
}

/// What was rewritten.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rewrites {
    /// How many were begun.
    pub begun: u64,
    /// Whether the last one failed.
    pub has_failed: bool,
    /// How long it took.
    pub last_took: Option<Duration>,
    /// How many have failed in a row.
    pub failures: u64,
}

#[derive(Debug)]
struct State {
    running: Option<Running>,
    /// This one is to follow.
    scheduled: Option<Kind>,
    last_save: u64,
    last_saved_at: Instant,
    last_try: Option<Instant>,
    last_took: Option<Duration>,
    saves: u64,
    changes_saved: u64,
    flushes_saved: u64,
    loaded: (u64, u64),
    rewrites: Rewrites,
}

#[derive(Debug)]
struct Running {
    since: Instant,
    kind: Kind,
    progress: Arc<Progress>,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Saver {
    keyspace: Arc<Keyspace>,
    state: Mutex<State>,
    /// The last one in the background failed.
    has_failed: AtomicBool,
    /// Told whenever one has ended.
    ended: Notify,
}

impl Saver {
    /// That of a keyspace which nobody has saved yet.
    pub fn new(keyspace: Arc<Keyspace>) -> Self {
        Self {
            keyspace,
            state: Mutex::new(State {
                running: None,
                scheduled: None,
                last_save: unix_seconds(),
                last_saved_at: Instant::now(),
                last_try: None,
                last_took: None,
                saves: 0,
                changes_saved: 0,
                flushes_saved: 0,
                loaded: (0, 0),
                rewrites: Rewrites::default(),
            }),
            has_failed: AtomicBool::new(false),
            ended: Notify::new(),
        }
    }

    /// Begins a save, which is carried out by [`Claim::carry_out`].
    pub fn claim(self: &Arc<Self>, kind: Kind) -> Result<Claim, Busy> {
        let mut state = self.state.lock();
        if state.running.is_some() {
            return Err(Busy);
        }
        let progress = Arc::<Progress>::default();
        state.running = Some(Running {
            since: Instant::now(),
            kind,
            progress: Arc::clone(&progress),
        });
        if state.scheduled == Some(kind) {
            state.scheduled = None;
        }
        if kind == Kind::Background {
            tracing::info!("Background saving started");
            state.last_try = Some(Instant::now());
        }
        Ok(Claim {
            saver: Arc::clone(self),
            progress,
            kind,
            outcome: None,
        })
    }

    /// Has the next one follow as soon as it can.
    pub fn schedule(&self, kind: Kind) {
        self.state.lock().scheduled = Some(kind);
    }

    /// What kind is under way.
    pub fn running(&self) -> Option<Kind> {
        let state = self.state.lock();
        state.running.as_ref().map(|running| running.kind)
    }

    /// What is to begin in the background, by one of these save points or because it was asked for.
    pub fn due(&self, points: &[SavePoint]) -> Option<Kind> {
        let state = self.state.lock();
        if state.running.is_some() {
            return None;
        }
        if state.scheduled.is_some() {
            return state.scheduled;
        }
        let failed = self.has_failed();
        if points.is_empty() || failed && state.last_try.is_some_and(|last| last.elapsed() <= RETRY)
        {
            return None;
        }
        let since = state.last_saved_at.elapsed();
        let passed = points.iter().filter(|point| since > point.after);
        let fewest = passed.map(|point| point.changes).min();
        let (saved, flushes) = (state.changes_saved, state.flushes_saved);
        drop(state);
        if self.keyspace.flushes() != flushes {
            // What was flushed is not to come back, as in Redis.
            return Some(Kind::Background);
        }
        let changes = self.keyspace.changes().saturating_sub(saved);
        fewest
            .is_some_and(|fewest| changes >= fewest)
            .then_some(Kind::Background)
    }

    /// Whether the last save in the background failed.
    #[inline]
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// Calls a save off that is under way, and waits until it has ended.
    pub async fn call_off(&self) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            match &self.state.lock().running {
                None => return,
                Some(running) => running.progress.is_cancelled.store(true, Ordering::Relaxed),
            }
            ended.await;
        }
    }

    /// So much was loaded of a file: what the keyspace shows now is what is kept.
    pub fn loaded(&self, keys: u64, expired: u64) {
        let changes = self.keyspace.changes();
        let mut state = self.state.lock();
        state.loaded = (keys, expired);
        state.changes_saved = changes;
    }

    /// All of it.
    pub fn status(&self) -> SaverStatus {
        let changes = self.keyspace.changes();
        let state = self.state.lock();
        let running = state.running.as_ref();
        let took = |kind| {
            let running = running.filter(|running| running.kind == kind);
            running.map(|running| running.since.elapsed())
        };
        SaverStatus {
            changes: changes.saturating_sub(state.changes_saved),
            running: took(Kind::Background),
            rewriting: took(Kind::Rewrite),
            is_rewrite_scheduled: state.scheduled == Some(Kind::Rewrite),
            rewrites: state.rewrites,
            keys_written: running
                .map_or(0, |running| running.progress.keys.load(Ordering::Relaxed)),
            last_save: state.last_save,
            has_failed: self.has_failed(),
            last_took: state.last_took,
            saves: state.saves,
            loaded: state.loaded,
        }
    }

    /// When the last one was that came to a file, in seconds since 1970.
    pub fn last_save(&self) -> u64 {
        self.state.lock().last_save
    }
}

/// The right to save.
#[derive(Debug)]
pub struct Claim {
    saver: Arc<Saver>,
    progress: Arc<Progress>,
    kind: Kind,
    /// How many changes and flushes the file shows.
    outcome: Option<(u64, u64)>,
}

impl Claim {
    /// Of what kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Saves. Takes long: not for a thread that serves.
    pub fn carry_out(mut self, options: &SaveOptions, now: UnixMillis) -> std::io::Result<()> {
        let keyspace = &self.saver.keyspace;
        // Before the instant that the file shows: a change between the two is counted again.
        let shown = (keyspace.changes(), keyspace.flushes());
        let since = Instant::now();
        match save(keyspace, options, now, &self.progress) {
            Ok(keys) => {
                self.outcome = Some(shown);
                let took = since.elapsed();
                tracing::info!(keys, ?took, "DB saved on disk");
                Ok(())
            }
            Err(error) => {
                let shown = options.path.display();
                tracing::warn!(%error, "Write error saving DB on disk ({shown})");
                Err(error)
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = self.saver.state.lock();
        let running = state.running.take();
        let took = running.map(|running| running.since.elapsed());
        let was_called_off = self.progress.is_cancelled.load(Ordering::Relaxed);
        let is_done = self.outcome.is_some();
        if self.kind == Kind::Rewrite {
            let rewrites = &mut state.rewrites;
            rewrites.begun += 1;
            rewrites.last_took = took;
            rewrites.has_failed = !is_done;
            rewrites.failures = if is_done { 0 } else { rewrites.failures + 1 };
        } else {
            if let Some((changes, flushes)) = self.outcome {
                state.changes_saved = changes;
                state.flushes_saved = flushes;
                state.last_save = unix_seconds();
                state.last_saved_at = Instant::now();
                state.saves += 1;
                // One by hand shows, too, that the disk takes it again.
                self.saver.has_failed.store(false, Ordering::Relaxed);
            }
            if self.progress.is_lost.load(Ordering::Relaxed) && self.kind == Kind::Background {
                state.scheduled = Some(self.kind);
            } else if self.kind == Kind::Background && !was_called_off {
                state.last_took = took;
                self.saver.has_failed.store(!is_done, Ordering::Relaxed);
            }
        }
        drop(state);
        self.saver.ended.notify_waiters();
    }
}

fn unix_seconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}
