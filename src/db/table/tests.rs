//! Keys put in, found, walked and taken out of tables of many segments.

use super::*;
use crate::ablation::set_far_from;
use crate::db::body::{Body, Form, Shown};
use crate::db::record::RecordMut;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn put(table: &mut Table, hasher: &KeyHasher, key: &[u8], value: &[u8]) -> Option<Was> {
    let (hash, meta) = (hasher.hash(key), Meta::default());
    table.put(hasher, hash, key, Fresh::string(value), &meta)
}

fn filled(n: u32) -> (Table, KeyHasher) {
    let (mut table, hasher) = (Table::default(), KeyHasher::new(7));
    for i in 0..n {
        let key = format!("key:{i}");
        assert_eq!(put(&mut table, &hasher, key.as_bytes(), b"v"), None);
    }
    (table, hasher)
}

#[test]
fn a_record_in_the_place_of_another_counts_instead_of_it() {
    let (mut table, hasher) = filled(3);
    for value in [&b"longer"[..], b"", b"v"] {
        assert!(put(&mut table, &hasher, b"key:1", value).is_some());
        let records = table.iter().map(Record::len_bytes);
        assert_eq!(table.records_bytes(), records.sum::<usize>());
    }
    for key in [&b"key:0"[..], b"key:1", b"key:2", b"key:3"] {
        table.remove(&hasher, hasher.hash(key), key);
    }
    assert_eq!(table.records_bytes(), 0);
}

fn scan_from(
    table: &Table,
    mut from: u32,
    seen: &mut Vec<Vec<u8>>,
    segments: usize,
) -> Option<u32> {
    for _ in 0..segments {
        seen.extend(table.segment(from).map(|record| record.key().to_vec()));
        from = table.segment_end(from)?;
    }
    Some(from)
}

#[test]
fn every_key_is_found_after_many_splits_and_gone_after_removal() {
    let (mut table, hasher) = filled(20_000);
    assert!(table.segments_len() > 20);
    for i in 0..20_000 {
        let key = format!("key:{i}");
        let hash = hasher.hash(key.as_bytes());
        let shown = table.get(key.as_bytes(), hash).unwrap().shown();
        assert!(matches!(shown, crate::db::body::Shown::String(b"v")));
        if i % 2 == 0 {
            assert!(table.remove(&hasher, hash, key.as_bytes()).is_some());
        }
    }
    assert_eq!(table.len(), 10_000);
    let records = table.iter().map(Record::len_bytes);
    assert_eq!(table.records_bytes(), records.sum::<usize>());
    assert!(table.index_bytes() > 10_000 * size_of::<u32>());
    assert_eq!(table.iter().count(), 10_000);
}

#[test]
fn a_walk_sees_each_key_once_while_the_table_grows_tenfold() {
    let (mut table, hasher) = filled(3_000);
    let mut seen = Vec::new();
    let mut from = Some(0);
    let mut next = 3_000;
    while let Some(position) = from {
        from = scan_from(&table, position, &mut seen, 1);
        for _ in 0..3_000 {
            let key = format!("key:{next}");
            put(&mut table, &hasher, key.as_bytes(), b"v");
            next += 1;
        }
    }
    let old: Vec<_> = seen
        .iter()
        .filter(|key| {
            std::str::from_utf8(&key[4..])
                .unwrap()
                .parse::<u32>()
                .unwrap()
                < 3_000
        })
        .collect();
    assert_eq!(old.len(), 3_000);
    assert_eq!(old.iter().collect::<BTreeSet<_>>().len(), 3_000);
}

#[test]
fn the_directory_covers_all_positions_without_gap_or_overlap() {
    let (table, _) = filled(30_000);
    let mut seen = Vec::new();
    assert_eq!(scan_from(&table, 0, &mut seen, usize::MAX), None);
    assert_eq!(seen.len(), 30_000);
}

/// What happens to one of a few keys.
#[derive(Debug, Clone)]
enum Step {
    Put(Vec<u8>, Option<i64>),
    SetBody(bool, Vec<u8>),
    SetDeadline(Option<i64>),
    Remove,
}

fn steps() -> impl Strategy<Value = Step> {
    let len = prop_oneof![8 => 0_usize..40, 2 => 200_usize..300, 1 => 300_usize..600];
    let value = len.prop_flat_map(|len| proptest::collection::vec(any::<u8>(), len));
    let deadline = proptest::option::of(0_i64..100);
    prop_oneof![
        4 => (value.clone(), deadline.clone()).prop_map(|(value, at)| Step::Put(value, at)),
        2 => (any::<bool>(), value).prop_map(|(is_small, value)| Step::SetBody(is_small, value)),
        1 => deadline.prop_map(Step::SetDeadline),
        3 => Just(Step::Remove),
    ]
}

