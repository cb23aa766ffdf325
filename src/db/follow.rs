//! Which keys have changed since somebody began to follow: what he has to be told anew. However often a key changes before he looks, it
//! is told once, as it is then.
//!
//! Invariant: whoever tells all that a walk shows and, behind it, all that has changed since that walk began, has told what the
//! partition shows.

use hashbrown::HashSet;

use crate::db::item::Shared;
use crate::db::partition::{Key, Partition, place_of};
use crate::db::snapshot::{Image, WalkId};

/// Names of changed keys that are kept, in bytes; beyond that whoever follows has to begin anew.
const KEPT_BYTES: usize = 64 * 1024 * 1024;

/// Of so many keys that change at once, all is told anew instead.
const AT_ONCE_MAX: usize = 16 * 1024;
/// What a name takes beside its bytes.
const NAME: usize = size_of::<(u32, Box<[u8]>)>();

/// Who follows.
#[derive(Debug)]
pub(super) struct Follower {
    id: WalkId,
    changed: HashSet<(u32, Box<[u8]>)>,
    bytes: usize,
    is_lost: bool,
}

/// Some of what has changed.
#[derive(Debug, Default)]
pub struct Changed {
    /// Items of keys that are there, see [`crate::db::item`].
    pub items: Vec<u8>,
    /// Large ones, whose items are made by who holds no partition.
    pub large: Vec<Shared>,
    /// Keys that are gone.
    pub gone: Vec<(u32, Box<[u8]>)>,
}

/// Nobody can tell any more what has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

impl Follower {
    fn note(&mut self, db: u32, key: &[u8]) {
        if self.is_lost {
            return;
        }
        // Most change again and again.
        let name = (db, Box::from(key));
        if self.changed.insert(name) {
            self.bytes += key.len() + NAME;
            if self.bytes > KEPT_BYTES {
                self.lose();
            }
        }
    }

    fn lose(&mut self) {
        self.is_lost = true;
        self.changed = HashSet::new();
    }
}

impl Partition {
    /// Notes from now on what changes.
    pub fn follow(&mut self, id: WalkId) {
        self.followers.push(Follower {
            id,
            changed: HashSet::new(),
            bytes: 0,
            is_lost: false,
        });
    }

    /// Does so no more.
    pub fn unfollow(&mut self, id: WalkId) {
        self.followers.retain(|follower| follower.id != id);
    }

    /// Takes up to `most` of the keys that have changed; whether there may be more.
    pub fn take_changed(
        &mut self,
        id: WalkId,
        most: usize,
        out: &mut Changed,
    ) -> Result<bool, Lost> {
        let follower = self.followers.iter_mut().find(|follower| follower.id == id);
        let follower = follower.filter(|follower| !follower.is_lost).ok_or(Lost)?;
        let some: Vec<_> = follower.changed.iter().take(most).cloned().collect();
        for name in &some {
            follower.changed.remove(name);
            follower.bytes = follower.bytes.saturating_sub(name.1.len() + NAME);
        }
        let is_more = !follower.changed.is_empty();
        for (db, bytes) in some {
            let hash = self.hasher.hash(&bytes);
            match self.image_of(
                db,
                Key {
                    bytes: &bytes,
                    hash,
                },
            ) {
                Some(Image::Item(item)) => out.items.extend_from_slice(&item),
                Some(Image::Shared(large)) => out.large.push(large),
                None => out.gone.push((db, bytes)),
            }
        }
        Ok(is_more)
    }

    /// A key changes.
    pub(super) fn note_changed(&mut self, db: u32, key: &[u8]) {
        for follower in &mut self.followers {
            follower.note(db, key);
        }
    }

    /// All of a database is about to change.
    pub(super) fn note_all_changed(&mut self, db: u32) {
        if self.followers.is_empty() {
            return;
        }
        let table = &self.dbs[place_of(db)].table;
        for follower in &mut self.followers {
            if table.len() > AT_ONCE_MAX {
                follower.lose();
            }
            table
                .iter()
                .for_each(|record| follower.note(db, record.key()));
        }
    }

    /// What is shown was replaced as a whole.
    pub(super) fn lose_followers(&mut self) {
        self.followers.iter_mut().for_each(Follower::lose);
    }
}
