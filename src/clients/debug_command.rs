//! DEBUG: hooks of test suites, open to those whom `enable-debug-command` names, and to all under `testmode`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clients::conversation::{After, Conversation};
use crate::clients::errors;
use crate::resp::{Args, Reply, parse_f64};

const REFUSED: &str = "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.";

/// The longest DEBUG SLEEP.
const SLEEP_SECONDS_MAX: f64 = 86_400.0;

const HELP: &[&str] = &[
    "CHANGE-REPL-ID",
    "    Accepted for test suites; nodes keep their id.",
    "DIGEST",
    "    Output a hex signature representing the current dataset content.",
    "PANIC-ACTOR <name>",
    "    Make the actor of this name panic: acceptor, mesh-clock, settings-watch,",
    "    keyspace <n>, master-link <host> <port>, replica-feed <id>, or a supervisor:",
    "    data, replication, clients, root, which ends the server. 'session' is the",
    "    task of this connection.",
    "PANIC-COMMAND",
    "    Make the next write command panic after its first change.",
    "SET-ACTIVE-EXPIRE (0|1)",
    "    Setting it to 0 disables the removal of expired keys in the background.",
    "SLEEP <seconds>",
    "    Let this connection wait for <seconds>. Decimals allowed.",
];

impl Conversation {
    pub(super) fn debug_command(&mut self, args: Args<'_>, reply: &mut Reply) -> After {
        let is_allowed = self
            .options
            .enable_debug_command
            .allows(self.client.is_local());
        if !is_allowed && !self.options.testmode {
            reply.error(REFUSED);
            return After::Next;
        }
        let lower = args.get(1).to_ascii_lowercase();
        match (lower.as_slice(), args.len()) {
            (b"sleep", 3) => {
                let seconds = parse_f64(args.get(2)).unwrap_or(0.0);
                reply.ok();
                let seconds = seconds.clamp(0.0, SLEEP_SECONDS_MAX);
                return After::Sleep(Duration::from_secs_f64(seconds));
            }
            (b"digest", 2) => {
                let digest = self.context.keyspace.digest(self.context.now());
                reply.simple(&format!("{digest:040x}"));
            }
            (b"panic-command", 2) => {
                let flag = &self.context.keyspace.panic_after_mutation;
                flag.store(true, Ordering::Relaxed);
                reply.ok();
            }
            (b"panic-actor", 3) if args.get(2) == b"session" => panic!("asked to panic"),
            (b"panic-actor", 3..) => {
                let words: Vec<_> = args.skip(2).iter().map(String::from_utf8_lossy).collect();
                let name = words.join(" ");
                if self.context.actors.panic(&name) || self.context.replication.panic_actor(&name) {
                    reply.ok();
                } else {
                    reply.error("ERR no such actor");
                }
            }
            (b"set-active-expire", 3) => {
                let is_active = args.get(2) != b"0";
                self.context
                    .active_expire
                    .store(is_active, Ordering::Relaxed);
                reply.ok();
            }
            (b"change-repl-id", 2) => reply.ok(),
            (b"help", 2) => errors::help("DEBUG", HELP, reply),
            _ => errors::wrong_form("DEBUG", args.get(1), reply),
        }
        After::Next
    }
}
