//! What a node watches so that an operator hears of it: its clock against its masters', stamps from the future, the memory that
//! waits for somebody who is away, and being read without reading anybody.
//!
//! Invariant: an alarm changes no data. Only the clock acts: one that most masters see ahead of theirs by more than the limit runs,
//! for stamps and deadlines, by theirs.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::db::origin::ORIGINS_MAX;
use crate::db::{Hlc, Origin, UnixMillis};
use crate::replication::node::{Inner, LinkId, Node};

/// Lives in the dictionary from which on there will soon be no room.
const LIVES_ALARMING: usize = ORIGINS_MAX / 4 * 3;
/// Milliseconds between two warnings of stamps from the future.
const WARNING_PERIOD_MS: i64 = 60_000;

/// From where on something is alarming; may change at any time.
#[derive(Debug)]
pub struct Limits {
    max_clock_ahead_ms: AtomicI64,
    tombstone_bytes: AtomicU64,
    replaced_after_ms: AtomicI64,
    silence_ms: AtomicU64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_clock_ahead_ms: AtomicI64::new(i64::MAX),
            tombstone_bytes: AtomicU64::new(u64::MAX),
            replaced_after_ms: AtomicI64::new(0),
            silence_ms: AtomicU64::new(60_000),
        }
    }
}

impl Limits {
    /// How far a clock may be ahead, what may wait in memory to be settled, and how long nothing may be heard of a node at whose
    /// address another one answers (0 for ever).
    pub fn set(&self, max_clock_ahead_ms: i64, tombstone_bytes: u64, replaced_after_ms: i64) {
        self.max_clock_ahead_ms
            .store(max_clock_ahead_ms, Ordering::Relaxed);
        self.tombstone_bytes
            .store(tombstone_bytes, Ordering::Relaxed);
        self.replaced_after_ms
            .store(replaced_after_ms, Ordering::Relaxed);
    }

    /// Silence after which a connection between nodes is given up: `repl-timeout`.
    pub fn silence(&self) -> Duration {
        Duration::from_millis(self.silence_ms.load(Ordering::Relaxed))
    }

    /// Changes that.
    pub fn set_silence(&self, silence: Duration) {
        let silence_ms = u64::try_from(silence.as_millis()).unwrap_or(u64::MAX);
        self.silence_ms.store(silence_ms, Ordering::Relaxed);
    }

    /// Whether a node of which nothing was heard for so long is gone for good.
    pub(super) fn is_gone_after(&self, silent_ms: i64) -> bool {
        let replaced_after_ms = self.replaced_after_ms.load(Ordering::Relaxed);
        replaced_after_ms > 0 && silent_ms >= replaced_after_ms
    }
}

/// Something an operator should see to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// This node's clock is ahead of its masters'.
    ClockAhead,
    /// Deletes and operations wait for somebody, and take much memory.
    TombstoneMemory,
    /// Masters read this node, and it reads nobody: nothing settles.
    ReadsNobody,
    /// The dictionary of lives is nearly full.
    ManyLives,
}

impl Alarm {
    const ALL: [Self; 4] = [
        Self::ClockAhead,
        Self::TombstoneMemory,
        Self::ReadsNobody,
        Self::ManyLives,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::ClockAhead => "clock-ahead",
            Self::TombstoneMemory => "tombstone-memory",
            Self::ReadsNobody => "reads-nobody",
            Self::ManyLives => "many-lives",
        }
    }
}

/// Which alarms are on, and what they go by.
#[derive(Debug, Default)]
pub(super) struct Watch {
    on: u8,
    warned: Option<UnixMillis>,
}

impl Watch {
    /// Says whether the alarm went on (`Some(true)`) or off with this.
    fn set(&mut self, alarm: Alarm, on: bool) -> Option<bool> {
        let bit = 1 << alarm as u8;
        let was = self.on & bit != 0;
        self.on = if on { self.on | bit } else { self.on & !bit };
        (was != on).then_some(on)
    }

    fn is_on(&self, alarm: Alarm) -> bool {
        self.on & 1 << alarm as u8 != 0
    }
}

impl Node {
    /// Looks at everything that may be alarming.
    pub(super) fn watch(&self, inner: &mut Inner) {
        self.watch_clock(inner);
        self.watch_memory(inner);
        self.watch_entries(inner);
        self.watch_lives(inner);
    }

    /// What a master said of the clocks: its own by the wall was `theirs`, and it is sure that this node's is `ours_ahead_ms`
    /// ahead of it.
    pub(super) fn compare_clocks(
        &self,
        link: LinkId,
        theirs: UnixMillis,
        wall: UnixMillis,
        ours_ahead_ms: i64,
    ) {
        if let Some(info) = self.inner.lock().links.get_mut(&link) {
            // A message takes time: what shows is the least that their clock can be ahead.
            info.theirs_ahead_ms = theirs.0.saturating_sub(wall.0).max(0);
            info.ours_ahead_ms = ours_ahead_ms.max(0);
        }
    }

