//! Bytes of records, and changes in place beside records laid out anew, of both kinds.

use super::*;
use crate::ablation::set_far_from;
use crate::db::op::{self, Op};
use crate::db::record::alone::Alone;
use proptest::prelude::*;

/// All that a record says of a string.
fn said(record: Record<'_>) -> (Vec<u8>, Meta, Vec<u8>, bool) {
    let Shown::String(value) = record.shown() else {
        panic!("a string was put in");
    };
    let key = record.key().to_vec();
    (key, record.meta(), value.to_vec(), record.is_far())
}

#[test]
fn records_have_these_bytes() {
    let plain = Alone::new(b"key", b"value", &Meta::default());
    assert_eq!(plain.get().head, b"\x00\x03keyvalue");
    let all = Meta {
        stamp: Some(Stamp::from_raw(0x0102)),
        deadline: Some(UnixMillis(0x0304)),
        original: Some(Hlc::from_raw(0x0506)),
        tombstone: false,
        unsettled: true,
        merge_mark: true,
    };
    let golden = [
        &[1 | 2 | 4 | 16 | 32, 0xac, 0x02][..],
        &[2, 1, 0, 0, 0, 0, 0, 0],
        &[4, 3, 0, 0, 0, 0, 0, 0],
        &[6, 5, 0, 0, 0, 0, 0, 0],
        &[b'k'; 300],
        b"v",
    ]
    .concat();
    assert_eq!(Alone::new(&[b'k'; 300], b"v", &all).get().head, golden);
    let tombstone = Meta {
        stamp: Some(Stamp::from_raw(7)),
        tombstone: true,
        ..Meta::default()
    };
    let record = Alone::new(b"k", b"", &tombstone);
    assert_eq!(record.get().head, [1 | 8, 1, 7, 0, 0, 0, 0, 0, 0, 0, b'k']);
}

proptest! {
    #[test]
    fn a_record_gives_back_what_went_in(
        key in proptest::collection::vec(any::<u8>(), 0..300),
        value in proptest::collection::vec(any::<u8>(), 0..300),
        stamp: Option<u64>, deadline: Option<i64>, original in proptest::option::of(0u64..1 << 54), flags: [bool; 3],
        far_from in 1_usize..300,
    ) {
        let _far = set_far_from(far_from);
        let meta = Meta {
            stamp: stamp.map(Stamp::from_raw), deadline: deadline.map(UnixMillis), original: original.map(Hlc::from_raw),
            tombstone: flags[0], unsettled: flags[1], merge_mark: flags[2],
        };
        let record = Alone::new(&key, &value, &meta);
        prop_assert_eq!(record.get().key(), &key[..]);
        prop_assert_eq!(said(record.get()).2, &value[..]);
        prop_assert_eq!(record.get().meta(), meta);
        let far = if value.len() >= far_from { size_of::<Far>() } else { 0 };
        let fields = [stamp.is_some(), deadline.is_some(), original.is_some()];
        let head = 1 + crate::db::varint::len(key.len() as u64) + 8 * fields.iter().filter(|there| **there).count();
        prop_assert_eq!(record.get().len_bytes(), head + key.len() + value.len() + far);
    }

    #[test]
    fn writing_within_equals_computing_anew(
        key in proptest::collection::vec(any::<u8>(), 0..200), old in proptest::collection::vec(any::<u8>(), 0..20),
        offset in 0_u32..160, bit: bool, deadline in proptest::option::of(0_i64..10), far_from in 1_usize..20,
    ) {
        let _far = set_far_from(far_from);
        let meta = Meta { deadline: deadline.map(UnixMillis), ..Meta::default() };
        let (op, now) = (Op::SetBit(offset, bit), UnixMillis(5));
        let mut record = Alone::new(&key, &old, &meta);
        let has_room = offset as usize / 8 < old.len() || record.get().is_far();
        let fits = has_room && deadline.is_none_or(|deadline| deadline > 5);
        prop_assert_eq!(record.change().write_within(op, now), fits);
        if fits {
            let mut new = old.clone();
            prop_assert!(op::change_in_place(op, &mut new));
            prop_assert_eq!(said(record.get()), said(Alone::new(&key, &new, &meta).get()));
        } else {
            prop_assert_eq!(said(record.get()), said(Alone::new(&key, &old, &meta).get()));
        }
    }

    #[test]
    fn overwriting_in_place_equals_laying_out_anew(
        key in proptest::collection::vec(any::<u8>(), 0..200), old: [u8; 8], new: [u8; 8], stamped: bool, timed: bool, is_far: bool,
    ) {
        let _far = set_far_from(if is_far { 8 } else { 9 });
        let meta = |n: u64| Meta {
            stamp: stamped.then(|| Stamp::from_raw(n)), deadline: timed.then_some(UnixMillis(n as i64)), ..Meta::default()
        };
        let mut record = Alone::new(&key, &old, &meta(1));
        prop_assert!(record.change().overwrite(&new, meta(2).stamp, meta(2).deadline));
        prop_assert_eq!(said(record.get()), said(Alone::new(&key, &new, &meta(2)).get()));
    }

    #[test]
    fn what_is_said_beside_a_value_and_the_value_itself_change_apart(
        key in proptest::collection::vec(any::<u8>(), 0..200), value in proptest::collection::vec(any::<u8>(), 0..20),
        fields: [[bool; 3]; 2], flags: [[bool; 3]; 2], far_from in 1_usize..20,
    ) {
        let _far = set_far_from(far_from);
        let meta = |n: usize| Meta {
            stamp: fields[n][0].then(|| Stamp::from_raw(n as u64)), deadline: fields[n][1].then_some(UnixMillis(n as i64)),
            original: fields[n][2].then(|| Hlc::from_raw(n as u64)),
            tombstone: flags[n][0], unsettled: flags[n][1], merge_mark: flags[n][2],
        };
        let mut record = Alone::new(&key, &value, &meta(0));
        record.change().set_meta(&meta(1));
        prop_assert_eq!(said(record.get()), said(Alone::new(&key, &value, &meta(1)).get()));
        let Body::String(taken) = record.change().take_body(Vec::new()) else {
            panic!("a string was put in");
        };
        prop_assert_eq!(taken, value);
    }

    #[test]
    fn whatever_a_record_is_made_to_show_it_shows(
        key in proptest::collection::vec(any::<u8>(), 0..200), values in proptest::collection::vec((any::<bool>(),
            proptest::collection::vec(any::<u8>(), 0..20), any::<[bool; 6]>()), 1..8), far_from in 1_usize..20,
    ) {
        let _far = set_far_from(far_from);
        let mut record = Alone::new(&key, b"first", &Meta::default());
        for (nth, (is_small, bytes, [stamp, deadline, original, tombstone, unsettled, merge_mark])) in values.into_iter().enumerate() {
            let meta = Meta {
                stamp: stamp.then(|| Stamp::from_raw(nth as u64)), deadline: deadline.then_some(UnixMillis(nth as i64)),
                original: original.then(|| Hlc::from_raw(nth as u64)), tombstone, unsettled, merge_mark,
            };
            let body = if is_small { Body::Small(Form::List, bytes.clone()) } else { Body::String(bytes.clone()) };
            record.change().set_body(body, &meta);
            prop_assert_eq!((record.get().key(), record.get().meta(), record.get().is_far()), (&key[..], meta, bytes.len() >= far_from));
            match record.get().shown() {
                Shown::Small(Form::List, shown) => prop_assert!(is_small && shown == bytes),
                Shown::String(shown) => prop_assert!(!is_small && shown == bytes),
                _ => prop_assert!(false),
            }
        }
    }
}
