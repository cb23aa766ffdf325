//! SUBSCRIBE, UNSUBSCRIBE and their kin, PUBLISH, SPUBLISH, PUBSUB.
//!
//! Invariant: messages and replies of a connection keep their order: what has come before a command is taken before it is answered.

use std::sync::Arc;

use crate::clients::conversation::Conversation;
use crate::clients::errors;
use crate::commands::table::SessionCommand;
use crate::commands::{Handler, Row};
use crate::pubsub::Kind;
use crate::pubsub::channels::Subscriptions;
use crate::resp::{Args, Protocol, Reply};

const HELP: &[&str] = &[
    "CHANNELS [<pattern>]",
    "    Return the currently active channels matching a <pattern> (default: '*').",
    "NUMPAT",
    "    Return number of subscriptions to patterns.",
    "NUMSUB [<channel> ...]",
    "    Return the number of subscribers for the specified channels, excluding",
    "    pattern subscriptions(default: no channels).",
    "SHARDCHANNELS [<pattern>]",
    "    Return the currently active shard level channels matching a <pattern> (default: '*').",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    Return the number of subscribers for the specified shard level channel(s)",
];

/// What a command of this name is about.
fn kind_of(row: &Row) -> Kind {
    match row.name.as_bytes().first() {
        Some(b'p') if row.name != "publish" => Kind::Pattern,
        Some(b's') if row.name != "subscribe" => Kind::Shard,
        _ => Kind::Channel,
    }
}

/// One answer to a subscription or to its end.
fn answer(name: &str, channel: Option<&[u8]>, count: usize, reply: &mut Reply) {
    reply.push(3);
    reply.bulk(name.as_bytes());
    match channel {
        Some(channel) => reply.bulk(channel),
        None => reply.null(),
    }
    reply.integer(count as i64);
}

/// Commands that a RESP2 connection may send while it is subscribed.
fn is_for_subscribers(row: &Row) -> bool {
    matches!(
        row.handler,
        Handler::Session(
            SessionCommand::Ping
                | SessionCommand::Quit
                | SessionCommand::Reset
                | SessionCommand::Subscribe
                | SessionCommand::Unsubscribe
        )
    )
}

/// Whether a command is answered whatever CLIENT REPLY says: with messages, not with a reply.
pub(super) fn answers_by_message(row: &Row) -> bool {
    matches!(
        row.handler,
        Handler::Session(SessionCommand::Subscribe | SessionCommand::Unsubscribe)
    )
}

impl Conversation {
    /// Whether it subscribed to anything.
    pub fn is_subscribed(&self) -> bool {
        self.subscriptions.is_some()
    }

    /// Whether its messages and replies are told apart by commands alone, and this one is none of those.
    pub(super) fn is_confined(&self, row: &Row, protocol: Protocol) -> bool {
        self.subscriptions.is_some()
            && protocol == Protocol::Resp2
            && !self.is_in_exec
            && !is_for_subscribers(row)
    }

    /// Refuses a command of a subscriber.
    pub(super) fn refuse_confined(&mut self, row: &Row, reply: &mut Reply) {
        let text = format!(
            "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
            row.name
        );
        self.refuse_because(row, &text, reply);
    }

    /// Takes all messages that have come.
    #[inline]
    pub fn take_mail(&self, reply: &mut Reply) {
        let mailbox = &self.client.mailbox;
        if mailbox.is_waiting() {
            mailbox.take(|letter| {
                reply.letter(letter.parts());
                true
            });
        }
    }

    pub(super) fn subscribe(&mut self, row: &Row, args: Args<'_>, reply: &mut Reply) {
        let kind = kind_of(row);
        if kind == Kind::Shard && self.is_in_exec {
            return reply.error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
        }
        let subscriptions = self.subscriptions.get_or_insert_with(|| {
            let channels = Arc::clone(&self.context.keyspace.pubsub.channels);
            let mailbox = Arc::clone(&self.client.mailbox);
            Box::new(Subscriptions::new(channels, mailbox))
        });
        for name in args.skip(1) {
            subscriptions.subscribe(kind, name);
            answer(row.name, Some(name), subscriptions.count(kind), reply);
        }
    }

