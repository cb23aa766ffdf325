//! Rows of PUBLISH, SUBSCRIBE and their kin.

use crate::commands::docs::{Argument, Categories, Channels, Docs, Group};
use crate::commands::table::{Flags, Handler, Keys, Row, SessionCommand, Stamps};

const ANYTIME: Flags = Flags::PUBSUB.and(Flags::LOADING).and(Flags::STALE);
const SUBSCRIBES: Flags = ANYTIME.and(Flags::NOSCRIPT).and(Flags::BARRIER);
const PUBLISHES: Flags = ANYTIME.and(Flags::FAST).and(Flags::MAY_REPLICATE);
const LOOKS: Flags = ANYTIME.and(Flags::BARRIER);
/// Shard channels, which a cluster finds like keys.
const SHARD_CHANNELS: Keys = Keys::Range {
    first: 1,
    last: -1,
    step: 1,
};

const fn row(
    name: &'static str,
    arity: i16,
    flags: Flags,
    keys: Keys,
    command: SessionCommand,
    docs: &'static Docs,
) -> Row {
    Row {
        name,
        arity,
        flags,
        keys,
        stamps: Stamps::None,
        handler: Handler::Session(command),
        docs,
    }
}

/// What all of them have in common.
const DOCS: Docs = Docs {
    group: Group::PubSub,
    categories: Categories::PUBSUB,
    ..Docs::NONE
};

/// The rows.
pub static ROWS: &[Row] = &[
    row(
        "publish",
        3,
        PUBLISHES,
        Keys::None,
        SessionCommand::Publish,
        &Docs {
            summary: "Sends a message to all who subscribed to a channel",
            since: "2.0.0",
            complexity: "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns (by any client).",
            arguments: &[Argument::string("channel"), Argument::string("message")],
            channels: Channels::One,
            ..DOCS
        },
    ),
    row(
        "spublish",
        3,
        PUBLISHES,
        Keys::One,
        SessionCommand::Publish,
        &Docs {
            summary: "Sends a message to all who subscribed to a shard channel",
            since: "7.0.0",
            complexity: "O(N) where N is the number of clients subscribed to the receiving shard channel.",
            access: &["not_key"],
            arguments: &[
                Argument::string("shardchannel"),
                Argument::string("message"),
            ],
            channels: Channels::One,
            ..DOCS
        },
    ),
    row(
        "subscribe",
        -2,
        SUBSCRIBES,
        Keys::None,
        SessionCommand::Subscribe,
        &Docs {
            summary: "Subscribes to channels",
            since: "2.0.0",
            complexity: "O(N) where N is the number of channels to subscribe to.",
            arguments: &[Argument::string("channel").multiple()],
            channels: Channels::All,
            ..DOCS
        },
    ),
    row(
        "unsubscribe",
        -1,
        SUBSCRIBES,
        Keys::None,
        SessionCommand::Unsubscribe,
        &Docs {
            summary: "Ends subscriptions to channels",
            since: "2.0.0",
            complexity: "O(N) where N is the number of channels to unsubscribe.",
            arguments: &[Argument::string("channel").optional().multiple()],
            ..DOCS
        },
    ),
    row(
        "psubscribe",
        -2,
        SUBSCRIBES,
        Keys::None,
        SessionCommand::Subscribe,
        &Docs {
            summary: "Subscribes to all channels that match a pattern",
            since: "2.0.0",
            complexity: "O(N) where N is the number of patterns to subscribe to.",
            arguments: &[Argument::pattern("pattern").multiple()],
            channels: Channels::Patterns,
            ..DOCS
        },
    ),
    row(
        "punsubscribe",
        -1,
        SUBSCRIBES,
        Keys::None,
        SessionCommand::Unsubscribe,
        &Docs {
            summary: "Ends subscriptions to patterns",
            since: "2.0.0",
            complexity: "O(N) where N is the number of patterns to unsubscribe.",
            arguments: &[Argument::pattern("pattern").optional().multiple()],
            ..DOCS
        },
    ),
    row(
        "ssubscribe",
        -2,
        SUBSCRIBES,
        SHARD_CHANNELS,
        SessionCommand::Subscribe,
        &Docs {
            summary: "Subscribes to shard channels",
            since: "7.0.0",
            complexity: "O(N) where N is the number of shard channels to subscribe to.",
            access: &["not_key"],
            arguments: &[Argument::string("shardchannel").multiple()],
            channels: Channels::All,
            ..DOCS
        },
    ),
    row(
        "sunsubscribe",
        -1,
        SUBSCRIBES,
        SHARD_CHANNELS,
        SessionCommand::Unsubscribe,
        &Docs {
            summary: "Ends subscriptions to shard channels",
            since: "7.0.0",
            complexity: "O(N) where N is the number of shard channels to unsubscribe.",
            access: &["not_key"],
            arguments: &[Argument::string("shardchannel").optional().multiple()],
            ..DOCS
        },
    ),
    row(
        "pubsub",
        -2,
        Flags::BARRIER,
        Keys::None,
        SessionCommand::Pubsub,
        &Docs {
            summary: "Commands about channels",
            since: "2.8.0",
            group: Group::PubSub,
            complexity: "Depends on subcommand.",
            subcommands: SUBCOMMANDS,
            ..Docs::NONE
        },
    ),
];

static SUBCOMMANDS: &[Row] = &[
    sub(
        "pubsub|channels",
        -2,
        LOOKS,
        &Docs {
            summary: "Returns the channels that somebody subscribed to",
            since: "2.8.0",
            complexity: "O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively short channels and patterns)",
            arguments: &[Argument::pattern("pattern").optional()],
            ..DOCS
        },
    ),
    sub(
        "pubsub|help",
        2,
        Flags::LOADING.and(Flags::STALE).and(Flags::BARRIER),
        &Docs {
            summary: "Returns the subcommands",
            since: "6.2.0",
            group: Group::PubSub,
            ..Docs::NONE
        },
    ),
    sub(
        "pubsub|numpat",
        2,
        LOOKS,
        &Docs {
            summary: "Returns how many patterns are subscribed to",
            since: "2.8.0",
            ..DOCS
        },
    ),
    sub(
        "pubsub|numsub",
        -2,
        LOOKS,
        &Docs {
            summary: "Returns how many subscribed to each channel",
            since: "2.8.0",
            complexity: "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
            arguments: &[Argument::string("channel").optional().multiple()],
            ..DOCS
        },
    ),
    sub(
        "pubsub|shardchannels",
        -2,
        LOOKS,
        &Docs {
            summary: "Returns the shard channels that somebody subscribed to",
            since: "7.0.0",
            complexity: "O(N) where N is the number of active shard channels, and assuming constant time pattern matching (relatively short shard channels).",
            arguments: &[Argument::pattern("pattern").optional()],
            ..DOCS
        },
    ),
    sub(
        "pubsub|shardnumsub",
        -2,
        LOOKS,
        &Docs {
            summary: "Returns how many subscribed to each shard channel",
            since: "7.0.0",
            complexity: "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
            arguments: &[Argument::string("shardchannel").optional().multiple()],
            ..DOCS
        },
    ),
];

const fn sub(name: &'static str, arity: i16, flags: Flags, docs: &'static Docs) -> Row {
    row(name, arity, flags, Keys::None, SessionCommand::Pubsub, docs)
}
