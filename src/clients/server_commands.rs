//! Commands of the server: COMMAND, CONFIG, SHUTDOWN, and the way to those with a file of their own.

use crate::acl::file::lines;
use crate::clients::context::ShutdownRequest;
use crate::clients::conversation::{After, Conversation};
use crate::clients::{errors, operator_commands};
use crate::commands::Row;
use crate::commands::table::ServerCommand;
use crate::config::{Client, system_words};
use crate::keyspace::Passage;
use crate::resp::{Args, Reply, parse_i64};

/// What links between nodes speak.
const LINK_LANGUAGE: &[u8] = b"1";

const CONFIG_HELP: &[&str] = &[
    "GET <pattern>",
    "    Return parameters matching the glob-like <pattern> and their values.",
    "SET <directive> <value>",
    "    Set the configuration <directive> to <value>.",
    "RESETSTAT",
    "    Reset statistics reported by the INFO command.",
    "REWRITE",
    "    Rewrite the configuration file.",
];

impl Conversation {
    pub(super) fn run_server_command(
        &mut self,
        command: ServerCommand,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> After {
        match command {
            ServerCommand::Acl => return self.acl_command(args, reply),
            ServerCommand::Cluster => operator_commands::cluster(reply),
            ServerCommand::Command => crate::commands::command_reply(args, reply),
            ServerCommand::Config => self.config_command(args, reply),
            ServerCommand::Debug => return self.debug_command(row, args, reply),
            ServerCommand::Failover => self.failover(args, reply),
            ServerCommand::Latency => self.latency_command(args, reply),
            ServerCommand::Lolwut => operator_commands::lolwut(args, reply),
            ServerCommand::Memory => self.memory_command(args, reply),
            ServerCommand::Module => self.module_command(args, reply),
            ServerCommand::Slowlog => self.slowlog_command(args, reply),
            ServerCommand::Time => operator_commands::time(reply),
            ServerCommand::Info => self.info_command(args, reply),
            ServerCommand::Lfence => reply.ok(),
            ServerCommand::Link if args.try_get(1) == Some(LINK_LANGUAGE) => {
                return After::HandOver;
            }
            ServerCommand::Link => {
                reply.error("ERR KEYMESH.LINK: this server speaks language 1 only");
            }
            ServerCommand::Mesh if row.name == "mesh|owned" => return self.owned(args, reply),
            ServerCommand::Mesh => self.context.replication.mesh(args, self.caller.db, reply),
            ServerCommand::Persistence => return self.persistence_command(row.name, args, reply),
            ServerCommand::Psync if args.len() > 1 && parse_i64(args.get(2)).is_none() => {
                reply.error(errors::NOT_AN_INTEGER);
            }
            ServerCommand::Psync => return After::HandOver,
            ServerCommand::Replconf => self.replconf(args, reply),
            ServerCommand::Replicaof => self.replicaof(args, reply),
            ServerCommand::Replping => reply.simple("PONG"),
            ServerCommand::Function => self.function_command(row, args, reply),
            ServerCommand::Script => self.script_command(row, args, reply),
            ServerCommand::Role => self.role(reply),
            ServerCommand::Shutdown => return self.shutdown(args, reply),
        }
        After::Next
    }

    fn config_command(&mut self, args: Args<'_>, reply: &mut Reply) {
        match args.get(1).to_ascii_lowercase().as_slice() {
            b"get" => {
                let patterns: Vec<&[u8]> = args.skip(2).iter().collect();
                let found = self.context.configuration.get(&patterns);
                reply.map(found.len());
                for (name, value) in found {
                    reply.bulk(name.as_bytes());
                    reply.bulk(value.as_bytes());
                }
            }
            b"set" if args.len().is_multiple_of(2) => self.config_set(args, reply),
            b"set" => reply.error(errors::SYNTAX),
            b"resetstat" => {
                self.context.statistics.reset();
                self.context.keyspace.reset_counts();
                reply.ok();
            }
            b"rewrite" => match self.context.configuration.config_file() {
                None => reply.error("ERR The server is running without a config file"),
                Some(_) => self.config_rewrite(reply),
            },
            _ => errors::help(args, CONFIG_HELP, reply),
        }
    }

    fn config_rewrite(&self, reply: &mut Reply) {
        // Those of an ACL file stay there.
        let users = match self.options.aclfile {
            Some(_) => Vec::new(),
            None => lines(&self.context.users),
        };
        match self.context.configuration.rewrite(&users) {
            Ok(()) => {
                tracing::info!("CONFIG REWRITE executed with success.");
                reply.ok();
            }
            Err(error) => {
                let why = system_words(&error);
                tracing::warn!("CONFIG REWRITE failed: {why}");
                reply.error(&format!("ERR Rewriting config file: {why}"));
            }
        }
    }

    fn config_set(&mut self, args: Args<'_>, reply: &mut Reply) {
        let words: Vec<&[u8]> = args.skip(2).iter().collect();
        let pairs: Vec<(&[u8], &[u8])> = words
            .chunks_exact(2)
            .map(|pair| (pair[0], pair[1]))
            .collect();
        let client = if self.client.is_local() {
            Client::Local
        } else {
            Client::Remote
        };
        match self.context.configuration.set(client, &pairs) {
            Ok(()) => {
                self.refresh_options();
                self.context.apply_settings();
                reply.ok();
            }
            Err(error) => {
                let text = error.to_string();
                reply.error(&if text.starts_with("ERR ") {
                    text
                } else {
                    format!("ERR {text}")
                });
            }
        }
    }

    fn shutdown(&mut self, args: Args<'_>, reply: &mut Reply) -> After {
        let mut request = ShutdownRequest {
            save: None,
            now: false,
            force: false,
        };
        let (mut is_abort, mut is_soft) = (false, false);
        for word in args.skip(1) {
            match word.to_ascii_lowercase().as_slice() {
                b"save" if request.save != Some(false) => request.save = Some(true),
                b"nosave" if request.save != Some(true) => request.save = Some(false),
                b"now" => request.now = true,
                b"force" => request.force = true,
                // KeyDB's: end when the clients have left.
                b"soft" if args.len() == 2 => is_soft = true,
                b"abort" => is_abort = true,
                _ => {
                    reply.error(errors::SYNTAX);
                    return After::Next;
                }
            }
        }
        let is_more = request.save.is_some() || request.now || request.force;
        if is_abort {
            if is_more {
                reply.error(errors::SYNTAX);
            } else if self.call_off_shutdown() {
                reply.ok();
            } else {
                reply.error("ERR No shutdown in progress.");
            }
            return After::Next;
        }
        if self.context.keyspace.gate.passage() == Passage::Busy {
            let running = &self.context.scripts.running;
            if request.save != Some(false) {
                reply.error(running.busy_text());
                return After::Next;
            }
            // What it has written so far stays.
            running.end_all();
        }
        if is_soft {
            self.context.soft_shutdown.begin();
            reply.ok();
            return After::Next;
        }
        // No reply: the client sees the connection close, and nothing that it sent behind is carried out.
        tracing::debug!(client = self.client.id.0, "shutdown requested");
        self.context.shutdown.send_modify(|asked| {
            // As in Redis, the first one counts.
            asked.get_or_insert(request);
        });
        if request.now {
            After::Close
        } else {
            After::Shutdown
        }
    }

    /// Whether there was a shutdown to be called off, soft or not.
    fn call_off_shutdown(&self) -> bool {
        let was_soft = self.context.soft_shutdown.call_off();
        self.context.shutdown.send_replace(None).is_some() || was_soft
    }
}
