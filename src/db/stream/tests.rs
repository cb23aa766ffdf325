//! Entries in any order against a map.

use super::*;
use crate::db::varint;
use proptest::prelude::*;

type Model = BTreeMap<StreamId, Vec<(Vec<u8>, Vec<u8>)>>;

fn pairs(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        varint::put_bytes(&mut bytes, name);
        varint::put_bytes(&mut bytes, value);
    }
    bytes
}

fn owned(fields: Fields<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pairs = fields.iter();
    pairs
        .map(|(name, value)| (name.to_vec(), value.to_vec()))
        .collect()
}

fn ids() -> impl Strategy<Value = StreamId> {
    let ms = prop_oneof![8 => 0_u64..20, 1 => Just(u64::MAX), 1 => Just(1 << 40)];
    let seq = prop_oneof![8 => 0_u64..20, 1 => Just(u64::MAX), 1 => Just(1 << 40)];
    (ms, seq).prop_map(|(ms, seq)| StreamId { ms, seq })
}

fn fields() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
    let names = prop_oneof![
        3 => Just(vec![b"a".to_vec(), b"b".to_vec()]),
        1 => proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..4), 1..4),
    ];
    (names, proptest::collection::vec(any::<u8>(), 0..30)).prop_map(|(names, value)| {
        names
            .into_iter()
            .map(|name| (name, value.clone()))
            .collect()
    })
}

#[derive(Debug, Clone)]
enum Step {
    Insert(StreamId, Vec<(Vec<u8>, Vec<u8>)>),
    Remove(StreamId),
    Trim(StreamId),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (ids(), fields()).prop_map(|(id, fields)| Step::Insert(id, fields)),
        5 => ids().prop_map(Step::Remove),
        1 => ids().prop_map(Step::Trim),
    ]
}

fn all(entries: &Entries) -> Vec<StreamId> {
    let range = entries.range(StreamId::MIN, StreamId::MAX);
    range.map(|entry| entry.id).collect()
}

proptest! {
    #[test]
    fn entries_are_those_of_a_map_in_both_directions(
        steps in proptest::collection::vec(steps(), 0..300), most_entries in 1_usize..8, most_bytes in prop_oneof![Just(0_usize), Just(60)],
        from in ids(), to in ids(), most in 0_usize..60,
    ) {
        let limits = NodeLimits { entries: most_entries, bytes: most_bytes };
        let (mut entries, mut model) = (Entries::default(), Model::new());
        for step in steps {
            let copy = entries.clone();
            let before = all(&copy);
            match step {
                Step::Insert(id, fields) => {
                    let bytes = pairs(&fields);
                    let is_new = entries.insert(id, Fields::of(&bytes, fields.len()), limits);
                    prop_assert_eq!(is_new, !model.contains_key(&id));
                    model.entry(id).or_insert(fields);
                }
                Step::Remove(id) => prop_assert_eq!(entries.remove(id), model.remove(&id).is_some()),
                Step::Trim(id) => {
                    let mut kept = model.split_off(&id);
                    let own = kept.remove(&id).is_some();
                    prop_assert_eq!(entries.trim_through(id), model.len() + usize::from(own));
                    model = kept;
                }
            }
            // A copy stays what it was.
            prop_assert_eq!(all(&copy), before);
        }
        prop_assert_eq!(entries.len(), model.len());
        prop_assert_eq!(entries.first(), model.keys().next().copied());
        prop_assert_eq!(entries.last(), model.keys().next_back().copied());
        let blocks: usize = entries.blocks.values().map(|block| block.len_bytes()).sum();
        prop_assert_eq!(entries.blocks_bytes, blocks);
        for (id, fields) in &model {
            prop_assert_eq!(entries.get(*id).map(owned), Some(fields.clone()));
        }
        let expected: Vec<_> = if from <= to {
            model.range(from..=to).map(|(id, fields)| (*id, fields.clone())).collect()
        } else {
            Vec::new()
        };
        let seen: Vec<_> = entries.range(from, to).map(|entry| (entry.id, owned(entry.fields))).collect();
        prop_assert_eq!(&seen, &expected);
        let mut back: Vec<_> = entries.range_back(from, to).map(|entry| (entry.id, owned(entry.fields))).collect();
        back.reverse();
        prop_assert_eq!(&back, &expected);
        // Cuts by length leave what they say.
        let mut cut = entries.clone();
        if let Some(id) = entries.cut_for_len(most) {
            cut.trim_through(id);
        }
        prop_assert_eq!(cut.len(), model.len().min(most));
        let mut blockwise = entries.clone();
        if let Some(id) = entries.cut_blocks_for_len(most, usize::MAX) {
            blockwise.trim_through(id);
        }
        prop_assert!(blockwise.len() >= model.len().min(most));
        let mut before = entries.clone();
        if let Some(id) = entries.cut_blocks_before(to, usize::MAX) {
            before.trim_through(id);
        }
        prop_assert!(model.range(to..).all(|(id, _)| before.get(*id).is_some()));
    }
}

