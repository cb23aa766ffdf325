//! A whole stream: its entries, what it remembers beside them, and its consumer groups.
//!
//! Invariant: no entry's id comes after `head.last_id`. A stream may have no entries and be there all the same. `groups_bytes` is
//! the memory of all groups with their names.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::group::Group;
use super::pieces::Pieces;
use super::{Entries, StreamId, content};
use crate::db::shared;

/// What a stream remembers beside its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// The last id that was given.
    pub last_id: StreamId,
    /// How many entries were ever added.
    pub added: u64,
    /// The greatest id that was ever deleted.
    pub max_deleted: StreamId,
}

/// See the head of the file.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// The entries.
    pub entries: Entries,
    /// See [`Head`].
    pub head: Head,
    pub(super) groups: BTreeMap<Box<[u8]>, Arc<Group>>,
    pub(super) groups_bytes: usize,
}

/// Of two that show the same, however their entries lie in blocks.
impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        let bytes = |stream: &Self| {
            let mut bytes = Vec::new();
            content::write(stream, &mut bytes);
            bytes
        };
        bytes(self) == bytes(other)
    }
}

impl Stream {
    /// Memory beside itself.
    pub fn len_bytes(&self) -> usize {
        self.entries.len_bytes() + self.groups_bytes
    }

    /// A group.
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.get(name).map(|group| &**group)
    }

    /// All groups in the order of their names.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.groups.iter().map(|(name, group)| (&**name, &**group))
    }

    /// Puts a group in, or takes one out; what was there.
    pub(super) fn put_group(&mut self, name: &[u8], new: Option<Arc<Group>>) -> Option<Arc<Group>> {
        let len_bytes = |group: &Group| name.len() + group.len_bytes();
        let old = match new {
            Some(group) => {
                self.groups_bytes += len_bytes(&group);
                self.groups.insert(name.into(), group)
            }
            None => self.groups.remove(name),
        };
        if let Some(old) = &old {
            self.groups_bytes -= len_bytes(old);
        }
        old
    }

    /// Changes a group, if it is there.
    pub(super) fn change_group<R>(
        &mut self,
        name: &[u8],
        f: impl FnOnce(&mut Group) -> R,
    ) -> Option<R> {
        let group = self.groups.get_mut(name)?;
        let before = group.len_bytes();
        let group = shared::own(group);
        let result = f(group);
        self.groups_bytes = self.groups_bytes - before + group.len_bytes();
        Some(result)
    }

    /// The first entry's id; none's where there is no entry.
    pub fn first_id(&self) -> StreamId {
        self.entries.first().unwrap_or(StreamId::MIN)
    }

    /// Whether a deleted entry may have stood at or behind an id.
    pub fn has_gaps_from(&self, id: StreamId) -> bool {
        !self.entries.is_empty()
            && self.head.max_deleted != StreamId::MIN
            && id <= self.head.max_deleted
    }

    /// How many of all entries that ever were had come up to an id, where that can be told.
    pub fn added_up_to(&self, id: StreamId) -> Option<u64> {
        let (head, len) = (&self.head, self.entries.len() as u64);
        if head.added == 0 {
            return Some(0);
        }
        if len == 0 && id <= head.last_id {
            return Some(head.added);
        }
        // What was deleted behind it cannot be counted.
        if id != StreamId::MIN && id < head.max_deleted {
            return None;
        }
        let first = self.first_id();
        match id.cmp(&head.last_id) {
            std::cmp::Ordering::Equal => return Some(head.added),
            std::cmp::Ordering::Greater => return None,
            std::cmp::Ordering::Less => {}
        }
        if head.max_deleted != StreamId::MIN && head.max_deleted >= first {
            return None;
        }
        match id.cmp(&first) {
            std::cmp::Ordering::Less => Some(head.added.wrapping_sub(len)),
            std::cmp::Ordering::Equal => Some(head.added.wrapping_sub(len).wrapping_add(1)),
            std::cmp::Ordering::Greater => None,
        }
    }

    /// Of these parts: no entry comes behind the last id.
    pub fn from_parts(entries: Entries, head: Head, groups: Vec<(Box<[u8]>, Group)>) -> Self {
        let mut stream = Self {
            entries,
            head,
            ..Self::default()
        };
        for (name, group) in groups {
            stream.put_group(&name, Some(Arc::new(group)));
        }
        stream
    }

    /// Reckons how much groups have read, where it can be told.
    pub fn estimate_read(&mut self) {
        let read = |group: &Arc<Group>| self.added_up_to(group.last_id);
        let all: Vec<_> = self.groups.values().map(read).collect();
        for (group, read) in self.groups.values_mut().zip(all) {
            shared::own(group).read = read;
        }
    }

    /// Gives everything up, to be freed in pieces.
    pub fn into_pieces(self) -> Pieces {
        Pieces::new(self)
    }
}