type Model = BTreeMap<Vec<u8>, (bool, Vec<u8>, Option<i64>)>;

fn carry_out(table: &mut Table, model: &mut Model, hasher: &KeyHasher, key: &[u8], step: Step) {
    let hash = hasher.hash(key);
    let known = model.get(key).cloned();
    let timed = known.as_ref().is_some_and(|(_, _, at)| at.is_some());
    let was = known.map(|_| Was {
        shown: true,
        timed,
        unsettled: false,
    });
    let meta = |at: Option<i64>| Meta {
        deadline: at.map(crate::db::UnixMillis),
        ..Meta::default()
    };
    match step {
        Step::Put(value, at) => {
            let put = table.put(hasher, hash, key, Fresh::string(&value), &meta(at));
            assert_eq!(put, was);
            model.insert(key.to_vec(), (false, value, at));
        }
        Step::SetBody(is_small, value) => {
            let body = match is_small {
                true => Body::Small(Form::Set, value.clone()),
                false => Body::String(value.clone()),
            };
            let set = |record: &mut RecordMut<'_>| {
                drop(record.take_body(Vec::new()));
                record.set_body(body, &meta(None));
            };
            assert_eq!(table.change(key, hash, set).is_some(), was.is_some());
            if was.is_some() {
                model.insert(key.to_vec(), (is_small, value, None));
            }
        }
        Step::SetDeadline(at) => {
            table.change(key, hash, |record| record.set_meta(&meta(at)));
            if let Some(known) = model.get_mut(key) {
                known.2 = at;
            }
        }
        Step::Remove => {
            assert_eq!(table.remove(hasher, hash, key), was);
            model.remove(key);
        }
    }
}

fn is_shown(record: Record<'_>, known: &(bool, Vec<u8>, Option<i64>)) -> bool {
    let (is_small, value, at) = known;
    let shows = match record.shown() {
        Shown::String(bytes) => !is_small && bytes == value,
        Shown::Small(Form::Set, bytes) => *is_small && bytes == value,
        _ => false,
    };
    shows && record.deadline().map(|at| at.0) == *at
}

proptest! {
    #[test]
    fn whatever_comes_and_goes_all_keys_show_what_they_were_given(
        all in proptest::collection::vec((0_u16..1_200, steps()), 1..6_000), far_from in prop_oneof![Just(20_usize), Just(400)],
    ) {
        let _far = set_far_from(far_from);
        let (mut table, hasher, mut model) = (Table::default(), KeyHasher::new(7), Model::new());
        for (key, step) in all {
            let key = format!("key:{key}").into_bytes();
            carry_out(&mut table, &mut model, &hasher, &key, step);
            let record = table.get(&key, hasher.hash(&key));
            prop_assert_eq!(record.is_some(), model.contains_key(&key));
            if let Some(record) = record {
                prop_assert!(is_shown(record, &model[&key]));
            }
        }
        prop_assert_eq!(table.len(), model.len());
        prop_assert_eq!(table.iter().count(), model.len());
        prop_assert!(table.iter().all(|record| is_shown(record, &model[record.key()])));
        let records = table.iter().map(Record::len_bytes);
        prop_assert_eq!(table.records_bytes(), records.sum::<usize>());
    }
}

/// The n-th generation of keys, with values of many lengths.
fn generation(n: u32) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let key = move |i| format!("key:{:07}", i + n * 50_000).into_bytes();
    (0..50_000_u32).map(move |i| (key(i), vec![b'v'; 1 + (i % 20) as usize]))
}

#[test]
fn a_table_whose_keys_come_and_go_does_not_grow() {
    let memory = |table: &Table| table.index_bytes() + table.records_bytes();
    let (mut table, hasher) = (Table::default(), KeyHasher::new(7));
    for (key, value) in generation(0) {
        put(&mut table, &hasher, &key, &value);
    }
    let fresh = memory(&table);
    for n in 1..20 {
        for ((old, _), (key, value)) in generation(n - 1).zip(generation(n)) {
            assert!(table.remove(&hasher, hasher.hash(&old), &old).is_some());
            put(&mut table, &hasher, &key, &value);
        }
    }
    assert!(memory(&table) < fresh * 3 / 2, "{fresh} {}", memory(&table));
    for (key, _) in generation(19) {
        assert!(table.remove(&hasher, hasher.hash(&key), &key).is_some());
    }
    assert!(table.is_empty());
    assert!(memory(&table) < fresh / 3, "{fresh} {}", memory(&table));
}
