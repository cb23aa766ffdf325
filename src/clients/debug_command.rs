//! DEBUG: hooks of test suites, open to those whom `enable-debug-command` names, and to all under `testmode`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clients::conversation::{After, Conversation};
use crate::clients::{debug_data, errors};
use crate::commands::Row;
use crate::commands::debug::data_row;
use crate::config::parse_memory;
use crate::resp::{Args, Reply, parse_f64};

/// The longest DEBUG SLEEP.
const SLEEP_SECONDS_MAX: f64 = 86_400.0;

const BAD_THRESHOLD: &str =
    "ERR argument must be a memory value bigger than 1 and smaller than 4gb";
/// QUICKLIST-PACKED-THRESHOLD is smaller.
const THRESHOLD_END: u64 = 1 << 32;

const HELP: &[&str] = &[
    "CHANGE-REPL-ID",
    "    Accepted for test suites; nodes keep their id.",
    "DIGEST",
    "    Output a hex signature representing the current dataset content.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    Output a hex signature of the values of all the specified keys.",
    "ERROR <string>",
    "    Return a Redis protocol error with <string> as message.",
    "FORCE-MASTER <yes|flagonly|no>",
    "    Let this connection write like a master does, to a read only replica too.",
    "LOG <message>",
    "    Write <message> to the server log.",
    "OBJECT <key>",
    "    Show low level info about `key` and associated value.",
    "PANIC-ACTOR <name>",
    "    Make the actor of this name panic: acceptor, mesh-clock, settings-watch,",
    "    keyspace <n>, master-link <host> <port>, replica-feed <id>, or a supervisor:",
    "    data, replication, clients, root, which ends the server. 'session' is the",
    "    task of this connection.",
    "PANIC-COMMAND",
    "    Make the next write command panic after its first change.",
    "POPULATE <count> [<prefix>] [<size>]",
    "    Create <count> string keys named key:<num>. If <prefix> is specified then",
    "    it is used instead of the 'key' prefix. These are writes: all masters get them.",
    "PROTOCOL <type>",
    "    Reply with a test value of the specified type. <type> can be: string,",
    "    integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
    "    true, false.",
    "QUICKLIST-PACKED-THRESHOLD <size>",
    "    Accepted for test suites; no value is held in packed nodes.",
    "SET-ACTIVE-EXPIRE (0|1)",
    "    Setting it to 0 disables the removal of expired keys in the background.",
    "SLEEP <seconds>",
    "    Let this connection wait for <seconds>. Decimals allowed.",
];

impl Conversation {
    pub(super) fn debug_command(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> After {
        if let Some(row) = data_row(row, args) {
            self.run_data(row, args, None, reply);
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
            (b"populate", 3..=5) => self.debug_populate(args, reply),
            (b"protocol", 3) => debug_data::sample(args.get(2), reply),
            (b"error", 3) => {
                reply.raw(b"-");
                reply.raw(&single_line(args.get(2)));
                reply.raw(b"\r\n");
            }
            (b"log", 3) => {
                tracing::warn!("DEBUG LOG: {}", String::from_utf8_lossy(args.get(2)));
                reply.ok();
            }
            (b"quicklist-packed-threshold", 3) => {
                let size = std::str::from_utf8(args.get(2)).ok().and_then(parse_memory);
                match size {
                    Some(0..THRESHOLD_END) => reply.ok(),
                    _ => reply.error(BAD_THRESHOLD),
                }
            }
            (b"force-master", 2 | 3) => {
                let lower = args.try_get(2).unwrap_or(b"yes").to_ascii_lowercase();
                let is_forced = matches!(lower.as_slice(), b"yes" | b"flagonly");
                self.client.shown.lock().is_forced_master = is_forced;
                self.is_forced_master = is_forced;
                reply.ok();
            }
            (b"help", 2) => errors::help(args, HELP, reply),
            _ => errors::wrong_form(args, reply),
        }
        After::Next
    }
}

/// Line ends become blanks.
fn single_line(text: &[u8]) -> Vec<u8> {
    let replaced = text.iter().map(|byte| match byte {
        b'\r' | b'\n' => b' ',
        other => *other,
    });
    replaced.collect()
}
