//! Rows of the strings family: whole values.

use crate::commands::docs::{Argument, Categories, Deprecated, Docs, Group};
use crate::commands::strings::{read, set};
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "get",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::get),
        docs: &Docs {
            summary: "Returns the string at a key",
            group: Group::String,
            categories: Categories::STRING,
            access: &["RO", "access"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "set",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::BRIEF),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(set::set),
        docs: &Docs {
            summary: "Stores a string at a key, with a condition or a time to live if asked",
            group: Group::String,
            categories: Categories::STRING,
            access: &["RW", "access", "update", "variable_flags"],
            access_note: "reads the old value where GET is given",
            arguments: &[
                Argument::KEY,
                Argument::string("value"),
                Argument::one_of(
                    "condition",
                    &[Argument::word("nx", "NX"), Argument::word("xx", "XX")],
                )
                .since("2.6.12")
                .optional(),
                Argument::word("get", "GET").since("6.2.0").optional(),
                Argument::one_of(
                    "expiration",
                    &[
                        Argument::integer("seconds").after("EX").since("2.6.12"),
                        Argument::integer("milliseconds")
                            .after("PX")
                            .since("2.6.12"),
                        Argument::unix_time("unix-time-seconds")
                            .after("EXAT")
                            .since("6.2.0"),
                        Argument::unix_time("unix-time-milliseconds")
                            .after("PXAT")
                            .since("6.2.0"),
                        Argument::word("keepttl", "KEEPTTL").since("6.0.0"),
                    ],
                )
                .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "mget",
        arity: -2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(read::mget),
        docs: &Docs {
            summary: "Returns the strings at several keys",
            group: Group::String,
            complexity: "O(N) for N keys",
            categories: Categories::STRING,
            tips: &["request_policy:multi_shard"],
            access: &["RO", "access"],
            arguments: &[Argument::KEY.multiple()],
            ..Docs::NONE
        },
    },
    Row {
        name: "mset",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::BRIEF),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 2,
        },
        stamps: Stamps::PerArgument,
        handler: Handler::Data(set::mset),
        docs: &Docs {
            summary: "Stores several strings at once",
            since: "1.0.1",
            group: Group::String,
            complexity: "O(N) for N keys",
            categories: Categories::STRING,
            tips: &[
                "request_policy:multi_shard",
                "response_policy:all_succeeded",
            ],
            access: &["OW", "update"],
            arguments: &[
                Argument::block("key_value", &[Argument::KEY, Argument::string("value")])
                    .multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "setnx",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(set::setnx),
        docs: &Docs {
            summary: "Stores a string unless the key exists",
            group: Group::String,
            categories: Categories::STRING,
            access: &["OW", "insert"],
            arguments: &[Argument::KEY, Argument::string("value")],
            ..Docs::NONE
        },
    },
    Row {
        name: "setex",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::BRIEF),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(set::setex),
        docs: &Docs {
            summary: "Stores a string for some seconds",
            since: "2.0.0",
            group: Group::String,
            categories: Categories::STRING,
            access: &["OW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::integer("seconds"),
                Argument::string("value"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "psetex",
        arity: 4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::BRIEF),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(set::psetex),
        docs: &Docs {
            summary: "Stores a string for some milliseconds",
            since: "2.6.0",
            group: Group::String,
            categories: Categories::STRING,
            access: &["OW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::integer("milliseconds"),
                Argument::string("value"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "msetnx",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::Range {
            first: 1,
            last: -1,
            step: 2,
        },
        stamps: Stamps::PerArgument,
        handler: Handler::Data(set::msetnx),
        docs: &Docs {
            summary: "Stores several strings unless one of the keys exists",
            since: "1.0.1",
            group: Group::String,
            complexity: "O(N) for N keys",
            categories: Categories::STRING,
            tips: &["request_policy:multi_shard", "response_policy:agg_min"],
            access: &["OW", "insert"],
            arguments: &[
                Argument::block("key_value", &[Argument::KEY, Argument::string("value")])
                    .multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "getset",
        arity: 3,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(read::getset),
        docs: &Docs {
            summary: "Stores a string and returns the previous one",
            group: Group::String,
            categories: Categories::STRING,
            access: &["RW", "access", "update"],
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`SET` with the `!GET` argument",
            }),
            arguments: &[Argument::KEY, Argument::string("value")],
            ..Docs::NONE
        },
    },
    Row {
        name: "getdel",
        arity: 2,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(read::getdel),
        docs: &Docs {
            summary: "Returns a string and deletes its key",
            since: "6.2.0",
            group: Group::String,
            categories: Categories::STRING,
            access: &["RW", "access", "delete"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "getex",
        arity: -2,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(read::getex),
        docs: &Docs {
            summary: "Returns a string and changes its time to live",
            since: "6.2.0",
            group: Group::String,
            categories: Categories::STRING,
            access: &["RW", "access", "update"],
            access_note: "writes the time to live",
            arguments: &[
                Argument::KEY,
                Argument::one_of(
                    "expiration",
                    &[
                        Argument::integer("seconds").after("EX"),
                        Argument::integer("milliseconds").after("PX"),
                        Argument::unix_time("unix-time-seconds").after("EXAT"),
                        Argument::unix_time("unix-time-milliseconds").after("PXAT"),
                        Argument::word("persist", "PERSIST"),
                    ],
                )
                .optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "strlen",
        arity: 2,
        flags: Flags::READONLY.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(read::strlen),
        docs: &Docs {
            summary: "Returns the length of a string",
            since: "2.2.0",
            group: Group::String,
            categories: Categories::STRING,
            access: &["RO"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
];
