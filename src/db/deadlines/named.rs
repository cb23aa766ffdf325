//! Under which key a member lies among deadlines: a field or a member of a set under its name, one of a sorted set under its score
//! and its name.
//!
//! Invariant: keys of a sorted set's members are in the order of these.

use smallvec::SmallVec;

/// A score as bytes.
const SCORE_LEN: usize = 8;

/// Where a key is put together.
pub(super) type Room = SmallVec<[u8; 64]>;

/// Who has a deadline: a field, a member, or a member with its score.
#[derive(Debug, Clone, Copy)]
pub struct Named<'m> {
    member: &'m [u8],
    score: Option<f64>,
}

impl<'m> From<&'m [u8]> for Named<'m> {
    fn from(member: &'m [u8]) -> Self {
        let score = None;
        Self { member, score }
    }
}

impl<'m> From<(&'m [u8], f64)> for Named<'m> {
    fn from((member, score): (&'m [u8], f64)) -> Self {
        let score = Some(score);
        Self { member, score }
    }
}

impl<'m> Named<'m> {
    /// See the head of the file.
    #[inline]
    pub(super) fn key<'k>(self, room: &'k mut Room) -> &'k [u8]
    where
        'm: 'k,
    {
        let Some(score) = self.score else {
            return self.member;
        };
        room.extend_from_slice(&in_order(score).to_be_bytes());
        room.extend_from_slice(self.member);
        room
    }

    /// The member of a key.
    #[inline]
    pub(super) fn member_of(key: &[u8], is_scored: bool) -> &[u8] {
        match is_scored {
            true => key.get(SCORE_LEN..).unwrap_or_default(),
            false => key,
        }
    }
}

/// A number as high among others as the score is; zero has one.
fn in_order(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    let sign = 1 << (u64::BITS - 1);
    if bits & sign == 0 { bits | sign } else { !bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lie_in_the_order_of_scores_and_names() {
        let scores = [
            f64::NEG_INFINITY,
            -1e300,
            -2.0,
            -5e-324,
            0.0,
            5e-324,
            1.5,
            2.0,
            1e300,
            f64::INFINITY,
        ];
        let names: [&[u8]; 4] = [b"", b"\0", b"a", b"a\0"];
        let all: Vec<(&[u8], f64)> = (scores.iter())
            .flat_map(|score| names.iter().map(|name| (*name, *score)))
            .collect();
        let keys = all.iter().map(|one| {
            let mut room = Room::new();
            let key = Named::from(*one).key(&mut room).to_vec();
            assert_eq!(Named::member_of(&key, true), one.0);
            key
        });
        assert!(keys.collect::<Vec<_>>().is_sorted_by(|one, two| one < two));
        assert_eq!(in_order(-0.0), in_order(0.0));
    }
}
