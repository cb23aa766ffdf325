//! Streams as the oracle sees them: maps of entries, of what is pending, of consumers.

use std::collections::{BTreeMap, BTreeSet};

use keymesh::db::Op;
use keymesh::db::stream::StreamId;
use keymesh::db::stream::change::Action;
use keymesh::db::stream::{NodeLimits, content};

type Name = Vec<u8>;

/// A group.
#[derive(Debug, Clone, PartialEq, Default)]
struct Group {
    last: StreamId,
    read: Option<u64>,
    /// Whose, when, how often, and whether it was no entry here by then.
    pending: BTreeMap<StreamId, (Name, i64, u64, bool)>,
    /// When it was seen, and when it got something.
    consumers: BTreeMap<Name, (i64, Option<i64>)>,
    /// What came late under ids that it had passed.
    missed: BTreeSet<StreamId>,
}

/// What a group has been given, which no node knows.
#[derive(Debug, Clone)]
struct Book {
    /// Up to here somebody told it to pass.
    floor: StreamId,
    given: BTreeSet<StreamId>,
}

/// A stream.
#[derive(Clone, Default)]
pub struct Stream {
    entries: BTreeMap<StreamId, Vec<(Name, Name)>>,
    last: StreamId,
    added: u64,
    max_deleted: StreamId,
    groups: BTreeMap<Name, Group>,
    books: BTreeMap<Name, Book>,
}

impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        self.shown() == other.shown()
    }
}

/// What it shows.
impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Stream").field(&self.shown()).finish()
    }
}

