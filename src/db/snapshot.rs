//! Walks over a partition that show one instant each while writes go on: whoever changes a key that a walk has not reached
//! saves for it how it was (its *pre-image*), tombstones and absence included.
//!
//! Invariant: for every key, what a walk has sent or will send is the key's item at the moment that walk began.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::db::item::{self, Shared};
use crate::db::partition::{Key, Partition, place_of};
use crate::db::table::position;

/// Pre-images in the order of the walk: place of the database, position, key; none for a key that was absent.
type PreImages = BTreeMap<(u32, u32, Box<[u8]>), Option<Image>>;

/// How a key was.
#[derive(Debug)]
pub(super) enum Image {
    /// Its item.
    Item(Vec<u8>),
    /// A large collection, of which that is still to be made.
    Shared(Shared),
}

impl Image {
    fn len_bytes(&self) -> usize {
        match self {
            Self::Item(bytes) => bytes.len(),
            Self::Shared(shared) => shared.len_bytes(),
        }
    }
}

/// Which walk: one over all partitions has the same in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkId(pub u64);

/// How a walk goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walked {
    /// There is more.
    More,
    /// That was all.
    All,
    /// It was ended from elsewhere: the data was replaced.
    Lost,
}

/// Where a walk stands.
#[derive(Debug)]
pub struct Walk {
    id: WalkId,
    /// Where the database lies that it is in: that of libraries comes first.
    place: u32,
    from: u32,
    pre_images: PreImages,
    pre_images_bytes: usize,
}

impl Walk {
    fn is_past(&self, place: u32, position: u32) -> bool {
        (place, position) < (self.place, self.from)
    }
}

impl Partition {
    /// Begins a walk at this instant.
    pub fn begin_walk(&mut self, id: WalkId) {
        self.walks.push(Walk {
            id,
            place: 0,
            from: 0,
            pre_images: BTreeMap::new(),
            pre_images_bytes: 0,
        });
    }

    /// Gives a walk up.
    pub fn end_walk(&mut self, id: WalkId) {
        self.walks.retain(|walk| walk.id != id);
    }

    /// Bytes held in pre-images, those that they share with what keys show included.
    pub fn walk_bytes(&self) -> usize {
        self.walks.iter().map(|walk| walk.pre_images_bytes).sum()
    }

    /// Whether somebody walks or follows.
    #[inline]
    pub(super) fn is_walked(&self) -> bool {
        !self.walks.is_empty() || !self.followers.is_empty()
    }

    /// A key is about to change what it shows: see [`Self::save_preimage`] and [`Self::note_changed`].
    pub(super) fn before_change(&mut self, db: u32, key: Key<'_>) {
        self.save_preimage(db, key);
        self.note_changed(db, key.bytes);
    }

    /// Appends the items of the next segment. Large collections go to `shared`: the caller makes their items when he holds the
    /// partition no more.
    pub fn walk_next(&mut self, id: WalkId, out: &mut Vec<u8>, shared: &mut Vec<Shared>) -> Walked {
        let Some(nth) = self.walks.iter().position(|walk| walk.id == id) else {
            return Walked::Lost;
        };
        let mut walk = self.walks.swap_remove(nth);
        let Some(space) = self.dbs.get(walk.place as usize) else {
            return Walked::All;
        };
        let db = walk.place.wrapping_sub(1);
        let end = space.table.segment_end(walk.from);
        let mut unsettled: Vec<Box<[u8]>> = Vec::new();
        for record in space.table.segment(walk.from) {
            let place = (
                walk.place,
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
            } else if let Some(large) = Shared::of(db, record) {
                shared.push(large);
            } else {
                item::encode(out, db, record);
            }
        }
        for bytes in &unsettled {
            let hash = self.hasher.hash(bytes);
            match self.image_of_unsettled(db, Key { bytes, hash }) {
                Some(Image::Item(bytes)) => out.extend_from_slice(&bytes),
                Some(Image::Shared(large)) => shared.push(large),
                None => {}
            }
        }
        let rest = match end {
            Some(end) => walk
                .pre_images
                .split_off(&(walk.place, end, Box::default())),
            None => walk
                .pre_images
                .split_off(&(walk.place + 1, 0, Box::default())),
        };
        for image in std::mem::replace(&mut walk.pre_images, rest)
            .into_values()
            .flatten()
        {
            walk.pre_images_bytes = walk.pre_images_bytes.saturating_sub(image.len_bytes());
            match image {
                Image::Item(bytes) => out.extend_from_slice(&bytes),
                Image::Shared(large) => shared.push(large),
            }
        }
        match end {
            Some(end) => walk.from = end,
            None => (walk.place, walk.from) = (walk.place + 1, 0),
        }
        self.walks.push(walk);
        Walked::More
    }

