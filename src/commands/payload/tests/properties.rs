//! Random values come back; random bytes and random changes are refused or taken, and cost what they hold.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::db::stream::{Entries, Fields, Group, Head, NodeLimits, Stream, StreamId};

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => proptest::collection::vec(any::<u8>(), 0..12),
        4 => (any::<i64>(), 0..64_u32).prop_map(|(number, shift)| (number >> shift).to_string().into_bytes()),
        1 => (0..9000_usize, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ]
}

fn score() -> impl Strategy<Value = f64> {
    use proptest::num::f64;
    prop_oneof![
        f64::NORMAL | f64::SUBNORMAL | f64::INFINITE | f64::ZERO,
        any::<i64>().prop_map(|number| number as f64),
        (-5000..5000_i32).prop_map(f64::from),
    ]
}

fn stream(texts: &[(u64, Vec<u8>, Vec<u8>)], has_group: bool) -> Stream {
    let (mut entries, mut id) = (Entries::default(), StreamId { ms: 5, seq: 7 });
    let mut group = Group::new(id, has_group.then_some(3));
    group.add_consumer(b"idle", 4, Some(4));
    for (step, name, value) in texts {
        id = StreamId {
            ms: id.ms + step,
            seq: id.seq + 1,
        };
        let mut pairs = Vec::new();
        crate::db::varint::put_bytes(&mut pairs, if *step == 0 { b"same" } else { name });
        crate::db::varint::put_bytes(&mut pairs, value);
        entries.insert(
            id,
            Fields::of(&pairs, 1),
            NodeLimits {
                entries: 7,
                bytes: 0,
            },
        );
        // What 7.0 does not say of a consumer is what it said of when it was seen.
        group.add_pending(id, b"idle", 9, 2);
    }
    let head = Head {
        last_id: id,
        added: 99,
        max_deleted: StreamId { ms: 1, seq: 1 },
    };
    let groups = if has_group {
        vec![(b"group"[..].into(), group)]
    } else {
        Vec::new()
    };
    Stream::from_parts(entries, head, groups)
}

fn content() -> impl Strategy<Value = (Content, Body)> {
    use proptest::collection::{btree_map, btree_set, vec};
    prop_oneof![
        text().prop_map(|value| {
            let body = Body::string(&value);
            (Content::String(value), body)
        }),
        (btree_map(text(), text(), 1..40), any::<bool>()).prop_map(|(pairs, compact)| {
            let body = Body::hash(pairs.iter(), compact);
            (Content::Hash(pairs.into_iter().collect()), body)
        }),
        btree_set(text(), 1..40).prop_map(|members| {
            let body = Body::set(members.iter(), SetForm::Table);
            (Content::Set(members.into_iter().collect()), body)
        }),
        (btree_set(any::<i64>(), 1..40), 0..64_u32).prop_map(|(numbers, shift)| {
            let numbers: BTreeSet<i64> = numbers.iter().map(|number| number >> shift).collect();
            let members = numbers.iter().map(|number| number.to_string().into_bytes());
            let members: Vec<_> = members.collect();
            let body = Body::set(members.iter().rev(), SetForm::Ints);
            (Content::Set(members), body)
        }),
        (btree_map(text(), score(), 1..40), any::<bool>()).prop_map(|(members, compact)| {
            let members: Vec<_> = BTreeMap::into_iter(members).collect();
            let body = Body::zset(members.iter().map(|(text, score)| (text, *score)), compact);
            (Content::Zset(members), body)
        }),
        (vec((0_u64..3, text(), text()), 0..60), any::<bool>()).prop_map(|(entries, has_group)| {
            let stream = stream(&entries, has_group);
            let body = Body::stream(&stream);
            (Content::Stream(Box::new(stream)), body)
        }),
        (vec(text(), 1..60), any::<bool>()).prop_map(|(elements, is_split)| {
            let plain_len_min = if is_split { 9 } else { usize::MAX };
            let body = Body::list_split(elements.iter(), plain_len_min);
            (Content::List(elements), body)
        }),
    ]
}

/// The order in which sorted sets stand in a payload is no part of them.
fn sorted(content: Content) -> Content {
    match content {
        Content::Zset(mut members) => {
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Content::Zset(members)
        }
        other => other,
    }
}

