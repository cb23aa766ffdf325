//! The walk over a partition that shows one instant while writes go on: whoever changes a key that the walk has not reached
//! saves how it was (its *pre-image*), tombstones and absence included.
//!
//! Invariant: for every key, what the walk has sent or will send is the key's item at the moment the walk began.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::db::item;
use crate::db::partition::{Key, Partition};
use crate::db::table::position;

/// Pre-images in the order of the walk: database, position, key; none for a key that was absent.
type PreImages = BTreeMap<(u32, u32, Box<[u8]>), Option<Vec<u8>>>;

/// Where a walk stands.
#[derive(Debug)]
pub struct Walk {
    db: u32,
    from: u32,
    pre_images: PreImages,
    pre_images_bytes: usize,
}

impl Walk {
    fn is_past(&self, db: u32, position: u32) -> bool {
        (db, position) < (self.db, self.from)
    }
}

impl Partition {
    /// Begins a walk at this instant; one that was under way is dropped.
    pub fn begin_walk(&mut self) {
        self.walk = Some(Walk {
            db: 0,
            from: 0,
            pre_images: BTreeMap::new(),
            pre_images_bytes: 0,
        });
    }

    /// Gives a walk up.
    pub fn end_walk(&mut self) {
        self.walk = None;
    }

    /// Bytes held in pre-images.
    pub fn walk_bytes(&self) -> usize {
        self.walk.as_ref().map_or(0, |walk| walk.pre_images_bytes)
    }

    /// Appends the items of the next segment; false when the walk is over.
    pub fn walk_next(&mut self, out: &mut Vec<u8>) -> bool {
        let Some(walk) = &mut self.walk else {
            return false;
        };
        let Some(space) = self.dbs.get(walk.db as usize) else {
            self.walk = None;
            return false;
        };
        let end = space.table.segment_end(walk.from);
        let mut unsettled: Vec<Box<[u8]>> = Vec::new();
        for record in space.table.segment(walk.from) {
            let place = (
                walk.db,
                position(self.hasher.hash(record.key())),
                record.key().into(),
            );
            // A segment may have been walked in part before it was merged into the range by a split elsewhere: never, ranges
            // only shrink, so every key of this segment at or after `from` is still to be sent.
            if place.1 < walk.from || walk.pre_images.contains_key(&place) {
                continue;
            }
            if record.is_unsettled() {
                unsettled.push(place.2);
            } else {
                item::encode(out, walk.db, record);
            }
        }
        let db = walk.db;
        for bytes in &unsettled {
            let hash = self.hasher.hash(bytes);
            self.encode_unsettled(db, Key { bytes, hash }, out);
        }
        let Some(walk) = &mut self.walk else {
            return false;
        };
        let rest = match end {
            Some(end) => walk.pre_images.split_off(&(walk.db, end, Box::default())),
            None => walk.pre_images.split_off(&(walk.db + 1, 0, Box::default())),
        };
        for image in std::mem::replace(&mut walk.pre_images, rest)
            .into_values()
            .flatten()
        {
            walk.pre_images_bytes = walk.pre_images_bytes.saturating_sub(image.len());
            out.extend_from_slice(&image);
        }
        match end {
            Some(end) => walk.from = end,
            None => (walk.db, walk.from) = (walk.db + 1, 0),
        }
        true
    }

    /// Saves how a key is before it changes, where the walk has not reached it.
    pub(super) fn save_preimage(&mut self, db: u32, key: Key<'_>) {
        let Some(walk) = &mut self.walk else { return };
        let position = position(key.hash);
        if walk.is_past(db, position) {
            return;
        }
        let place = (db, position, Box::from(key.bytes));
        if walk.pre_images.contains_key(&place) {
            return;
        }
        let space = &self.dbs[db as usize];
        let record = space.table.get(key.bytes, key.hash);
        let image = match record {
            None => None,
            Some(record) => {
                let mut bytes = Vec::new();
                if record.is_unsettled() {
                    self.encode_unsettled(db, key, &mut bytes);
                } else {
                    item::encode(&mut bytes, db, record);
                }
                Some(bytes)
            }
        };
        let Some(walk) = &mut self.walk else { return };
        walk.pre_images_bytes += image.as_ref().map_or(0, Vec::len);
        walk.pre_images.insert(place, image);
    }

    /// Appends the item of a key that has a history.
    fn encode_unsettled(&mut self, db: u32, key: Key<'_>, out: &mut Vec<u8>) {
        let origins = Arc::clone(&self.origins);
        let Some(mut history) = self.dbs[db as usize].unsettled.remove(key.bytes) else {
            return;
        };
        let mut live = self.take_live(db, key);
        let (floor, last) = (history.floor(), history.last());
        history.with_base(&mut live, &self.ground(&origins), |base, ops| {
            item::encode_unsettled(out, db, key.bytes, base, floor, ops);
        });
        self.dbs[db as usize]
            .unsettled
            .insert(key.bytes.into(), history);
        self.put_live(db, key, live, Some(last), true);
    }

    /// Saves every key of a database that the walk has not reached.
    pub(super) fn save_all_preimages(&mut self, db: u32) {
        let keys: Vec<Box<[u8]>> = self.dbs[db as usize]
            .table
            .iter()
            .map(|record| record.key().into())
            .collect();
        for key in &keys {
            let hash = self.hasher.hash(key);
            self.save_preimage(db, Key { bytes: key, hash });
        }
    }
}
