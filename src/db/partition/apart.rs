//! Copies of some keys in a partition of their own, for who reads all of them and holds no other partition meanwhile. Large
//! collections share their parts with what the keys show.
//!
//! Invariant: a reader finds there what it would have found at the moment of copying.

use crate::db::live::{Live, Value};
use crate::db::partition::{Key, Partition, place_of};
use crate::db::stamp::Stamp;

impl Partition {
    /// An empty partition for copies.
    pub fn apart(&self) -> Self {
        let mut apart = Self::new(self.hasher.clone(), self.databases(), self.stamped);
        // What has expired was hidden or swept before, and goes nowhere else.
        apart.set_shared(true, self.follows);
        apart
    }

    /// Copies a key that was looked at under the same lock.
    pub fn copy_apart(&self, db: u32, key: Key<'_>, apart: &mut Self) {
        let Some(record) = self.dbs[place_of(db)].table.get(key.bytes, key.hash) else {
            return;
        };
        let stamp = record.stamp();
        let written = record.original().or(stamp.map(Stamp::time));
        let live = Live {
            value: Some(Value {
                body: record.whole().to_body(),
                deadline: record.deadline(),
            }),
            written: written.unwrap_or_default(),
        };
        apart.put_live(db, key, live, stamp, false);
    }
}
