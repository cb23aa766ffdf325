//! SWAPDB: two databases of a partition change places, with all that belongs to them.
//!
//! Invariant: only in plain manner, where nothing waits under the number of a database.

use crate::db::partition::{Key, Partition, place_of};

impl Partition {
    /// Lets two databases change places; says whether it could.
    pub fn swap(&mut self, one: u32, other: u32) -> bool {
        let is_known = |db: u32| db < self.databases();
        if self.stamped || !is_known(one) || !is_known(other) {
            return false;
        }
        if one == other {
            return true;
        }
        if self.is_walked() {
            self.save_swapped(one, other);
        }
        self.lose_followers();
        self.touch_all(one);
        self.touch_all(other);
        self.dbs.swap(place_of(one), place_of(other));
        self.spare.swap(one, other);
        self.touch_all(one);
        self.touch_all(other);
        true
    }

    /// Saves how each key of either database is in both of them.
    fn save_swapped(&mut self, one: u32, other: u32) {
        let records = [one, other].map(|db| &self.dbs[place_of(db)].table);
        let keys: Vec<Box<[u8]>> = records
            .into_iter()
            .flat_map(|table| table.iter())
            .map(|record| record.key().into())
            .collect();
        for bytes in &keys {
            let hash = self.hasher.hash(bytes);
            self.save_preimage(one, Key { bytes, hash });
            self.save_preimage(other, Key { bytes, hash });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::item::{self, BaseValue};
    use crate::db::snapshot::{WalkId, Walked};
    use crate::db::table::KeyHasher;
    use crate::db::varint::Reader;
    use crate::db::{Expiry, Hlc, Op, Origins, Stamp, UnixMillis, WriteContext};
    use std::collections::BTreeMap;

    type Seen = BTreeMap<(u32, Vec<u8>), Vec<u8>>;

    fn set(partition: &mut Partition, db: u32, key: &str, value: &str) {
        let origins = Origins::default();
        let context = WriteContext {
            stamp: Stamp::ZERO,
            now: UnixMillis(0),
            settled: Hlc::ZERO,
            origins: &origins,
        };
        let bytes = key.as_bytes();
        let hash = partition.hasher.hash(bytes);
        let op = Op::Set(value.as_bytes(), Expiry::Clear);
        partition.apply(db, Key { bytes, hash }, op, &context);
    }

    #[test]
    fn a_walk_shows_the_databases_as_they_were_when_it_began() {
        for steps_before in 0..40 {
            let mut partition = Partition::new(KeyHasher::new(3), 3, false);
            let mut expected = Seen::new();
            for nth in 0..400 {
                let (db, key) = (nth % 2, format!("key:{}", nth % 300));
                set(&mut partition, db, &key, &format!("{nth}"));
                expected.insert((db, key.into_bytes()), format!("{nth}").into_bytes());
            }
            partition.begin_walk(WalkId(1));
            let mut sent = Vec::new();
            let mut goes_on = true;
            for step in 0.. {
                if step == steps_before {
                    assert!(partition.swap(0, 1) && partition.swap(1, 2));
                    set(&mut partition, 0, "key:1", "later");
                    set(&mut partition, 2, "new", "later");
                }
                if !goes_on {
                    break;
                }
                let walked = partition.walk_next(WalkId(1), &mut sent, &mut Vec::new());
                goes_on = walked == Walked::More;
            }
            let (mut reader, mut seen) = (Reader::new(&sent), Seen::new());
            while !reader.is_empty() {
                let item = item::decode(&mut reader, &|index| Some(index)).unwrap();
                let Some(BaseValue::String(value)) = item.base.value else {
                    panic!("strings were put in");
                };
                let value = value.to_vec();
                let twice = seen.insert((item.db, item.key.to_vec()), value);
                assert!(twice.is_none());
            }
            assert_eq!(seen, expected, "{steps_before}");
        }
    }

    #[test]
    fn only_databases_that_there_are_change_places_and_only_without_stamps() {
        let mut partition = Partition::new(KeyHasher::new(3), 3, false);
        assert!(!partition.swap(0, 3) && !partition.swap(3, 0));
        assert!(partition.swap(2, 2));
        assert!(!Partition::new(KeyHasher::new(3), 3, true).swap(0, 1));
    }
}
