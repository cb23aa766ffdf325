//! What kind of conflict an operation lost.

use crate::db::op::Op;

/// How many kinds there are.
pub const KINDS: usize = 3;

/// The names of the kinds, in the order in which they are counted.
pub const KIND_NAMES: [&str; KINDS] = ["value", "delete-update", "expire"];

/// How many operations lost a conflict, by kind.
pub type Conflicts = [u32; KINDS];

/// The place of a kind in [`KIND_NAMES`]: of an operation that a later write has superseded, which deleted the key or did not.
pub fn kind(lost: &Op<'_>, is_deleted: bool) -> usize {
    match lost {
        Op::Expire(_) => 2,
        Op::Del | Op::ImportDel(_) => usize::from(!is_deleted),
        _ => usize::from(is_deleted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delete_and_an_update_are_told_from_two_of_a_kind() {
        for (op, is_deleted, name) in [
            (Op::Incr(1), false, "value"),
            (Op::Incr(1), true, "delete-update"),
            (Op::Del, false, "delete-update"),
            (Op::Del, true, "value"),
            (Op::Expire(None), true, "expire"),
        ] {
            assert_eq!(KIND_NAMES[kind(&op, is_deleted)], name);
        }
    }
}
