//! The elements of a small collection, one behind the other in one piece of bytes, in the order in which they came.
//!
//! ```text
//! number of elements u16 LE | elements, see `entry`
//! ```
//! Everything looks at all of them: there are as few as `hash-max-listpack-entries` and its kin say.
//!
//! Invariant: the number is that of the elements, and no key is there twice. Bytes from elsewhere are checked by
//! [`is_whole`] before they are taken for such.

use crate::db::elements::{Element, Elements, Payload, entry};
use crate::db::table::KeyHasher;

/// Bytes of the number.
const HEAD_LEN: usize = 2;
/// No more elements fit.
pub const LEN_MAX: usize = u16::MAX as usize;

/// The bytes of no elements.
pub const EMPTY: [u8; HEAD_LEN] = [0; HEAD_LEN];

/// How many elements there are.
pub fn len(bytes: &[u8]) -> usize {
    let head = bytes.first_chunk().copied().unwrap_or_default();
    usize::from(u16::from_le_bytes(head))
}

pub(in crate::db) fn set_len(bytes: &mut [u8], len: usize) {
    if let Some(head) = bytes.first_chunk_mut() {
        *head = (len.min(LEN_MAX) as u16).to_le_bytes();
    }
}

/// All elements in their order.
pub fn iter(bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut rest = bytes.get(HEAD_LEN..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (element, behind) = entry::split(rest)?;
        rest = behind;
        Some(element)
    })
}

/// Whether bytes are those of a small collection.
pub fn is_whole(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.get(HEAD_LEN..) else {
        return false;
    };
    let mut keys = std::collections::HashSet::new();
    while !rest.is_empty() {
        let Some(((key, _), behind)) = entry::split(rest) else {
            return false;
        };
        if !keys.insert(key) {
            return false;
        }
        rest = behind;
    }
    keys.len() == len(bytes)
}

/// The payload of a key.
pub fn get<'b>(bytes: &'b [u8], key: &[u8]) -> Option<&'b [u8]> {
    let (_, payload) = iter(bytes).find(|(other, _)| *other == key)?;
    Some(payload)
}

/// Where an element begins, its payload begins, and it ends.
fn place(bytes: &[u8], key: &[u8]) -> Option<(usize, usize, usize)> {
    let mut rest = bytes.get(HEAD_LEN..)?;
    loop {
        let start = bytes.len() - rest.len();
        let ((other, payload), behind) = entry::split(rest)?;
        let end = bytes.len() - behind.len();
        if other == key {
            return Some((start, end - payload.len(), end));
        }
        rest = behind;
    }
}

/// Puts an element in, behind the others or in the place of the one with the same key; says whether it is a new one. There must
/// be fewer than [`LEN_MAX`].
pub fn insert(bytes: &mut Vec<u8>, key: &[u8], payload: &[u8]) -> bool {
    let Some((start, payload_at, end)) = place(bytes, key) else {
        let count = len(bytes) + 1;
        bytes.reserve_exact(entry::encoded_len(key, payload));
        entry::encode(bytes, key, payload);
        set_len(bytes, count);
        return true;
    };
    if end - payload_at == payload.len() {
        bytes[payload_at..end].copy_from_slice(payload);
    } else {
        let mut new = Vec::with_capacity(entry::encoded_len(key, payload));
        entry::encode(&mut new, key, payload);
        bytes.splice(start..end, new);
    }
    false
}

/// Puts an element without a payload in, so that it is the nth. Its key must not be there.
pub fn insert_at(bytes: &mut Vec<u8>, nth: usize, key: &[u8]) {
    let mut rest = bytes.get(HEAD_LEN..).unwrap_or_default();
    for _ in 0..nth {
        let Some((_, behind)) = entry::split(rest) else {
            break;
        };
        rest = behind;
    }
    let at = bytes.len() - rest.len();
    let count = len(bytes) + 1;
    let mut new = Vec::with_capacity(entry::encoded_len(key, b""));
    entry::encode(&mut new, key, b"");
    bytes.splice(at..at, new);
    set_len(bytes, count);
}

/// Takes an element out; its payload, if it was there.
pub fn remove(bytes: &mut Vec<u8>, key: &[u8]) -> Option<Payload> {
    let (start, payload_at, end) = place(bytes, key)?;
    let payload = Payload::from_slice(&bytes[payload_at..end]);
    let count = len(bytes).saturating_sub(1);
    bytes.drain(start..end);
    set_len(bytes, count);
    Some(payload)
}

/// The large collection of the same elements.
pub fn grow(bytes: &[u8], hasher: &KeyHasher) -> Elements {
    let mut elements = Elements::default();
    for (key, payload) in iter(bytes) {
        elements.insert(hasher, key, payload);
    }
    elements
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn small_elements_are_those_of_a_list_of_pairs(
            steps in proptest::collection::vec(
                (0_u8..12, proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200))),
                0..80,
            ),
        ) {
            let (mut bytes, mut model) = (EMPTY.to_vec(), Vec::<(Vec<u8>, Vec<u8>)>::new());
            for (key, payload) in steps {
                let key = vec![key; usize::from(key) * 13];
                let known = model.iter().position(|(other, _)| *other == key);
                match payload {
                    Some(payload) => {
                        prop_assert_eq!(insert(&mut bytes, &key, &payload), known.is_none());
                        match known {
                            Some(at) => model[at].1 = payload,
                            None => model.push((key, payload)),
                        }
                    }
                    None => {
                        let removed = remove(&mut bytes, &key).map(|old| old.to_vec());
                        prop_assert_eq!(removed, known.map(|at| model.remove(at).1));
                    }
                }
                prop_assert_eq!(len(&bytes), model.len());
                prop_assert!(is_whole(&bytes));
                let found: Vec<(Vec<u8>, Vec<u8>)> = iter(&bytes)
                    .map(|(key, payload)| (key.to_vec(), payload.to_vec()))
                    .collect();
                prop_assert_eq!(&found, &model);
                for (key, payload) in &model {
                    prop_assert_eq!(get(&bytes, key), Some(&payload[..]));
                }
            }
            let hasher = KeyHasher::new(5);
            let large = grow(&bytes, &hasher);
            prop_assert_eq!(large.len(), model.len());
            for (key, payload) in &model {
                prop_assert_eq!(large.get(&hasher, key), Some(&payload[..]));
            }
        }

        #[test]
        fn any_bytes_are_looked_through_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut changed = bytes.clone();
            let is_good = is_whole(&bytes);
            let count = iter(&bytes).count();
            prop_assert!(!is_good || count == len(&bytes));
            insert(&mut changed, b"key", b"payload");
            remove(&mut changed, b"key");
            get(&bytes, b"");
        }
    }

    #[test]
    fn what_is_cut_off_or_counted_wrongly_is_not_whole() {
        let mut bytes = EMPTY.to_vec();
        assert!(is_whole(&bytes));
        insert(&mut bytes, b"a", b"1");
        insert(&mut bytes, b"b", b"");
        assert_eq!(bytes, [2, 0, 1, b'a', 1, b'1', 1, b'b', 0]);
        for len in 0..bytes.len() {
            assert!(!is_whole(&bytes[..len]), "{len}");
        }
        let twice = [&bytes[..], &bytes[2..]].concat();
        assert!(!is_whole(&twice));
        bytes[0] = 3;
        assert!(!is_whole(&bytes));
    }
}
