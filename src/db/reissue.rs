//! What a node that joins a mesh must say anew: every key that bears a stamp which will not count there is taken out, as the
//! operations that bring it back under stamps that do.
//!
//! Invariant: what is left in the partition bears stamps that count.

use std::sync::Arc;

use crate::db::body::Body;
use crate::db::history::History;
use crate::db::live::{Ground, Live, OpBytes, content_of};
use crate::db::op::{Content, Op};
use crate::db::origin::OriginIndex;
use crate::db::partition::{Db, Key, Partition, place_of};
use crate::db::record::Record;
use crate::db::stamp::{Hlc, Stamp};

/// Whose stamps are whose.
#[derive(Clone, Copy)]
pub struct Void<'a> {
    /// Stamps that will not count.
    pub is_void: &'a dyn Fn(Stamp) -> bool,
    /// Those among them that this node gave out itself.
    pub is_own: &'a dyn Fn(OriginIndex) -> bool,
}

/// A key and the operations that bring it back, each as [`Op::encode`] writes it.
pub type Reissue = (Box<[u8]>, Vec<OpBytes>);

impl Partition {
    /// Takes out every key of a database that bears a void stamp, in the order of their names. A void flush is forgotten: it was
    /// meant for what was here then.
    pub fn take_void(&mut self, db: u32, void: &Void<'_>) -> Vec<Reissue> {
        let is_void = |stamp: Stamp| stamp.origin() == OriginIndex(0) || (void.is_void)(stamp);
        let space = &mut self.dbs[place_of(db)];
        if space.cut != Stamp::ZERO && is_void(space.cut) {
            space.cut = Stamp::ZERO;
        }
        let mut candidates: Vec<Box<[u8]>> = Vec::new();
        for record in self.dbs[place_of(db)].table.iter() {
            // Nothing is nobody's, a value without a stamp is this node's.
            let is_void = |stamp| match stamp {
                Stamp::ZERO => !record.is_tombstone(),
                stamp => is_void(stamp),
            };
            let history = self.dbs[place_of(db)].unsettled.get(record.key());
            let touched = match history.filter(|_| record.is_unsettled()) {
                Some(history) => {
                    // Whether there was such a value is to be seen below.
                    history.floor() == Stamp::ZERO
                        || is_void(history.floor())
                        || history.ops().any(|(stamp, _)| is_void(stamp))
                }
                None => is_void(record.stamp().unwrap_or(Stamp::ZERO)),
            };
            if touched {
                candidates.push(record.key().into());
            }
        }
        candidates.sort();
        let mut taken: Vec<Reissue> = Vec::new();
        for bytes in &candidates {
            let key = Key {
                bytes,
                hash: self.hasher.hash(bytes),
            };
            if self.is_walked() {
                self.save_preimage(db, key);
            }
            let Some(again) = self.reissue(db, key, void) else {
                continue;
            };
            self.remove(db, key);
            self.touch(db, bytes);
            taken.push((bytes.clone(), again));
        }
        taken
    }

    /// Takes a key's view out of its place, and says it anew; none where nothing of it is void.
    fn reissue(&mut self, db: u32, key: Key<'_>, void: &Void<'_>) -> Option<Vec<OpBytes>> {
        let origins = Arc::clone(&self.origins);
        let record = self.dbs[place_of(db)].table.get(key.bytes, key.hash);
        let stamp = record.and_then(Record::stamp).unwrap_or(Stamp::ZERO);
        let kept = self.dbs[place_of(db)].unsettled.remove(key.bytes);
        let mut live = self.take_live(db, key);
        let is_kept = kept.is_some();
        let mut history = kept.unwrap_or_else(|| History::new(stamp));
        let again = reissue(&mut live, &mut history, &self.ground(&origins), void);
        if again.is_none() {
            let last = history.last();
            let stamp = (last != Stamp::ZERO).then_some(last);
            if is_kept {
                let space = &mut self.dbs[place_of(db)];
                space.unsettled.insert(key.bytes.into(), history);
            }
            self.put_live(db, key, live, stamp, is_kept);
        }
        again
    }

    /// Takes out whatever else a database holds: it will come again.
    pub fn take_all(&mut self, db: u32) {
        self.lose_followers();
        if self.is_walked() {
            self.save_all_preimages(db);
        }
        self.touch_all(db);
        self.dbs[place_of(db)] = Db::default();
    }
}

