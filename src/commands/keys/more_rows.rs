//! Rows of the keys family: keys that go elsewhere, OBJECT, DUMP, RESTORE and MIGRATE.

use crate::commands::docs::{Argument, Categories, Docs, Group, KeySpec};
use crate::commands::keys::{dump, merge, object, relocate};
use crate::commands::table::{Flags, Handler, Keys, Row, SessionCommand, Stamps};

/// The rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "rename",
        arity: 3,
        flags: Flags::WRITE,
        keys: Keys::Range {
            first: 1,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(2),
        handler: Handler::Data(relocate::rename),
        docs: &Docs {
            summary: "Gives a key another name, whatever was there",
            categories: Categories::KEYSPACE,
            key_specs: &[
                KeySpec::one(1, &["RW", "access", "delete"]),
                KeySpec::one(2, &["OW", "update"]),
            ],
            arguments: &[Argument::KEY, Argument::key("newkey", 1)],
            ..Docs::NONE
        },
    },
    Row {
        name: "renamenx",
        arity: 3,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::Range {
            first: 1,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(2),
        handler: Handler::Data(relocate::renamenx),
        docs: &Docs {
            summary: "Gives a key another name where there is nothing",
            categories: Categories::KEYSPACE,
            key_specs: &[
                KeySpec::one(1, &["RW", "access", "delete"]),
                KeySpec::one(2, &["OW", "insert"]),
            ],
            arguments: &[Argument::KEY, Argument::key("newkey", 1)],
            ..Docs::NONE
        },
    },
    Row {
        name: "copy",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: Keys::Range {
            first: 1,
            last: 2,
            step: 1,
        },
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(relocate::copy),
        docs: &Docs {
            summary: "Copies a key",
            since: "6.2.0",
            complexity: "O(N) for N bytes",
            categories: Categories::KEYSPACE,
            key_specs: &[
                KeySpec::one(1, &["RO", "access"]),
                KeySpec::one(2, &["OW", "update"]),
            ],
            arguments: &[
                Argument::key("source", 0),
                Argument::key("destination", 1),
                Argument::integer("destination-db").after("DB").optional(),
                Argument::word("replace", "REPLACE").optional(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "move",
        arity: 3,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::One,
        stamps: Stamps::Fixed(2),
        handler: Handler::Data(relocate::move_key),
        docs: &Docs {
            summary: "Moves a key to another database",
            categories: Categories::KEYSPACE,
            access: &["RW", "access", "update"],
            arguments: &[Argument::KEY, Argument::integer("db")],
            ..Docs::NONE
        },
    },
    Row {
        name: "swapdb",
        arity: 3,
        flags: Flags::WRITE.and(Flags::FAST),
        keys: Keys::All,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(relocate::swapdb),
        docs: &Docs {
            summary: "Lets two databases change places",
            since: "4.0.0",
            complexity: "O(N) for N watched keys of both",
            group: Group::Server,
            categories: Categories::KEYSPACE.and(Categories::DANGEROUS),
            arguments: &[Argument::integer("index1"), Argument::integer("index2")],
            ..Docs::NONE
        },
    },
    Row {
        name: "object",
        arity: -2,
        flags: Flags::NONE,
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Subcommands,
        docs: &Docs {
            summary: "Tells of values what their type does not say",
            since: "2.2.3",
            complexity: "Depends on the subcommand",
            subcommands: OBJECT,
            ..Docs::NONE
        },
    },
    Row {
        name: "dump",
        arity: 2,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::One,
        stamps: Stamps::None,
        handler: Handler::Data(dump::dump),
        docs: &Docs {
            summary: "Returns a value as bytes that RESTORE takes",
            since: "2.6.0",
            complexity: "O(N) for N bytes",
            categories: Categories::KEYSPACE,
            tips: &["nondeterministic_output"],
            access: &["RO", "access"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "migrate",
        arity: -6,
        flags: Flags::WRITE.and(Flags::MOVABLE_KEYS),
        keys: Keys::Migrate,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Migrate),
        docs: &Docs {
            summary: "Sends keys to another server and deletes them here",
            since: "2.6.0",
            complexity: "That of DUMP, RESTORE and DEL, and O(N) for N bytes on their way",
            categories: Categories::KEYSPACE.and(Categories::DANGEROUS),
            tips: &["nondeterministic_output"],
            access: &["RW", "access", "delete"],
            arguments: &[
                Argument::string("host"),
                Argument::integer("port"),
                Argument::one_of(
                    "key_or_empty_string",
                    &[Argument::KEY, Argument::word("empty_string", "")],
                ),
                Argument::integer("destination-db"),
                Argument::integer("timeout"),
                Argument::word("copy", "COPY").since("3.0.0").optional(),
                Argument::word("replace", "REPLACE")
                    .since("3.0.0")
                    .optional(),
                Argument::one_of(
                    "authentication",
                    &[
                        Argument::string("password")
                            .after("AUTH")
                            .since("4.0.7")
                            .optional(),
                        Argument::block(
                            "username_password",
                            &[Argument::string("username"), Argument::string("password")],
                        )
                        .after("AUTH2")
                        .since("6.0.0")
                        .optional(),
                    ],
                )
                .optional(),
                Argument::key("key", 1)
                    .after("KEYS")
                    .since("3.0.6")
                    .optional()
                    .multiple(),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "keydb.mvccrestore",
        arity: 5,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::AHEAD),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(merge::mvcc_restore),
        docs: &Docs {
            summary: "Makes a key of what DUMP returned, unless it was written later than that",
            complexity: "O(N) for N bytes",
            categories: Categories::KEYSPACE.and(Categories::DANGEROUS),
            access: &["OW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::integer("mvcc"),
                Argument::integer("milliseconds"),
                Argument::string("serialized-value"),
            ],
            ..Docs::NONE
        },
    },
    Row {
        name: "restore",
        arity: -4,
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::AHEAD),
        keys: Keys::One,
        stamps: Stamps::Fixed(1),
        handler: Handler::Data(dump::restore),
        docs: &Docs {
            summary: "Makes a key of what DUMP returned",
            since: "2.6.0",
            complexity: "O(N) for N bytes",
            categories: Categories::KEYSPACE.and(Categories::DANGEROUS),
            access: &["OW", "update"],
            arguments: &[
                Argument::KEY,
                Argument::integer("ttl"),
                Argument::string("serialized-value"),
                Argument::word("replace", "REPLACE")
                    .since("3.0.0")
                    .optional(),
                Argument::word("absttl", "ABSTTL").since("5.0.0").optional(),
                Argument::integer("seconds")
                    .after("IDLETIME")
                    .since("5.0.0")
                    .optional(),
                Argument::integer("frequency")
                    .after("FREQ")
                    .since("5.0.0")
                    .optional(),
            ],
            ..Docs::NONE
        },
    },
];

const OBJECT: &[Row] = &[
    Row {
        name: "object|freq",
        arity: 3,
        flags: Flags::READONLY,
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(object::freq),
        docs: &Docs {
            summary: "Returns how often a key is read, where that is counted",
            since: "4.0.0",
            categories: Categories::KEYSPACE,
            tips: &["nondeterministic_output"],
            access: &["RO"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "object|idletime",
        arity: 3,
        flags: Flags::READONLY,
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(object::since_written),
        docs: &Docs {
            summary: "Returns the seconds since a key was written, where that is known",
            since: "2.2.3",
            categories: Categories::KEYSPACE,
            tips: &["nondeterministic_output"],
            access: &["RO"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "object|help",
        arity: 2,
        flags: Flags::LOADING.and(Flags::STALE),
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Data(object::object_help),
        docs: &Docs {
            summary: "Shows what OBJECT can do",
            since: "6.2.0",
            categories: Categories::KEYSPACE,
            ..Docs::NONE
        },
    },
    Row {
        name: "object|encoding",
        arity: 3,
        flags: Flags::READONLY,
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(object::encoding),
        docs: &Docs {
            summary: "Returns how Redis would hold the value",
            since: "2.2.3",
            categories: Categories::KEYSPACE,
            tips: &["nondeterministic_output"],
            access: &["RO"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "object|refcount",
        arity: 3,
        flags: Flags::READONLY,
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(object::refcount),
        docs: &Docs {
            summary: "Returns how many references the value has",
            since: "2.2.3",
            categories: Categories::KEYSPACE,
            tips: &["nondeterministic_output"],
            access: &["RO"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
    Row {
        name: "object|lastmodified",
        arity: 3,
        flags: Flags::READONLY,
        keys: Keys::Range {
            first: 2,
            last: 2,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(object::since_written),
        docs: &Docs {
            summary: "Returns the seconds since a key was written, as in KeyDB",
            since: "6.0.0",
            categories: Categories::KEYSPACE,
            tips: &["nondeterministic_output"],
            access: &["RO"],
            arguments: &[Argument::KEY],
            ..Docs::NONE
        },
    },
];