    pub(super) fn unsubscribe(&mut self, row: &Row, args: Args<'_>, reply: &mut Reply) {
        let kind = kind_of(row);
        let Some(mut subscriptions) = self.subscriptions.take() else {
            if args.len() == 1 {
                answer(row.name, None, 0, reply);
            }
            for name in args.skip(1) {
                answer(row.name, Some(name), 0, reply);
            }
            return;
        };
        let all = subscriptions.names(kind);
        let meant: Vec<&[u8]> = match args.len() {
            1 => all.iter().map(|name| &name[..]).collect(),
            _ => args.skip(1).iter().collect(),
        };
        if meant.is_empty() {
            answer(row.name, None, subscriptions.count(kind), reply);
        }
        for name in meant {
            subscriptions.unsubscribe(kind, name);
            // What was published until now comes before the answer, and nothing behind it.
            if !self.is_in_exec {
                self.take_mail(reply);
            }
            answer(row.name, Some(name), subscriptions.count(kind), reply);
        }
        if !subscriptions.is_empty() {
            self.subscriptions = Some(subscriptions);
        }
    }

    /// Ends all subscriptions without a word.
    pub(super) fn drop_subscriptions(&mut self) {
        if self.subscriptions.take().is_some() {
            self.client.mailbox.take(|_| true);
        }
    }

    pub(super) fn publish(&mut self, row: &Row, args: Args<'_>, reply: &mut Reply) {
        let (told, stamp) = self.context.keyspace.publish_message(
            kind_of(row),
            args.get(1),
            args.get(2),
            self.options.replicate_publish,
            &self.caller,
        );
        if let Some(stamp) = stamp {
            self.last_write = stamp.time();
        }
        reply.integer(told as i64);
    }

    /// Subscribers of this node to each channel of a PUBSUB NUMSUB or SHARDNUMSUB.
    pub(super) fn hearers(&self, row: &Row, args: Args<'_>) -> Vec<u64> {
        let channels = &self.context.keyspace.pubsub.channels;
        let kind = match row.name {
            "pubsub|numsub" => Kind::Channel,
            _ => Kind::Shard,
        };
        let names = args.skip(2).iter();
        names
            .map(|name| channels.hearers(kind, name) as u64)
            .collect()
    }

    /// Whether those of other nodes hear the same messages and are to be counted with them: not where nobody may wait.
    pub(super) fn counts_others(&self, row: &Row) -> bool {
        matches!(row.name, "pubsub|numsub" | "pubsub|shardnumsub")
            && !(self.is_in_exec || self.is_in_script)
            && self.options.replicate_publish
            && self.context.keyspace.is_stamped()
    }

    pub(super) fn pubsub_command(&self, row: &Row, args: Args<'_>, reply: &mut Reply) {
        let channels = &self.context.keyspace.pubsub.channels;
        match (row.name, args.len()) {
            ("pubsub|channels" | "pubsub|shardchannels", 2..=3) => {
                let kind = if row.name == "pubsub|channels" {
                    Kind::Channel
                } else {
                    Kind::Shard
                };
                let names = channels.names(kind, args.try_get(2));
                reply.array(names.len());
                for name in names {
                    reply.bulk(&name);
                }
            }
            ("pubsub|numsub" | "pubsub|shardnumsub", _) => {
                reply.array(2 * (args.len() - 2));
                for (name, count) in args.skip(2).iter().zip(self.hearers(row, args)) {
                    reply.bulk(name);
                    reply.integer(i64::try_from(count).unwrap_or(i64::MAX));
                }
            }
            ("pubsub|numpat", 2) => reply.integer(channels.len(Kind::Pattern) as i64),
            ("pubsub|help", 2) => errors::help(args, HELP, reply),
            _ => errors::wrong_form(args, reply),
        }
    }
}
