//! A small world for tests: partitions, a clock that stands still, and commands as a client would type them. It executes
//! without keyspace and journal, so that the handlers are tested alone.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

use crate::commands::blocking::Blocking;
use crate::commands::call::{Access, DataCall, Setting, partition_of};
use crate::commands::effects::{self, Effect, Effects};
use crate::commands::table::{Flags, Handler, Keys};
use crate::commands::whole::Ahead;
use crate::commands::{command_reply, errors, registry, scan};
use crate::db::op::STRING_LEN_MAX;
use crate::db::table::KeyHasher;
use crate::db::{
    Hlc, Incarnation, NodeId, Origin, OriginIndex, Origins, Partition, Stamp, UnixMillis,
};
use crate::resp::{Args, ArgsBuffer, Protocol, Reply, Split, Splitter};

/// When every world begins: 2025-06-15T15:06:40Z.
pub const START: UnixMillis = UnixMillis(1_750_000_000_000);
const DATABASES: u32 = 16;

/// The arguments of a command written as in redis-cli.
pub fn typed(line: &str) -> ArgsBuffer {
    let mut buf = format!("{line}\r\n").into_bytes();
    let (mut pos, mut spans) = (0, Vec::new());
    let split = Splitter::new().next(&mut buf, &mut pos, &mut spans);
    let Ok(Split::Command { first_span, argc }) = split else {
        panic!("no command: {line}");
    };
    let args = Args::new(&buf, &spans[first_span..first_span + argc]);
    ArgsBuffer::from_args(args).expect("a line is shorter than 4 GB")
}

/// See the head of the file.
pub struct World {
    partitions: Vec<Partition>,
    hasher: KeyHasher,
    origins: Origins,
    own: OriginIndex,
    effects: Effects,
    clock: Hlc,
    settled: Hlc,
    randomness: AtomicU64,
    string_len_max: AtomicUsize,
    never: AtomicBool,
    stamped: bool,
    /// The clock.
    pub now: UnixMillis,
    /// The selected database.
    pub db: u32,
    /// The dialect of replies.
    pub protocol: Protocol,
}

impl World {
    /// An empty world of a number of partitions, a power of two.
    pub fn new(stamped: bool, partitions: usize) -> Self {
        let hasher = KeyHasher::new(11);
        let origins = Origins::default();
        let own = Origin {
            node: NodeId(1),
            incarnation: Incarnation(1),
        };
        Self {
            partitions: (0..partitions)
                .map(|_| Partition::new(hasher.clone(), DATABASES, stamped))
                .collect(),
            hasher,
            own: origins.intern(own).unwrap(),
            origins,
            effects: Effects::default(),
            clock: Hlc::at(START),
            settled: Hlc::ZERO,
            randomness: AtomicU64::new(1),
            string_len_max: AtomicUsize::new(STRING_LEN_MAX),
            never: AtomicBool::new(false),
            stamped,
            now: START,
            db: 0,
            protocol: Protocol::Resp2,
        }
    }

    /// Runs a command, written as in redis-cli, and returns its reply.
    pub fn run(&mut self, line: &str) -> String {
        self.run_with_effects(line, |_| ())
    }

