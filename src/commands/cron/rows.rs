//! The row of KEYDB.CRON.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[Row {
    name: "keydb.cron",
    arity: -5,
    flags: Flags::WRITE.and(Flags::DENYOOM),
    keys: Keys::One,
    stamps: Stamps::Fixed(1),
    handler: Handler::Data(super::cron),
    docs: &Docs {
        summary: "Has a script run by itself, once or again and again",
        since: "6.0.0",
        complexity: "O(1)",
        group: Group::Scripting,
        categories: Categories::SCRIPTING.and(Categories::DANGEROUS),
        access: &["OW", "update"],
        arguments: &[
            Argument::key("name", 0),
            Argument::one_of(
                "when",
                &[
                    Argument::word("single", "single"),
                    Argument::word("repeat", "repeat"),
                ],
            ),
            Argument::integer("start").optional(),
            Argument::integer("interval"),
            Argument::string("script"),
            Argument::integer("numkeys").optional(),
            Argument::string("key").optional().multiple(),
            Argument::string("arg").optional().multiple(),
        ],
        ..Docs::NONE
    },
}];
