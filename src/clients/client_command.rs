//! CLIENT and its subcommands.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use keymesh_observability::TraceContext;

use crate::clients::client_list::{describe, describe_masters, describe_replicas};
use crate::clients::context::PauseMode;
use crate::clients::conversation::{After, Conversation, ReplyMode, Trace};
use crate::clients::errors;
use crate::clients::registry::{Client, ClientId, signal};
use crate::commands::Row;
use crate::db::UnixMillis;
use crate::resp::{Args, Reply, parse_i64};

pub(super) const BAD_NAME: &str =
    "ERR Client names cannot contain spaces, newlines or special characters.";

const NOT_TRACKING: &str = "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled";

const HELP: &[&str] = &[
    "GETNAME",
    "    Return the name of the current connection.",
    "ID",
    "    Return the ID of the current connection.",
    "INFO",
    "    Return information about the current client connection.",
    "KILL <ip:port>",
    "    Kill connection made from <ip:port>, or the link to the master there.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Kill connections. Options are:",
    "    * ADDR (<ip:port>|<unixsocket>:0)",
    "    * LADDR (<ip:port>|<unixsocket>:0)",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "    * USER <username>",
    "    * SKIPME (YES|NO)",
    "    * ID <client-id>",
    "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID <client-id> [...]]",
    "    Return information about client connections.",
    "NO-EVICT (ON|OFF)",
    "    Protect current client connection from eviction.",
    "NO-TOUCH (ON|OFF)",
    "    Will not touch LRU/LFU stats when this mode is on.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Suspend clients for <timeout> milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Control the replies sent to the current connection.",
    "SETINFO (LIB-NAME|LIB-VER) <value>",
    "    Set a client meta attribute.",
    "SETNAME <name>",
    "    Assign the name <name> to the current connection.",
    "TRACEPARENT (<traceparent> [ONCE|STICKY]|OFF)",
    "    Make the next command, or all following, part of a trace.",
    "UNBLOCK <clientid> [TIMEOUT|ERROR]",
    "    Unblock the specified blocked client.",
    "UNPAUSE",
    "    Stop the current client pause.",
];

/// CLIENT TRACKINGINFO of a connection that tracks nothing.
fn tracking_off(reply: &mut Reply) {
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(1);
    reply.bulk(b"off");
    reply.bulk(b"redirect");
    reply.integer(-1);
    reply.bulk(b"prefixes");
    reply.array(0);
}

/// Whether all bytes can be shown in CLIENT LIST.
pub(super) fn is_name(name: &[u8]) -> bool {
    name.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

/// A kind of connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    Master,
    Replica,
    Pubsub,
}

impl Kind {
    fn parse(text: &[u8]) -> Option<Self> {
        let kinds: [(&[u8], Self); 5] = [
            (b"normal", Self::Normal),
            (b"master", Self::Master),
            (b"slave", Self::Replica),
            (b"replica", Self::Replica),
            (b"pubsub", Self::Pubsub),
        ];
        kinds
            .into_iter()
            .find(|(name, _)| text.eq_ignore_ascii_case(name))
            .map(|(_, kind)| kind)
    }
}

