//! Rows of the subcommands of CLUSTER.

use super::server;
use crate::commands::docs::{Argument, Deprecated, Docs, Group};
use crate::commands::table::{Flags, Row, ServerCommand};

/// The rows.
pub static ROWS: &[Row] = &[
    server(
        "cluster|addslots",
        -3,
        Flags::ADMIN.and(Flags::STALE).and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Cluster,
        &Docs {
            summary: "Gives slots to this node",
            since: "3.0.0",
            group: Group::Cluster,
            complexity: "O(N) for N slots, nodes or bytes",
            arguments: &[Argument::integer("slot").multiple()],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|addslotsrange",
        -4,
        Flags::ADMIN.and(Flags::STALE).and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Cluster,
        &Docs {
            summary: "Gives ranges of slots to this node",
            since: "7.0.0",
            group: Group::Cluster,
            complexity: "O(N) for N slots, nodes or bytes",
            arguments: &[Argument::block(
                "start-slot_end-slot",
                &[
                    Argument::integer("start-slot"),
                    Argument::integer("end-slot"),
                ],
            )
            .multiple()],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|bumpepoch",
        2,
        Flags::ADMIN.and(Flags::STALE).and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Cluster,
        &Docs {
            summary: "Raises the configuration epoch",
            since: "3.0.0",
            group: Group::Cluster,
            tips: &["nondeterministic_output"],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|count-failure-reports",
        3,
        Flags::ADMIN.and(Flags::STALE),
        ServerCommand::Cluster,
        &Docs {
            summary: "Returns how many nodes report a failure",
            since: "3.0.0",
            group: Group::Cluster,
            complexity: "O(N) for N slots, nodes or bytes",
            tips: &["nondeterministic_output"],
            arguments: &[Argument::string("node-id")],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|countkeysinslot",
        3,
        Flags::STALE,
        ServerCommand::Cluster,
        &Docs {
            summary: "Returns how many keys a slot has",
            since: "3.0.0",
            group: Group::Cluster,
            arguments: &[Argument::integer("slot")],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|delslots",
        -3,
        Flags::ADMIN.and(Flags::STALE).and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Cluster,
        &Docs {
            summary: "Takes slots from this node",
            since: "3.0.0",
            group: Group::Cluster,
            complexity: "O(N) for N slots, nodes or bytes",
            arguments: &[Argument::integer("slot").multiple()],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|delslotsrange",
        -4,
        Flags::ADMIN.and(Flags::STALE).and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Cluster,
        &Docs {
            summary: "Takes ranges of slots from this node",
            since: "7.0.0",
            group: Group::Cluster,
            complexity: "O(N) for N slots, nodes or bytes",
            arguments: &[Argument::block(
                "start-slot_end-slot",
                &[
                    Argument::integer("start-slot"),
                    Argument::integer("end-slot"),
                ],
            )
            .multiple()],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|failover",
        -2,
        Flags::ADMIN.and(Flags::STALE).and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Cluster,
        &Docs {
            summary: "Makes a replica take over from its master",
            since: "3.0.0",
            group: Group::Cluster,
            arguments: &[Argument::one_of(
                "options",
                &[
                    Argument::word("force", "FORCE"),
                    Argument::word("takeover", "TAKEOVER"),
                ],
            )
            .optional()],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|flushslots",
        2,
        Flags::ADMIN.and(Flags::STALE).and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Cluster,
        &Docs {
            summary: "Takes all slots from this node",
            since: "3.0.0",
            group: Group::Cluster,
            ..Docs::NONE
        },
    ),
    server(
        "cluster|forget",
        3,
        Flags::ADMIN.and(Flags::STALE).and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Cluster,
        &Docs {
            summary: "Removes a node",
            since: "3.0.0",
            group: Group::Cluster,
            arguments: &[Argument::string("node-id")],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|getkeysinslot",
        4,
        Flags::STALE,
        ServerCommand::Cluster,
        &Docs {
            summary: "Returns keys of a slot",
            since: "3.0.0",
            group: Group::Cluster,
            complexity: "O(N) for N slots, nodes or bytes",
            tips: &["nondeterministic_output"],
            arguments: &[Argument::integer("slot"), Argument::integer("count")],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|help",
        2,
        Flags::LOADING.and(Flags::STALE),
        ServerCommand::Cluster,
        &Docs {
            summary: "Returns the subcommands",
            since: "5.0.0",
            group: Group::Cluster,
            ..Docs::NONE
        },
    ),
    server(
        "cluster|info",
        2,
        Flags::STALE,
        ServerCommand::Cluster,
        &Docs {
            summary: "Returns the state of the cluster",
            since: "3.0.0",
            group: Group::Cluster,
            tips: &["nondeterministic_output"],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|keyslot",
        3,
        Flags::STALE,
        ServerCommand::Cluster,
        &Docs {
            summary: "Returns the slot of a key",
            since: "3.0.0",
            group: Group::Cluster,
            complexity: "O(N) for N slots, nodes or bytes",
            arguments: &[Argument::string("key")],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|links",
        2,
        Flags::STALE,
        ServerCommand::Cluster,
        &Docs {
            summary: "Returns the links of the cluster bus",
            since: "7.0.0",
            group: Group::Cluster,
            complexity: "O(N) for N slots, nodes or bytes",
            tips: &["nondeterministic_output"],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|meet",
        -4,
        Flags::ADMIN.and(Flags::STALE).and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Cluster,
        &Docs {
            summary: "Joins a node",
            since: "3.0.0",
            group: Group::Cluster,
            arguments: &[
                Argument::string("ip"),
                Argument::integer("port"),
                Argument::integer("cluster_bus_port")
                    .since("4.0.0")
                    .optional(),
            ],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|myid",
        2,
        Flags::STALE,
        ServerCommand::Cluster,
        &Docs {
            summary: "Returns the id of this node",
            since: "3.0.0",
            group: Group::Cluster,
            ..Docs::NONE
        },
    ),
    server(
        "cluster|nodes",
        2,
        Flags::STALE,
        ServerCommand::Cluster,
        &Docs {
            summary: "Returns all nodes",
            since: "3.0.0",
            group: Group::Cluster,
            complexity: "O(N) for N slots, nodes or bytes",
            tips: &["nondeterministic_output"],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|replicas",
        3,
        Flags::ADMIN.and(Flags::STALE),
        ServerCommand::Cluster,
        &Docs {
            summary: "Returns the replicas of a master",
            since: "5.0.0",
            group: Group::Cluster,
            tips: &["nondeterministic_output"],
            arguments: &[Argument::string("node-id")],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|replicate",
        3,
        Flags::ADMIN.and(Flags::STALE).and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Cluster,
        &Docs {
            summary: "Makes this node a replica",
            since: "3.0.0",
            group: Group::Cluster,
            arguments: &[Argument::string("node-id")],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|reset",
        -2,
        Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::STALE),
        ServerCommand::Cluster,
        &Docs {
            summary: "Makes this node forget the cluster",
            since: "3.0.0",
            group: Group::Cluster,
            complexity: "O(N) for N slots, nodes or bytes",
            arguments: &[Argument::one_of(
                "hard_soft",
                &[
                    Argument::word("hard", "HARD"),
                    Argument::word("soft", "SOFT"),
                ],
            )
            .optional()],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|saveconfig",
        2,
        Flags::ADMIN.and(Flags::STALE).and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Cluster,
        &Docs {
            summary: "Writes the state of the cluster",
            since: "3.0.0",
            group: Group::Cluster,
            ..Docs::NONE
        },
    ),
    server(
        "cluster|set-config-epoch",
        3,
        Flags::ADMIN.and(Flags::STALE).and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Cluster,
        &Docs {
            summary: "Sets the configuration epoch",
            since: "3.0.0",
            group: Group::Cluster,
            arguments: &[Argument::integer("config-epoch")],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|setslot",
        -4,
        Flags::ADMIN.and(Flags::STALE).and(Flags::NO_ASYNC_LOADING),
        ServerCommand::Cluster,
        &Docs {
            summary: "Binds a slot to a node",
            since: "3.0.0",
            group: Group::Cluster,
            arguments: &[
                Argument::integer("slot"),
                Argument::one_of(
                    "subcommand",
                    &[
                        Argument::string("node-id").after("IMPORTING"),
                        Argument::string("node-id").after("MIGRATING"),
                        Argument::string("node-id").after("NODE"),
                        Argument::word("stable", "STABLE"),
                    ],
                ),
            ],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|shards",
        2,
        Flags::STALE,
        ServerCommand::Cluster,
        &Docs {
            summary: "Returns slots and nodes",
            since: "7.0.0",
            group: Group::Cluster,
            complexity: "O(N) for N slots, nodes or bytes",
            tips: &["nondeterministic_output"],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|slaves",
        3,
        Flags::ADMIN.and(Flags::STALE),
        ServerCommand::Cluster,
        &Docs {
            summary: "Returns the replicas of a master",
            since: "3.0.0",
            group: Group::Cluster,
            tips: &["nondeterministic_output"],
            deprecated: Some(Deprecated {
                since: "5.0.0",
                replaced_by: "`CLUSTER REPLICAS`",
            }),
            arguments: &[Argument::string("node-id")],
            ..Docs::NONE
        },
    ),
    server(
        "cluster|slots",
        2,
        Flags::STALE,
        ServerCommand::Cluster,
        &Docs {
            summary: "Returns slots and nodes",
            since: "3.0.0",
            group: Group::Cluster,
            complexity: "O(N) for N slots, nodes or bytes",
            tips: &["nondeterministic_output"],
            deprecated: Some(Deprecated {
                since: "7.0.0",
                replaced_by: "`CLUSTER SHARDS`",
            }),
            ..Docs::NONE
        },
    ),
];
