//! Several connections that wait for each other, on a server of this build and on Redis (and Valkey, where there is one): every
//! reply must be the same, byte for byte, and after every step the same ones must wait.
//!
//! Nothing sleeps here: a step is over when its connection has its replies or waits, as CLIENT LIST says, and whoever
//! does not wait any more by then has its replies, too. `KEYMESH_DIFFERENTIAL_SEEDS` and `KEYMESH_DIFFERENTIAL_FROM` choose the
//! random ones among the scenes (`steps.rs`); those that were thought of are in `scenes.rs`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::number;
use crate::scenes::{SCENES, Scene};
use crate::servers::{Server, peers};
use crate::steps::{Manner, script};
use crate::wire::{Connection, Reply};

const PATIENCE: Duration = Duration::from_secs(20);
/// Random scenes of an ordinary run, in each manner.
const SEEDS: u64 = 60;

/// One connection of a scene.
struct Actor {
    connection: Connection,
    id: i64,
    /// Replies that are still to come.
    owed: usize,
}

/// A scene as it goes, on one server.
struct Stage<'s> {
    server: &'s Server,
    protocol: &'static str,
    observer: Connection,
    actors: BTreeMap<char, Actor>,
    log: Vec<String>,
}

fn words(line: &str) -> Vec<Vec<u8>> {
    line.split_whitespace()
        .map(|word| word.as_bytes().to_vec())
        .collect()
}