/// How many elements there are and how many bytes are in them.
fn weight(content: &Content) -> (usize, usize) {
    let weigh = |texts: &mut dyn Iterator<Item = &Vec<u8>>| {
        texts.fold((0, 0), |(count, len), text| (count + 1, len + text.len()))
    };
    match content {
        Content::String(text) => (1, text.len()),
        Content::Hash(pairs) => weigh(&mut pairs.iter().flat_map(|(field, value)| [field, value])),
        Content::Set(texts) | Content::List(texts) => weigh(&mut texts.iter()),
        Content::Zset(members) => weigh(&mut members.iter().map(|(member, _)| member)),
        Content::Stream(stream) => {
            let entries = stream.entries.range(StreamId::MIN, StreamId::MAX);
            // Names that entries have in common stand there once.
            let texts = entries.flat_map(|entry| entry.fields.iter().map(|(_, value)| value.len()));
            texts.fold((0, 0), |(count, len), text| (count + 1, len + text))
        }
    }
}

/// Takes any payload in; what is taken is sound, no more than its bytes can hold, and comes back from what is written of it.
fn probe(payload: &[u8]) {
    let Ok(content) = restore_content(payload) else {
        return;
    };
    let (count, len) = weight(&content);
    // A number of one byte is a text of four at most; the shortest element is one byte of what LZF makes.
    let bound = lzf::RATIO_MAX * payload.len();
    assert!(count <= bound && len <= 4 * bound);
    for compact in [false, true] {
        let body = match &content {
            Content::String(value) => Body::string(value),
            Content::Hash(pairs) => {
                Body::hash(pairs.iter().map(|(field, value)| (field, value)), compact)
            }
            Content::Set(members) if compact => Body::set(members.iter(), SetForm::Ints),
            Content::Set(members) => Body::set(members.iter(), SetForm::Table),
            Content::Zset(members) => Body::zset(
                members.iter().map(|(member, score)| (member, *score)),
                compact,
            ),
            Content::List(elements) => Body::list(elements.iter()),
            Content::Stream(stream) => Body::stream(stream),
        };
        let mut back = restore_content(&body.seal()).unwrap();
        let mut content = content.clone();
        if let (Content::Set(back), Content::Set(members)) = (&mut back, &mut content) {
            back.sort();
            members.sort();
        }
        assert_eq!(sorted(back), sorted(content));
    }
}

proptest! {
    #[test]
    fn a_value_of_any_type_comes_back((content, body) in content()) {
        let len = body.serialized_len();
        let payload = body.seal();
        prop_assert_eq!(payload.len(), len + 11);
        prop_assert_eq!(restore_content(&payload).map(sorted), Ok(content));
    }

    #[test]
    fn any_bytes_of_any_type_are_refused_or_taken(
        kind in 0..22_u8, content in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let _ = restore_content(&content);
        probe(&sealed(&[&[kind], &content[..]].concat(), 10));
    }

    /// With lengths that are right, so that what lies deeper is reached.
    #[test]
    fn any_elements_of_a_small_collection_are_refused_or_taken(
        kind in prop::sample::select(vec![9_u8, 10, 11, 12, 13, 16, 17, 20]),
        mut elements in proptest::collection::vec(prop_oneof![any::<u8>(), 0..4_u8, 0xf0..=0xff_u8], 0..40),
        count in 0..10_u8,
    ) {
        elements.push(0xff);
        let count = if count == 0 { [0xff; 2] } else { [count, 0] };
        let bytes = match kind {
            9 => elements,
            10 | 12 | 13 => {
                let len = elements.len() as u8 + 10;
                [&[len, 0, 0, 0, 10, 0, 0, 0][..], &count, &elements].concat()
            }
            11 => {
                elements.pop();
                let count = elements.len() as u8 / 2;
                [&[2, 0, 0, 0, count, 0, 0, 0], &elements[..usize::from(count) * 2]].concat()
            }
            _ => [&[elements.len() as u8 + 6, 0, 0, 0][..], &count, &elements].concat(),
        };
        probe(&sealed(&[&[kind, bytes.len() as u8], &bytes[..]].concat(), 10));
    }

    #[test]
    fn a_flipped_byte_under_a_right_footer_is_refused_or_taken(
        (_, body) in content(), at: prop::sample::Index, change in 1..=255_u8, cut in 0..4_usize,
    ) {
        let mut payload = body.seal();
        payload.truncate(payload.len() - FOOTER_LEN);
        // The first bytes are those that matter most.
        let len = if cut == 0 { payload.len() } else { payload.len().min(16) };
        payload[at.index(len)] ^= change;
        probe(&sealed(&payload, 10));
        payload.truncate(payload.len().saturating_sub(cut));
        probe(&sealed(&payload, 10));
    }
}