    /// How far a peer's clock is ahead of this node's, at least.
    pub fn clock_ahead_of_mine(&self, peer: Origin) -> i64 {
        let inner = self.inner.lock();
        let links = inner.links.values();
        links
            .filter(|link| link.master == Some(peer))
            .map(|link| link.theirs_ahead_ms)
            .max()
            .unwrap_or(0)
    }

    fn watch_clock(&self, inner: &mut Inner) {
        let links = inner.links.values().filter(|link| link.master.is_some());
        let mut told: Vec<i64> = links.map(|link| link.ours_ahead_ms).collect();
        if told.is_empty() {
            return;
        }
        told.sort_unstable_by(|one, other| other.cmp(one));
        let median = told[told.len() / 2];
        let limit = self.limits.max_clock_ahead_ms.load(Ordering::Relaxed);
        let excess = if median > limit { median } else { 0 };
        self.keyspace.set_clock_excess(excess);
        match inner.watch.set(Alarm::ClockAhead, excess > 0) {
            Some(true) => {
                self.counters.clock_alarms.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(
                    ahead_ms = excess,
                    "this node's clock is ahead of its masters'; until it is set right, stamps and deadlines follow theirs"
                );
            }
            Some(false) => tracing::info!("this node's clock agrees with its masters' again"),
            None => {}
        }
    }

    /// A record from elsewhere has this stamp. One from the future is taken in like any other, for refusing it would be worse.
    pub(super) fn watch_stamp(&self, stamp: Hlc, origin: Origin, now: UnixMillis) {
        let limit = self.limits.max_clock_ahead_ms.load(Ordering::Relaxed);
        let ahead = stamp.millis().0.saturating_sub(now.0);
        if ahead <= limit {
            return;
        }
        self.counters.stamps_ahead.fetch_add(1, Ordering::Relaxed);
        let mut inner = self.inner.lock();
        let warned = inner.watch.warned;
        if warned.is_none_or(|warned| (now.0 - warned.0).abs() >= WARNING_PERIOD_MS) {
            inner.watch.warned = Some(now);
            tracing::warn!(%origin, ahead_ms = ahead, "writes arrive that are stamped in the future: they win over all until then");
        }
    }

    fn watch_memory(&self, inner: &mut Inner) {
        let bytes = self.keyspace.pending_bytes();
        let limit = self.limits.tombstone_bytes.load(Ordering::Relaxed);
        match inner
            .watch
            .set(Alarm::TombstoneMemory, bytes as u64 > limit)
        {
            Some(true) => tracing::warn!(
                bytes,
                "deletes and operations that wait to be settled take more than replication-tombstone-memory; MESH STATUS says who \
                 holds them back: bring it back or forget it"
            ),
            Some(false) => tracing::info!("what waited to be settled is within its limit again"),
            None => {}
        }
    }

    fn watch_entries(&self, inner: &mut Inner) {
        let me = inner.state.node;
        let members = &inner.state.table.members;
        let is_read = members
            .nodes
            .iter()
            .filter(|(id, member)| **id != me && !member.is_forgotten())
            .any(|(_, member)| member.entries.iter().any(|entry| entry.met == Some(me)));
        let reads = members
            .nodes
            .get(&me)
            .is_some_and(|member| !member.entries.is_empty());
        match inner.watch.set(Alarm::ReadsNobody, is_read && !reads) {
            Some(true) => tracing::warn!(
                "masters read this node, and it reads nobody: it needs a replicaof line, else nothing settles"
            ),
            Some(false) => tracing::info!("nobody is read without reading any more"),
            None => {}
        }
    }

    fn watch_lives(&self, inner: &mut Inner) {
        let lives = self.keyspace.origins.len();
        if let Some(true) = inner.watch.set(Alarm::ManyLives, lives >= LIVES_ALARMING) {
            tracing::warn!(
                lives,
                most = ORIGINS_MAX,
                "nodes have started so often that their lives will soon be too many: give those that started most a new identity \
                 (stop, delete node.state, start, MESH FORGET the old id), then start the others once"
            );
        }
    }

    /// All alarms there are, and whether each is on.
    pub fn alarm_states(&self) -> Vec<(&'static str, bool)> {
        let inner = self.inner.lock();
        let all = Alarm::ALL.iter();
        all.map(|alarm| (alarm.name(), inner.watch.is_on(*alarm)))
            .collect()
    }

    /// The names of the alarms that are on, with commas.
    pub fn alarms(&self) -> String {
        let inner = self.inner.lock();
        let on = Alarm::ALL.iter().filter(|alarm| inner.watch.is_on(**alarm));
        on.map(|alarm| alarm.name()).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests;
