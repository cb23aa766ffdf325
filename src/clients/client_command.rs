//! CLIENT and its subcommands.

use std::sync::atomic::Ordering;

use keymesh_observability::TraceContext;

use crate::clients::client_filter::{Filter, Kind};
use crate::clients::client_list::{
    FEEDS_FROM, LINKS_FROM, describe, describe_masters, describe_replicas,
};
use crate::clients::context::PauseMode;
use crate::clients::conversation::{After, Conversation, ReplyMode, Trace};
use crate::clients::errors;
use crate::clients::registry::{Client, ClientId, signal};
use crate::commands::Row;
use crate::db::UnixMillis;
use crate::resp::{Args, Reply, parse_i64};

pub(super) const BAD_NAME: &str =
    "ERR Client names cannot contain spaces, newlines or special characters.";

const HELP: &[&str] = &[
    "CACHING (YES|NO)",
    "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
    "GETREDIR",
    "    Return the client ID we are redirecting to when tracking is enabled.",
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
    "    * ID <client-id> [<client-id> ...]",
    "    * MAXAGE <maxage>",
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
    "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
    "         [OPTIN] [OPTOUT] [NOLOOP]",
    "    Control server assisted client side caching.",
    "TRACKINGINFO",
    "    Report tracking status for the current connection.",
    "TRACEPARENT (<traceparent> [ONCE|STICKY]|OFF)",
    "    Make the next command, or all following, part of a trace.",
    "UNBLOCK <clientid> [TIMEOUT|ERROR]",
    "    Unblock the specified blocked client.",
    "UNPAUSE",
    "    Stop the current client pause.",
];

/// Whether all bytes can be shown in CLIENT LIST.
pub(super) fn is_name(name: &[u8]) -> bool {
    name.iter().all(|byte| (b'!'..=b'~').contains(byte))
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
            (b"help", 2) => errors::help(args, HELP, reply),
            (b"unblock", 3..=4) => self.client_unblock(args, reply),
            (b"tracking", 3..) => self.client_tracking(args, reply),
            (b"getredir", 2) => self.client_getredir(reply),
            (b"trackinginfo", 2) => self.client_trackinginfo(reply),
            (b"caching", 3) => self.client_caching(args.get(2), reply),
            _ => errors::wrong_form(args, reply),
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
                text.extend_from_slice(errors::until_nul(args.get(2)));
                text.push(b'\'');
                return reply.error_bytes(&text);
            }
        };
        if !is_name(value) {
            let name = String::from_utf8_lossy(args.get(2));
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
            let mut shown = client.shown.lock();
            if shown.blocked {
                client.signal(how);
            }
            // From now on, though its session may not know yet.
            std::mem::take(&mut shown.blocked)
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
        let filter = match Filter::parse_list(args.skip(2), &self.context.users) {
            Ok(filter) => filter,
            Err(text) => return reply.error_bytes(&text),
        };
        let now = self.context.now();
        let mut text = Vec::new();
        for client in self.context.clients.list() {
            let is_left_out = filter.skip_me && client.id == self.client.id;
            if !is_left_out && filter.matches(&client, now) {
                text.extend_from_slice(&describe(&client, now));
            }
        }
        let mut links = Vec::new();
        if !filter.is_of_clients() {
            if matches!(filter.kind, None | Some(Kind::Master)) {
                describe_masters(&self.context.replication.masters(), &mut links);
            }
            if matches!(filter.kind, None | Some(Kind::Replica)) {
                describe_replicas(&self.context.replication.replicas(), &mut links);
            }
        }
        for line in links.split_inclusive(|byte| *byte == b'\n') {
            if filter.matches_line(line) {
                text.extend_from_slice(line);
            }
        }
        reply.verbatim(b"txt", &text);
    }

    fn client_kill(&mut self, args: Args<'_>, reply: &mut Reply) -> After {
        if args.len() == 3 {
            return self.client_kill_address(args.get(2), reply);
        }
        let filter = match Filter::parse(args.skip(2), &self.context.users) {
            Ok(filter) => filter,
            Err(text) => {
                reply.error_bytes(&text);
                return After::Next;
            }
        };
        let now = self.context.now();
        let mut killed = self.kill_links(&filter);
        let mut after = After::Next;
        for client in self.context.clients.list() {
            if !filter.matches(&client, now) {
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

    /// Ends the links that are meant: where numbers are said, only those.
    fn kill_links(&self, filter: &Filter) -> usize {
        if let Some(ids) = &filter.ids {
            let links = ids.iter().filter(|id| id.0 >= FEEDS_FROM);
            return links.map(|id| self.kill_link(id.0, filter)).sum();
        }
        let (replication, address) = (&self.context.replication, filter.address.as_deref());
        match filter.kind {
            _ if filter.is_of_clients() => 0,
            Some(Kind::Replica) => replication.kill_replicas(address),
            Some(Kind::Master) => replication.kill_masters(address),
            None if address.is_some() => {
                replication.kill_replicas(address) + replication.kill_masters(address)
            }
            _ => 0,
        }
    }

    /// Ends the link of this number, as CLIENT LIST shows it, if nothing else that was asked for is against it.
    fn kill_link(&self, id: u64, filter: &Filter) -> usize {
        let replication = &self.context.replication;
        let fits = |kind: Kind, address: &str| {
            filter.kind.is_none_or(|wanted| wanted == kind)
                && filter
                    .address
                    .as_ref()
                    .is_none_or(|wanted| wanted == address)
                && !filter.is_of_clients()
        };
        if id >= LINKS_FROM {
            let index = usize::try_from(id - LINKS_FROM).unwrap_or(usize::MAX);
            let masters = replication.masters();
            let Some(master) = masters.get(index) else {
                return 0;
            };
            let address = format!("{}:{}", master.host, master.port);
            if !fits(Kind::Master, &address) {
                return 0;
            }
            return replication.kill_masters(Some(&address));
        }
        let replicas = replication.replicas();
        let found = replicas
            .iter()
            .find(|replica| FEEDS_FROM + replica.id == id);
        let Some(replica) = found else {
            return 0;
        };
        let address = replica.peer.to_string();
        if !fits(Kind::Replica, &address) {
            return 0;
        }
        replication.kill_replicas(Some(&address))
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

/// Milliseconds since a client's last batch.
pub(super) fn idle_ms(client: &Client, now: UnixMillis) -> i64 {
    (now.0 - client.last_interaction.load(Ordering::Relaxed)).max(0)
}
