//! The same random commands for a server of this build and for Redis (and Valkey, where there is one): every reply must be the
//! same, byte for byte. What may differ, and why, stands in `intended.rs`.
//!
//! `blocking.rs` does the same with several connections that wait for each other.
//!
//! `KEYMESH_DIFFERENTIAL_SEEDS` says how many seeds are run, `KEYMESH_DIFFERENTIAL_FROM` which is the first, and
//! `KEYMESH_DIFFERENTIAL_TRACE` has every command shown. The peers are
//! `redis-server` on the PATH and what `VALKEY_SERVER` or the PATH calls `valkey-server`; without Redis nothing is compared.

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong here is what the test is for"
)]

mod blocking;
mod compare;
mod files;
mod generate;
mod intended;
mod replicas;
mod scenes;
mod scored;
mod scripts;
mod servers;
mod steps;
mod templates;
mod wire;
mod words;

use generate::Generator;
use servers::{Server, peers};
use wire::{Connection, Reply};

/// Differences after which it is enough.
const DIFFERENCES_MAX: usize = 400;
/// Seeds of an ordinary run.
const SEEDS: u64 = 40;
/// Batches per seed; each is up to eight commands.
const BATCHES: usize = 60;
/// Connections per server: what one watches another may change.
const CONNECTIONS: usize = 2;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn every_reply_is_that_of_redis() {
    let peers = peers();
    if peers.is_empty() {
        println!("skipped: redis-server is not on the PATH (Debian: apt install redis-server)");
        return;
    }
    let ours = Server::keymesh();
    let from = number("KEYMESH_DIFFERENTIAL_FROM", 0);
    let seeds = number("KEYMESH_DIFFERENTIAL_SEEDS", SEEDS);
    let (mut commands, mut rows) = (0, std::collections::BTreeSet::new());
    let mut differences = Vec::new();
    for seed in from..from + seeds {
        let mut run = Run::new(seed, &ours, &peers);
        for _ in 0..BATCHES {
            run.batch();
            if run.is_apart {
                break;
            }
        }
        if std::env::var_os("KEYMESH_DIFFERENTIAL_TRACE").is_some() {
            println!("{}", run.trace.join("\n"));
        }
        commands += run.commands;
        rows.append(&mut run.generator.rows);
        differences.append(&mut run.differences);
        if differences.len() > DIFFERENCES_MAX {
            break;
        }
    }
    let names: Vec<&str> = peers.iter().map(|peer| peer.name.as_str()).collect();
    println!(
        "{commands} commands of {} kinds in seeds {from}..{}, compared with {}: {} differences",
        rows.len(),
        from + seeds,
        names.join(" and "),
        differences.len()
    );
    assert!(commands > 0);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// One seed, on all servers.
struct Run {
    seed: u64,
    generator: Generator,
    ours: Vec<Connection>,
    theirs: Vec<(String, Vec<Connection>)>,
    queues: Vec<compare::Queue>,
    /// Connections that may be between MULTI and EXEC.
    may_queue: [bool; CONNECTIONS],
    /// A difference that is intended has left other data behind: nothing after it says anything.
    is_apart: bool,
    commands: usize,
    trace: Vec<String>,
    differences: Vec<String>,
}

impl Run {
    fn new(seed: u64, ours: &Server, peers: &[Server]) -> Self {
        let connect = |server: &Server| {
            let mut connections: Vec<Connection> =
                (0..CONNECTIONS).map(|_| server.connect()).collect();
            connections[0].call(&[b"FLUSHALL"]);
            connections[0].call(&[b"ACL", b"DELUSER", b"ua", b"ub", b"uc"]);
            connections[0].call(&[b"ACL", b"LOG", b"RESET"]);
            // When a key whose time has come goes would depend on the moment.
            let reply = connections[0].call(&[b"DEBUG", b"SET-ACTIVE-EXPIRE", b"0"]);
            assert!(!reply.is_error(), "{reply:?}");
            connections
        };
        Self {
            seed,
            generator: Generator::new(seed),
            ours: connect(ours),
            theirs: peers
                .iter()
                .map(|peer| (peer.name.clone(), connect(peer)))
                .collect(),
            queues: (0..CONNECTIONS)
                .map(|_| compare::Queue::default())
                .collect(),
            may_queue: [false; CONNECTIONS],
            is_apart: false,
            commands: 0,
            trace: Vec::new(),
            differences: Vec::new(),
        }
    }

    /// A command for a connection. DEBUG POPULATE, whose keys are made behind its transaction, is not queued.
    fn command(&mut self, at: usize) -> Vec<Vec<u8>> {
        let ends = self.may_queue[at] && self.generator.percent(15);
        let begins = !self.may_queue[at] && self.generator.percent(3);
        let command = match (begins, ends) {
            (true, _) => vec![b"MULTI".to_vec()],
            (_, true) => vec![b"EXEC".to_vec()],
            _ => self.generator.command(),
        };
        let is = |index: usize, name: &[u8]| {
            let word: Option<&Vec<u8>> = command.get(index);
            word.is_some_and(|word| word.eq_ignore_ascii_case(name))
        };
        if is(0, b"multi") {
            self.may_queue[at] = true;
        } else if is(0, b"exec") || is(0, b"discard") || is(0, b"reset") {
            self.may_queue[at] = false;
        }
        // Redis 7.0 does not know WITHSCORE, nor KeyDB's times of members: it refuses to queue it, and to carry out the rest.
        let is_rank = (is(0, b"zrank") || is(0, b"zrevrank")) && command.len() > 3;
        let is_member = [&b"ttl"[..], b"pttl", b"persist"]
            .iter()
            .any(|name| is(0, name) && command.len() > 2);
        let is_own = is(0, b"debug") && is(1, b"populate");
        // Redis counts what is queued, too.
        let is_refcount = is(0, b"object") && is(1, b"refcount");
        if self.may_queue[at] && (is_rank || is_member || is_own || is_refcount) {
            return vec![b"PING".to_vec()];
        }
        command
    }

    /// A pipeline on one connection of each server.
    fn batch(&mut self) {
        let at = self.generator.below(CONNECTIONS);
        let len = 1 + self.generator.below(8);
        let batch: Vec<Vec<Vec<u8>>> = (0..len).map(|_| self.command(at)).collect();
        self.commands += batch.len();
        let ours = self.ours[at].pipeline(&batch);
        let theirs: Vec<(String, Vec<Reply>)> = self
            .theirs
            .iter_mut()
            .map(|(name, connections)| (name.clone(), connections[at].pipeline(&batch)))
            .collect();
        for (nth, command) in batch.iter().enumerate() {
            self.trace
                .push(format!("{at} {} {:?}", wire::show(command), ours[nth]));
            let kind = self.queues[at].kind(command, &ours[nth]);
            let is_same = |reply: &Reply| kind.is_same(&ours[nth], reply);
            // Where Redis and Valkey are not of one mind, either is right.
            if theirs.iter().any(|(_, replies)| is_same(&replies[nth])) {
                continue;
            }
            if intended::reason(command, &ours[nth], &theirs[0].1[nth]).is_some() {
                self.is_apart |= intended::sets_apart(command, &theirs[0].1[nth]);
                if self.is_apart {
                    return;
                }
                continue;
            }
            let mut text = format!(
                "seed {} connection {at}: {}\n  keymesh {:?}",
                self.seed,
                wire::show(command),
                ours[nth]
            );
            for (name, replies) in &theirs {
                text.push_str(&format!("\n  {name} {:?}", replies[nth]));
            }
            self.differences.push(text);
        }
    }
}
