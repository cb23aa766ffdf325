//! A long value, in a buffer of its own with room to grow, or a large collection, or one with members that go by themselves, and its record's head apart from it: what is
//! done to the one does not copy the other.
//!
//! Invariant: the head is laid out as that of any record (see [`crate::db::record`]), with nothing behind the key; a string or a
//! small collection has at least [`far_from`] bytes. The room is part of the record's memory, and is at most what doubled a value of
//! [`DOUBLED_MAX`] bytes, or an eighth of a longer one.

use crate::ablation::far_from;
use crate::db::body::Body;
use crate::db::garbage;
use crate::db::op::{self, Op, STRING_LEN_MAX};

/// A longer value than this grows by an eighth.
const DOUBLED_MAX: usize = 1 << 20;
/// Room behind a value longer than this is kept: it is an eighth at most, and giving it back copies the value under a lock.
const GIVEN_BACK_MAX: usize = 8 << 20;

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Far {
    pub head: Box<[u8]>,
    pub body: Body,
}

impl Drop for Far {
    fn drop(&mut self) {
        if let Body::String(bytes) = &mut self.body {
            garbage::empty_bytes(bytes);
        }
    }
}

/// Whether a value of this length lies apart from its head.
#[inline]
pub(super) fn is_far(len: usize) -> bool {
    len >= far_from()
}

/// Carries out an operation that writes into a value or behind it, with room for more of the kind; says whether it could.
pub(super) fn write(op: Op<'_>, value: &mut Vec<u8>) -> bool {
    let Some(len) = op::grown_len(op, value.len()) else {
        return false;
    };
    if len > value.capacity() {
        let more = if len < DOUBLED_MAX { len } else { len / 8 };
        let room = (len + more).min(STRING_LEN_MAX).max(len);
        value.reserve_exact(room - value.len());
    }
    op::change_in_place(op, value)
}

impl Far {
    /// See [`Body::spare`].
    pub fn spare(&self) -> usize {
        self.body.spare()
    }

    /// Gives the room back, unless that takes too long. A smaller reallocation would not: allocators leave it in place.
    pub fn give_back(&mut self) {
        if let Body::String(value) | Body::Small(_, value) = &mut self.body
            && value.capacity() > value.len()
            && value.len() <= GIVEN_BACK_MAX
        {
            *value = value.as_slice().to_vec();
        }
    }

    /// Memory of all of it.
    pub fn len_bytes(&self) -> usize {
        self.head.len() + self.body.len_bytes() + size_of::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_is_seldom_moved_and_never_has_more_room_than_promised() {
        let (mut value, mut moves) = (vec![7; 5_000], 0);
        while value.len() < 20_000_000 {
            let before = value.capacity();
            assert!(write(Op::Append(&[1; 1_000]), &mut value));
            moves += usize::from(value.capacity() != before);
            let most = match value.len() {
                len if len < DOUBLED_MAX => 2 * len,
                len => (len + len / 8).max(2 * DOUBLED_MAX),
            };
            assert!(value.capacity() <= most);
        }
        assert!(moves < 35, "{moves}");
        let mut far = Far {
            head: Box::default(),
            body: Body::String(vec![1; 5_000]),
        };
        assert_eq!(far.spare(), 0);
        let Body::String(value) = &mut far.body else {
            unreachable!()
        };
        assert!(write(Op::SetBit(8 * 6_000, true), value));
        assert_eq!((value.len(), far.spare()), (6_001, 6_001));
        far.give_back();
        assert_eq!(far.len_bytes(), 6_001 + size_of::<Far>());
    }

    #[test]
    fn what_would_be_too_long_or_is_no_such_write_leaves_all_as_it_is() {
        let mut value = vec![7; 5_000];
        let too_far = STRING_LEN_MAX as u32 - 1;
        for op in [Op::SetRange(too_far, b"xy"), Op::SetRange(3, b""), Op::Del] {
            assert!(!write(op, &mut value));
            assert_eq!((value.len(), value.capacity()), (5_000, 5_000));
        }
    }
}