impl<'s> Stage<'s> {
    fn new(server: &'s Server, protocol: &'static str) -> Self {
        let mut observer = server.connect();
        let deadline = Instant::now() + PATIENCE;
        // Those of the scene before are gone.
        while list(&mut observer).len() > 1 {
            assert!(Instant::now() < deadline, "somebody stays connected");
            std::thread::yield_now();
        }
        observer.call(&[b"CLIENT", b"UNPAUSE"]);
        observer.call(&[b"FLUSHALL"]);
        Self {
            server,
            protocol,
            observer,
            actors: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    fn enter(&mut self, name: char) {
        if self.actors.contains_key(&name) {
            return;
        }
        let mut connection = self.server.connect();
        connection.call(&[b"HELLO", self.protocol.as_bytes()]);
        let id = connection.call(&[b"CLIENT", b"ID"]).integer().unwrap();
        let actor = Actor {
            connection,
            id,
            owed: 0,
        };
        self.actors.insert(name, actor);
    }

    fn play(mut self, script: &str) -> Vec<String> {
        for line in script.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            self.log.push(format!("-> {line}"));
            match line.split_once(' ').unwrap() {
                // Whatever it gets, it gets it soon.
                ("wait", name) => {
                    let name = name.parse().unwrap();
                    while self.owed(name) > 0 {
                        self.read(name);
                    }
                }
                ("close", name) => {
                    let id = self.actors.remove(&name.parse().unwrap()).unwrap().id;
                    self.until_gone(id);
                }
                // Nobody looks what came of it before the next step.
                ("soon", line) => self.send(line),
                _ => {
                    self.send(line);
                    self.settle(line.chars().next().unwrap());
                }
            }
        }
        self.log
    }

    fn send(&mut self, line: &str) {
        let (name, commands) = line.split_once(' ').unwrap();
        let name = name.parse().unwrap();
        let mut commands: Vec<Vec<Vec<u8>>> = commands.split(" | ").map(words).collect();
        self.enter(name);
        for word in commands.iter_mut().flatten() {
            let text = String::from_utf8(word.clone()).unwrap();
            if let Some(name) = text.strip_prefix('$') {
                let name = name.parse().unwrap();
                self.enter(name);
                *word = self.actors[&name].id.to_string().into_bytes();
            } else if let Some(key) = text.strip_prefix("dump:") {
                *word = self.observer.call(&[b"DUMP", key.as_bytes()]).body;
            }
        }
        let actor = self.actors.get_mut(&name).unwrap();
        actor.owed += commands.len();
        actor.connection.send(&commands);
    }

    fn owed(&self, name: char) -> usize {
        self.actors.get(&name).map_or(0, |actor| actor.owed)
    }

    fn read(&mut self, name: char) {
        let actor = self.actors.get_mut(&name).unwrap();
        match actor.connection.read_reply() {
            Some(reply) => {
                actor.owed -= 1;
                self.log.push(format!("{name} {reply:?}"));
            }
            None => {
                self.actors.remove(&name);
                self.log.push(format!("{name} closed"));
            }
        }
    }

    fn until_gone(&mut self, id: i64) {
        let deadline = Instant::now() + PATIENCE;
        while list(&mut self.observer).contains_key(&id) {
            assert!(Instant::now() < deadline, "{id} does not go");
            std::thread::yield_now();
        }
    }

    /// Until everybody has its replies or waits. Those of the one that sent something come first: who is read when is a
    /// matter of the moment, and says nothing.
    fn settle(&mut self, sender: char) {
        let deadline = Instant::now() + PATIENCE;
        let from = self.log.len();
        // Redis may answer the observer before it gives others what it had for them: a look at rest is followed by another.
        let mut looks_at_rest = 0;
        while looks_at_rest < 2 {
            let waiting = list(&mut self.observer);
            let mut are_at_rest = true;
            let names: Vec<char> = self.actors.keys().copied().collect();
            for name in names {
                while self.owed(name) > 0
                    && self.actors.get_mut(&name).unwrap().connection.is_ready()
                {
                    self.read(name);
                    are_at_rest = false;
                }
                if self.owed(name) > 0 {
                    are_at_rest &= waiting.get(&self.actors[&name].id) == Some(&true);
                }
            }
            looks_at_rest = if are_at_rest { looks_at_rest + 1 } else { 0 };
            let log = self.log.join("\n");
            assert!(Instant::now() < deadline, "somebody hears nothing: {log}");
            std::thread::yield_now();
        }
        self.log[from..].sort_by_key(|line| {
            let name = line.chars().next().unwrap();
            (name != sender, name)
        });
        let still = self.actors.iter().filter(|(_, actor)| actor.owed > 0);
        let still: String = still.map(|(name, _)| *name).collect();
        self.log.push(format!("waiting: {still}"));
    }
}

/// All connections, and whether they wait.
fn list(observer: &mut Connection) -> BTreeMap<i64, bool> {
    let reply: Reply = observer.call(&[b"CLIENT", b"LIST"]);
    let text = String::from_utf8(reply.body).unwrap();
    let field = |line: &str, name: &str| {
        let mut words = line.split(' ');
        words
            .find_map(|word| word.strip_prefix(name))
            .unwrap()
            .to_owned()
    };
    text.lines()
        .map(|line| {
            let id = field(line, "id=").parse().unwrap();
            (id, field(line, "flags=").contains('b'))
        })
        .collect()
}

/// Plays a scene everywhere; what differs.
fn compare(title: &str, scene: &Scene, ours: &Server, peers: &[Server]) -> Option<String> {
    ["2", "3"].iter().find_map(|protocol| {
        let play = |server| Stage::new(server, protocol).play(scene.script);
        let own = play(ours);
        let theirs: Vec<_> = peers.iter().map(|peer| (&peer.name, play(peer))).collect();
        // Where Redis and Valkey are not of one mind, either is right.
        if theirs.iter().any(|(_, log)| *log == own) {
            return None;
        }
        let is_alone = peers.len() == 1;
        if is_alone && scene.as_since_7_2.is_some() {
            return None;
        }
        let mut text = format!("{title}, RESP{protocol}:");
        for (name, log) in theirs {
            let at = own.iter().zip(&log).take_while(|(a, b)| a == b).count();
            let part = |log: &[String]| {
                log[at.min(log.len())..]
                    .iter()
                    .take(6)
                    .cloned()
                    .collect::<Vec<_>>()
            };
            text.push_str(&format!(
                "\n{}\n  keymesh {:?}\n  {name} {:?}",
                own[..at].join("\n"),
                part(&own),
                part(&log)
            ));
        }
        Some(text)
    })
}

#[test]
fn whoever_waits_is_served_as_by_redis() {
    let peers = peers();
    if peers.is_empty() {
        println!("skipped: redis-server is not on the PATH (Debian: apt install redis-server)");
        return;
    }
    let ours = Server::keymesh();
    let mut differences = Vec::new();
    for scene in SCENES {
        differences.extend(compare(scene.title, scene, &ours, &peers));
    }
    let from = number("KEYMESH_DIFFERENTIAL_FROM", 0);
    let seeds = number("KEYMESH_DIFFERENTIAL_SEEDS", SEEDS);
    for seed in from..from + seeds {
        for manner in [Manner::OneKey, Manner::NoTransactions, Manner::All] {
            let script = script(seed, manner);
            let scene = Scene {
                title: "random",
                as_since_7_2: (manner == Manner::All)
                    .then_some("the order of the arguments decides"),
                script: &script,
            };
            let title = format!("seed {seed}, {manner:?}");
            differences.extend(compare(&title, &scene, &ours, &peers));
        }
        if differences.len() > 20 {
            break;
        }
    }
    let names: Vec<&str> = peers.iter().map(|peer| peer.name.as_str()).collect();
    println!(
        "{} scenes and seeds {from}..{}, compared with {}: {} differences",
        SCENES.len(),
        from + seeds,
        names.join(" and "),
        differences.len()
    );
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}
