//! Rows of functions: FCALL, FCALL_RO, FUNCTION.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::script_rows::{WORST, WORST_READ, arguments};
use crate::commands::table::{Flags, Handler, Keys, Row, ServerCommand, SessionCommand, Stamps};

static WITH_FUNCTION: [Argument; 4] = arguments(Argument::string("function"));

const ALL_SHARDS: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];

const fn fcall(name: &'static str, is_ro: bool, docs: &'static Docs) -> Row {
    let flags = Flags::NOSCRIPT
        .and(Flags::STALE)
        .and(Flags::SKIP_MONITOR)
        .and(Flags::NO_MANDATORY_KEYS)
        .and(Flags::MOVABLE_KEYS);
    Row {
        name,
        arity: -3,
        flags: if is_ro {
            flags.and(Flags::READONLY)
        } else {
            flags
        },
        keys: Keys::Counted {
            count: 2,
            has_destination: false,
        },
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Fcall),
        docs,
    }
}

const fn function(name: &'static str, arity: i16, flags: Flags, docs: &'static Docs) -> Row {
    Row {
        name,
        arity,
        flags,
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Function),
        docs,
    }
}

/// What the docs of all have in common.
const FUNCTIONS: Docs = Docs {
    since: "7.0.0",
    group: Group::Scripting,
    categories: Categories::SCRIPTING,
    ..Docs::NONE
};

/// The rows.
pub static ROWS: &[Row] = &[
    fcall(
        "fcall",
        false,
        &Docs {
            summary: "Calls a function",
            complexity: "Depends on the function",
            access: &["RW", "access", "update"],
            access_note: WORST,
            arguments: &WITH_FUNCTION,
            ..FUNCTIONS
        },
    ),
    fcall(
        "fcall_ro",
        true,
        &Docs {
            summary: "Calls a function that writes nothing",
            complexity: "Depends on the function",
            access: &["RO", "access"],
            access_note: WORST_READ,
            arguments: &WITH_FUNCTION,
            ..FUNCTIONS
        },
    ),
    function(
        "function",
        -2,
        Flags::NONE,
        &Docs {
            summary: "Commands about functions",
            categories: Categories::NONE,
            complexity: "Depends on the subcommand",
            subcommands: SUBCOMMANDS,
            ..FUNCTIONS
        },
    ),
];

static SUBCOMMANDS: &[Row] = &[
    function(
        "function|delete",
        3,
        Flags::WRITE.and(Flags::NOSCRIPT),
        &Docs {
            summary: "Drops a library",
            tips: ALL_SHARDS,
            arguments: &[Argument::string("library-name")],
            ..FUNCTIONS
        },
    ),
    function(
        "function|dump",
        2,
        Flags::NOSCRIPT,
        &Docs {
            summary: "Returns all libraries as a payload",
            complexity: "O(N) for N functions",
            ..FUNCTIONS
        },
    ),
    function(
        "function|flush",
        -2,
        Flags::WRITE.and(Flags::NOSCRIPT),
        &Docs {
            summary: "Drops all libraries",
            complexity: "O(N) for N functions",
            tips: ALL_SHARDS,
            arguments: &[Argument::one_of(
                "async",
                &[
                    Argument::word("async", "ASYNC"),
                    Argument::word("sync", "SYNC"),
                ],
            )
            .optional()],
            ..FUNCTIONS
        },
    ),
    function(
        "function|help",
        2,
        Flags::LOADING.and(Flags::STALE),
        &Docs {
            summary: "Returns the subcommands",
            ..FUNCTIONS
        },
    ),
    function(
        "function|kill",
        2,
        Flags::NOSCRIPT.and(Flags::ALLOW_BUSY),
        &Docs {
            summary: "Stops the function that runs, if it has written nothing",
            tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
            ..FUNCTIONS
        },
    ),
    function(
        "function|list",
        -2,
        Flags::NOSCRIPT,
        &Docs {
            summary: "Returns all libraries",
            complexity: "O(N) for N functions",
            tips: &["nondeterministic_output_order"],
            arguments: &[
                Argument::string("library-name-pattern")
                    .after("LIBRARYNAME")
                    .optional(),
                Argument::word("withcode", "WITHCODE").optional(),
            ],
            ..FUNCTIONS
        },
    ),
    function(
        "function|load",
        -3,
        Flags::WRITE.and(Flags::DENYOOM).and(Flags::NOSCRIPT),
        &Docs {
            summary: "Keeps a library",
            complexity: "Depends on the library's code",
            tips: ALL_SHARDS,
            arguments: &[
                Argument::word("replace", "REPLACE").optional(),
                Argument::string("function-code"),
            ],
            ..FUNCTIONS
        },
    ),
    function(
        "function|restore",
        -3,
        Flags::WRITE.and(Flags::DENYOOM).and(Flags::NOSCRIPT),
        &Docs {
            summary: "Keeps the libraries of a payload",
            complexity: "O(N) for N functions",
            tips: ALL_SHARDS,
            arguments: &[
                Argument::string("serialized-value"),
                Argument::one_of(
                    "policy",
                    &[
                        Argument::word("flush", "FLUSH"),
                        Argument::word("append", "APPEND"),
                        Argument::word("replace", "REPLACE"),
                    ],
                )
                .optional(),
            ],
            ..FUNCTIONS
        },
    ),
    function(
        "function|stats",
        2,
        Flags::NOSCRIPT.and(Flags::ALLOW_BUSY),
        &Docs {
            summary: "Returns the function that runs",
            tips: &[
                "nondeterministic_output",
                "request_policy:all_shards",
                "response_policy:special",
            ],
            ..FUNCTIONS
        },
    ),
];
