//! Client-side caching: which client may have cached which key, and how it is told that a key has changed.
//!
//! In the default mode a key that a client read is remembered until it changes; in broadcasting mode a client hears of all keys with
//! its prefixes, once per round of news.
//!
//! Invariant: a key is remembered under the lock of its partition, together with the read: no change comes between.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use dashmap::DashMap;
use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::pubsub::mailbox::Mailbox;
use crate::pubsub::message::{self, Keys};
use crate::resp::Protocol;

/// What CLIENT TRACKING asked for.
#[derive(Debug, Clone, Default)]
pub struct TrackingMode {
    /// BCAST.
    pub broadcast: bool,
    /// OPTIN.
    pub opt_in: bool,
    /// OPTOUT.
    pub opt_out: bool,
    /// NOLOOP.
    pub no_loop: bool,
    /// PREFIX, in their order; in broadcasting mode at least one, which may be empty.
    pub prefixes: Vec<Bytes>,
    /// REDIRECT: whose mailbox the messages go to.
    pub redirect: Option<Arc<Mailbox>>,
}

/// A client that tracks.
#[derive(Debug, Clone)]
struct Tracker {
    mailbox: Arc<Mailbox>,
    redirect: Option<Arc<Mailbox>>,
    broadcast: bool,
    no_loop: bool,
    is_broken: Arc<AtomicBool>,
}

/// A list of fewer readers keeps those who have gone.
const PRUNED_FROM: usize = 16;

/// Clients that may have cached a key, in the order of their numbers.
pub(super) type Readers = SmallVec<[u64; 2]>;

#[derive(Debug, Default)]
struct Table {
    keys: HashMap<Bytes, Readers>,
    items: usize,
}

/// Keys, and who changed each where it was one client alone.
type Changed = BTreeMap<Bytes, Option<u64>>;

#[derive(Debug, Default)]
struct Prefix {
    clients: BTreeSet<u64>,
    /// What has changed in this round, and who did it where it was one alone.
    changed: Changed,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Tracking {
    clients: DashMap<u64, Tracker>,
    table: Mutex<Table>,
    prefixes: Mutex<BTreeMap<Bytes, Prefix>>,
    prefixes_len: AtomicUsize,
    keys_max: AtomicU64,
}

/// What INFO shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrackingCounts {
    /// Clients that track.
    pub clients: usize,
    /// Keys that somebody may have cached.
    pub keys: usize,
    /// The sum of their clients.
    pub items: usize,
    /// Prefixes that are broadcast.
    pub prefixes: usize,
}

impl Tracking {
    /// Whether anybody tracks.
    pub fn is_on(&self) -> bool {
        !self.clients.is_empty()
    }

    /// `tracking-table-max-keys`; 0 for no limit.
    pub fn set_keys_max(&self, max: u64) {
        self.keys_max.store(max, Ordering::Relaxed);
    }

    /// Tracks for a client from now on; the flag is raised where its messages have nowhere to go.
    pub fn enable(&self, mailbox: &Arc<Mailbox>, mode: &TrackingMode, is_broken: &Arc<AtomicBool>) {
        let id = mailbox.id;
        is_broken.store(false, Ordering::Relaxed);
        if mode.broadcast {
            let mut prefixes = self.prefixes.lock();
            for prefix in &mode.prefixes {
                let entry = prefixes.entry(prefix.clone()).or_default();
                entry.clients.insert(id);
            }
            self.prefixes_len.store(prefixes.len(), Ordering::Relaxed);
        }
        self.clients.insert(
            id,
            Tracker {
                mailbox: Arc::clone(mailbox),
                redirect: mode.redirect.clone(),
                broadcast: mode.broadcast,
                no_loop: mode.no_loop,
                is_broken: Arc::clone(is_broken),
            },
        );
    }

    /// Tracks for a client no more. Its places in the table stay until their keys change, as in Redis.
    pub fn disable(&self, id: u64) {
        let Some((_, tracker)) = self.clients.remove(&id) else {
            return;
        };
        if tracker.broadcast {
            let mut prefixes = self.prefixes.lock();
            prefixes.retain(|_, prefix| {
                prefix.clients.remove(&id);
                !prefix.clients.is_empty()
            });
            self.prefixes_len.store(prefixes.len(), Ordering::Relaxed);
        }
    }

