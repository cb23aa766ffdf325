//! Rows of scripts: EVAL and its kin, SCRIPT.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::table::{Flags, Handler, Keys, Row, ServerCommand, SessionCommand, Stamps};

/// What is said of the keys of a script that may write.
pub(super) const WORST: &str =
    "How a script uses its keys is not known, so the worst is assumed: RW and UPDATE";
/// The same of one that only reads.
pub(super) const WORST_READ: &str =
    "How a script uses its keys is not known, so the worst is assumed: RO and ACCESS";

pub(super) const fn arguments(script: Argument) -> [Argument; 4] {
    [
        script,
        Argument::integer("numkeys"),
        Argument::KEY.optional().multiple(),
        Argument::string("arg").optional().multiple(),
    ]
}

static WITH_SCRIPT: [Argument; 4] = arguments(Argument::string("script"));
static WITH_SHA: [Argument; 4] = arguments(Argument::string("sha1"));

const fn eval(name: &'static str, is_ro: bool, docs: &'static Docs) -> Row {
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
        handler: Handler::Session(SessionCommand::Eval),
        docs,
    }
}

const fn script(name: &'static str, arity: i16, flags: Flags, docs: &'static Docs) -> Row {
    Row {
        name,
        arity,
        flags,
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Server(ServerCommand::Script),
        docs,
    }
}

/// What the docs of all have in common.
const SCRIPTING: Docs = Docs {
    since: "2.6.0",
    group: Group::Scripting,
    categories: Categories::SCRIPTING,
    ..Docs::NONE
};

/// The rows.
pub static ROWS: &[Row] = &[
    eval(
        "eval",
        false,
        &Docs {
            summary: "Runs a Lua script",
            complexity: "Depends on the script",
            access: &["RW", "access", "update"],
            access_note: WORST,
            arguments: &WITH_SCRIPT,
            ..SCRIPTING
        },
    ),
    eval(
        "evalsha",
        false,
        &Docs {
            summary: "Runs a Lua script that is known by its digest",
            complexity: "Depends on the script",
            access: &["RW", "access", "update"],
            arguments: &WITH_SHA,
            ..SCRIPTING
        },
    ),
    eval(
        "eval_ro",
        true,
        &Docs {
            summary: "Runs a Lua script that writes nothing",
            since: "7.0.0",
            complexity: "Depends on the script",
            access: &["RO", "access"],
            access_note: WORST_READ,
            arguments: &WITH_SCRIPT,
            ..SCRIPTING
        },
    ),
    eval(
        "evalsha_ro",
        true,
        &Docs {
            summary: "Runs a Lua script that writes nothing and is known by its digest",
            since: "7.0.0",
            complexity: "Depends on the script",
            access: &["RO", "access"],
            arguments: &WITH_SHA,
            ..SCRIPTING
        },
    ),
    script(
        "script",
        -2,
        Flags::NONE,
        &Docs {
            summary: "Commands about scripts",
            categories: Categories::NONE,
            complexity: "Depends on the subcommand",
            subcommands: SUBCOMMANDS,
            ..SCRIPTING
        },
    ),
];

static SUBCOMMANDS: &[Row] = &[
    script(
        "script|debug",
        3,
        Flags::NOSCRIPT,
        &Docs {
            summary: "Sets how scripts are debugged",
            since: "3.2.0",
            arguments: &[Argument::one_of(
                "mode",
                &[
                    Argument::word("yes", "YES"),
                    Argument::word("sync", "SYNC"),
                    Argument::word("no", "NO"),
                ],
            )],
            ..SCRIPTING
        },
    ),
    script(
        "script|exists",
        -3,
        Flags::NOSCRIPT,
        &Docs {
            summary: "Says which scripts are known",
            complexity: "O(N) for N scripts",
            tips: &[
                "request_policy:all_shards",
                "response_policy:agg_logical_and",
            ],
            arguments: &[Argument::string("sha1").multiple()],
            ..SCRIPTING
        },
    ),
    script(
        "script|flush",
        -2,
        Flags::NOSCRIPT,
        &Docs {
            summary: "Forgets all scripts",
            complexity: "O(N) for N scripts",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            arguments: &[Argument::one_of(
                "async",
                &[
                    Argument::word("async", "ASYNC"),
                    Argument::word("sync", "SYNC"),
                ],
            )
            .since("6.2.0")
            .optional()],
            ..SCRIPTING
        },
    ),
    script(
        "script|help",
        2,
        Flags::LOADING.and(Flags::STALE),
        &Docs {
            summary: "Returns the subcommands",
            since: "5.0.0",
            ..SCRIPTING
        },
    ),
    script(
        "script|kill",
        2,
        Flags::NOSCRIPT.and(Flags::ALLOW_BUSY),
        &Docs {
            summary: "Stops the script that runs, if it has written nothing",
            tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
            ..SCRIPTING
        },
    ),
    script(
        "script|load",
        3,
        Flags::NOSCRIPT.and(Flags::STALE),
        &Docs {
            summary: "Keeps a script to be run by its digest",
            complexity: "O(N) for N bytes",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            arguments: &[Argument::string("script")],
            ..SCRIPTING
        },
    ),
];
