//! Rows of the streams family: consumer groups.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::streams::{claim, groups, pending, wait};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "xgroup",
        arity: -2,
        flags: Flags::NONE,
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Subcommands,
        docs: &Docs {
            summary: "Changes consumer groups",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "Depends on the subcommand",
            subcommands: XGROUP,
            ..Docs::NONE
        },
    },
    Row {
        name: "xreadgroup",
        arity: -7,
        flags: Flags::WRITE.and(Flags::BLOCKING).and(Flags::MOVABLE_KEYS),
        keys: Keys::Streams { from: 4 },
        stamps: Stamps::PerArgument,
        handler: Handler::Data(wait::xreadgroup),
        docs: &Docs {
            summary: "Returns entries to a consumer of a group, or waits for some",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "O(N) for N entries returned",
            categories: Categories::STREAM,
            access: &["RO", "access"],
            arguments: &[
                Argument::block(
                    "group_consumer",
                    &[Argument::string("group"), Argument::string("consumer")],
                )
                .after("GROUP"),
                Argument::integer("count").after("COUNT").optional(),
                Argument::integer("milliseconds").after("BLOCK").optional(),
                Argument::word("noack", "NOACK").optional(),
                Argument::word("stable", "STABLE").optional(),
                Argument::block(
                    "streams",
                    &[Argument::KEY.multiple(), Argument::string("id").multiple()],
                )
                .after("STREAMS"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "xack",
        arity: -4,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(pending::xack),
        docs: &Docs {
            summary: "Says that entries which a group was given are done with",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "O(log N) for each id",
            categories: Categories::STREAM,
            access: &["RW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::string("group"),
                Argument::string("id").multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "xpending",
        arity: -3,
        flags: Flags::READONLY,
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(pending::xpending),
        docs: &Docs {
            summary: "Returns what a group was given and has not acknowledged",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "O(N) for N entries returned",
            categories: Categories::STREAM,
            tips: &["nondeterministic_output"],
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::string("group"),
                Argument::block(
                    "filters",
                    &[
                        Argument::integer("min-idle-time")
                            .after("IDLE")
                            .since("6.2.0")
                            .optional(),
                        Argument::string("start"),
                        Argument::string("end"),
                        Argument::integer("count"),
                        Argument::string("consumer").optional(),
                    ],
                )
                .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "xclaim",
        arity: -6,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(3),
        handler: Handler::Data(claim::xclaim),
        docs: &Docs {
            summary: "Gives pending entries to another consumer",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "O(log N) for each id",
            categories: Categories::STREAM,
            tips: &["nondeterministic_output"],
            access: &["RW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::string("group"),
                Argument::string("consumer"),
                Argument::string("min-idle-time"),
                Argument::string("id").multiple(),
                Argument::integer("ms").after("IDLE").optional(),
                Argument::unix_time("unix-time-milliseconds")
                    .after("TIME")
                    .optional(),
                Argument::integer("count").after("RETRYCOUNT").optional(),
                Argument::word("force", "FORCE").optional(),
                Argument::word("justid", "JUSTID").optional(),
                Argument::string("id").after("LASTID").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "xautoclaim",
        arity: -6,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(3),
        handler: Handler::Data(claim::xautoclaim),
        docs: &Docs {
            summary: "Gives entries that have been pending for long to another consumer",
            since: "6.2.0",
            group: Group::Stream,
            complexity: "O(1) with a fixed COUNT",
            categories: Categories::STREAM,
            tips: &["nondeterministic_output"],
            access: &["RW", "delete"],
            arguments: &[
                Argument::KEY,
                Argument::string("group"),
                Argument::string("consumer"),
                Argument::string("min-idle-time"),
                Argument::string("start"),
                Argument::integer("count").after("COUNT").optional(),
                Argument::word("justid", "JUSTID").optional(),
            ],
            ..Docs::NONE
        },
    },
];

/// The rows.
static XGROUP: &[Row] = &[
    Row {
        name: "xgroup|help",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Data(groups::help),
        docs: &Docs {
            summary: "Shows what XGROUP can do",
            since: "5.0.0",
            group: Group::Stream,
            categories: Categories::STREAM,
            ..Docs::NONE
        },
    },
    Row {
        name: "xgroup|setid",
        arity: -5,
        flags: Flags::WRITE,
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(groups::setid),
        docs: &Docs {
            summary: "Sets from where on a group reads",
            since: "5.0.0",
            group: Group::Stream,
            categories: Categories::STREAM,
            access: &["RW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::string("groupname"),
                Argument::one_of(
                    "id",
                    &[Argument::string("id"), Argument::word("new_id", "$")],
                ),
                Argument::integer("entries_read")
                    .after("ENTRIESREAD")
                    .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "xgroup|create",
        arity: -5,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(groups::create),
        docs: &Docs {
            summary: "Creates a consumer group",
            since: "5.0.0",
            group: Group::Stream,
            categories: Categories::STREAM,
            access: &["RW", "insert"],
            arguments: &[
                Argument::KEY,
                Argument::string("groupname"),
                Argument::one_of(
                    "id",
                    &[Argument::string("id"), Argument::word("new_id", "$")],
                ),
                Argument::word("mkstream", "MKSTREAM").optional(),
                Argument::integer("entries_read")
                    .after("ENTRIESREAD")
                    .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "xgroup|createconsumer",
        arity: 5,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(groups::create_consumer),
        docs: &Docs {
            summary: "Adds a consumer to a group",
            since: "6.2.0",
            group: Group::Stream,
            categories: Categories::STREAM,
            access: &["RW", "insert"],
            arguments: &[
                Argument::KEY,
                Argument::string("groupname"),
                Argument::string("consumername"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "xgroup|destroy",
        arity: 4,
        flags: Flags::WRITE,
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(groups::destroy),
        docs: &Docs {
            summary: "Removes a consumer group",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "O(N) for N pending entries",
            categories: Categories::STREAM,
            access: &["RW", "delete"],
            arguments: &[Argument::KEY, Argument::string("groupname")],
            ..Docs::NONE
        },
    },
    Row {
        name: "xgroup|delconsumer",
        arity: 5,
        flags: Flags::WRITE,
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(groups::del_consumer),
        docs: &Docs {
            summary: "Removes a consumer from its group, and what it has not acknowledged",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "O(N) for N pending entries",
            categories: Categories::STREAM,
            access: &["RW", "delete"],
            arguments: &[
                Argument::KEY,
                Argument::string("groupname"),
                Argument::string("consumername"),
            ],
            ..Docs::NONE
        },
    },
];