    /// Runs a command and shows its effects.
    pub fn run_with_effects(&mut self, line: &str, see: impl FnOnce(&[Effect<'_>])) -> String {
        let args = typed(line);
        let args = args.as_args();
        let mut reply = Reply::new(self.protocol);
        self.call(args, &mut reply);
        let count = self.effects.count();
        self.effects.make_late();
        see(&effects::decode_all(self.effects.payload(), count).unwrap());
        String::from_utf8_lossy(reply.as_bytes()).into_owned()
    }

    fn call(&mut self, args: Args<'_>, reply: &mut Reply) {
        self.effects.clear();
        let Some(row) = registry::lookup(args.name()) else {
            return reply.error("ERR unknown command");
        };
        let Some(judging) = row.resolve(args, reply) else {
            return;
        };
        let row = match row.handler {
            Handler::Subcommands => judging,
            _ => row,
        };
        let Handler::Data(handler) = row.handler else {
            if row.name == "command" {
                return command_reply(args, reply);
            }
            return reply.error(errors::SYNTAX);
        };
        let writes = row.flags.has(Flags::WRITE);
        let stamps = row.stamps_max(args.len(), DATABASES);
        let stamp = (writes && self.stamped).then(|| {
            self.clock = self.clock.max(Hlc::at(self.now));
            let first = self.clock.plus(1);
            self.clock = self.clock.plus(u64::from(stamps.max(1)));
            Stamp::new(first, self.own)
        });
        let count = self.partitions.len();
        let mut needed = vec![row.looks_anywhere(args); count];
        for index in row.key_arguments(args) {
            needed[partition_of(self.hasher.hash(args.get(index)), count)] = true;
        }
        if let Keys::Cursor(argument) = row.keys {
            let cursor = scan::parse_cursor(args.get(usize::from(argument))).unwrap_or(0);
            needed[scan::cursor_partition(cursor, count)..].fill(true);
        }
        let mut locked: Vec<Option<&mut Partition>> = self
            .partitions
            .iter_mut()
            .zip(&needed)
            .map(|(partition, &needed)| needed.then_some(partition))
            .collect();
        let one;
        let mut access = if row.keys == Keys::One {
            one = locked.into_iter().flatten().next().unwrap();
            Access::One(one)
        } else {
            Access::Many(&mut locked)
        };
        let mut call = DataCall {
            args,
            reply,
            db: self.db,
            now: stamp.map_or(self.now, |stamp| stamp.time().millis()),
            wall: self.now,
            setting: Setting {
                hasher: &self.hasher,
                origins: &self.origins,
                settled: self.settled,
                databases: DATABASES,
                randomness: &self.randomness,
                string_len_max: &self.string_len_max,
            },
            access: &mut access,
            effects: &mut self.effects,
            stamp,
            first_hash: None,
            panic_after_mutation: &self.never,
            blocking: &mut Blocking::default(),
            ahead: &mut Ahead::default(),
        };
        handler(&mut call);
        for partition in access.iter_mut() {
            partition.undo_sweeps(Some(self.now));
        }
        assert!(
            self.effects.count() <= stamps,
            "{args:?}: more effects than stamps"
        );
    }

    /// Lets time pass.
    pub fn advance(&mut self, milliseconds: i64) {
        self.now.0 += milliseconds;
    }

    /// Lets the clock that stamps run ahead of the wall's, as it may after a crash.
    pub fn run_ahead(&mut self, milliseconds: i64) {
        let ahead = Hlc::at(UnixMillis(self.now.0 + milliseconds));
        self.clock = self.clock.max(ahead);
    }

    /// Everything that was written has arrived everywhere.
    pub fn settle(&mut self) {
        // As a promise does: one step beyond the last stamp.
        self.clock = self.clock.max(Hlc::at(self.now)).plus(1);
        self.settled = self.clock;
        for partition in &mut self.partitions {
            partition.settle(self.settled, usize::MAX);
        }
    }

    /// Hits and misses so far.
    pub fn hits(&self) -> (u64, u64) {
        let add = |(hits, misses), partition: &Partition| {
            (hits + partition.stats.hits, misses + partition.stats.misses)
        };
        self.partitions.iter().fold((0, 0), add)
    }

    /// Tombstones and keys with unsettled operations.
    pub fn pending(&self) -> usize {
        self.partitions
            .iter()
            .map(|partition| partition.pending().0 + partition.pending().1)
            .sum()
    }
}

/// Runs a script of commands and the replies they must have, in worlds of every kind. `@advance <ms>`, `@ahead <ms>`,
/// `@select <db>` and `@resp3` are not commands and have no reply.
pub fn check(script: &[(&str, &str)]) {
    for (stamped, partitions, settling) in [
        (false, 1, false),
        (false, 8, false),
        (true, 8, false),
        (true, 1, true),
    ] {
        let mut world = World::new(stamped, partitions);
        for (line, expected) in script {
            match line.split_once(' ') {
                Some(("@advance", ms)) => world.advance(ms.parse().unwrap()),
                Some(("@ahead", ms)) => world.run_ahead(ms.parse().unwrap()),
                Some(("@select", db)) => world.db = db.parse().unwrap(),
                _ if *line == "@resp3" => world.protocol = Protocol::Resp3,
                _ => {
                    let reply = world.run(line);
                    assert_eq!(
                        reply, *expected,
                        "{line} (stamped {stamped}, partitions {partitions}, settling {settling})"
                    );
                }
            }
            if settling {
                world.settle();
                assert_eq!(world.pending(), 0, "after {line}");
            }
        }
    }
}
