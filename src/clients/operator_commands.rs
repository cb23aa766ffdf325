//! TIME and LOLWUT, and what a server that is no part of a cluster and loads no modules says to those who ask for them.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::clients::context::REDIS_VERSION;
use crate::clients::conversation::Conversation;
use crate::clients::errors;
use crate::clients::sparkline::{self, Column};
use crate::commands::table::ServerCommand;
use crate::commands::{Handler, Row};
use crate::resp::{Args, Reply, parse_i64};

const NO_CLUSTER: &str = "ERR This instance has cluster support disabled";
const NO_DEBUG: &str = "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.";
const NO_MODULES: &str = "ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.";
/// Columns of LOLWUT's picture.
const PICTURE_WIDTH: usize = 60;

const MODULE_HELP: &[&str] = &[
    "LIST",
    "    Return a list of loaded modules.",
    "LOAD <path> [<arg> ...]",
    "    Load a module library from <path>, passing to it any optional arguments.",
    "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
    "    Load a module library from <path>, while passing it module configurations and optional arguments.",
    "UNLOAD <name>",
    "    Unload a module.",
];

/// TIME: seconds and microseconds.
pub(super) fn time(reply: &mut Reply) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    reply.array(2);
    reply.bulk(now.as_secs().to_string().as_bytes());
    reply.bulk(now.subsec_micros().to_string().as_bytes());
}

/// CLUSTER, ASKING, READONLY, READWRITE.
pub(super) fn cluster(reply: &mut Reply) {
    reply.error(NO_CLUSTER);
}

/// LOLWUT: hills, and the version.
pub(super) fn lolwut(args: Args<'_>, reply: &mut Reply) {
    if let Some(version) = args.try_get(2)
        && args.get(1).eq_ignore_ascii_case(b"version")
        && parse_i64(version).is_none()
    {
        return reply.error(errors::NOT_AN_INTEGER);
    }
    let (a, b) = (rand::random_range(3.0..9.0), rand::random_range(9.0..31.0));
    let columns: Vec<Column> = (0..PICTURE_WIDTH)
        .map(|x| Column {
            value: (x as f64 / a).sin() + (x as f64 / b).cos(),
            label: String::new(),
        })
        .collect();
    let mut picture = String::new();
    sparkline::draw(&columns, PICTURE_WIDTH, &mut picture);
    picture.push_str(&format!("Redis ver. {REDIS_VERSION}\n"));
    reply.verbatim(b"txt", picture.as_bytes());
}

impl Conversation {
    /// Why a protected command is refused here, if it is.
    pub(super) fn protection(&self, row: &Row) -> Option<&'static str> {
        let options = &self.options;
        let (allowed, text) = match row.handler {
            Handler::Server(ServerCommand::Debug) if !options.testmode => {
                (options.enable_debug_command, NO_DEBUG)
            }
            Handler::Server(ServerCommand::Module)
                if matches!(row.name, "module|load" | "module|loadex" | "module|unload") =>
            {
                (options.enable_module_command, NO_MODULES)
            }
            _ => return None,
        };
        (!allowed.allows(self.client.is_local())).then_some(text)
    }

    pub(super) fn module_command(&self, args: Args<'_>, reply: &mut Reply) {
        let lower = args.get(1).to_ascii_lowercase();
        match (lower.as_slice(), args.len()) {
            (b"list", 2) => reply.array(0),
            (b"help", 2) => errors::help(args, MODULE_HELP, reply),
            (b"unload", 3) => {
                reply.error("ERR Error unloading module: no such module with that name");
            }
            // None can be: they are written against the inside of Redis.
            (b"load" | b"loadex", 3..) => {
                reply.error("ERR Error loading the extension. Please check the server logs.");
            }
            _ => errors::wrong_form(args, reply),
        }
    }

    /// FAILOVER: nobody has to take over where every master takes writes.
    pub(super) fn failover(&self, args: Args<'_>, reply: &mut Reply) {
        let mut index = 1;
        let mut is_abort = false;
        while let Some(word) = args.try_get(index) {
            let more = args.len() - 1 - index;
            let number = |at: usize| parse_i64(args.get(at));
            if word.eq_ignore_ascii_case(b"timeout") && more >= 1 {
                match number(index + 1) {
                    None => return reply.error(errors::NOT_AN_INTEGER),
                    Some(..=0) => {
                        return reply.error("ERR FAILOVER timeout must be greater than 0");
                    }
                    Some(_) => index += 2,
                }
            } else if word.eq_ignore_ascii_case(b"abort") && args.len() == 2 {
                is_abort = true;
                index += 1;
            } else if word.eq_ignore_ascii_case(b"to") && more >= 2 {
                if number(index + 2).is_none() {
                    return reply.error(errors::NOT_AN_INTEGER);
                }
                index += 3;
            } else if word.eq_ignore_ascii_case(b"force") {
                index += 1;
            } else {
                return reply.error(errors::SYNTAX);
            }
        }
        let follows = !self.options.replicaof.is_empty();
        reply.error(if self.options.active_replica {
            "ERR FAILOVER not allowed in active replication mode."
        } else if is_abort {
            "ERR No failover in progress."
        } else if follows {
            "ERR FAILOVER is not valid when server is a replica."
        } else {
            "ERR FAILOVER requires connected replicas."
        });
    }
}
