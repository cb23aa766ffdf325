//! What operations make of a stream, and what takes each back.
//!
//! Invariant: what an operation does depends on nothing but the stream and the operation; after [`Stream::take_back`] the stream
//! shows what it showed before.

use std::sync::Arc;

use super::change::{Action, GroupChange, Ids, SetId};
use super::group::{ConsumerName, Group, Pending, Times};
use super::state::{Head, Stream};
use super::{Fields, NodeLimits, StreamId};

/// What takes an operation back.
#[derive(Debug)]
pub enum Before {
    /// An entry came in; this was remembered, and these groups had passed it.
    Added(StreamId, Head, Vec<Box<[u8]>>),
    /// These entries went.
    Removed(Vec<(StreamId, usize, Box<[u8]>)>, Head),
    /// This was remembered.
    Head(Head),
    /// A group was this, or was not there.
    Group(Box<[u8]>, Option<Arc<Group>>),
    /// Parts of a group were these, and this was remembered.
    Parts(Box<[u8]>, Parts, Head),
}

/// What parts of a group were, the last that was changed last.
#[derive(Debug)]
pub struct Parts {
    last_id: StreamId,
    read: Option<u64>,
    consumers: Vec<(ConsumerName, Option<Times>)>,
    pending: Vec<(StreamId, Option<Pending>)>,
    /// Missed no more.
    missed: Vec<StreamId>,
    /// Missed now.
    skipped: Vec<StreamId>,
}

/// What a change of a group meets among the entries; nothing where keys bear no stamps, for there everything comes in its order.
#[derive(Debug, Default)]
struct Met {
    /// Entries that a delivery goes past, and that are not among those delivered: whoever delivered had not heard of them.
    skipped: Vec<StreamId>,
    /// Ids that are delivered or claimed, and that are no entry here.
    absent: Vec<StreamId>,
    /// How far a delivery takes the group on.
    last: Option<StreamId>,
}

impl Before {
    /// Bytes held beside the field itself.
    pub fn len_bytes(&self) -> usize {
        const EACH: usize = 64;
        match self {
            Self::Head(_) => 0,
            Self::Added(_, _, passed) => passed.iter().map(|name| EACH + name.len()).sum(),
            Self::Removed(gone, _) => gone.iter().map(|(_, _, pairs)| EACH + pairs.len()).sum(),
            Self::Group(name, group) => {
                name.len() + group.as_ref().map_or(0, |group| group.len_bytes())
            }
            Self::Parts(name, parts, _) => {
                name.len()
                    + EACH * (parts.consumers.len() + parts.pending.len())
                    + EACH * (parts.missed.len() + parts.skipped.len())
            }
        }
    }
}

impl Stream {
    /// An entry comes in, wherever its place is. One that is there stays what it is.
    pub fn add(&mut self, id: StreamId, fields: Fields<'_>, limits: NodeLimits) -> Option<Before> {
        if !self.entries.insert(id, fields, limits) {
            return None;
        }
        let before = self.head;
        let passed = match id <= before.last_id {
            true => self.note_missed(id),
            false => Vec::new(),
        };
        self.head.last_id = self.head.last_id.max(id);
        self.head.added = self.head.added.wrapping_add(1);
        Some(Before::Added(id, before, passed))
    }

    /// Groups that have passed an id have missed it; which of them had not before.
    fn note_missed(&mut self, id: StreamId) -> Vec<Box<[u8]>> {
        let passed = self
            .groups()
            .filter(|(_, group)| group.last_id >= id && !group.missed.contains(&id));
        let names: Vec<Box<[u8]>> = passed.map(|(name, _)| name.into()).collect();
        for name in &names {
            self.change_group(name, |group| group.missed.insert(id));
        }
        names
    }

    /// Entries go, those that are there; by XDEL, or trimmed, which is not remembered. How many went beside it; what they were only
    /// where that is `kept`.
    pub fn remove(&mut self, ids: Ids<'_>, is_trim: bool, kept: bool) -> Option<(Before, u32)> {
        let (before, mut gone, mut count) = (self.head, Vec::new(), 0);
        for id in ids.iter() {
            if kept && let Some(fields) = self.entries.get(id) {
                gone.push(kept_entry(id, fields));
            }
            if self.entries.remove(id) {
                count += 1;
                if !is_trim {
                    self.head.max_deleted = self.head.max_deleted.max(id);
                }
            }
        }
        (count > 0).then_some((Before::Removed(gone, before), count))
    }

