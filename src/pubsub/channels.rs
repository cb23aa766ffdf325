//! Who subscribed to what. Beside the keyspace: no key's lock is needed to find out.
//!
//! Invariant: a channel is listed as long as somebody hears it, and no longer.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use dashmap::DashMap;
use parking_lot::RwLock;

use crate::db::glob::glob_match;
use crate::pubsub::mailbox::Mailbox;
use crate::pubsub::message;

/// What can be subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A channel.
    Channel,
    /// All channels whose names match.
    Pattern,
    /// A shard channel: a name space of its own.
    Shard,
}

type Hearers = HashMap<u64, Arc<Mailbox>, foldhash::fast::FixedState>;
type Table = DashMap<Bytes, Hearers>;

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Channels {
    channels: Table,
    shards: Table,
    patterns: RwLock<BTreeMap<Bytes, Hearers>>,
    patterns_len: AtomicUsize,
}

impl Channels {
    fn table(&self, kind: Kind) -> &Table {
        if kind == Kind::Shard {
            &self.shards
        } else {
            &self.channels
        }
    }

    /// Whether anybody would hear a message. One look-up.
    pub fn is_heard(&self, kind: Kind, channel: &[u8]) -> bool {
        kind == Kind::Channel && self.patterns_len.load(Ordering::Acquire) > 0
            || self.table(kind).contains_key(channel)
    }

    /// Puts a message into the mailboxes of all who hear it, and says how many times.
    pub fn tell(&self, kind: Kind, channel: &[u8], payload: &[u8]) -> usize {
        let mut told = 0;
        if let Some(hearers) = self.table(kind).get(channel) {
            let name: &[u8] = if kind == Kind::Shard {
                b"smessage"
            } else {
                b"message"
            };
            told += post(&hearers, &message::message(name, channel, payload));
        }
        if kind == Kind::Channel && self.patterns_len.load(Ordering::Acquire) > 0 {
            for (pattern, hearers) in self.patterns.read().iter() {
                if glob_match(pattern, channel, false) {
                    let letter = message::pattern_message(pattern, channel, payload);
                    told += post(hearers, &letter);
                }
            }
        }
        told
    }

    fn add(&self, kind: Kind, name: &Bytes, mailbox: &Arc<Mailbox>) {
        if kind == Kind::Pattern {
            let mut patterns = self.patterns.write();
            let hearers = patterns.entry(name.clone()).or_default();
            hearers.insert(mailbox.id, Arc::clone(mailbox));
            self.patterns_len.store(patterns.len(), Ordering::Release);
        } else {
            let mut hearers = self.table(kind).entry(name.clone()).or_default();
            hearers.insert(mailbox.id, Arc::clone(mailbox));
        }
    }

    fn remove(&self, kind: Kind, name: &Bytes, id: u64) {
        if kind == Kind::Pattern {
            let mut patterns = self.patterns.write();
            if let Some(hearers) = patterns.get_mut(name) {
                hearers.remove(&id);
                if hearers.is_empty() {
                    patterns.remove(name);
                }
            }
            self.patterns_len.store(patterns.len(), Ordering::Release);
        } else if let dashmap::Entry::Occupied(mut entry) = self.table(kind).entry(name.clone()) {
            entry.get_mut().remove(&id);
            if entry.get().is_empty() {
                entry.remove();
            }
        }
    }

    /// Channels or shard channels that somebody hears, those that match.
    pub fn names(&self, kind: Kind, pattern: Option<&[u8]>) -> Vec<Bytes> {
        let table = self.table(kind).iter();
        let names = table.map(|entry| entry.key().clone());
        names
            .filter(|name| pattern.is_none_or(|pattern| glob_match(pattern, name, false)))
            .collect()
    }

    /// What a client hears, by its mailbox: for those who seldom ask.
    pub fn heard_by(&self, kind: Kind, id: u64) -> Vec<Bytes> {
        if kind == Kind::Pattern {
            let patterns = self.patterns.read();
            let heard = patterns.iter().filter(|(_, all)| all.contains_key(&id));
            return heard.map(|(name, _)| name.clone()).collect();
        }
        let table = self.table(kind).iter();
        let heard = table.filter(|entry| entry.value().contains_key(&id));
        heard.map(|entry| entry.key().clone()).collect()
    }

    /// How many hear a channel.
    pub fn hearers(&self, kind: Kind, channel: &[u8]) -> usize {
        self.table(kind)
            .get(channel)
            .map_or(0, |hearers| hearers.len())
    }

    /// How many channels, patterns or shard channels are heard.
    pub fn len(&self, kind: Kind) -> usize {
        match kind {
            Kind::Pattern => self.patterns_len.load(Ordering::Acquire),
            _ => self.table(kind).len(),
        }
    }

    /// Whether nobody hears anything.
    pub fn is_empty(&self) -> bool {
        [Kind::Channel, Kind::Pattern, Kind::Shard]
            .into_iter()
            .all(|kind| self.len(kind) == 0)
    }
}

fn post(hearers: &Hearers, letter: &Bytes) -> usize {
    for mailbox in hearers.values() {
        mailbox.post(letter);
    }
    hearers.len()
}

