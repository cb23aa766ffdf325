//! From a keyspace to a file and back.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::save::Progress;
use super::saver::{Kind, Saver};
use super::*;
use crate::ablation::set_large_from;
use crate::db::{Key, UnixMillis};
use crate::keyspace::tests::Node;

/// A directory that goes with its test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let name = format!("keymesh-files-{:016x}", rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn options(&self) -> SaveOptions {
        SaveOptions {
            path: self.0.join("dump.rdb"),
            checked: true,
            incremental_sync: true,
            fields: vec![("redis-ver", "7.2.0".to_owned())],
            base: None,
        }
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| {
            entry.unwrap().file_name().into_string().unwrap()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn save_now(node: &Node, options: &SaveOptions) -> u64 {
    save(
        &node.keyspace,
        options,
        node.caller.now,
        &Progress::default(),
    )
    .unwrap()
}

fn load_into(node: &Node, options: &SaveOptions) -> Result<Loaded, LoadError> {
    let file = File::open(&options.path).unwrap();
    let position = AtomicU64::new(0);
    load(&node.keyspace, file, node.caller.now, true, &position)
}

/// A node with something of every kind.
fn filled(mut node: Node) -> Node {
    for line in [
        "SET string value",
        "SET number 12345",
        "SET timed value PX 100000",
        "SETBIT bits 1000 1",
        "PFADD hll a b c",
        "RPUSH list a 1 -5 b",
        "SADD ints 1 2 300",
        "SADD set a b c",
        "HSET hash field value other 7",
        "ZADD zset 1 a 2.5 b -inf c",
        "GEOADD geo 13.361389 38.115556 Palermo",
        "XADD stream 1-1 field value",
        "XADD stream 2-1 field other",
        "XGROUP CREATE stream group 1-1",
        "XREADGROUP GROUP group consumer COUNT 1 STREAMS stream >",
        "KEYDB.CRON job REPEAT 1000 script",
        "EXPIREMEMBER set b 1000",
        "HEXPIRE hash 2000 FIELDS 1 field",
        "EXPIREMEMBER zset c 3000",
    ] {
        let reply = node.run(line);
        assert!(!reply.starts_with('-'), "{line}: {reply}");
    }
    for number in 0..1000 {
        node.run(&format!("SADD large member:{number}"));
        node.run(&format!("RPUSH long element:{number}"));
        node.run(&format!("HSET wide field:{number} {number}"));
        node.run(&format!("ZADD tall {number}.5 member:{number}"));
    }
    node.caller.db = 3;
    node.run("SET elsewhere value");
    node.caller.db = 0;
    node
}

#[test]
fn what_is_saved_is_what_is_loaded_in_either_manner() {
    for large_from in [64, 1 << 20] {
        let _large = set_large_from(large_from);
        for (from, to) in [
            (Node::plain(), Node::plain()),
            (Node::stamped(), Node::plain()),
            (Node::plain(), Node::stamped()),
            (Node::stamped(), Node::stamped()),
        ] {
            let (directory, from, mut to) = (Directory::new(), filled(from), to);
            let options = directory.options();
            let keys = save_now(&from, &options);
            assert_eq!(keys, 18);
            let loaded = load_into(&to, &options).unwrap();
            assert_eq!((loaded.keys, loaded.expired), (keys, 0));
            assert_eq!(to.digest(), from.digest());
            for (line, reply) in [
                ("TTL timed", ":100\r\n"),
                ("TTL set b", ":1000\r\n"),
                ("HTTL hash FIELDS 2 field other", "*2\r\n:2000\r\n:-1\r\n"),
                ("TTL zset c", ":3000\r\n"),
                (
                    "XPENDING stream group",
                    "*4\r\n:1\r\n$3\r\n2-1\r\n$3\r\n2-1\r\n*1\r\n*2\r\n$8\r\nconsumer\r\n$1\r\n1\r\n",
                ),
                ("TYPE job", "+keydb.cron\r\n"),
            ] {
                let said = to.run(line);
                if line != "TYPE job" {
                    assert_eq!(said, reply, "{line}");
                } else {
                    assert_ne!(said, "+none\r\n");
                }
            }
            assert_eq!(directory.names(), ["dump.rdb"]);
        }
    }
}

#[test]
fn a_file_shows_the_moment_at_which_it_was_begun() {
    let directory = Directory::new();
    let mut node = filled(Node::stamped());
    let before = node.digest();
    let options = directory.options();
    let progress = Arc::new(Progress::default());
    let is_over = Arc::new(AtomicBool::new(false));
    let keyspace = Arc::clone(&node.keyspace);
    let (saving, now, over) = (options.clone(), node.caller.now, Arc::clone(&is_over));
    let walks = Arc::clone(&progress);
    let saver = std::thread::spawn(move || {
        let saved = save(&keyspace, &saving, now, &walks);
        over.store(true, Ordering::SeqCst);
        saved
    });
    // Whoever writes meanwhile changes nothing of what it shows, once it has begun.
    while !is_over.load(Ordering::SeqCst) && progress.keys.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    for line in [
        "DEL string",
        "SET number 1",
        "SADD large another",
        "LPOP long",
        "FLUSHALL",
    ] {
        node.run(line);
    }
    saver.join().unwrap().unwrap();
    let copy = Node::plain();
    load_into(&copy, &options).unwrap();
    assert_eq!(copy.digest(), before);
}

#[test]
fn keys_that_have_expired_are_neither_saved_nor_loaded() {
    let directory = Directory::new();
    let options = directory.options();
    let mut node = Node::plain();
    node.run("SET gone value PX 10");
    node.run("SET going value PX 1000");
    node.run("SET stays value");
    node.caller.now = UnixMillis(node.caller.now.0 + 500);
    assert_eq!(save_now(&node, &options), 2);
    let mut late = Node::plain();
    late.caller.now = UnixMillis(node.caller.now.0 + 1000);
    let loaded = load_into(&late, &options).unwrap();
    assert_eq!((loaded.keys, loaded.expired), (1, 1));
    assert_eq!(late.run("EXISTS gone going stays"), ":1\r\n");
}

#[test]
fn a_database_that_is_not_there_is_an_error() {
    let directory = Directory::new();
    let options = directory.options();
    let mut file = File::create(&options.path).unwrap();
    std::io::Write::write_all(&mut file, b"REDIS0003\xfe\x09\x00\x01a\x01b\xff").unwrap();
    let error = load_into(&Node::plain(), &options).unwrap_err();
    assert!(
        error.to_string().contains("more than 4 databases"),
        "{error}"
    );
}

#[test]
fn a_save_that_fails_leaves_the_old_file_and_says_so() {
    let directory = Directory::new();
    let options = directory.options();
    let node = filled(Node::plain());
    save_now(&node, &options);
    let old = fs::read(&options.path).unwrap();
    let progress = Progress::default();
    progress.is_cancelled.store(true, Ordering::SeqCst);
    assert!(save(&node.keyspace, &options, node.caller.now, &progress).is_err());
    assert_eq!(fs::read(&options.path).unwrap(), old);
    assert_eq!(directory.names(), ["dump.rdb"]);

    let saver = Arc::new(Saver::new(Arc::clone(&node.keyspace)));
    let nowhere = SaveOptions {
        path: directory.0.join("none").join("dump.rdb"),
        ..options.clone()
    };
    let claim = saver.claim(Kind::Background).unwrap();
    assert!(saver.claim(Kind::Save).is_err());
    claim.carry_out(&nowhere, node.caller.now).unwrap_err();
    assert!(saver.has_failed() && saver.status().changes > 0);
    // Not tried again at once, but for somebody who asks.
    let always = [SavePoint {
        after: Duration::ZERO,
        changes: 1,
    }];
    assert_eq!(saver.due(&always), None);
    saver.schedule(Kind::Background);
    assert_eq!(saver.due(&always), Some(Kind::Background));
    let claim = saver.claim(Kind::Background).unwrap();
    claim.carry_out(&options, node.caller.now).unwrap();
    let status = saver.status();
    assert!(!status.has_failed && status.changes == 0 && status.saves == 1);
    assert_eq!(saver.due(&always), None);
    // A claim that is dropped - its thread panicked - is a save that failed.
    drop(saver.claim(Kind::Background).unwrap());
    assert!(saver.has_failed() && saver.running().is_none());
}

#[test]
fn a_save_is_due_by_time_and_changes() {
    let mut node = Node::plain();
    let saver = Saver::new(Arc::clone(&node.keyspace));
    let point = |seconds, changes| SavePoint {
        after: Duration::from_secs(seconds),
        changes,
    };
    assert_eq!(saver.due(&[point(0, 1)]), None);
    node.run("SET a 1");
    node.run("SET b 1");
    assert_eq!(saver.due(&[point(0, 1)]), Some(Kind::Background));
    assert_eq!(saver.due(&[point(0, 3), point(3600, 1)]), None);
    assert_eq!(
        saver.due(&[point(0, 3), point(0, 2)]),
        Some(Kind::Background)
    );
    assert_eq!(saver.due(&[]), None);
    // What was flushed is not to come back.
    node.run("FLUSHALL");
    assert_eq!(saver.due(&[point(3600, 1000)]), Some(Kind::Background));
    assert_eq!(saver.due(&[]), None);
}

#[test]
fn a_walk_whose_data_was_replaced_says_so() {
    let node = filled(Node::plain());
    let progress = Progress::default();
    let walk = node.keyspace.begin_walk();
    node.keyspace.reset(false);
    let writer = rdb::Writer::begin(Vec::new(), &[], true).unwrap();
    let now = node.caller.now;
    assert!(write_walk(&node.keyspace, walk, writer, now, &progress).is_err());
    assert!(progress.is_lost.load(Ordering::SeqCst));
}

/// The base of an append-only file there, and how it is written.
fn base_in(directory: &Directory) -> (BaseFile, SaveOptions) {
    let base = BaseFile {
        directory: directory.0.join("appendonlydir"),
        name: "appendonly.aof".into(),
    };
    let options = SaveOptions {
        base: Some(base.clone()),
        ..directory.options()
    };
    (base, options)
}

#[test]
fn a_base_of_an_append_only_file_takes_the_place_of_the_last_one() {
    let directory = Directory::new();
    let node = filled(Node::plain());
    let (base, options) = base_in(&directory);
    for number in 1..4 {
        save_now(&node, &options);
        let manifest = fs::read_to_string(base.directory.join("appendonly.aof.manifest")).unwrap();
        let file = format!("appendonly.aof.{number}.base.rdb");
        assert_eq!(manifest, format!("file {file} seq {number} type b\n"));
        let mut names: Vec<_> = fs::read_dir(&base.directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, [file.clone(), "appendonly.aof.manifest".into()]);
        let copy = Node::plain();
        let written = SaveOptions {
            path: base.directory.join(file),
            ..directory.options()
        };
        load_into(&copy, &written).unwrap();
        assert_eq!(copy.digest(), node.digest());
    }
}

#[test]
fn what_another_server_has_appended_is_not_written_over() {
    let directory = Directory::new();
    let node = filled(Node::plain());
    let (base, options) = base_in(&directory);
    assert_eq!(base.appended().unwrap(), None);
    save_now(&node, &options);
    assert_eq!(base.appended().unwrap(), None);
    let manifest = base.directory.join("appendonly.aof.manifest");
    let lines = "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n";
    fs::write(&manifest, lines).unwrap();
    assert_eq!(base.appended().unwrap(), Some(manifest.clone()));
    let now = node.caller.now;
    let error = save(&node.keyspace, &options, now, &Progress::default()).unwrap_err();
    assert!(error.to_string().contains("would be lost"), "{error}");
    assert_eq!(fs::read_to_string(&manifest).unwrap(), lines);
    assert!(base.directory.join("appendonly.aof.1.base.rdb").exists());
}

#[test]
fn two_walks_show_each_its_own_moment() {
    let mut node = filled(Node::stamped());
    let keyspace = Arc::clone(&node.keyspace);
    let shown = |walk: &mut crate::keyspace::Walk| {
        let mut items = Vec::new();
        while keyspace.walk_some(walk, &mut items) == crate::db::snapshot::Walked::More {}
        let mut reader = crate::db::varint::Reader::new(&items);
        let mut strings = Vec::new();
        while !reader.is_empty() {
            let item = crate::db::item::decode(&mut reader, &Some).unwrap();
            let maker = keyspace.maker(true);
            item.show(&maker, |view| {
                if item.key == b"string" {
                    strings.push(view.string().unwrap_or_default().to_vec());
                }
            });
        }
        strings
    };
    let mut first = keyspace.begin_walk();
    node.run("SET string second");
    let mut second = keyspace.begin_walk();
    node.run("SET string third");
    assert_eq!(shown(&mut second), [b"second"]);
    node.run("SET string fourth");
    assert_eq!(shown(&mut first), [b"value"]);
    let key = Key {
        bytes: b"string",
        hash: keyspace.hash(b"string"),
    };
    assert_eq!(keyspace.lock_hash(key.hash).walk_bytes(), 0);
}
