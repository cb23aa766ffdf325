//! HyperLogLogs: one form against the other, merges against unions, estimates against what was added, and any bytes at all.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn adds(limit: u64, elements: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut out = Vec::new();
    crate::db::varint::put(&mut out, limit);
    for element in elements {
        put_add(&mut out, place_of(&element.to_le_bytes()));
    }
    out
}

fn added(value: Option<&[u8]>, bytes: &[u8]) -> Vec<u8> {
    let adds = Adds::new(bytes).unwrap();
    let made = Change::Add(adds).made_of(value).unwrap();
    made.unwrap_or_else(|| value.unwrap().to_vec())
}

fn registers_of(value: &[u8]) -> Registers {
    let mut registers = no_registers();
    merge_into(&mut registers, value).unwrap();
    registers
}

#[test]
fn hashes_are_those_of_redis() {
    // PFDEBUG DECODE of a key to which one of these was added.
    for (element, place) in [
        ("", (5_938, 2)),
        ("a", (12_711, 2)),
        ("x7", (883, 6)),
        ("12345678", (10_579, 3)),
        ("123456789abc", (14_188, 3)),
        ("abcdefghijklmnop", (9_328, 1)),
    ] {
        assert_eq!(place_of(element.as_bytes()), place, "{element}");
    }
}

#[test]
fn changes_have_these_bytes_and_come_back() {
    let mut bytes = Vec::new();
    crate::db::varint::put(&mut bytes, 3_000);
    put_add(&mut bytes, (16_383, 51));
    put_add(&mut bytes, (5, 1));
    assert_eq!(bytes, [0xb8, 0x17, 0xff, 0x7f, 51, 5, 1]);
    assert_eq!(Adds::new(&bytes).unwrap().as_bytes(), bytes);
    let mut registers = no_registers();
    (registers[2], registers[3], registers[300]) = (7, 1, 63);
    let merge = encode_merge(&registers, true, 3_000);
    assert_eq!(merge, [1, 0xb8, 0x17, 2, 7, 0, 1, 0xa8, 0x02, 63]);
    assert_eq!(Merge::new(&merge).unwrap().as_bytes(), merge);
    let packed = encode_merge(&[9; REGISTERS], false, 3_000);
    assert_eq!((packed[0], packed.len()), (4, 3 + 12_288));
    assert!(Merge::new(&packed).is_ok());
    assert_eq!(Merge::new(&[3, 0]), Ok(Merge::TO_DENSE));
}

