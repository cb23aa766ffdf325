//! Whoever takes a walk and then what has changed has what is shown.

use std::collections::BTreeMap;

use super::*;
use crate::db::follow::Changed;
use crate::db::item;
use crate::db::snapshot::Walked;
use crate::db::varint::Reader;
use crate::keyspace::{Followed, Lost, Walk};

/// What a follower knows: what each key shows.
#[derive(Default)]
struct Copy(BTreeMap<(u32, Vec<u8>), String>);

impl Copy {
    fn take_items(&mut self, keyspace: &Keyspace, items: &[u8]) {
        let mut reader = Reader::new(items);
        while !reader.is_empty() {
            let item = item::decode(&mut reader, &Some).unwrap();
            let place = (item.db, item.key.to_vec());
            let shown = item.show(&keyspace.maker(keyspace.is_stamped()), |view| {
                let body = crate::commands::keys::payload_of(view);
                format!("{:?} {:?}", view.deadline, body.serialized_len())
            });
            match shown {
                Some(shown) => self.0.insert(place, shown),
                None => self.0.remove(&place),
            };
        }
    }

    fn walk(&mut self, keyspace: &Keyspace, mut walk: Walk) {
        let mut items = Vec::new();
        while keyspace.walk_some(&mut walk, &mut items) == Walked::More {}
        self.take_items(keyspace, &items);
    }

    fn follow(&mut self, keyspace: &Keyspace, followed: &mut Followed) -> Result<(), Lost> {
        loop {
            let mut changed = Changed::default();
            let is_more = keyspace.take_changed(followed, 3, &mut changed)?;
            for place in &changed.gone {
                self.0.remove(&(place.0, place.1.to_vec()));
            }
            for large in &changed.large {
                large.encode(&mut changed.items);
            }
            self.take_items(keyspace, &changed.items);
            if !is_more {
                return Ok(());
            }
        }
    }

    /// What one would know who begins now.
    fn now(keyspace: &Keyspace) -> Self {
        let mut copy = Self::default();
        copy.walk(keyspace, keyspace.begin_walk());
        copy
    }
}

const LINES: &[&str] = &[
    "SET a 1",
    "APPEND b xyz",
    "SADD c 1 2 3",
    "RPUSH d a b c",
    "LPOP d",
    "ZADD e 1 x 2 y",
    "HSET f field value",
    "DEL a",
    "RENAME b a",
    "COPY c g",
    "EXPIRE e 1000",
    "SET h 1 PX 1",
    "FLUSHDB",
    "SUNIONSTORE c c g",
    "INCR i",
    "XADD s 1-1 a b",
    "SETBIT b 1000 1",
    "DEL c d e f g",
];

#[test]
fn a_walk_and_what_has_changed_since_come_to_what_is_shown() {
    for (seed, mut node) in
        (0..40).flat_map(|seed| [(seed, Node::plain()), (seed, Node::stamped())])
    {
        let mut random: u64 = seed * 2 + 1;
        let mut next = |end: usize| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005_u64)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % end
        };
        for _ in 0..10 {
            node.run(LINES[next(LINES.len())]);
        }
        let (walk, mut followed) = node.keyspace.follow_from_now();
        for _ in 0..next(10) {
            node.run(LINES[next(LINES.len())]);
        }
        let mut copy = Copy::default();
        copy.walk(&node.keyspace, walk);
        for _ in 0..60 {
            node.run(LINES[next(LINES.len())]);
            node.caller.now.0 += 1;
            if next(4) == 0 {
                copy.follow(&node.keyspace, &mut followed).unwrap();
            }
            if next(8) == 0 {
                node.settle();
                for index in 0..node.keyspace.partitions_len() {
                    node.keyspace.purge_partition(index, node.caller.now);
                }
            }
        }
        copy.follow(&node.keyspace, &mut followed).unwrap();
        assert_eq!(copy.0, Copy::now(&node.keyspace).0, "{seed}");
        node.keyspace.unfollow(&followed);
        assert_eq!(copy.follow(&node.keyspace, &mut followed), Err(Lost));
    }
}

#[test]
fn who_follows_begins_anew_where_too_much_changes_at_once() {
    for reset in [true, false] {
        let mut node = Node::plain();
        for number in 0..200_000 {
            node.run(&format!("SET key:{number} 1"));
        }
        let (walk, mut followed) = node.keyspace.follow_from_now();
        node.keyspace.end_walk(&walk);
        if reset {
            node.keyspace.reset(false);
        } else {
            node.run("FLUSHALL");
        }
        let mut copy = Copy::default();
        assert_eq!(copy.follow(&node.keyspace, &mut followed), Err(Lost));
    }
}