impl Conversation {
    pub(super) fn client_command(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> After {
        if !self.is_in_exec && matches!(row.name, "client|info" | "client|list") {
            self.show_present(row, args);
        }
        let lower = args.get(1).to_ascii_lowercase();
        match (lower.as_slice(), args.len()) {
            (b"id", 2) => reply.integer(self.client.id.0 as i64),
            (b"getname", 2) => {
                let name = self.client.shown.lock().name.clone();
                if name.is_empty() {
                    reply.null();
                } else {
                    reply.bulk(&name);
                }
            }
            (b"setname", 3) if is_name(args.get(2)) => {
                self.client.shown.lock().name = args.get(2).to_vec();
                reply.ok();
            }
            (b"setname", 3) => reply.error(BAD_NAME),
            (b"setinfo", 4) => self.client_setinfo(args, reply),
            (b"info", 2) => {
                let line = describe(&self.client, self.context.now());
                reply.verbatim(b"txt", &line);
            }
            (b"list", 2..) => self.client_list(args, reply),
            (b"kill", 3..) => return self.client_kill(args, reply),
            (b"reply", 3) => self.client_reply(args.get(2), reply),
            (b"no-evict", 3) => {
                self.client_flag(args.get(2), reply, |shown, on| shown.no_evict = on);
            }
            (b"no-touch", 3) => {
                self.client_flag(args.get(2), reply, |shown, on| shown.no_touch = on);
            }
            (b"pause", 3..=4) => self.client_pause(args, reply),
            (b"unpause", 2) => {
                self.context.pause.clear(&self.context.clients);
                reply.ok();
            }
            (b"traceparent", 3..=4) => self.client_traceparent(args, reply),
            (b"help", 2) => errors::help("CLIENT", HELP, reply),
            (b"unblock", 3..=4) => self.client_unblock(args, reply),
            // There is no tracking yet, so that it is always off.
            (b"getredir", 2) => reply.integer(-1),
            (b"trackinginfo", 2) => tracking_off(reply),
            (b"caching", 3) => reply.error(NOT_TRACKING),
            _ => errors::wrong_form("CLIENT", args.get(1), reply),
        }
        After::Next
    }

    /// Shows this connection as it is within its present command: what a session shows else is as of its last batch.
    fn show_present(&self, row: &'static Row, args: Args<'_>) {
        let mut shown = self.client.shown.lock();
        shown.command = row.name;
        shown.arguments_len = args.iter().map(<[u8]>::len).sum();
        shown.db = self.caller.db;
    }

    fn client_setinfo(&mut self, args: Args<'_>, reply: &mut Reply) {
        let (attribute, value) = (args.get(2).to_ascii_lowercase(), args.get(3));
        let mut shown = self.client.shown.lock();
        let field = match attribute.as_slice() {
            b"lib-name" => &mut shown.lib_name,
            b"lib-ver" => &mut shown.lib_ver,
            _ => {
                let mut text = b"ERR Unrecognized option '".to_vec();
                text.extend_from_slice(args.get(2));
                text.push(b'\'');
                return reply.error_bytes(&text);
            }
        };
        if !is_name(value) {
            let name = String::from_utf8_lossy(&attribute);
            return reply.error_format(format_args!(
                "ERR {name} cannot contain spaces, newlines or special characters."
            ));
        }
        *field = value.to_vec();
        reply.ok();
    }

    fn client_flag(
        &mut self,
        word: &[u8],
        reply: &mut Reply,
        set: impl FnOnce(&mut crate::clients::registry::Shown, bool),
    ) {
        let on = match word.to_ascii_lowercase().as_slice() {
            b"on" => true,
            b"off" => false,
            _ => return reply.error(errors::SYNTAX),
        };
        set(&mut self.client.shown.lock(), on);
        reply.ok();
    }

    fn client_reply(&mut self, word: &[u8], reply: &mut Reply) {
        match word.to_ascii_lowercase().as_slice() {
            b"on" => {
                self.reply_mode = ReplyMode::On;
                reply.ok();
            }
            b"off" => self.reply_mode = ReplyMode::Off,
            b"skip" if self.reply_mode != ReplyMode::Off => self.reply_mode = ReplyMode::SkipNext,
            b"skip" => {}
            _ => reply.error(errors::SYNTAX),
        }
    }

    fn client_unblock(&self, args: Args<'_>, reply: &mut Reply) {
        let how = match args.try_get(3).map(<[u8]>::to_ascii_lowercase).as_deref() {
            None | Some(b"timeout") => signal::UNBLOCK,
            Some(b"error") => signal::UNBLOCK_ERROR,
            Some(_) => {
                return reply.error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
            }
        };
        let Some(id) = parse_i64(args.get(2)) else {
            return reply.error(errors::NOT_AN_INTEGER);
        };
        let client = u64::try_from(id).ok().map(ClientId);
        let client = client.and_then(|id| self.context.clients.get(id));
        let is_blocked = client.is_some_and(|client| {
            let shown = client.shown.lock();
            if shown.blocked {
                client.signal(how);
            }
            shown.blocked
        });
        reply.integer(i64::from(is_blocked));
    }

    fn client_pause(&mut self, args: Args<'_>, reply: &mut Reply) {
        let mode = match args.try_get(3).map(<[u8]>::to_ascii_lowercase).as_deref() {
            None | Some(b"all") => PauseMode::All,
            Some(b"write") => PauseMode::Write,
            Some(_) => return reply.error("ERR CLIENT PAUSE mode must be WRITE or ALL"),
        };
        match parse_i64(args.get(2)) {
            Some(length_ms) if length_ms >= 0 => {
                let now = self.context.now();
                let until = UnixMillis(now.0.saturating_add(length_ms));
                self.context.pause.set(mode, until, now);
                reply.ok();
            }
            Some(_) => reply.error("ERR timeout is negative"),
            None => reply.error("ERR timeout is not an integer or out of range"),
        }
    }

    fn client_traceparent(&mut self, args: Args<'_>, reply: &mut Reply) {
        let is_off = args.len() == 3 && args.get(2).eq_ignore_ascii_case(b"off");
        if is_off {
            self.trace = Trace::None;
            return reply.ok();
        }
        let context = match TraceContext::parse_traceparent(args.get(2)) {
            Ok(context) => context.encode(),
            Err(error) => {
                return reply.error_format(format_args!("ERR invalid traceparent: {error}"));
            }
        };
        self.trace = match args.try_get(3).map(<[u8]>::to_ascii_lowercase).as_deref() {
            None | Some(b"once") => Trace::Once(context),
            Some(b"sticky") => Trace::Sticky(context),
            Some(_) => return reply.error(errors::SYNTAX),
        };
        reply.ok();
    }

    fn client_list(&self, args: Args<'_>, reply: &mut Reply) {
        let clients = &self.context.clients;
        let (mut chosen, mut kind) = (None, None);
        match args.try_get(2).map(<[u8]>::to_ascii_lowercase).as_deref() {
            None => {}
            Some(b"type") if args.len() == 4 => {
                kind = Kind::parse(args.get(3));
                if kind.is_none() {
                    return unknown_type(args.get(3), reply);
                }
            }
            Some(b"id") if args.len() > 3 => {
                let mut ids = Vec::new();
                for id in args.skip(3) {
                    let Some(id) = parse_i64(id) else {
                        return reply.error("ERR Invalid client ID");
                    };
                    // Nobody has a negative one.
                    ids.extend(u64::try_from(id).map(ClientId));
                }
                chosen = Some(ids);
            }
            Some(_) => return reply.error(errors::SYNTAX),
        }
        let list: Vec<Arc<Client>> = match (&chosen, kind) {
            (Some(ids), _) => ids.iter().filter_map(|id| clients.get(*id)).collect(),
            (None, None | Some(Kind::Normal)) => clients.list(),
            (None, Some(_)) => Vec::new(),
        };
        let now = self.context.now();
        let mut text = Vec::new();
        for client in list {
            text.extend_from_slice(&describe(&client, now));
        }
        if chosen.is_none() && matches!(kind, None | Some(Kind::Master)) {
            describe_masters(&self.context.replication.masters(), &mut text);
        }
        if chosen.is_none() && matches!(kind, None | Some(Kind::Replica)) {
            describe_replicas(&self.context.replication.replicas(), &mut text);
        }
        reply.verbatim(b"txt", &text);
    }

    fn client_kill(&mut self, args: Args<'_>, reply: &mut Reply) -> After {
        if args.len() == 3 {
            return self.client_kill_address(args.get(2), reply);
        }
        let filter = match Filter::parse(args.skip(2)) {
            Ok(filter) => filter,
            Err(text) => {
                reply.error_bytes(&text);
                return After::Next;
            }
        };
        let mut killed = 0;
        if matches!(filter.kind, Some(Kind::Replica))
            || filter.kind.is_none() && filter.address.is_some()
        {
            let replication = &self.context.replication;
            killed += replication.kill_replicas(filter.address.as_deref());
        }
        if filter.kind == Some(Kind::Master) {
            killed += self
                .context
                .replication
                .kill_masters(filter.address.as_deref());
        } else if let (None, Some(address)) = (filter.kind, &filter.address) {
            killed += self.context.replication.kill_masters(Some(address));
        }
        let mut after = After::Next;
        for client in self.context.clients.list() {
            if !filter.matches(&client) {
                continue;
            }
            if client.id != self.client.id {
                client.signal(signal::KILL);
            } else if filter.skip_me {
                continue;
            } else {
                after = After::Close;
            }
            killed += 1;
        }
        reply.integer(killed as i64);
        after
    }

    fn client_kill_address(&mut self, address: &[u8], reply: &mut Reply) -> After {
        let address = String::from_utf8_lossy(address);
        let clients = self.context.clients.list();
        if let Some(client) = clients.iter().find(|client| client.address == address) {
            reply.ok();
            if client.id == self.client.id {
                return After::Close;
            }
            client.signal(signal::KILL);
        } else if self.context.replication.kill_masters(Some(&address)) > 0
            || self.context.replication.kill_replicas(Some(&address)) > 0
        {
            reply.ok();
        } else {
            reply.error("ERR No such client");
        }
        After::Next
    }
}

fn unknown_type(word: &[u8], reply: &mut Reply) {
    reply.error_bytes(&unknown_type_text(word));
}

fn unknown_type_text(word: &[u8]) -> Vec<u8> {
    [b"ERR Unknown client type '", word, b"'"].concat()
}

/// What CLIENT KILL's new form asks for.
#[derive(Debug)]
struct Filter {
    id: Option<ClientId>,
    address: Option<String>,
    local_address: Option<String>,
    kind: Option<Kind>,
    is_nobody: bool,
    skip_me: bool,
}

impl Filter {
    fn parse(words: Args<'_>) -> Result<Self, Vec<u8>> {
        let mut filter = Self {
            id: None,
            address: None,
            local_address: None,
            kind: None,
            is_nobody: false,
            skip_me: true,
        };
        let mut index = 0;
        while let (Some(option), Some(value)) = (words.try_get(index), words.try_get(index + 1)) {
            let text = || String::from_utf8_lossy(value).into_owned();
            match option.to_ascii_lowercase().as_slice() {
                b"id" => {
                    let id = parse_i64(value).and_then(|id| u64::try_from(id).ok());
                    let id = id.filter(|id| *id > 0);
                    filter.id = Some(ClientId(
                        id.ok_or("ERR client-id should be greater than 0")?,
                    ));
                }
                b"addr" => filter.address = Some(text()),
                b"laddr" => filter.local_address = Some(text()),
                b"type" => {
                    filter.kind = Some(Kind::parse(value).ok_or_else(|| unknown_type_text(value))?);
                }
                b"user" => {
                    if value != b"default" {
                        return Err([b"ERR No such user '", value, b"'"].concat());
                    }
                }
                b"skipme" => {
                    filter.skip_me = match value.to_ascii_lowercase().as_slice() {
                        b"yes" => true,
                        b"no" => false,
                        _ => return Err(errors::SYNTAX.into()),
                    };
                }
                _ => return Err(errors::SYNTAX.into()),
            }
            index += 2;
        }
        filter.is_nobody = matches!(filter.kind, Some(kind) if kind != Kind::Normal);
        if index == words.len() {
            Ok(filter)
        } else {
            Err(errors::SYNTAX.into())
        }
    }

    fn matches(&self, client: &Client) -> bool {
        !self.is_nobody
            && self.id.is_none_or(|id| id == client.id)
            && self
                .address
                .as_ref()
                .is_none_or(|address| *address == client.address)
            && self
                .local_address
                .as_ref()
                .is_none_or(|address| *address == client.local_address)
    }
}

/// Milliseconds since a client's last batch.
pub(super) fn idle_ms(client: &Client, now: UnixMillis) -> i64 {
    (now.0 - client.last_interaction.load(Ordering::Relaxed)).max(0)
}
