//! Commands of a connection: PING, ECHO, AUTH, HELLO, SELECT, QUIT, RESET, WAIT; CLIENT has a file of its own.

use std::time::Duration;

use crate::acl::Reason;
use crate::acl::users::DEFAULT;
use crate::clients::context::REDIS_VERSION;
use crate::clients::conversation::{After, Conversation, ReplyMode, Trace};
use crate::clients::denials;
use crate::clients::errors;
use crate::clients::soft_shutdown::PENDING;
use crate::commands::Row;
use crate::commands::table::SessionCommand;
use crate::resp::{Args, Protocol, Reply, parse_i64};

/// A time to wait in milliseconds; none is for ever.
fn parse_timeout(text: &[u8]) -> Result<Option<Duration>, &'static str> {
    match parse_i64(text) {
        Some(timeout) if timeout < 0 => Err("ERR timeout is negative"),
        Some(timeout) => Ok((timeout > 0).then(|| Duration::from_millis(timeout as u64))),
        None => Err("ERR timeout is not an integer or out of range"),
    }
}

/// What WAITAOF says: nothing is in any file.
pub(super) fn put_files(reply: &mut Reply) {
    reply.array(2);
    reply.integer(0);
    reply.integer(0);
}

impl Conversation {
    pub(super) fn run_session_command(
        &mut self,
        command: SessionCommand,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> After {
        match command {
            SessionCommand::Ping if args.len() <= 2 && self.is_to_leave() => {
                reply.error(PENDING);
            }
            SessionCommand::Ping if self.is_subscribed() && reply.protocol() == Protocol::Resp2 => {
                subscriber_ping(row, args, reply);
            }
            SessionCommand::Ping => ping(row, args, reply),
            SessionCommand::Publish => self.publish(row, args, reply),
            SessionCommand::Pubsub if self.counts_others(row) => {
                let is_answered = self.reply_mode == ReplyMode::On;
                return After::CountHearers { is_answered };
            }
            SessionCommand::Pubsub => self.pubsub_command(row, args, reply),
            SessionCommand::Subscribe => self.subscribe(row, args, reply),
            SessionCommand::Unsubscribe => self.unsubscribe(row, args, reply),
            SessionCommand::Echo => reply.bulk(args.get(1)),
            SessionCommand::Auth => self.auth(args, reply),
            SessionCommand::Hello => self.hello(args, reply),
            SessionCommand::Select => self.select(args, reply),
            SessionCommand::Client => return self.client_command(row, args, reply),
            SessionCommand::Migrate => return self.migrate_command(args, reply),
            SessionCommand::Monitor => self.monitor_command(reply),
            SessionCommand::Multi => self.multi(reply),
            SessionCommand::Exec => return self.exec(reply),
            SessionCommand::Eval => return self.eval(row, args, reply),
            SessionCommand::Fcall => return self.fcall(row, args, reply),
            SessionCommand::Discard => self.discard_command(reply),
            SessionCommand::Watch => self.watch_command(args, reply),
            SessionCommand::Unwatch => {
                // EXEC ends all watches anyway, once it holds no partition.
                if !self.is_in_exec {
                    self.watch.clear();
                }
                reply.ok();
            }
            SessionCommand::Quit => {
                reply.ok();
                return After::Close;
            }
            SessionCommand::Reset => self.reset(reply),
            SessionCommand::Rreplay => return self.replay_command(args, reply),
            SessionCommand::Wait => return self.wait_command(args, reply),
            SessionCommand::Waitaof => return self.waitaof_command(args, reply),
        }
        After::Next
    }

    fn reset(&mut self, reply: &mut Reply) {
        self.discard();
        self.end_tracking();
        self.drop_subscriptions();
        self.end_monitoring();
        self.client.mailbox.set_protocol(Protocol::Resp2);
        self.caller.db = 0;
        self.caller.trace = None;
        self.trace = Trace::None;
        self.is_forced_master = false;
        // A reply that CLIENT REPLY SKIP skips is that of RESET itself.
        if self.reply_mode != ReplyMode::Skip {
            self.reply_mode = ReplyMode::On;
        }
        self.identity.reset(&self.context.users, &self.client);
        {
            let mut shown = self.client.shown.lock();
            shown.name.clear();
            shown.no_evict = false;
            shown.no_touch = false;
            shown.is_forced_master = false;
        }
        reply.set_protocol(Protocol::Resp2);
        reply.simple("RESET");
    }

    fn is_plain_replica(&self) -> bool {
        !self.options.replicaof.is_empty() && !self.options.active_replica
    }

    fn wait_command(&mut self, args: Args<'_>, reply: &mut Reply) -> After {
        if self.is_plain_replica() {
            reply.error("ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.");
            return After::Next;
        }
        let Some(replicas) = parse_i64(args.get(1)) else {
            reply.error(errors::NOT_AN_INTEGER);
            return After::Next;
        };
        match parse_timeout(args.get(2)) {
            Ok(timeout) => After::Wait {
                replicas: usize::try_from(replicas).unwrap_or(0),
                write: self.last_write,
                timeout,
                in_files: false,
            },
            Err(text) => {
                reply.error(text);
                After::Next
            }
        }
    }

    /// No node has an append-only file: none has anything in it, however long somebody waits.
    fn waitaof_command(&mut self, args: Args<'_>, reply: &mut Reply) -> After {
        let parsed = (|| {
            let own = parse_i64(args.get(1)).ok_or(errors::NOT_AN_INTEGER)?;
            if !(0..=1).contains(&own) {
                return Err("ERR value is out of range, value must between 0 and 1");
            }
            let replicas = parse_i64(args.get(2)).and_then(|count| usize::try_from(count).ok());
            let replicas = replicas.ok_or("ERR value is out of range, must be positive")?;
            let timeout = parse_timeout(args.get(3))?;
            if self.is_plain_replica() {
                return Err(
                    "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.",
                );
            }
            if own > 0 {
                return Err(
                    "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
                );
            }
            Ok((replicas, timeout))
        })();
        match parsed {
            Ok((replicas, timeout)) => After::Wait {
                replicas: if replicas == 0 { 0 } else { usize::MAX },
                write: self.last_write,
                timeout,
                in_files: true,
            },
            Err(text) => {
                reply.error(text);
                After::Next
            }
        }
    }

    fn select(&mut self, args: Args<'_>, reply: &mut Reply) {
        let Some(wanted) = parse_i64(args.get(1)) else {
            return reply.error(errors::NOT_AN_INTEGER);
        };
        if i32::try_from(wanted).is_err() {
            return reply.error(errors::OUTSIDE_32_BITS);
        }
        match u32::try_from(wanted) {
            Ok(db) if db < self.context.keyspace.databases() => {
                self.caller.db = db;
                reply.ok();
            }
            _ => reply.error("ERR DB index is out of range"),
        }
    }

    fn log_in(
        &mut self,
        command: &'static str,
        args: Args<'_>,
        (user, password): (&[u8], &[u8]),
        reply: &mut Reply,
    ) -> bool {
        let users = &self.context.users;
        if let Some(account) = users.authenticate(user, password) {
            self.identity.log_in(account, users, &self.client);
            return true;
        }
        let subject = (Reason::Auth, args.name().to_vec());
        self.note_denial((command, denials::len_of(args)), user, subject);
        reply.error(errors::WRONGPASS);
        false
    }

    fn auth(&mut self, args: Args<'_>, reply: &mut Reply) {
        let (user, password) = match args.len() {
            2 if self.context.users.default_account().user().has_no_pass() => {
                return reply.error(
                    "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
                );
            }
            2 => (DEFAULT, args.get(1)),
            3 => (args.get(1), args.get(2)),
            _ => return reply.error(errors::SYNTAX),
        };
        if self.log_in("auth", args, (user, password), reply) {
            reply.ok();
        }
    }

    fn hello(&mut self, args: Args<'_>, reply: &mut Reply) {
        let mut protocol = reply.protocol();
        if let Some(version) = args.try_get(1) {
            protocol = match parse_i64(version) {
                Some(2) => Protocol::Resp2,
                Some(3) => Protocol::Resp3,
                Some(_) => return reply.error("NOPROTO unsupported protocol version"),
                None => {
                    return reply.error("ERR Protocol version is not an integer or out of range");
                }
            };
        }
        let mut index = 2;
        let (mut login, mut name) = (None, None);
        while let Some(option) = args.try_get(index) {
            let more = args.len() - 1 - index;
            if option.eq_ignore_ascii_case(b"AUTH") && more >= 2 {
                login = Some((args.get(index + 1), args.get(index + 2)));
                index += 3;
            } else if option.eq_ignore_ascii_case(b"SETNAME") && more >= 1 {
                name = Some(args.get(index + 1));
                if !super::client_command::is_name(args.get(index + 1)) {
                    return reply.error(super::client_command::BAD_NAME);
                }
                index += 2;
            } else {
                let mut text = b"ERR Syntax error in HELLO option '".to_vec();
                text.extend_from_slice(errors::until_nul(option));
                text.push(b'\'');
                return reply.error_bytes(&text);
            }
        }
        if let Some(login) = login
            && !self.log_in("hello", args, login, reply)
        {
            return;
        }
        if !self.identity.is_authenticated() {
            return reply.error("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time");
        }
        if let Some(name) = name {
            self.client.shown.lock().name = name.to_vec();
        }
        reply.set_protocol(protocol);
        self.client.mailbox.set_protocol(protocol);
        self.greet(reply);
    }

    fn greet(&self, reply: &mut Reply) {
        reply.map(7);
        reply.bulk(b"server");
        reply.bulk(b"redis");
        reply.bulk(b"version");
        reply.bulk(REDIS_VERSION.as_bytes());
        reply.bulk(b"proto");
        reply.integer(match reply.protocol() {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        });
        reply.bulk(b"id");
        reply.integer(self.client.id.0 as i64);
        reply.bulk(b"mode");
        reply.bulk(b"standalone");
        reply.bulk(b"role");
        let follows = !self.options.replicaof.is_empty() && !self.options.active_replica;
        reply.bulk(if follows { b"replica" } else { b"master" });
        reply.bulk(b"modules");
        reply.array(0);
    }
}

impl Conversation {
    /// Whether the server waits for this client to leave.
    fn is_to_leave(&self) -> bool {
        self.context.soft_shutdown.is_pending()
            && self.monitoring.is_none()
            && !self.is_forced_master
    }
}

/// PING of a RESP2 connection that subscribed: shaped like a message.
fn subscriber_ping(row: &Row, args: Args<'_>, reply: &mut Reply) {
    if args.len() > 2 {
        return errors::wrong_arity(row.name, reply);
    }
    reply.array(2);
    reply.bulk(b"pong");
    reply.bulk(args.try_get(1).unwrap_or_default());
}

fn ping(row: &Row, args: Args<'_>, reply: &mut Reply) {
    match args.len() {
        1 => reply.simple("PONG"),
        2 => reply.bulk(args.get(1)),
        _ => errors::wrong_arity(row.name, reply),
    }
}