    /// All entries up to an id go.
    pub fn trim_through(&mut self, id: StreamId, kept: bool) -> Option<(Before, u32)> {
        let gone = match kept {
            true => {
                let range = self.entries.range(StreamId::MIN, id);
                range
                    .map(|entry| kept_entry(entry.id, entry.fields))
                    .collect()
            }
            false => Vec::new(),
        };
        let count = self.entries.trim_through(id);
        (count > 0).then_some((Before::Removed(gone, self.head), count as u32))
    }

    /// XSETID. An entry that came from elsewhere may have a later id than what is set: then that is the last one.
    pub fn set_id(&mut self, set: SetId) -> Before {
        let before = self.head;
        self.head.last_id = set.id.max(self.entries.last().unwrap_or_default());
        self.head.added = set.added.unwrap_or(before.added);
        self.head.max_deleted = set.max_deleted.unwrap_or(before.max_deleted);
        Before::Head(before)
    }

    /// Something happens to a group. How much of it is told beside that: consumers or pending entries that came or went. Where keys
    /// bear stamps, whoever did it may not have heard of all that is here.
    pub fn change(&mut self, change: GroupChange<'_>, is_stamped: bool) -> Option<(Before, u32)> {
        let (name, action) = change.parts()?;
        match action {
            Action::Created { id, read, .. } => {
                // Of two masters that created it at once, the first did.
                if self.groups.contains_key(name) {
                    return None;
                }
                self.put_group(name, Some(Arc::new(Group::new(id, read))));
                Some((Before::Group(name.into(), None), 1))
            }
            Action::Destroyed => {
                let old = self.put_group(name, None)?;
                Some((Before::Group(name.into(), Some(old)), 1))
            }
            action => {
                let (head, met) = match is_stamped {
                    true => (self.head, self.meet(name, action)),
                    false => (self.head, Met::default()),
                };
                let last = met.last.unwrap_or_default();
                let (parts, count) = self.change_group(name, |group| act(group, action, met))??;
                // The entry was somewhere, and is not here, or is here no more: an id below its own comes late all the same.
                self.head.last_id = self.head.last_id.max(last);
                Some((Before::Parts(name.into(), parts, head), count))
            }
        }
    }

    /// What a change of a group meets among the entries.
    fn meet(&self, name: &[u8], action: Action<'_>) -> Met {
        let mut met = Met::default();
        let is_absent = |id: &StreamId| self.entries.get(*id).is_none();
        match (action, self.group(name)) {
            (Action::Delivered { last, ids, .. }, Some(group)) => {
                met.absent = ids.iter().filter(is_absent).collect();
                if let Some(from) = group.last_id.next().filter(|from| *from <= last) {
                    met.last = Some(last);
                    let mut delivered = ids.iter().peekable();
                    let passed = self.entries.range(from, last).map(|entry| entry.id);
                    let is_skipped = |id: &StreamId| {
                        while delivered.next_if(|other| other < id).is_some() {}
                        delivered.next_if_eq(id).is_none()
                    };
                    met.skipped = passed.filter(is_skipped).collect();
                }
            }
            (Action::Claimed { claims, .. }, Some(_)) => {
                let ids = claims.iter().map(|claimed| claimed.id);
                met.absent = ids.filter(is_absent).collect();
            }
            _ => {}
        }
        met
    }

    /// Takes back the last operation that was carried out and not taken back.
    pub fn take_back(&mut self, before: Before, limits: NodeLimits) {
        match before {
            Before::Added(id, head, passed) => {
                self.entries.take_back(id);
                for name in passed {
                    self.change_group(&name, |group| group.missed.remove(&id));
                }
                self.head = head;
            }
            Before::Removed(gone, head) => {
                for (id, len, pairs) in gone {
                    self.entries.insert(id, Fields::of(&pairs, len), limits);
                }
                self.head = head;
            }
            Before::Head(head) => self.head = head,
            Before::Group(name, group) => drop(self.put_group(&name, group)),
            Before::Parts(name, parts, head) => {
                self.head = head;
                self.change_group(&name, |group| {
                    (group.last_id, group.read) = (parts.last_id, parts.read);
                    for id in &parts.skipped {
                        group.missed.remove(id);
                    }
                    group.missed.extend(parts.missed);
                    let (gone, there): (Vec<_>, Vec<_>) = parts
                        .consumers
                        .into_iter()
                        .rev()
                        .partition(|(_, times)| times.is_none());
                    for (consumer, times) in &there {
                        group.put_consumer(consumer, *times);
                    }
                    for (id, pending) in parts.pending.into_iter().rev() {
                        group.put_pending(id, pending);
                    }
                    for (consumer, _) in gone {
                        group.put_consumer(&consumer, None);
                    }
                });
            }
        }
    }

