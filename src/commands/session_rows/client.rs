//! Rows of the subcommands of CLIENT.

use crate::commands::docs::{Argument, Categories, Docs, Group};
use crate::commands::table::{Flags, Handler, Keys, Row, SessionCommand, Stamps};

/// Carried out whatever the server is about, but not from scripts.
const ANYTIME: Flags = Flags::NOSCRIPT
    .and(Flags::LOADING)
    .and(Flags::STALE)
    .and(Flags::BARRIER);
const ADMIN: Flags = ANYTIME.and(Flags::ADMIN);

/// A subcommand without keys.
const fn row(name: &'static str, arity: i16, flags: Flags, docs: &'static Docs) -> Row {
    Row {
        name,
        arity,
        flags,
        keys: Keys::None,
        stamps: Stamps::None,
        handler: Handler::Session(SessionCommand::Client),
        docs,
    }
}

/// The rows.
pub static ROWS: &[Row] = &[
    row(
        "client|caching",
        3,
        ANYTIME,
        &Docs {
            summary: "Says whether the next command's keys are tracked",
            since: "6.0.0",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            arguments: &[Argument::one_of(
                "mode",
                &[Argument::word("yes", "YES"), Argument::word("no", "NO")],
            )],
            ..Docs::NONE
        },
    ),
    row(
        "client|getname",
        2,
        ANYTIME,
        &Docs {
            summary: "Returns the connection's name",
            since: "2.6.9",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    ),
    row(
        "client|getredir",
        2,
        ANYTIME,
        &Docs {
            summary: "Returns where tracking messages go",
            since: "6.0.0",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    ),
    row(
        "client|help",
        2,
        Flags::LOADING.and(Flags::STALE).and(Flags::BARRIER),
        &Docs {
            summary: "Returns the subcommands",
            since: "5.0.0",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    ),
    row(
        "client|id",
        2,
        ANYTIME,
        &Docs {
            summary: "Returns the connection's number",
            since: "5.0.0",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    ),
    row(
        "client|info",
        2,
        ANYTIME,
        &Docs {
            summary: "Returns figures of the connection",
            since: "6.2.0",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            tips: &["nondeterministic_output"],
            ..Docs::NONE
        },
    ),
    row(
        "client|kill",
        -3,
        ADMIN,
        &Docs {
            summary: "Closes connections",
            since: "2.4.0",
            group: Group::Connection,
            complexity: "O(N) for N connections",
            categories: Categories::CONNECTION,
            arguments: &[Argument::one_of(
                "filter",
                &[
                    Argument::string("ip:port").deprecated("2.8.12"),
                    Argument::one_of(
                        "new-format",
                        &[
                            Argument::integer("client-id")
                                .after("ID")
                                .since("2.8.12")
                                .optional(),
                            Argument::one_of(
                                "normal_master_slave_pubsub",
                                &[
                                    Argument::word("normal", "NORMAL"),
                                    Argument::word("master", "MASTER").since("3.2.0"),
                                    Argument::word("slave", "SLAVE"),
                                    Argument::word("replica", "REPLICA").since("5.0.0"),
                                    Argument::word("pubsub", "PUBSUB"),
                                ],
                            )
                            .after("TYPE")
                            .since("2.8.12")
                            .optional(),
                            Argument::string("username").after("USER").optional(),
                            Argument::string("ip:port").after("ADDR").optional(),
                            Argument::string("ip:port")
                                .after("LADDR")
                                .since("6.2.0")
                                .optional(),
                            Argument::string("yes/no").after("SKIPME").optional(),
                        ],
                    )
                    .multiple(),
                ],
            )],
            ..Docs::NONE
        },
    ),
    row(
        "client|list",
        -2,
        ADMIN,
        &Docs {
            summary: "Lists connections",
            since: "2.4.0",
            group: Group::Connection,
            complexity: "O(N) for N connections",
            categories: Categories::CONNECTION,
            tips: &["nondeterministic_output"],
            arguments: &[
                Argument::one_of(
                    "normal_master_replica_pubsub",
                    &[
                        Argument::word("normal", "NORMAL"),
                        Argument::word("master", "MASTER"),
                        Argument::word("replica", "REPLICA"),
                        Argument::word("pubsub", "PUBSUB"),
                    ],
                )
                .after("TYPE")
                .since("5.0.0")
                .optional(),
                Argument::block("id", &[Argument::integer("client-id").multiple()])
                    .after("ID")
                    .since("6.2.0")
                    .optional(),
            ],
            ..Docs::NONE
        },
    ),
    row(
        "client|no-evict",
        3,
        ADMIN,
        &Docs {
            summary: "Keeps the connection when memory runs short",
            since: "7.0.0",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            arguments: &[Argument::one_of(
                "enabled",
                &[Argument::word("on", "ON"), Argument::word("off", "OFF")],
            )],
            ..Docs::NONE
        },
    ),
    row(
        "client|no-touch",
        3,
        ANYTIME,
        &Docs {
            summary: "Says whether the connection's commands make their keys look used",
            since: "7.2.0",
            arguments: &[Argument::one_of(
                "enabled",
                &[Argument::word("on", "ON"), Argument::word("off", "OFF")],
            )],
            group: Group::Connection,
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    ),
    row(
        "client|pause",
        -3,
        ADMIN,
        &Docs {
            summary: "Suspends commands for a while",
            since: "2.9.50",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            arguments: &[
                Argument::integer("timeout"),
                Argument::one_of(
                    "mode",
                    &[
                        Argument::word("write", "WRITE"),
                        Argument::word("all", "ALL"),
                    ],
                )
                .since("6.2.0")
                .optional(),
            ],
            ..Docs::NONE
        },
    ),
    row(
        "client|reply",
        3,
        ANYTIME,
        &Docs {
            summary: "Says whether commands are answered",
            since: "3.2.0",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            arguments: &[Argument::one_of(
                "on_off_skip",
                &[
                    Argument::word("on", "ON"),
                    Argument::word("off", "OFF"),
                    Argument::word("skip", "SKIP"),
                ],
            )],
            ..Docs::NONE
        },
    ),
    row(
        "client|setinfo",
        4,
        ANYTIME,
        &Docs {
            summary: "Says which library the client uses",
            since: "7.2.0",
            arguments: &[Argument::one_of(
                "attr",
                &[
                    Argument::string("libname").after("LIB-NAME"),
                    Argument::string("libver").after("LIB-VER"),
                ],
            )],
            group: Group::Connection,
            categories: Categories::CONNECTION,
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            ..Docs::NONE
        },
    ),
    row(
        "client|setname",
        3,
        ANYTIME,
        &Docs {
            summary: "Names the connection",
            since: "2.6.9",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            arguments: &[Argument::string("connection-name")],
            ..Docs::NONE
        },
    ),
    row(
        "client|traceparent",
        -3,
        ANYTIME,
        &Docs {
            summary: "Says which trace the connection's writes belong to",
            since: "0.1.0",
            arguments: &[
                Argument::string("traceparent"),
                Argument::one_of(
                    "writes",
                    &[
                        Argument::word("once", "ONCE"),
                        Argument::word("sticky", "STICKY"),
                    ],
                )
                .optional(),
            ],
            group: Group::Connection,
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    ),
    row(
        "client|tracking",
        -3,
        ANYTIME,
        &Docs {
            summary: "Begins or ends that the server says which cached keys have changed",
            since: "6.0.0",
            group: Group::Connection,
            complexity: "O(1). Some options may introduce additional complexity.",
            categories: Categories::CONNECTION,
            arguments: &[
                Argument::one_of(
                    "status",
                    &[Argument::word("on", "ON"), Argument::word("off", "OFF")],
                ),
                Argument::integer("client-id").after("REDIRECT").optional(),
                Argument::string("prefix")
                    .after("PREFIX")
                    .optional()
                    .multiple()
                    .multiple_token(),
                Argument::word("bcast", "BCAST").optional(),
                Argument::word("optin", "OPTIN").optional(),
                Argument::word("optout", "OPTOUT").optional(),
                Argument::word("noloop", "NOLOOP").optional(),
            ],
            ..Docs::NONE
        },
    ),
    row(
        "client|trackinginfo",
        2,
        ANYTIME,
        &Docs {
            summary: "Returns what is tracked for the connection",
            since: "6.2.0",
            group: Group::Connection,
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    ),
    row(
        "client|unblock",
        -3,
        ADMIN,
        &Docs {
            summary: "Wakes a blocked connection",
            since: "5.0.0",
            group: Group::Connection,
            complexity: "O(log N) for N connections",
            categories: Categories::CONNECTION,
            arguments: &[
                Argument::integer("client-id"),
                Argument::one_of(
                    "timeout_error",
                    &[
                        Argument::word("timeout", "TIMEOUT"),
                        Argument::word("error", "ERROR"),
                    ],
                )
                .optional(),
            ],
            ..Docs::NONE
        },
    ),
    row(
        "client|unpause",
        2,
        ADMIN,
        &Docs {
            summary: "Lets suspended commands go on",
            since: "6.2.0",
            group: Group::Connection,
            complexity: "O(N) for N suspended connections",
            categories: Categories::CONNECTION,
            ..Docs::NONE
        },
    ),
];