impl Stream {
    fn shown(&self) -> impl std::fmt::Debug + PartialEq + '_ {
        let head = (self.last, self.added, self.max_deleted);
        (&self.entries, head, &self.groups)
    }

    /// From the bytes of a whole one.
    pub fn of(bytes: &[u8]) -> Self {
        let read = content::read(bytes, NodeLimits::default());
        let entries = read.entries.range(StreamId::MIN, StreamId::MAX);
        let owned = |(name, value): (&[u8], &[u8])| (name.to_vec(), value.to_vec());
        let group = |(name, group): (&[u8], &keymesh::db::stream::Group)| {
            let pending = group.pending().iter().map(|(id, pending)| {
                let whose = pending.consumer.to_vec();
                (*id, (whose, pending.at, pending.count, pending.unseen))
            });
            let consumers = group.consumers().iter();
            let consumers = consumers.map(|(name, one)| (name.to_vec(), (one.seen, one.active)));
            let group = Group {
                last: group.last_id,
                read: group.read,
                pending: pending.collect(),
                consumers: consumers.collect(),
                missed: group.missed(StreamId::MAX).collect(),
            };
            (name.to_vec(), group)
        };
        Self {
            entries: entries
                .map(|entry| (entry.id, entry.fields.iter().map(owned).collect()))
                .collect(),
            last: read.head.last_id,
            added: read.head.added,
            max_deleted: read.head.max_deleted,
            groups: read.groups().map(group).collect(),
            books: BTreeMap::new(),
        }
    }

    /// Carries out an operation of streams.
    pub fn apply(&mut self, op: Op<'_>) {
        match op {
            Op::XAdd(id, pairs) => {
                if self.entries.contains_key(&id) {
                    return;
                }
                let pairs = pairs
                    .iter()
                    .map(|(name, value)| (name.to_vec(), value.to_vec()));
                self.entries.insert(id, pairs.collect());
                if id <= self.last {
                    let passed = self.groups.values_mut().filter(|group| group.last >= id);
                    for group in passed {
                        group.missed.insert(id);
                    }
                }
                self.last = self.last.max(id);
                self.added += 1;
                self.nothing_is_lost();
            }
            Op::XDel(is_deleted, ids) => {
                for id in ids.iter() {
                    if self.entries.remove(&id).is_some() && is_deleted {
                        self.max_deleted = self.max_deleted.max(id);
                    }
                }
            }
            Op::XTrim(id) => self.entries.retain(|own, _| *own > id),
            Op::XSetId(set) => {
                let newest = self.entries.keys().next_back().copied();
                self.last = set.id.max(newest.unwrap_or_default());
                self.added = set.added.unwrap_or(self.added);
                self.max_deleted = set.max_deleted.unwrap_or(self.max_deleted);
                for (name, group) in &self.groups {
                    if let Some(book) = self.books.get_mut(name) {
                        book.floor = book.floor.max(group.last);
                    }
                }
            }
            Op::XGroup(change) => {
                let (name, action) = change.parts().expect("an operation was checked");
                self.write_down(name, action);
                self.act(name, action);
                self.nothing_is_lost();
            }
            _ => {}
        }
    }

    fn write_down(&mut self, name: &[u8], action: Action<'_>) {
        let passes = |floor| Book {
            floor,
            given: BTreeSet::new(),
        };
        let is_there = self.groups.contains_key(name);
        match action {
            Action::Created { id, .. } if !is_there => {
                self.books.insert(name.to_vec(), passes(id));
            }
            Action::SetId { id, .. } if is_there => {
                self.books.insert(name.to_vec(), passes(id));
            }
            Action::Delivered { ids, .. } => {
                if let Some(book) = self.books.get_mut(name) {
                    book.given.extend(ids.iter());
                }
            }
            Action::Claimed { last, .. } => {
                if let Some(book) = self.books.get_mut(name) {
                    book.floor = book.floor.max(last);
                }
            }
            _ => {}
        }
    }

    /// Whatever a group has passed it was given, or was told to pass, or will be given yet.
    fn nothing_is_lost(&self) {
        for (name, group) in &self.groups {
            // One that came with a whole stream has no book.
            let Some(book) = self.books.get(name) else {
                continue;
            };
            for id in self.entries.keys().filter(|id| **id <= group.last) {
                let is_kept = *id <= book.floor || book.given.contains(id);
                assert!(is_kept || group.missed.contains(id), "{id:?} is lost");
            }
        }
    }

    fn act(&mut self, name: &[u8], action: Action<'_>) {
        if let Action::Created { id, read, .. } = action {
            let group = Group {
                last: id,
                read,
                ..Group::default()
            };
            self.groups.entry(name.to_vec()).or_insert(group);
            return;
        }
        if action == Action::Destroyed {
            self.groups.remove(name);
            return;
        }
        let entries = &self.entries;
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        match action {
            Action::SetId { id, read } => {
                (group.last, group.read) = (id, read);
                group.missed.clear();
            }
            Action::Consumer { consumer, now } => group.see(consumer, now, false),
            Action::ConsumerGone { consumer, ids } => {
                let named: BTreeSet<StreamId> = ids.iter().collect();
                let pending = &mut group.pending;
                pending.retain(|id, (whose, ..)| *whose != consumer || !named.contains(id));
                if pending.values().all(|(whose, ..)| *whose != consumer) {
                    group.consumers.remove(consumer);
                }
            }
            Action::Delivered {
                consumer,
                now,
                no_ack,
                last,
                read,
                ids,
            } => {
                group.see(consumer, now, !no_ack);
                // Whoever delivered had not heard of these.
                let passed = entries
                    .keys()
                    .filter(|id| **id > group.last && **id <= last);
                let skipped = passed.filter(|id| ids.iter().all(|other| other != **id));
                group.missed.extend(skipped);
                if last > group.last {
                    self.last = self.last.max(last);
                }
                if last >= group.last {
                    (group.last, group.read) = (last, read);
                }
                group
                    .missed
                    .retain(|id| ids.iter().all(|other| other != *id));
                for id in ids.iter().filter(|_| !no_ack) {
                    let is_absent = !entries.contains_key(&id);
                    group
                        .pending
                        .insert(id, (consumer.to_vec(), now, 1, is_absent));
                }
            }
            Action::Acknowledged(ids) => ids.iter().for_each(|id| drop(group.pending.remove(&id))),
            Action::Claimed {
                consumer,
                now,
                last,
                force,
                again,
                claims,
            } => {
                group.see(consumer, now, !again && claims.iter().count() > 0);
                group.last = group.last.max(last);
                for claim in claims.iter() {
                    let was = group.pending.get(&claim.id);
                    if force || was.is_some() {
                        let unseen = was.is_none_or(|(.., unseen)| *unseen);
                        let unseen = unseen && !entries.contains_key(&claim.id);
                        let new = (consumer.to_vec(), claim.at, claim.count, unseen);
                        group.pending.insert(claim.id, new);
                    }
                }
            }
            Action::Created { .. } | Action::Destroyed => {}
        }
    }
}

impl Group {
    fn see(&mut self, consumer: &[u8], now: i64, gets: bool) {
        let (seen, active) = self
            .consumers
            .entry(consumer.to_vec())
            .or_insert((now, None));
        *seen = now.max(*seen);
        if gets {
            *active = Some(active.map_or(now, |active| active.max(now)));
        }
    }
}