    /// A client reads a key. The caller holds the key's partition.
    pub fn remember(&self, id: u64, key: &[u8]) {
        let mut table = self.table.lock();
        let table = &mut *table;
        let Some(ids) = table.keys.get_mut(key) else {
            let ids = SmallVec::from_slice(&[id]);
            table.keys.insert(Bytes::copy_from_slice(key), ids);
            table.items += 1;
            return;
        };
        let Err(at) = ids.binary_search(&id) else {
            return;
        };
        // Before the list grows, those go who have gone: it is never longer than twice its clients, and some.
        if ids.len() == ids.capacity() && ids.len() >= PRUNED_FROM {
            let before = ids.len();
            ids.retain(|known| self.clients.contains_key(known));
            table.items -= before - ids.len();
            ids.insert(ids.partition_point(|known| *known < id), id);
        } else {
            ids.insert(at, id);
        }
        table.items += 1;
    }

    /// Who may have cached a key that has changed; they are forgotten. The caller holds the key's partition, so that who reads the
    /// new value is remembered behind it.
    pub(super) fn take(&self, key: &[u8]) -> Readers {
        let mut table = self.table.lock();
        let ids = table.keys.remove(key).unwrap_or_default();
        table.items -= ids.len();
        ids
    }

    /// The same of a flush, which tells all who track.
    pub(super) fn take_all(&self) {
        *self.table.lock() = Table::default();
    }

    /// Tells that a key has changed, by this client's doing where there is one.
    pub(super) fn changed(&self, key: &[u8], ids: &[u64], by: Option<u64>) {
        self.send_to(ids, key, by);
        if self.prefixes_len.load(Ordering::Relaxed) > 0 {
            for (prefix, entry) in self.prefixes.lock().iter_mut() {
                if key.starts_with(prefix) {
                    let known = entry.changed.get(key);
                    let by = if known.is_some_and(|other| *other != by) {
                        None
                    } else {
                        by
                    };
                    entry.changed.insert(Bytes::copy_from_slice(key), by);
                }
            }
        }
    }

    fn send_to(&self, ids: &[u64], key: &[u8], by: Option<u64>) {
        let keys = [key];
        let mut letters = Letters::new(Keys::Some(&keys));
        for id in ids {
            let Some(tracker) = self.clients.get(id).map(|tracker| tracker.clone()) else {
                continue;
            };
            let is_own = tracker.no_loop && by == Some(*id);
            if !tracker.broadcast && !is_own {
                tracker.send(&mut letters);
            }
        }
    }

    /// Tells that a database was flushed.
    pub(super) fn flushed(&self) {
        let mut letters = Letters::new(Keys::All);
        let clients: Vec<Tracker> = self.clients.iter().map(|entry| entry.clone()).collect();
        for tracker in clients {
            tracker.send(&mut letters);
        }
    }

    /// A round of news is over: who hears broadcasts is told, and the table is held to its limit.
    pub(super) fn end_round(&self) {
        if self.prefixes_len.load(Ordering::Relaxed) > 0 {
            self.broadcast();
        }
        self.trim();
    }

    fn broadcast(&self) {
        let rounds: Vec<(Vec<u64>, Changed)> = self
            .prefixes
            .lock()
            .values_mut()
            .filter(|prefix| !prefix.changed.is_empty())
            .map(|prefix| {
                let clients = prefix.clients.iter().copied().collect();
                (clients, std::mem::take(&mut prefix.changed))
            })
            .collect();
        for (clients, changed) in rounds {
            let all: Vec<&[u8]> = changed.keys().map(|key| &key[..]).collect();
            let mut letters = Letters::new(Keys::Some(&all));
            for id in clients {
                let Some(tracker) = self.clients.get(&id).map(|tracker| tracker.clone()) else {
                    continue;
                };
                if !tracker.no_loop {
                    tracker.send(&mut letters);
                    continue;
                }
                let others = changed.iter().filter(|(_, by)| **by != Some(id));
                let others: Vec<&[u8]> = others.map(|(key, _)| &key[..]).collect();
                if !others.is_empty() {
                    tracker.send(&mut Letters::new(Keys::Some(&others)));
                }
            }
        }
    }