#[test]
fn appended_entries_fill_blocks_as_far_as_one_takes() {
    let mut entries = Entries::default();
    let bytes = pairs(&[(b"name".to_vec(), b"value".to_vec())]);
    for ms in 1..=1_000 {
        entries.insert(
            StreamId { ms, seq: 0 },
            Fields::of(&bytes, 1),
            NodeLimits::default(),
        );
    }
    assert_eq!((entries.len(), entries.blocks_len()), (1_000, 10));
    let each = entries.len_bytes() / entries.len();
    assert!(each < 16, "{each}");
    let cut = entries.cut_blocks_for_len(350, usize::MAX);
    assert_eq!(cut, Some(StreamId { ms: 600, seq: 0 }));
    let cut = entries.cut_blocks_for_len(350, 250);
    assert_eq!(cut, Some(StreamId { ms: 200, seq: 0 }));
}

/// A stream of two entries with a group that has missed one of them.
fn with_group() -> Stream {
    let (one, two) = (StreamId { ms: 1, seq: 1 }, StreamId { ms: 5, seq: 0 });
    let mut stream = Stream::default();
    let bytes = pairs(&[(b"a".to_vec(), b"b".to_vec())]);
    let fields = Fields::of(&bytes, 1);
    stream.add(two, fields, NodeLimits::default()).unwrap();
    let made = change::Action::Created {
        makes_stream: false,
        id: two,
        read: Some(1),
    };
    let made = change::GroupChange::encode(b"g", made);
    stream.change(change::GroupChange::of(&made), true).unwrap();
    stream.add(one, fields, NodeLimits::default()).unwrap();
    let ids = change::Ids::encode([two]);
    let delivered = change::Action::Delivered {
        consumer: b"c",
        now: 9,
        no_ack: false,
        last: two,
        read: Some(1),
        ids: change::Ids::of(&ids),
    };
    let delivered = change::GroupChange::encode(b"g", delivered);
    stream
        .change(change::GroupChange::of(&delivered), true)
        .unwrap();
    stream
}

#[test]
fn a_stream_has_these_bytes_and_comes_back() {
    let stream = with_group();
    let mut bytes = Vec::new();
    content::write(&stream, &mut bytes);
    let golden = [
        &[5, 0, 2, 0, 0][..],
        // The group: its name, where it is, one consumer, one entry pending, one missed.
        &[1, 1, b'g', 5, 0, 2],
        &[1, 1, b'c', 18, 1, 18],
        &[1, 5, 0, 0, 18, 1, 0],
        &[1, 1, 1],
        // The entries.
        &[1, 1, 1, 1, b'a', 1, b'b'],
        &[4, 0, 1, 1, b'a', 1, b'b'],
    ]
    .concat();
    assert_eq!(bytes, golden);
    content::check(&bytes).unwrap();
    assert_eq!(content::read(&bytes, NodeLimits::default()), stream);
    for end in 0..bytes.len() {
        // An entry may be left out, and nothing else.
        let is_whole = end == bytes.len() - 7 || end == bytes.len() - 14;
        assert_eq!(content::check(&bytes[..end]).is_ok(), is_whole, "{end}");
    }
}

