//! Sums of what keys show: equal on two nodes where they show the same, however they hold it.
//!
//! Invariant: nothing goes into a digest but what clients can see; the order of fields and members does not, that of list
//! elements does.

use crate::db::body::{Form, Large, Shown};
use crate::db::deadlines::{Deadlines, Whole};
use crate::db::elements::packed;
use crate::db::stamp::UnixMillis;
use crate::db::stream::{self, Stream, StreamId};
use crate::db::{list, ordered, varint};

/// Two independent 64-bit hashes with fixed seeds, so that all nodes agree.
fn digest_of(db: u32, parts: &[&[u8]]) -> u128 {
    let half = |seed: u64| {
        let mut hash = seed ^ u64::from(db).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for part in parts {
            for chunk in part.chunks(8) {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0xff51_afd7_ed55_8ccd);
                hash ^= hash >> 32;
            }
            hash = (hash ^ part.len() as u64).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
            hash ^= hash >> 29;
        }
        hash
    };
    u128::from(half(0x2545_f491_4f6c_dd1d)) << 64 | u128::from(half(0x9e6c_63d0_676a_9a99))
}

/// The digest of a key with what it shows.
pub fn of_key(db: u32, key: &[u8], whole: Whole<'_>, deadline: Option<UnixMillis>) -> u128 {
    let shown = whole.shown;
    let deadline = deadline.map_or(i64::MIN, |deadline| deadline.0);
    let deadline = deadline.to_le_bytes();
    let key_len = (key.len() as u64).to_le_bytes();
    if let Shown::String(value) = shown {
        return digest_of(db, &[&key_len, key, value, &deadline]);
    }
    let kind = shown.kind() as u8;
    let timed = |sum: u128, (member, deadline): (&[u8], UnixMillis)| {
        sum.wrapping_add(digest_of(4, &[member, &deadline.0.to_le_bytes()]))
    };
    let deadlines = whole.deadlines.into_iter().flat_map(Deadlines::iter);
    let elements = deadlines.fold(of_elements(whole), timed).to_le_bytes();
    digest_of(db, &[&key_len, key, &[kind], &elements, &deadline])
}

/// The sum over a collection's elements.
fn of_elements(whole: Whole<'_>) -> u128 {
    let pairs = |sum: u128, (name, payload): (&[u8], &[u8])| {
        sum.wrapping_add(digest_of(1, &[name, payload]))
    };
    let scores = |sum: u128, (member, score): (&[u8], f64)| {
        // Zero has two signs and is one score.
        let score = (score + 0.0).to_le_bytes();
        sum.wrapping_add(digest_of(2, &[member, &score]))
    };
    let sequence =
        |sum: u128, (_, element): (_, &[u8])| digest_of(3, &[&sum.to_le_bytes(), element]);
    match whole.shown {
        Shown::String(bytes) => digest_of(0, &[bytes]),
        Shown::Small(Form::Hash | Form::Set | Form::Ints | Form::Job, bytes) => {
            packed::iter(bytes).fold(0, pairs)
        }
        Shown::Large(Large::Hash(elements) | Large::Set(elements)) => {
            whole.living(elements.iter()).fold(0, pairs)
        }
        Shown::Small(Form::Zset, bytes) => ordered::packed::iter(bytes).fold(0, scores),
        Shown::Large(Large::Zset(ordered)) => whole.living(ordered.iter()).fold(0, scores),
        Shown::Small(Form::List, bytes) => list::packed::iter(bytes).fold(0, sequence),
        Shown::Large(Large::List(list)) => list.iter().fold(0, sequence),
        Shown::Large(Large::Stream(stream)) => of_stream(stream),
    }
}

/// Of entries in their order, of what the stream remembers, and of its groups.
fn of_stream(stream: &Stream) -> u128 {
    let mut bytes = Vec::new();
    let chain = |sum: u128, bytes: &mut Vec<u8>| {
        let sum = digest_of(5, &[&sum.to_le_bytes(), bytes]);
        bytes.clear();
        sum
    };
    let head = &stream.head;
    for id in [head.last_id, head.max_deleted] {
        stream::change::put_id(&mut bytes, StreamId::MIN, id);
    }
    varint::put(&mut bytes, head.added);
    let mut sum = chain(0, &mut bytes);
    for entry in stream.entries.range(StreamId::MIN, StreamId::MAX) {
        stream::change::put_id(&mut bytes, StreamId::MIN, entry.id);
        entry.fields.to_pairs(&mut bytes);
        sum = chain(sum, &mut bytes);
    }
    for (name, group) in stream.groups() {
        varint::put_bytes(&mut bytes, name);
        stream::content::write_group(group, &mut bytes);
        sum = chain(sum, &mut bytes);
    }
    sum
}
