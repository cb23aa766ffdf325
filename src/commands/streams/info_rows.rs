//! Rows of XINFO and its subcommands.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::streams::info;
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[Row {
    name: "xinfo",
    arity: -2,
    flags: Flags::NONE,
    keys: Keys::None,
    stamps: Stamps::None,
    handler: Handler::Subcommands,
    docs: &Docs {
        summary: "Tells of streams, their consumer groups and consumers",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "Depends on the subcommand",
        subcommands: XINFO,
        ..Docs::NONE
    },
}];

/// The rows.
static XINFO: &[Row] = &[
    Row {
        name: "xinfo|help",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Data(info::help),
        docs: &Docs {
            summary: "Shows what XINFO can do",
            since: "5.0.0",
            group: Group::Stream,
            categories: Categories::STREAM,
            ..Docs::NONE
        },
    },
    Row {
        name: "xinfo|stream",
        arity: -3,
        flags: Flags::READONLY,
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(info::stream),
        docs: &Docs {
            summary: "Returns what is known of a stream",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "O(1), and O(N) for N entries shown with FULL",
            categories: Categories::STREAM,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::block(
                    "full",
                    &[Argument::integer("count").after("COUNT").optional()],
                )
                .after("FULL")
                .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "xinfo|groups",
        arity: 3,
        flags: Flags::READONLY,
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(info::groups),
        docs: &Docs {
            summary: "Returns the consumer groups of a stream",
            since: "5.0.0",
            group: Group::Stream,
            categories: Categories::STREAM,
            access: &["RO", "access"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "xinfo|consumers",
        arity: 4,
        flags: Flags::READONLY,
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(info::consumers),
        docs: &Docs {
            summary: "Returns the consumers of a group",
            since: "5.0.0",
            group: Group::Stream,
            categories: Categories::STREAM,
            tips: &["nondeterministic_output"],
            access: &["RO", "access"],
            arguments: &[Argument::KEY, Argument::string("groupname")],
            ..Docs::NONE
        },
    },
];
