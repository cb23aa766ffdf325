//! Words for commands of sorted sets: few members and few scores, so that they meet.
//!
//! Ranges of members are asked of keys alone whose scores are all equal: of others Redis says nothing.

use keymesh::commands::payload::{Body, SetForm};

/// The first are said most.
pub const MEMBERS: &[&[u8]] = &[
    b"a",
    b"b",
    b"c",
    b"1",
    b"2",
    b"-3",
    b"",
    b"ab",
    b"\x00\xff",
    b"a member of more than sixty-four bytes, from which on Redis holds all in another way",
];

pub const SCORES: &[&[u8]] = &[
    b"0", b"1", b"2", b"-1", b"1.5", b"0.1", b"3", b"-0", b"1e17", b"inf", b"-inf", b"1e-7",
    b"0x10", b"0.3", b"nan", b"", b"1e400", b"x",
];

pub const SCORE_BOUNDS: &[&[u8]] = &[
    b"-inf", b"+inf", b"0", b"1", b"2", b"(0", b"(1", b"(2", b"(inf", b"(-inf", b"1.5", b"-1", b"",
    b"(", b" 1", b"1 ", b"x", b"nan", b"[1", b"1e400", b"0x1",
];

pub const LEX_BOUNDS: &[&[u8]] = &[
    b"-", b"+", b"[a", b"(a", b"[b", b"(b", b"[", b"(", b"[ab", b"(2", b"[1", b"(\x00", b"+a",
    b"a", b"",
];

/// What DUMP gives of a set.
pub fn set_payload(members: &[Vec<u8>]) -> Vec<u8> {
    let mut members = members.to_vec();
    members.sort();
    members.dedup();
    Body::set(members.iter(), SetForm::Table).seal()
}
