//! What the listpack of one of Redis's nodes would take: blocks are full where those are.
//!
//! Invariant: what is computed here is the length of the listpack that DUMP writes of the same entries, none deleted.

use crate::db::stream::{Fields, StreamId};
use crate::resp::parse_i64;

/// No listpack of a node grows beyond this.
pub const LEN_MAX: usize = 1 << 30;
/// Head and end.
const FRAME_LEN: usize = 7;

/// How many bytes of length stand behind an element.
fn with_back(len: usize) -> usize {
    len + match len {
        0..=0x7f => 1,
        0x80..0x3fff => 2,
        0x3fff..0x1f_ffff => 3,
        0x1f_ffff..0xfff_ffff => 4,
        _ => 5,
    }
}

fn number_len(number: i64) -> usize {
    with_back(match number {
        0..=0x7f => 1,
        -0x1000..=0xfff => 2,
        -0x8000..=0x7fff => 3,
        -0x80_0000..=0x7f_ffff => 4,
        -0x8000_0000..=0x7fff_ffff => 5,
        _ => 9,
    })
}

fn text_len(text: &[u8]) -> usize {
    if let Some(number) = parse_i64(text) {
        return number_len(number);
    }
    let len = text.len();
    with_back(match len {
        0..0x40 => 1 + len,
        0x40..0x1000 => 2 + len,
        _ => 5 + len,
    })
}

/// The frame and what stands before the first entry, without both counts.
pub(super) fn head_len(fields: Fields<'_>) -> usize {
    let names: usize = fields.iter().map(|(name, _)| text_len(name)).sum();
    FRAME_LEN + number_len(fields.len() as i64) + names + number_len(0)
}

/// The counts of entries and of deleted ones.
pub(super) fn counts_len(count: usize, deleted: usize) -> usize {
    number_len(count as i64) + number_len(deleted as i64)
}

/// An entry; `has_same` where its names are those of the node.
pub(super) fn entry_len(base: StreamId, id: StreamId, fields: Fields<'_>, has_same: bool) -> usize {
    let len = fields.len() as i64;
    let ids = number_len(id.ms.wrapping_sub(base.ms) as i64)
        + number_len(id.seq.wrapping_sub(base.seq) as i64);
    let values: usize = fields.iter().map(|(_, value)| text_len(value)).sum();
    let flags = number_len(0);
    if has_same {
        return flags + ids + values + number_len(len + 3);
    }
    let names: usize = fields.iter().map(|(name, _)| text_len(name)).sum();
    flags + ids + number_len(len) + names + values + number_len(2 * len + 4)
}
