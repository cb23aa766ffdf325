//! A walk over all partitions that shows one instant while writes go on: what a full sync sends, and what a file keeps.
//!
//! Invariant: no hold is longer than a look at one segment; what a large collection comes to is made by who holds nothing.

use crate::db::follow::Changed;
pub use crate::db::follow::Lost;
use crate::db::snapshot::{WalkId, Walked};
use crate::keyspace::{Held, Keyspace};

/// Where a walk over the keyspace stands.
#[derive(Debug)]
pub struct Walk {
    id: WalkId,
    partition: usize,
}

/// Where somebody stands who follows what changes.
#[derive(Debug)]
pub struct Followed {
    id: WalkId,
    partition: usize,
}

impl Keyspace {
    /// Begins a walk at this instant. It ends by its end, or by [`Self::end_walk`].
    pub fn begin_walk(&self) -> Walk {
        self.begin_walk_in(&mut self.lock_all())
    }

    /// The same, for who has locked all partitions.
    pub fn begin_walk_in(&self, guards: &mut [Held<'_>]) -> Walk {
        let id = WalkId(self.next_walk());
        guards.iter_mut().for_each(|guard| guard.begin_walk(id));
        Walk { id, partition: 0 }
    }

    /// Appends the items of the next segment (see [`crate::db::item`]).
    pub fn walk_some(&self, walk: &mut Walk, out: &mut Vec<u8>) -> Walked {
        if walk.partition == self.partitions_len() {
            return Walked::All;
        }
        let mut shared = Vec::new();
        let mut partition = self.lock(walk.partition);
        let walked = partition.walk_next(walk.id, out, &mut shared);
        drop(partition);
        for large in shared {
            large.encode(out);
        }
        match walked {
            Walked::All => {
                walk.partition += 1;
                Walked::More
            }
            walked => walked,
        }
    }

    /// Gives a walk up.
    pub fn end_walk(&self, walk: &Walk) {
        for index in walk.partition..self.partitions_len() {
            self.lock(index).end_walk(walk.id);
        }
    }

    /// Begins a walk at this instant, and to follow what changes behind it. Following ends by [`Self::unfollow`].
    pub fn follow_from_now(&self) -> (Walk, Followed) {
        let mut guards = self.lock_all();
        let walk = self.begin_walk_in(&mut guards);
        let id = walk.id;
        guards.iter_mut().for_each(|guard| guard.follow(id));
        (walk, Followed { id, partition: 0 })
    }

    /// Takes up to `most` keys of one partition that have changed. False once all partitions were looked at, as often as each has
    /// something, since it last said so.
    pub fn take_changed(
        &self,
        followed: &mut Followed,
        most: usize,
        out: &mut Changed,
    ) -> Result<bool, Lost> {
        let mut partition = self.lock(followed.partition);
        let is_more = partition.take_changed(followed.id, most, out)?;
        drop(partition);
        if !is_more {
            followed.partition = (followed.partition + 1) % self.partitions_len();
        }
        Ok(is_more || followed.partition != 0)
    }

    /// Follows no more, and gives the walk up.
    pub fn unfollow(&self, followed: &Followed) {
        for index in 0..self.partitions_len() {
            let mut partition = self.lock(index);
            partition.unfollow(followed.id);
            partition.end_walk(followed.id);
        }
    }
}
