//! Effects that bring a large value as a whole. To make their bytes takes long, so that is left to who holds no partition any
//! more: until then the value is a copy, which shares its parts with what the key shows, or content that needs only its place.
//!
//! Invariant: what is made is what would have been made at once.

use crate::ablation::large_from;
use crate::commands::effects::put_key;
use crate::db::body::Body;
use crate::db::live::content_of;
use crate::db::op::{Content, Kind};
use crate::db::{Op, UnixMillis};

/// PUT of a large value.
#[derive(Debug)]
pub(super) struct Late {
    /// Behind how many bytes of other effects.
    pub at: usize,
    pub db: u32,
    pub key: Box<[u8]>,
    pub value: LateValue,
    pub deadline: Option<UnixMillis>,
}

impl Late {
    pub fn len_bytes(&self) -> usize {
        match &self.value {
            LateValue::Body(body) => body.len_bytes(),
            LateValue::Content(bytes) => bytes.len(),
        }
    }
}

/// The value of a [`Late`].
#[derive(Debug)]
pub enum LateValue {
    /// A copy.
    Body(Body),
    /// Its bytes.
    Content(Vec<u8>),
}

/// Whether a value is better copied, to make its bytes later: a collection that is large and therefore shares its parts. Elements
/// of a large list keep the names that they had where they came from, for no other list knows them by those; where they have none
/// they need some first.
pub fn is_better_late(body: &Body) -> bool {
    let can_wait = match body.kind() {
        Kind::String => false,
        Kind::List => body.shown().has_ids(),
        _ => true,
    };
    can_wait && body.len_bytes() > large_from()
}

/// Puts the bytes of all of these between the others.
pub(super) fn make(all: Vec<Late>, payload: &mut Vec<u8>) {
    let (mut made, mut done) = (Vec::new(), 0);
    for late in all {
        made.extend_from_slice(payload.get(done..late.at).unwrap_or_default());
        done = late.at;
        let bytes = match late.value {
            LateValue::Content(bytes) => bytes,
            LateValue::Body(body) => {
                let mut bytes = Vec::new();
                content_of(body.whole(), true, &mut bytes);
                bytes
            }
        };
        let op = Op::Put(Content::of(&bytes), late.deadline);
        put_key(&mut made, late.db, &late.key, op);
    }
    made.extend_from_slice(payload.get(done..).unwrap_or_default());
    *payload = made;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::effects::{Effect, Effects};
    use crate::db::body::{Form, Large};
    use crate::db::elements::Elements;
    use crate::db::table::KeyHasher;

    fn large(count: u32) -> Body {
        let (hasher, mut elements) = (KeyHasher::new(1), Elements::default());
        for number in 0..count {
            elements.insert(&hasher, &number.to_le_bytes(), b"value");
        }
        Body::Large(Large::Hash(Box::new(elements)))
    }

    #[test]
    fn bytes_made_later_are_those_made_at_once_in_the_same_places() {
        let (one, other) = (large(9_000), large(10));
        let deadline = Some(UnixMillis(7));
        let simple = |effects: &mut Effects, key: &[u8]| {
            let op = Op::Incr(1);
            effects.push(Effect::Key { db: 0, key, op });
        };
        let at_once = |effects: &mut Effects, db, key: &[u8], body: &Body, deadline| {
            let mut bytes = Vec::new();
            content_of(body.whole(), false, &mut bytes);
            let op = Op::Put(Content::of(&bytes), deadline);
            effects.push(Effect::Key { db, key, op });
        };
        let (mut later, mut now) = (Effects::default(), Effects::default());
        for is_late in [true, false] {
            let effects = if is_late { &mut later } else { &mut now };
            for (nth, (key, body)) in [(b"a", &one), (b"b", &other)].into_iter().enumerate() {
                if nth == 1 {
                    simple(effects, b"between");
                }
                if is_late {
                    effects.push_late(3, key, LateValue::Body(body.clone()), deadline);
                } else {
                    at_once(effects, 3, key, body, deadline);
                }
            }
            simple(effects, b"behind");
        }
        assert!(later.is_late() && !now.is_late());
        assert_eq!(later.count(), now.count());
        later.make_late();
        assert!(!later.is_late());
        assert_eq!(later.payload(), now.payload());
        assert_eq!(later.take_payload(), now.take_payload());
        later.push_late(0, b"k", LateValue::Body(one), None);
        later.clear();
        assert!(!later.is_late() && later.payload().is_empty() && later.count() == 0);
    }

    #[test]
    fn only_what_is_large_and_shares_its_parts_is_better_late() {
        assert!(is_better_late(&large(9_000)));
        assert!(!is_better_late(&large(10)));
        assert!(!is_better_late(&Body::String(vec![0; 100_000])));
        assert!(!is_better_late(&Body::Small(Form::Set, vec![0, 0])));
    }
}
