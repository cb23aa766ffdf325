//! ACL LOG: what was refused, newest first; the same again within a minute counts up instead.
//!
//! Invariant: never more than `acllog-max-len` entries.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::db::UnixMillis;

/// Entries that are looked at for one of the same kind.
const GROUPED_MAX: usize = 10;
/// How old such an entry may be.
const GROUPED_MS: i64 = 60_000;

/// What was not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The command.
    Command,
    /// A key.
    Key,
    /// A channel.
    Channel,
    /// A name and password.
    Auth,
}

impl Reason {
    /// As ACL LOG shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Key => "key",
            Self::Channel => "channel",
            Self::Auth => "auth",
        }
    }
}

/// Where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// A command by itself.
    Nothing,
    /// Between MULTI and EXEC, or in EXEC.
    Multi,
    /// A script.
    Script,
}

impl Within {
    /// As ACL LOG shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "toplevel",
            Self::Multi => "multi",
            Self::Script => "lua",
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was not allowed.
    pub reason: Reason,
    /// Where it was.
    pub within: Within,
    /// The command, the key, the channel, or what was called to come in.
    pub object: Vec<u8>,
    /// Who was refused.
    pub user: Vec<u8>,
    /// The connection's line of CLIENT LIST.
    pub client: Vec<u8>,
    /// When.
    pub at: UnixMillis,
}

/// One line of the log.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number.
    pub id: u64,
    /// How often.
    pub count: u64,
    /// When it was first; [`Refusal::at`] is when it was last.
    pub created: UnixMillis,
    /// What happened, as it was last.
    pub refusal: Refusal,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct AclLog {
    entries: Mutex<Entries>,
    counts: [AtomicU64; 4],
}

#[derive(Debug, Default)]
struct Entries {
    list: VecDeque<Entry>,
    next: u64,
}

impl AclLog {
    /// Adds what was refused; the oldest beyond `max` go.
    pub fn add(&self, refusal: Refusal, max: u64) {
        self.counts[refusal.reason as usize].fetch_add(1, Ordering::Relaxed);
        let mut entries = self.entries.lock();
        let is_same = |entry: &Entry| {
            let other = &entry.refusal;
            (other.reason, other.within) == (refusal.reason, refusal.within)
                && (&other.object, &other.user) == (&refusal.object, &refusal.user)
                && refusal.at.0 - other.at.0 <= GROUPED_MS
        };
        let same = entries.list.iter().take(GROUPED_MAX).position(is_same);
        let entry = match same.and_then(|at| entries.list.remove(at)) {
            Some(entry) => Entry {
                count: entry.count + 1,
                refusal,
                ..entry
            },
            None => {
                let id = entries.next;
                entries.next += 1;
                Entry {
                    id,
                    count: 1,
                    created: refusal.at,
                    refusal,
                }
            }
        };
        entries.list.push_front(entry);
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        entries.list.truncate(max);
    }

    /// The newest entries.
    pub fn newest(&self, count: usize) -> Vec<Entry> {
        let entries = self.entries.lock();
        entries.list.iter().take(count).cloned().collect()
    }

    /// Forgets all entries.
    pub fn clear(&self) {
        self.entries.lock().list.clear();
    }

    /// How often each reason was met since the start.
    pub fn count(&self, reason: Reason) -> u64 {
        self.counts[reason as usize].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(object: &str, at: i64) -> Refusal {
        Refusal {
            reason: Reason::Key,
            within: Within::Nothing,
            object: object.into(),
            user: b"u".to_vec(),
            client: format!("at {at}").into_bytes(),
            at: UnixMillis(at),
        }
    }

    #[test]
    fn the_same_within_a_minute_counts_up_and_comes_first() {
        let log = AclLog::default();
        for (object, at) in [("a", 0), ("b", 1), ("a", 60_000), ("b", 60_002)] {
            log.add(refusal(object, at), 128);
        }
        let entries = log.newest(9);
        let shown: Vec<_> = entries
            .iter()
            .map(|entry| (entry.id, entry.count, entry.created.0, entry.refusal.at.0))
            .collect();
        assert_eq!(
            shown,
            [(2, 1, 60_002, 60_002), (0, 2, 0, 60_000), (1, 1, 1, 1)]
        );
        assert_eq!(entries[1].refusal.client, b"at 60000");
        assert_eq!((log.count(Reason::Key), log.count(Reason::Auth)), (4, 0));
    }

    #[test]
    fn what_differs_in_anything_is_an_entry_of_its_own() {
        let log = AclLog::default();
        let one = refusal("a", 0);
        let (mut user, mut multi, mut reason) = (one.clone(), one.clone(), one.clone());
        user.user = b"v".to_vec();
        multi.within = Within::Multi;
        reason.reason = Reason::Channel;
        for refusal in [one, user, multi, reason] {
            log.add(refusal, 3);
        }
        assert_eq!(log.newest(9).len(), 3);
        log.clear();
        assert!(log.newest(9).is_empty());
        log.add(refusal("a", 0), 0);
        assert!(log.newest(9).is_empty());
    }
}
