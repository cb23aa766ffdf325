//! What a call does with each of its keys: for COMMAND GETKEYSANDFLAGS, and for those who judge whether a user may do it.

use crate::commands::docs::Categories;
use crate::commands::table::{Keys, Row, is_number_of_keys};
use crate::resp::Args;

impl Row {
    /// Whether some of its arguments are keys.
    pub fn has_keys(&self) -> bool {
        let is_somewhere = matches!(
            self.keys,
            Keys::One
                | Keys::Sort
                | Keys::Stored { .. }
                | Keys::Counted { .. }
                | Keys::Streams { .. }
                | Keys::Migrate
                | Keys::Range { first: 1.., .. }
        );
        is_somewhere && !self.docs.access.contains(&"not_key")
    }

    /// What this very call does with its key at this argument, where that depends on its options.
    pub fn key_access(&self, command: Args<'_>, index: usize) -> &'static [&'static str] {
        if let Keys::Counted { count, .. } = self.keys
            && !is_number_of_keys(command, usize::from(count))
        {
            return &[];
        }
        if let Some(spec) = self.docs.key_specs.iter().find(|spec| spec.holds(index)) {
            return spec.access;
        }
        if matches!(self.keys, Keys::Sort | Keys::Stored { .. }) && index != 1 {
            return &["OW", "update"];
        }
        if !self.docs.access.contains(&"variable_flags") {
            return self.docs.access;
        }
        if self.docs.categories.has(Categories::BITMAP) {
            return if bitfield_reads(command) {
                &["RO", "access"]
            } else {
                &["RW", "access", "update"]
            };
        }
        let reads = command
            .skip(3)
            .iter()
            .any(|word| word.eq_ignore_ascii_case(b"get"));
        if reads {
            &["RW", "access", "update"]
        } else {
            &["OW", "update"]
        }
    }
}

/// Whether a BITFIELD only reads; one that is wrong may write.
fn bitfield_reads(command: Args<'_>) -> bool {
    let mut at = 2;
    while let Some(word) = command.try_get(at) {
        let left = command.len() - at - 1;
        at += match () {
            () if word.eq_ignore_ascii_case(b"get") && left >= 2 => 3,
            () if word.eq_ignore_ascii_case(b"overflow") && left >= 1 => 2,
            () => return false,
        };
    }
    true
}