    /// Saves how a key is before it changes, for each walk that has not reached it.
    pub(super) fn save_preimage(&mut self, db: u32, key: Key<'_>) {
        let (place, position) = (place_of(db) as u32, position(key.hash));
        let mut walks = std::mem::take(&mut self.walks);
        for walk in &mut walks {
            if walk.is_past(place, position) {
                continue;
            }
            let place = (place, position, Box::from(key.bytes));
            if walk.pre_images.contains_key(&place) {
                continue;
            }
            let image = self.image_of(db, key);
            walk.pre_images_bytes += image.as_ref().map_or(0, Image::len_bytes);
            walk.pre_images.insert(place, image);
        }
        self.walks = walks;
    }

    /// How a key is; none where it is absent.
    pub(super) fn image_of(&mut self, db: u32, key: Key<'_>) -> Option<Image> {
        let space = &self.dbs[place_of(db)];
        let record = space.table.get(key.bytes, key.hash)?;
        if record.is_unsettled() {
            return self.image_of_unsettled(db, key);
        }
        let image = Shared::of(db, record).map_or_else(
            || {
                let mut bytes = Vec::new();
                item::encode(&mut bytes, db, record);
                Image::Item(bytes)
            },
            Image::Shared,
        );
        Some(image)
    }

    /// How a key is that has a history.
    fn image_of_unsettled(&mut self, db: u32, key: Key<'_>) -> Option<Image> {
        let origins = Arc::clone(&self.origins);
        let mut history = self.dbs[place_of(db)].unsettled.remove(key.bytes)?;
        let mut live = self.take_live(db, key);
        let (floor, last) = (history.floor(), history.last());
        let image = history.with_base(&mut live, &self.ground(&origins), |base, ops| {
            if let Some(large) = Shared::of_unsettled(db, key.bytes, base, floor, ops) {
                return Image::Shared(large);
            }
            let mut bytes = Vec::new();
            item::encode_unsettled(&mut bytes, db, key.bytes, base, floor, ops);
            Image::Item(bytes)
        });
        self.dbs[place_of(db)]
            .unsettled
            .insert(key.bytes.into(), history);
        self.put_live(db, key, live, Some(last), true);
        Some(image)
    }

    /// Saves every key of a database that the walk has not reached.
    pub(super) fn save_all_preimages(&mut self, db: u32) {
        let keys: Vec<Box<[u8]>> = self.dbs[place_of(db)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::op::Names;
    use crate::db::table::KeyHasher;
    use crate::db::varint::{self, Reader};
    use crate::db::{Hlc, Op, Origins, Stamp, UnixMillis, WriteContext};

    #[test]
    fn large_collections_are_sent_as_they_were_without_being_copied() {
        let (hasher, origins) = (KeyHasher::new(3), Origins::default());
        let mut partition = Partition::new(hasher.clone(), 1, false);
        let ctx = WriteContext {
            stamp: Stamp::ZERO,
            now: UnixMillis(0),
            settled: Hlc::ZERO,
            origins: &origins,
        };
        let add = |partition: &mut Partition, bytes: &[u8], from: u32, count: u32| {
            let mut names = Vec::new();
            for number in from..from + count {
                varint::put_bytes(&mut names, &number.to_le_bytes());
            }
            let hash = hasher.hash(bytes);
            let op = Op::SAdd(Names::of(&names, count as usize));
            partition.apply(0, Key { bytes, hash }, op, &ctx);
        };
        for key in [b"a", b"b"] {
            add(&mut partition, key, 0, 20_000);
        }
        add(&mut partition, b"small", 0, 3);
        let mut at_once = Vec::new();
        for record in partition.table(0).iter() {
            item::encode(&mut at_once, 0, record);
        }
        let items = |bytes: &[u8]| {
            let (mut reader, mut items) = (Reader::new(bytes), BTreeMap::new());
            while !reader.is_empty() {
                let item = item::decode(&mut reader, &Some).unwrap();
                items.insert(item.key.to_vec(), format!("{item:?}"));
            }
            items
        };
        let walk = WalkId(1);
        partition.begin_walk(walk);
        // One changes before the walk gets there, one behind it.
        add(&mut partition, b"a", 20_000, 1);
        assert!(partition.walk_bytes() > 100_000);
        let (mut out, mut shared) = (Vec::new(), Vec::new());
        while partition.walk_next(walk, &mut out, &mut shared) == Walked::More {}
        assert_eq!(shared.len(), 2);
        assert_eq!(items(&out).len(), 1);
        add(&mut partition, b"b", 20_000, 1);
        shared.iter().for_each(|large| large.encode(&mut out));
        // Elements may come in another order where a part was copied.
        let (sent, expected) = (items(&out), items(&at_once));
        assert_eq!(
            sent.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>()
        );
        assert_eq!(out.len(), at_once.len());
        assert_eq!(sent[&b"small"[..]], expected[&b"small"[..]]);
    }
}