#[test]
fn what_comes_late_is_missed_by_groups_that_have_passed_it_until_it_is_delivered() {
    let mut stream = with_group();
    let one = StreamId { ms: 1, seq: 1 };
    let missed = |stream: &Stream| -> Vec<StreamId> {
        let group = stream.group(b"g").unwrap();
        group.missed(StreamId::MAX).collect()
    };
    assert_eq!(missed(&stream), [one]);
    let before = stream.clone();
    let ids = change::Ids::encode([one]);
    let action = change::Action::Delivered {
        consumer: b"d",
        now: 10,
        no_ack: true,
        last: StreamId { ms: 5, seq: 0 },
        read: Some(2),
        ids: change::Ids::of(&ids),
    };
    let delivered = change::GroupChange::encode(b"g", action);
    let (undo, _) = stream
        .change(change::GroupChange::of(&delivered), true)
        .unwrap();
    assert!(missed(&stream).is_empty());
    assert_eq!(stream.group(b"g").unwrap().pending().len(), 1);
    stream.take_back(undo, NodeLimits::default());
    assert_eq!(stream, before);
    // Memory is counted as it is.
    let group = stream.group(b"g").unwrap();
    assert_eq!(stream.groups_bytes, 1 + group.len_bytes());
}

#[test]
fn what_a_delivery_elsewhere_goes_past_is_missed_and_what_it_names_and_is_not_here_is_not_seen() {
    let at = |ms| StreamId { ms, seq: 0 };
    let bytes = pairs(&[(b"a".to_vec(), b"b".to_vec())]);
    let mut stream = Stream::default();
    for ms in [1, 3, 4, 6] {
        let fields = Fields::of(&bytes, 1);
        stream.add(at(ms), fields, NodeLimits::default()).unwrap();
    }
    let change = |stream: &mut Stream, action| {
        let bytes = change::GroupChange::encode(b"g", action);
        stream
            .change(change::GroupChange::of(&bytes), true)
            .unwrap()
    };
    let (id, read) = (at(1), Some(1));
    let makes_stream = false;
    let made = change::Action::Created {
        makes_stream,
        id,
        read,
    };
    change(&mut stream, made);
    let before = stream.clone();
    let ids = change::Ids::encode([at(2), at(4), at(5)]);
    let delivered = |no_ack| change::Action::Delivered {
        consumer: b"c",
        now: 9,
        no_ack,
        last: at(5),
        read: Some(4),
        ids: change::Ids::of(&ids),
    };
    for no_ack in [false, true] {
        let (undo, _) = change(&mut stream, delivered(no_ack));
        let group = stream.group(b"g").unwrap();
        assert_eq!(group.missed(StreamId::MAX).collect::<Vec<_>>(), [at(3)]);
        let unseen = group.pending().iter().map(|(id, one)| (*id, one.unseen));
        let expected = [(at(2), true), (at(4), false), (at(5), true)];
        assert!(unseen.eq(expected.into_iter().filter(|_| !no_ack)));
        stream.take_back(undo, NodeLimits::default());
        assert_eq!(stream, before);
    }
    // A claim of one that was there once knows that it went.
    change(&mut stream, delivered(false));
    let ids = change::Ids::encode([at(4)]);
    stream.remove(change::Ids::of(&ids), false, false).unwrap();
    let claims = [2, 4].map(|ms| change::Claimed {
        id: at(ms),
        at: 11,
        count: 2,
    });
    let claims = change::Claims::encode(claims);
    let claimed = change::Action::Claimed {
        consumer: b"d",
        now: 11,
        last: StreamId::MIN,
        force: false,
        again: false,
        claims: change::Claims::of(&claims),
    };
    change(&mut stream, claimed);
    let pending = stream.group(b"g").unwrap().pending();
    assert!(pending[&at(2)].unseen && !pending[&at(4)].unseen);
    // Whoever is deleted keeps what it was given by somebody who had not heard of that.
    let ids = change::Ids::encode([at(2)]);
    let gone = change::Action::ConsumerGone {
        consumer: b"d",
        ids: change::Ids::of(&ids),
    };
    let before = stream.clone();
    let (undo, count) = change(&mut stream, gone);
    let consumer = stream.group(b"g").unwrap().consumer(b"d").unwrap();
    assert!(count == 1 && consumer.pending().eq([at(4)]));
    stream.take_back(undo, NodeLimits::default());
    assert_eq!(stream, before);
}