/// Operations of this node are said again as they are: an increment stays one. Where void operations of others are among them
/// too, who may say them again themselves, the value goes as a whole, and the newest whole value counts. So it does where elements
/// of a list came or went: they bear names of stamps that will not count.
fn reissue(
    live: &mut Live,
    history: &mut History,
    ground: &Ground<'_>,
    void: &Void<'_>,
) -> Option<Vec<OpBytes>> {
    let is_void = |stamp: Stamp| stamp.origin() == OriginIndex(0) || (void.is_void)(stamp);
    history.catch_up(live, ground);
    let floor = history.floor();
    let is_whole = |(stamp, bytes): (Stamp, &[u8])| {
        is_void(stamp) && (!(void.is_own)(stamp.origin()) || Op::decode(bytes).is_ok_and(names_ids))
    };
    if history.ops().any(is_whole) {
        let of_void = history.ops().filter(|(stamp, _)| is_void(*stamp));
        let written = of_void.last().map_or(Hlc::ZERO, |(stamp, _)| stamp.time());
        return Some(vec![import(live, written)]);
    }
    history.with_base(live, ground, |base, ops| {
        let base_is_void = match floor {
            Stamp::ZERO => base.value.is_some(),
            stamp => is_void(stamp),
        };
        let again = base_is_void.then(|| import(base, base.written));
        let own = ops.filter(|(stamp, _)| is_void(*stamp));
        let own = own.map(|(_, bytes)| OpBytes::from_slice(bytes));
        let again: Vec<OpBytes> = again.into_iter().chain(own).collect();
        (!again.is_empty()).then_some(again)
    })
}

/// Whether an operation gives elements names, or calls them by theirs.
fn names_ids(op: Op<'_>) -> bool {
    matches!(
        op,
        Op::Push(..) | Op::ListRemove(_) | Op::ListSet(..) | Op::ListInsert(..)
    )
}

/// A value, or nothing, as of a time.
fn import(live: &Live, written: Hlc) -> OpBytes {
    let mut bytes = Vec::new();
    match &live.value {
        Some(value) => match &value.body {
            Body::String(string) => Op::Import(written, value.deadline, string).encode(&mut bytes),
            body => {
                let mut content = Vec::new();
                content_of(body.whole(), false, &mut content);
                let content = Content::of(&content);
                Op::ImportContent(written, value.deadline, content).encode(&mut bytes);
            }
        },
        None => Op::ImportDel(written).encode(&mut bytes),
    }
    OpBytes::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::body::Limits;
    use crate::db::op::Expiry;
    use crate::db::origin::{Incarnation, NodeId, Origin, Origins};
    use crate::db::table::KeyHasher;

    const OWN: u16 = 1;
    const MATE: u16 = 2;
    const COUNTS: u16 = 3;

    fn origins() -> Origins {
        let origins = Origins::default();
        for node in 1..=3 {
            let origin = Origin {
                node: NodeId(node),
                incarnation: Incarnation(1),
            };
            origins.intern(origin).unwrap();
        }
        origins
    }

    fn stamp(time: u64, origin: u16) -> Stamp {
        Stamp::new(Hlc::from_raw(time), OriginIndex(origin))
    }

    fn said_anew(ops: &[(u64, u16, Op<'_>)]) -> Vec<OpBytes> {
        let (origins, hasher, limits) = (origins(), KeyHasher::new(1), Limits::default());
        let ground = Ground {
            hasher: &hasher,
            limits,
            origins: &origins,
            has_ids: true,
            made: None,
        };
        let (mut live, mut history) = (Live::default(), History::new(Stamp::ZERO));
        for (time, origin, op) in ops {
            history.insert(&mut live, &ground, stamp(*time, *origin), *op);
        }
        let void = Void {
            is_void: &|stamp| [OWN, MATE].contains(&stamp.origin().0),
            is_own: &|index| index.0 == OWN,
        };
        reissue(&mut live, &mut history, &ground, &void).unwrap()
    }

    #[test]
    fn own_increments_over_what_counts_are_said_again_as_increments() {
        let again = said_anew(&[
            (1, COUNTS, Op::Set(b"10", Expiry::Clear)),
            (2, OWN, Op::Incr(3)),
            (3, COUNTS, Op::Incr(5)),
        ]);
        let ops: Vec<Op<'_>> = again
            .iter()
            .map(|bytes| Op::decode(bytes).unwrap())
            .collect();
        assert_eq!(ops, [Op::Incr(3)]);
    }

    #[test]
    fn an_own_value_becomes_an_import_and_a_delete_the_import_of_one() {
        let again = said_anew(&[
            (7, OWN, Op::Set(b"v", Expiry::Clear)),
            (8, OWN, Op::Append(b"w")),
        ]);
        let ops: Vec<Op<'_>> = again
            .iter()
            .map(|bytes| Op::decode(bytes).unwrap())
            .collect();
        assert_eq!(
            ops,
            [Op::Import(Hlc::from_raw(7), None, b"v"), Op::Append(b"w")]
        );
        let del = said_anew(&[(9, OWN, Op::Del)]);
        assert_eq!(Op::decode(&del[0]), Ok(Op::ImportDel(Hlc::from_raw(9))));
    }

    #[test]
    fn what_a_mate_may_say_again_itself_goes_as_a_whole_value() {
        let again = said_anew(&[
            (7, MATE, Op::Set(b"1", Expiry::Clear)),
            (8, MATE, Op::Incr(2)),
            (9, OWN, Op::Incr(4)),
        ]);
        assert_eq!(again.len(), 1);
        assert_eq!(
            Op::decode(&again[0]),
            Ok(Op::Import(Hlc::from_raw(9), None, b"7"))
        );
    }
}
