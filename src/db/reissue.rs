//! What a node that joins a mesh must say anew: every key that bears a stamp which will not count there is taken out, as the
//! operations that bring it back under stamps that do.
//!
//! Invariant: what is left in the partition bears stamps that count.

use crate::db::op::Op;
use crate::db::origin::OriginIndex;
use crate::db::partition::{Db, Key, Partition, live_of};
use crate::db::record::Record;
use crate::db::stamp::{Hlc, Stamp};
use crate::db::unsettled::{Live, OpBytes, Unsettled};

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
        let space = &mut self.dbs[db as usize];
        if space.cut != Stamp::ZERO && is_void(space.cut) {
            space.cut = Stamp::ZERO;
        }
        let space = &*space;
        let mut taken: Vec<Reissue> = Vec::new();
        for record in space.table.iter() {
            let view = match space.unsettled.get(record.key()) {
                Some(unsettled) if record.is_unsettled() => unsettled.whole(record.value()),
                _ => settled_view(record),
            };
            let base_is_void = match view.base_stamp {
                // Nothing is nobody's, a value without a stamp is this node's.
                Stamp::ZERO => view.base.value.is_some(),
                stamp => is_void(stamp),
            };
            if base_is_void || view.ops().any(|(stamp, _)| is_void(stamp)) {
                taken.push((record.key().into(), reissue(&view, base_is_void, void)));
            }
        }
        taken.sort();
        for (bytes, _) in &taken {
            let key = Key {
                bytes,
                hash: self.hasher.hash(bytes),
            };
            if self.walk.is_some() {
                self.save_preimage(db, key);
            }
            self.remove(db, key);
            self.touch(db, bytes);
        }
        taken
    }

    /// Takes out whatever else a database holds: it will come again.
    pub fn take_all(&mut self, db: u32) {
        if self.walk.is_some() {
            self.save_all_preimages(db);
        }
        self.touch_all(db);
        self.dbs[db as usize] = Db::default();
    }
}

fn settled_view(record: &Record) -> Unsettled {
    let stamp = record.stamp().unwrap_or(Stamp::ZERO);
    Unsettled::new(live_of(record, stamp), stamp)
}

/// Operations of this node are said again as they are: an increment stays one. Where void operations of others are among them
/// too, who may say them again themselves, the value goes as a whole, and the newest whole value counts.
fn reissue(view: &Unsettled, base_is_void: bool, void: &Void<'_>) -> Vec<OpBytes> {
    let void_ops = || view.ops().filter(|(stamp, _)| (void.is_void)(*stamp));
    let foreign = void_ops().any(|(stamp, _)| !(void.is_own)(stamp.origin()));
    if foreign {
        let written = void_ops()
            .last()
            .map_or(Hlc::ZERO, |(stamp, _)| stamp.time());
        return vec![import(&view.replay(), written)];
    }
    let base = base_is_void.then(|| import(&view.base, view.base.written));
    let own = void_ops().map(|(_, bytes)| OpBytes::from_slice(bytes));
    base.into_iter().chain(own).collect()
}

/// A value, or nothing, as of a time.
fn import(live: &Live, written: Hlc) -> OpBytes {
    let mut bytes = Vec::new();
    match &live.value {
        Some(value) => Op::Import(written, value.deadline, &value.bytes).encode(&mut bytes),
        None => Op::ImportDel(written).encode(&mut bytes),
    }
    OpBytes::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::op::Expiry;
    use crate::db::origin::{Incarnation, NodeId, Origin, Origins};

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

    fn view(ops: &[(u64, u16, Op<'_>)]) -> Unsettled {
        let mut view = Unsettled::new(Live::default(), Stamp::ZERO);
        for (time, origin, op) in ops {
            view.place(&origins(), stamp(*time, *origin), *op);
        }
        view
    }

    fn said_anew(view: &Unsettled) -> Vec<OpBytes> {
        let void = Void {
            is_void: &|stamp| [OWN, MATE].contains(&stamp.origin().0),
            is_own: &|index| index.0 == OWN,
        };
        let base_is_void = view.base_stamp != Stamp::ZERO && (void.is_void)(view.base_stamp);
        reissue(view, base_is_void, &void)
    }

    #[test]
    fn own_increments_over_what_counts_are_said_again_as_increments() {
        let view = view(&[
            (1, COUNTS, Op::Set(b"10", Expiry::Clear)),
            (2, OWN, Op::Incr(3)),
            (3, COUNTS, Op::Incr(5)),
        ]);
        let again = said_anew(&view);
        let ops: Vec<Op<'_>> = again
            .iter()
            .map(|bytes| Op::decode(bytes).unwrap())
            .collect();
        assert_eq!(ops, [Op::Incr(3)]);
    }

    #[test]
    fn an_own_value_becomes_an_import_and_a_delete_the_import_of_one() {
        let set = view(&[
            (7, OWN, Op::Set(b"v", Expiry::Clear)),
            (8, OWN, Op::Append(b"w")),
        ]);
        let again = said_anew(&set);
        let ops: Vec<Op<'_>> = again
            .iter()
            .map(|bytes| Op::decode(bytes).unwrap())
            .collect();
        assert_eq!(
            ops,
            [Op::Import(Hlc::from_raw(7), None, b"v"), Op::Append(b"w")]
        );
        let del = said_anew(&view(&[(9, OWN, Op::Del)]));
        assert_eq!(Op::decode(&del[0]), Ok(Op::ImportDel(Hlc::from_raw(9))));
    }

    #[test]
    fn what_a_mate_may_say_again_itself_goes_as_a_whole_value() {
        let view = view(&[
            (7, MATE, Op::Set(b"1", Expiry::Clear)),
            (8, MATE, Op::Incr(2)),
            (9, OWN, Op::Incr(4)),
        ]);
        let again = said_anew(&view);
        assert_eq!(again.len(), 1);
        assert_eq!(
            Op::decode(&again[0]),
            Ok(Op::Import(Hlc::from_raw(9), None, b"7"))
        );
    }
}