#[test]
fn what_nobody_writes_is_refused() {
    for bad in [
        &[][..],
        &[0, 0],
        &[0, 0, 0],
        &[0, 0, 52],
        &[0, 0x80, 0x80, 1, 1],
    ] {
        assert!(Adds::new(bad).is_err(), "{bad:?}");
    }
    for bad in [
        &[][..],
        &[0],
        &[8, 0],
        &[2, 0],
        &[3, 1],
        &[3, 0, 0, 1],
        &[7, 0],
        &[4, 0, 1],
        &[0, 0, 0],
        &[0, 0, 0, 0],
        &[0, 0, 0, 64],
        &[0, 0, 0xff, 0x7f, 1, 0, 1],
    ] {
        assert!(Merge::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn estimates_are_within_a_few_standard_errors() {
    let (mut value, mut done) = (added(None, &adds(3_000, [])), 0);
    assert_eq!(count(&value), Ok(0));
    for upto in [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000] {
        let bytes = adds(3_000, done..upto);
        value = added(Some(&value), &bytes);
        done = upto;
        let estimated = count(&value).unwrap().abs_diff(upto) as f64;
        assert!(estimated <= (upto as f64 * 0.03).max(1.0), "{upto}");
        assert_eq!(
            count(&value).unwrap(),
            count_registers(&registers_of(&value))
        );
    }
}

proptest! {
    #[test]
    fn one_form_holds_what_the_other_does(
        elements in proptest::collection::vec(0_u64..5_000, 0..400),
        limit in prop_oneof![Just(0), Just(40), Just(200), Just(100_000_u64)],
    ) {
        let sparse = added(None, &adds(limit, elements.iter().copied()));
        let dense = added(None, &adds(0, elements.iter().copied()));
        if !elements.is_empty() {
            prop_assert_eq!(form_of(&dense), Some(Form::Dense));
        }
        prop_assert!(form_of(&sparse) == Some(Form::Dense) || sparse.len() as u64 <= limit.max(18));
        prop_assert_eq!(registers_of(&sparse), registers_of(&dense));
        prop_assert_eq!(count(&sparse), count(&dense));
        // Added again they change nothing; in another order they come to the same registers.
        let bytes = adds(limit, elements.iter().copied());
        let again = Change::Add(Adds::new(&bytes).unwrap());
        prop_assert_eq!(again.changes(&sparse), Ok(false));
        let backwards = added(None, &adds(limit, elements.iter().rev().copied()));
        prop_assert_eq!(registers_of(&backwards), registers_of(&sparse));
    }

    #[test]
    fn a_merge_is_a_union(
        one in proptest::collection::btree_set(0_u64..100_000, 0..300),
        other in proptest::collection::btree_set(0_u64..100_000, 0..300),
        limit in prop_oneof![Just(100), Just(100_000_u64)],
        is_dense: bool,
    ) {
        let both: BTreeSet<u64> = one.union(&other).copied().collect();
        let (one, other) = (added(None, &adds(limit, one)), added(None, &adds(limit, other)));
        let both = added(None, &adds(limit, both));
        let bytes = encode_merge(&registers_of(&other), is_dense, limit);
        let merge = Change::Merge(Merge::new(&bytes).unwrap());
        let merged = merge.made_of(Some(&one)).unwrap().unwrap_or_else(|| one.clone());
        prop_assert_eq!(registers_of(&merged), registers_of(&both));
        prop_assert!(!is_dense || form_of(&merged) == Some(Form::Dense));
        let alone = merge.made_of(None).unwrap().unwrap();
        prop_assert_eq!(registers_of(&alone), registers_of(&other));
        // In place it is the same, and can be taken back.
        let dense = Change::Merge(Merge::TO_DENSE).made_of(Some(&one)).unwrap().unwrap_or(one);
        let mut changed = dense.clone();
        let before = merge.change_dense(&mut changed).unwrap();
        prop_assert_eq!(&changed, &merge.made_of(Some(&dense)).unwrap().unwrap_or_else(|| dense.clone()));
        for (at, old) in before.into_iter().rev() {
            changed[at as usize] = old;
        }
        prop_assert_eq!(changed, dense);
    }

    #[test]
    fn any_registers_come_back(registers in proptest::collection::vec(0_u8..64, REGISTERS), thin: bool) {
        let thinned = |(at, count): (usize, u8)| if thin && at % 50 > 0 { 0 } else { count };
        let registers: Vec<u8> = registers.into_iter().enumerate().map(thinned).collect();
        let bytes = encode_merge(&registers, true, 0);
        let merge = Change::Merge(Merge::new(&bytes).unwrap());
        let made = merge.made_of(None).unwrap().unwrap();
        prop_assert_eq!(&*registers_of(&made), &registers[..]);
        prop_assert_eq!(count(&made).unwrap(), count_registers(&registers));
    }

    #[test]
    fn any_bytes_are_taken_without_a_panic(
        form in 0_u8..3, runs in proptest::collection::vec(any::<u8>(), 0..200), len in 0_usize..20,
        elements in proptest::collection::vec(any::<u64>(), 0..20), limit in 0_u64..300,
    ) {
        let mut value = b"HYLL".to_vec();
        value.extend_from_slice(&[form, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        value.extend_from_slice(&runs);
        if len < 16 {
            value.truncate(len);
        }
        let bytes = adds(limit, elements);
        let change = Change::Add(Adds::new(&bytes).unwrap());
        for change in [change, Change::Merge(Merge::TO_DENSE)] {
            if form_of(&value).is_none() {
                prop_assert_eq!(change.made_of(Some(&value)), Ok(None));
            } else if let Ok(Some(made)) = change.made_of(Some(&value)) {
                let _counted = count(&made);
            }
            let _dense = change.change_dense(&mut value.clone());
        }
        let _counted = (count(&value), cached(&value), merge_into(&mut no_registers(), &value));
        let _read = (Adds::new(&runs), Merge::new(&runs));
    }
}