    /// Forgets keys over the limit; whoever may have cached them is told that they changed.
    fn trim(&self) {
        let max = usize::try_from(self.keys_max.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        if max == 0 {
            return;
        }
        let surplus: Vec<(Bytes, Readers)> = {
            let mut table = self.table.lock();
            let surplus = table.keys.len().saturating_sub(max);
            if surplus == 0 {
                return;
            }
            let keys: Vec<Bytes> = table.keys.keys().take(surplus).cloned().collect();
            let mut taken = Vec::with_capacity(surplus);
            for key in keys {
                let ids = table.keys.remove(&key).unwrap_or_default();
                table.items -= ids.len();
                taken.push((key, ids));
            }
            taken
        };
        for (key, ids) in surplus {
            self.send_to(&ids, &key, None);
        }
    }

    /// Whether the table is over its limit.
    pub(super) fn is_over(&self) -> bool {
        let max = self.keys_max.load(Ordering::Relaxed);
        max > 0 && self.table.lock().keys.len() as u64 > max
    }

    /// What INFO shows.
    pub fn counts(&self) -> TrackingCounts {
        let table = self.table.lock();
        TrackingCounts {
            clients: self.clients.len(),
            keys: table.keys.len(),
            items: table.items,
            prefixes: self.prefixes_len.load(Ordering::Relaxed),
        }
    }
}

/// The encodings of one invalidation, each made when it is first needed.
struct Letters<'a> {
    keys: Keys<'a>,
    made: [Option<Bytes>; 4],
}

impl<'a> Letters<'a> {
    fn new(keys: Keys<'a>) -> Self {
        Self {
            keys,
            made: Default::default(),
        }
    }

    fn get(&mut self, as_message: bool, tracker: Protocol) -> &Bytes {
        let index = usize::from(as_message) * 2 + usize::from(tracker == Protocol::Resp3);
        let keys = self.keys;
        self.made[index].get_or_insert_with(|| {
            if as_message {
                message::invalidate_by_message(keys, tracker)
            } else {
                message::invalidate(keys, tracker)
            }
        })
    }
}

