//! Rows of the streams family: entries.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::streams::{add, read, remove, wait};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "xadd",
        arity: -5,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(2),
        handler: Handler::Data(add::xadd),
        docs: &Docs {
            summary: "Adds an entry to a stream",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "O(1), and O(N) for N entries that are trimmed",
            categories: Categories::STREAM,
            tips: &["nondeterministic_output"],
            access: &["RW", "update"],
            access_note: "it may remove entries, too",
            arguments: &[
                Argument::KEY,
                Argument::word("nomkstream", "NOMKSTREAM")
                    .since("6.2.0")
                    .optional(),
                Argument::block(
                    "trim",
                    &[
                        Argument::one_of(
                            "strategy",
                            &[
                                Argument::word("maxlen", "MAXLEN"),
                                Argument::word("minid", "MINID").since("6.2.0"),
                            ],
                        ),
                        Argument::one_of(
                            "operator",
                            &[
                                Argument::word("equal", "="),
                                Argument::word("approximately", "~"),
                            ],
                        )
                        .optional(),
                        Argument::string("threshold"),
                        Argument::integer("count")
                            .after("LIMIT")
                            .since("6.2.0")
                            .optional(),
                    ],
                )
                .optional(),
                Argument::one_of(
                    "id_or_auto",
                    &[Argument::word("auto_id", "*"), Argument::string("id")],
                ),
                Argument::block(
                    "field_value",
                    &[Argument::string("field"), Argument::string("value")],
                )
                .multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "xlen",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::xlen),
        docs: &Docs {
            summary: "Returns how many entries a stream has",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "O(1)",
            categories: Categories::STREAM,
            access: &["RO"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "xrange",
        arity: -4,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::xrange),
        docs: &Docs {
            summary: "Returns the entries from one id to another",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "O(N) for N entries returned",
            categories: Categories::STREAM,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::string("start"),
                Argument::string("end"),
                Argument::integer("count").after("COUNT").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "xrevrange",
        arity: -4,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::xrevrange),
        docs: &Docs {
            summary: "Returns the entries from one id to another, the latest first",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "O(N) for N entries returned",
            categories: Categories::STREAM,
            access: &["RO", "access"],
            arguments: &[
                Argument::KEY,
                Argument::string("end"),
                Argument::string("start"),
                Argument::integer("count").after("COUNT").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "xdel",
        arity: -3,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(remove::xdel),
        docs: &Docs {
            summary: "Removes entries from a stream",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "O(log N) for each id",
            categories: Categories::STREAM,
            access: &["RW", "delete"],
            arguments: &[Argument::KEY, Argument::string("id").multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "xtrim",
        arity: -4,
        flags: Flags::WRITE,
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(add::xtrim),
        docs: &Docs {
            summary: "Removes the oldest entries of a stream",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "O(N) for N entries removed",
            categories: Categories::STREAM,
            tips: &["nondeterministic_output"],
            access: &["RW", "delete"],
            arguments: &[
                Argument::KEY,
                Argument::block(
                    "trim",
                    &[
                        Argument::one_of(
                            "strategy",
                            &[
                                Argument::word("maxlen", "MAXLEN"),
                                Argument::word("minid", "MINID").since("6.2.0"),
                            ],
                        ),
                        Argument::one_of(
                            "operator",
                            &[
                                Argument::word("equal", "="),
                                Argument::word("approximately", "~"),
                            ],
                        )
                        .optional(),
                        Argument::string("threshold"),
                        Argument::integer("count")
                            .after("LIMIT")
                            .since("6.2.0")
                            .optional(),
                    ],
                ),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "xread",
        arity: -4,
        flags: Flags::READONLY
            .and(Flags::BLOCKING)
            .and(Flags::MOVABLE_KEYS),
        keys: Keys::Streams { from: 1 },
        stamps: Stamps::None,
        handler: Handler::Data(wait::xread),
        docs: &Docs {
            summary: "Returns the entries of streams behind given ids, or waits for some",
            since: "5.0.0",
            group: Group::Stream,
            complexity: "O(N) for N entries returned",
            categories: Categories::STREAM,
            access: &["RO", "access"],
            arguments: &[
                Argument::integer("count").after("COUNT").optional(),
                Argument::integer("milliseconds").after("BLOCK").optional(),
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
        name: "xsetid",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(remove::xsetid),
        docs: &Docs {
            summary: "Sets what a stream remembers beside its entries",
            since: "5.0.0",
            group: Group::Stream,
            categories: Categories::STREAM,
            access: &["RW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::string("last-id"),
                Argument::integer("entries_added")
                    .after("ENTRIESADDED")
                    .since("7.0.0")
                    .optional(),
                Argument::string("max_deleted_entry_id")
                    .after("MAXDELETEDID")
                    .since("7.0.0")
                    .optional(),
            ],
            ..Docs::NONE
        },
    },
];
