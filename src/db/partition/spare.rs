//! Room behind long values that have grown, given back when they grow no more.
//!
//! Invariant: every record with room behind its value is noted here, unless it is too long to be copied for that.

use hashbrown::HashMap;

use crate::db::partition::{Partition, place_of};

/// Keys whose values have room, and how long they were when last looked at.
#[derive(Debug, Default)]
pub(super) struct Spare(HashMap<(u32, Box<[u8]>), usize>);

impl Spare {
    /// A value may have room from now on.
    pub fn note(&mut self, db: u32, key: &[u8]) {
        self.0.insert((db, key.into()), 0);
    }

    /// Whether a value may have room.
    #[cfg(test)]
    pub fn has(&self, db: u32, key: &[u8]) -> bool {
        self.0.contains_key(&(db, key.into()))
    }

    /// Two databases change places.
    pub fn swap(&mut self, one: u32, other: u32) {
        let swapped = |db| match db {
            db if db == one => other,
            db if db == other => one,
            db => db,
        };
        let noted = std::mem::take(&mut self.0).into_iter();
        self.0 = noted
            .map(|((db, key), len)| ((swapped(db), key), len))
            .collect();
    }
}

impl Partition {
    /// Gives back the room behind values that have not grown since the last call but one.
    pub fn give_back_spare(&mut self) {
        let mut noted = std::mem::take(&mut self.spare.0);
        noted.retain(|(db, key), seen| {
            let table = &mut self.dbs[place_of(*db)].table;
            let hash = self.hasher.hash(key);
            let left = table.change(key, hash, |record| {
                let len = record.get().shown().len();
                let grows = std::mem::replace(seen, len) != len;
                if !grows {
                    record.give_back();
                }
                grows && record.get().spare() > 0
            });
            left.unwrap_or(false)
        });
        self.spare.0 = noted;
    }
}