/// What one client subscribed to, in its order. Dropping it ends all.
#[derive(Debug)]
pub struct Subscriptions {
    channels: Arc<Channels>,
    mailbox: Arc<Mailbox>,
    names: [names::Names; 3],
}

impl Subscriptions {
    /// Nothing yet.
    pub fn new(channels: Arc<Channels>, mailbox: Arc<Mailbox>) -> Self {
        Self {
            channels,
            mailbox,
            names: Default::default(),
        }
    }

    /// Hears a name from now on; false where it did already.
    pub fn subscribe(&mut self, kind: Kind, name: &[u8]) -> bool {
        let names = &mut self.names[kind as usize];
        if names.contains(name) {
            return false;
        }
        let name = Bytes::copy_from_slice(name);
        names.insert(name.clone());
        self.mailbox.set_count(kind, names.len());
        self.channels.add(kind, &name, &self.mailbox);
        true
    }

    /// Hears a name no more.
    pub fn unsubscribe(&mut self, kind: Kind, name: &[u8]) {
        let names = &mut self.names[kind as usize];
        if let Some(name) = names.take(name) {
            self.mailbox.set_count(kind, names.len());
            self.channels.remove(kind, &name, self.mailbox.id);
        }
    }

    /// All names of a kind.
    pub fn names(&self, kind: Kind) -> Vec<Bytes> {
        self.names[kind as usize].to_vec()
    }

    /// What the answer to a subscription counts: channels and patterns together, shard channels alone.
    pub fn count(&self, kind: Kind) -> usize {
        let len = |kind: Kind| self.names[kind as usize].len();
        match kind {
            Kind::Shard => len(Kind::Shard),
            _ => len(Kind::Channel) + len(Kind::Pattern),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.iter().all(|names| names.len() == 0)
    }
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        for kind in [Kind::Channel, Kind::Pattern, Kind::Shard] {
            for name in self.names(kind) {
                self.unsubscribe(kind, &name);
            }
        }
    }
}

/// Names in the order of their subscriptions, found by hash.
mod names {
    use std::collections::{BTreeMap, HashMap};

    use bytes::Bytes;

    #[derive(Debug, Default)]
    pub(super) struct Names {
        by_name: HashMap<Bytes, u64>,
        by_order: BTreeMap<u64, Bytes>,
        next: u64,
    }

    impl Names {
        pub(super) fn contains(&self, name: &[u8]) -> bool {
            self.by_name.contains_key(name)
        }

        pub(super) fn insert(&mut self, name: Bytes) {
            self.by_name.insert(name.clone(), self.next);
            self.by_order.insert(self.next, name);
            self.next += 1;
        }

        pub(super) fn take(&mut self, name: &[u8]) -> Option<Bytes> {
            self.by_order.remove(&self.by_name.remove(name)?)
        }

        pub(super) fn len(&self) -> usize {
            self.by_name.len()
        }

        pub(super) fn to_vec(&self) -> Vec<Bytes> {
            self.by_order.values().cloned().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscriber(channels: &Arc<Channels>, id: u64) -> (Arc<Mailbox>, Subscriptions) {
        let mailbox = Arc::new(Mailbox::new(id, Arc::default()));
        let subscriptions = Subscriptions::new(Arc::clone(channels), Arc::clone(&mailbox));
        (mailbox, subscriptions)
    }

    #[test]
    fn a_message_reaches_who_hears_its_channel_and_who_hears_a_pattern_of_it() {
        let channels = Arc::new(Channels::default());
        let (one, mut first) = subscriber(&channels, 1);
        let (two, mut second) = subscriber(&channels, 2);
        assert!(!channels.is_heard(Kind::Channel, b"news"));
        assert!(first.subscribe(Kind::Channel, b"news"));
        assert!(!first.subscribe(Kind::Channel, b"news"));
        second.subscribe(Kind::Pattern, b"n*");
        second.subscribe(Kind::Pattern, b"x*");
        second.subscribe(Kind::Shard, b"news");
        assert_eq!(channels.tell(Kind::Channel, b"news", b"x"), 2);
        assert_eq!((one.len(), two.len()), (1, 1));
        assert_eq!(channels.tell(Kind::Shard, b"news", b"x"), 1);
        assert_eq!((one.len(), two.len()), (1, 2));
        assert_eq!(
            (second.count(Kind::Pattern), second.count(Kind::Shard)),
            (2, 1)
        );
        assert!(two.is_pubsub());
    }

    #[test]
    fn who_goes_is_heard_of_no_more() {
        let channels = Arc::new(Channels::default());
        let (mailbox, mut gone) = subscriber(&channels, 1);
        gone.subscribe(Kind::Channel, b"a");
        gone.subscribe(Kind::Pattern, b"b");
        gone.subscribe(Kind::Shard, b"c");
        assert!(!channels.is_empty());
        drop(gone);
        assert!(channels.is_empty() && !mailbox.is_pubsub());
        assert_eq!(channels.tell(Kind::Channel, b"a", b""), 0);
    }
}