    /// Puts a whole group in, of whoever reads all of a stream.
    pub(super) fn put_whole_group(&mut self, name: &[u8], group: Group) {
        self.put_group(name, Some(Arc::new(group)));
    }
}

fn kept_entry(id: StreamId, fields: Fields<'_>) -> (StreamId, usize, Box<[u8]>) {
    let mut pairs = Vec::new();
    fields.to_pairs(&mut pairs);
    (id, fields.len(), pairs.into_boxed_slice())
}

/// A change of a group that is there, but for its coming and going.
fn act(group: &mut Group, action: Action<'_>, met: Met) -> Option<(Parts, u32)> {
    let mut parts = Parts {
        last_id: group.last_id,
        read: group.read,
        consumers: Vec::new(),
        pending: Vec::new(),
        missed: Vec::new(),
        skipped: Vec::new(),
    };
    let mut count = 0;
    let is_absent = |id: StreamId| met.absent.binary_search(&id).is_ok();
    match action {
        Action::SetId { id, read } => {
            (group.last_id, group.read) = (id, read);
            parts.missed = std::mem::take(&mut group.missed).into_iter().collect();
        }
        Action::Consumer { consumer, now } => {
            let was = group.times_of(consumer);
            count = u32::from(was.is_none());
            let (name, consumer) = group.consumer_mut(consumer, now);
            consumer.seen = consumer.seen.max(now);
            parts.consumers.push((name, was));
        }
        Action::ConsumerGone { consumer, ids } => {
            let was = group.times_of(consumer)?;
            let name: ConsumerName = consumer.into();
            let holds = |group: &Group, id| {
                let pending = group.pending().get(&id);
                pending.is_some_and(|pending| pending.consumer == name)
            };
            for id in ids.iter() {
                if holds(group, id) {
                    let old = group.put_pending(id, None);
                    parts.pending.push((id, old));
                    count += 1;
                }
            }
            // What it was given elsewhere meanwhile is to be claimed yet.
            if group.consumer(consumer)?.pending().len() == 0 {
                group.put_consumer(&name, None);
                parts.consumers.push((name, Some(was)));
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
            let name = active(group, consumer, now, !no_ack, &mut parts);
            if last >= group.last_id {
                (group.last_id, group.read) = (last, read);
            }
            parts.missed = ids.iter().filter(|id| group.missed.remove(id)).collect();
            let skipped = met.skipped.into_iter();
            parts.skipped = skipped.filter(|id| group.missed.insert(*id)).collect();
            for id in ids.iter().filter(|_| !no_ack) {
                let pending = Pending {
                    consumer: Arc::clone(&name),
                    at: now,
                    count: 1,
                    unseen: is_absent(id),
                };
                let old = group.put_pending(id, Some(pending));
                parts.pending.push((id, old));
                count += 1;
            }
        }
        Action::Acknowledged(ids) => {
            for id in ids.iter() {
                if let Some(old) = group.put_pending(id, None) {
                    parts.pending.push((id, Some(old)));
                    count += 1;
                }
            }
        }
        Action::Claimed {
            consumer,
            now,
            last,
            force,
            again,
            claims,
        } => {
            let name = active(
                group,
                consumer,
                now,
                !again && claims.iter().next().is_some(),
                &mut parts,
            );
            group.last_id = group.last_id.max(last);
            for claimed in claims.iter() {
                let was = group.pending().get(&claimed.id);
                // What was acknowledged before that elsewhere is not pending again.
                if !force && was.is_none() {
                    continue;
                }
                let pending = Pending {
                    consumer: Arc::clone(&name),
                    at: claimed.at,
                    count: claimed.count,
                    unseen: was.is_none_or(|was| was.unseen) && is_absent(claimed.id),
                };
                let old = group.put_pending(claimed.id, Some(pending));
                parts.pending.push((claimed.id, old));
                count += 1;
            }
        }
        Action::Created { .. } | Action::Destroyed => return None,
    }
    Some((parts, count))
}

/// A consumer reads, and is new where it was not there; `gets` where it got something.
fn active(
    group: &mut Group,
    consumer: &[u8],
    now: i64,
    gets: bool,
    parts: &mut Parts,
) -> ConsumerName {
    let was = group.times_of(consumer);
    let (name, consumer) = group.consumer_mut(consumer, now);
    consumer.seen = consumer.seen.max(now);
    if gets {
        consumer.active = consumer.active.max(Some(now));
    }
    parts.consumers.push((Arc::clone(&name), was));
    name
}