impl Tracker {
    fn send(&self, letters: &mut Letters<'_>) {
        let own = self.mailbox.protocol();
        let target = match &self.redirect {
            None => &self.mailbox,
            Some(target) if target.is_open() => target,
            Some(target) => {
                self.is_broken.store(true, Ordering::Relaxed);
                if own == Protocol::Resp3 {
                    self.mailbox.post(&message::redirection_broken(target.id));
                }
                return;
            }
        };
        if target.protocol() == Protocol::Resp3 {
            target.post(letters.get(false, own));
        } else if self.redirect.is_some() && target.is_pubsub() {
            target.post(letters.get(true, own));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(id: u64) -> Arc<Mailbox> {
        let mailbox = Arc::new(Mailbox::new(id, Arc::default()));
        mailbox.set_protocol(Protocol::Resp3);
        mailbox
    }

    fn change(tracking: &Tracking, key: &[u8], by: Option<u64>) {
        let ids = tracking.take(key);
        tracking.changed(key, &ids, by);
    }

    fn letters(mailbox: &Mailbox) -> Vec<String> {
        let mut taken = Vec::new();
        mailbox.take(|letter| {
            let (first, rest) = letter.parts();
            let text = String::from_utf8([&[first], rest].concat()).unwrap();
            taken.push(text.replace("\r\n", " "));
            true
        });
        taken
    }

    #[test]
    fn a_reader_is_told_once_of_a_key_that_changed() {
        let tracking = Tracking::default();
        let client = mailbox(1);
        tracking.enable(&client, &TrackingMode::default(), &Arc::default());
        tracking.remember(1, b"k");
        tracking.remember(1, b"k");
        assert_eq!(tracking.counts().items, 1);
        change(&tracking, b"k", Some(1));
        change(&tracking, b"k", Some(1));
        assert_eq!(letters(&client), [">2 $10 invalidate *1 $1 k "]);
        tracking.take_all();
        tracking.flushed();
        assert_eq!(letters(&client), [">2 $10 invalidate _ "]);
        tracking.disable(1);
        assert_eq!(tracking.counts(), TrackingCounts::default());
    }

    #[test]
    fn readers_that_have_gone_do_not_pile_up() {
        let tracking = Tracking::default();
        let stays = mailbox(500);
        tracking.enable(&stays, &TrackingMode::default(), &Arc::default());
        tracking.remember(500, b"k");
        for id in (0..1000).rev().filter(|id| *id != 500) {
            let client = mailbox(id);
            tracking.enable(&client, &TrackingMode::default(), &Arc::default());
            tracking.remember(id, b"k");
            tracking.disable(id);
            assert!(tracking.counts().items <= 32, "{id}");
        }
        change(&tracking, b"k", None);
        assert_eq!(letters(&stays), [">2 $10 invalidate *1 $1 k "]);
        assert_eq!(tracking.counts().items, 0);
    }

    #[test]
    fn who_wants_no_loop_is_not_told_of_what_it_wrote() {
        let tracking = Tracking::default();
        let client = mailbox(1);
        let mode = TrackingMode {
            no_loop: true,
            ..TrackingMode::default()
        };
        tracking.enable(&client, &mode, &Arc::default());
        tracking.remember(1, b"k");
        change(&tracking, b"k", Some(1));
        assert_eq!(letters(&client), Vec::<String>::new());
        tracking.remember(1, b"k");
        change(&tracking, b"k", Some(2));
        assert_eq!(letters(&client).len(), 1);
    }

    #[test]
    fn a_broadcast_names_all_keys_of_its_prefix_at_once() {
        let tracking = Tracking::default();
        let (loud, quiet) = (mailbox(1), mailbox(2));
        let mode = TrackingMode {
            broadcast: true,
            prefixes: vec![Bytes::from_static(b"a")],
            ..TrackingMode::default()
        };
        tracking.enable(&loud, &mode, &Arc::default());
        let mode = TrackingMode {
            no_loop: true,
            ..mode
        };
        tracking.enable(&quiet, &mode, &Arc::default());
        for (key, by) in [(b"a1", Some(2)), (b"a2", Some(1)), (b"b1", None)] {
            change(&tracking, key, by);
        }
        tracking.end_round();
        assert_eq!(letters(&loud), [">2 $10 invalidate *2 $2 a1 $2 a2 "]);
        assert_eq!(letters(&quiet), [">2 $10 invalidate *1 $2 a2 "]);
    }

    #[test]
    fn keys_over_the_limit_are_forgotten_and_told() {
        let tracking = Tracking::default();
        tracking.set_keys_max(2);
        let client = mailbox(1);
        tracking.enable(&client, &TrackingMode::default(), &Arc::default());
        for key in [b"a", b"b", b"c"] {
            tracking.remember(1, key);
        }
        assert!(tracking.is_over());
        tracking.end_round();
        assert_eq!((tracking.counts().keys, letters(&client).len()), (2, 1));
    }

    #[test]
    fn a_redirection_to_nobody_is_told_to_who_asked_for_it() {
        let tracking = Tracking::default();
        let (client, target) = (mailbox(1), mailbox(2));
        let mode = TrackingMode {
            redirect: Some(Arc::clone(&target)),
            ..TrackingMode::default()
        };
        let is_broken = Arc::default();
        tracking.enable(&client, &mode, &is_broken);
        tracking.remember(1, b"k");
        change(&tracking, b"k", None);
        assert_eq!((letters(&client).len(), letters(&target).len()), (0, 1));
        target.close();
        tracking.remember(1, b"k");
        change(&tracking, b"k", None);
        assert_eq!(letters(&client), [">2 $21 tracking-redir-broken :2 "]);
        assert!(is_broken.load(Ordering::Relaxed));
    }
}
