//! Redis as a replica of this server: whatever is written here, it shows the same.

use std::time::{Duration, Instant};

use crate::files::{keep_all, libraries, shown};
use crate::servers::{Server, peers};
use crate::wire::Connection;
use crate::{BATCHES, Run};

const SEEDS: std::ops::Range<u64> = 8_000..8_003;
const PATIENCE: Duration = Duration::from_secs(20);

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn info(connection: &mut Connection, name: &str) -> String {
    let text = connection.call(&[b"INFO", b"replication"]);
    let text = String::from_utf8_lossy(&text.body).into_owned();
    let line = text.lines().find_map(|line| {
        line.strip_prefix(name)?
            .strip_prefix(':')
            .map(str::to_owned)
    });
    line.unwrap_or_default()
}

#[test]
fn redis_shows_as_a_replica_what_its_master_shows() {
    let peers = peers();
    let (Some(replica), Some(_)) = (Server::redis_beside(None), peers.first()) else {
        println!("skipped: redis-server is not on the PATH (Debian: apt install redis-server)");
        return;
    };
    for master in [Server::keymesh(), Server::keymesh_master().unwrap()] {
        let port = master.port().to_string();
        let mut reader = replica.connect();
        let mut writer = master.connect();
        writer.call(&[b"SET", b"before", b"1"]);
        writer.call(&[b"RPUSH", b"list", b"a", b"b"]);
        reader.call(&[b"REPLICAOF", b"127.0.0.1", port.as_bytes()]);
        eventually("the link is up", || {
            info(&mut reader, "master_link_status") == "up"
        });
        assert_eq!(reader.call(&[b"GET", b"before"]).body, b"1");
        assert_eq!(info(&mut writer, "connected_slaves"), "1");
        assert!(
            info(&mut writer, "slave0").contains(&format!("port={},state=online", replica.port()))
        );
        for seed in SEEDS {
            let mut run = Run::new(seed, &master, &peers);
            for _ in 0..BATCHES {
                run.batch();
            }
            drop(run);
            // Of what the commands have made of this one nothing is known.
            let mut writer = master.connect();
            keep_all(&mut writer);
            writer.call(&[b"SET", b"marker", seed.to_string().as_bytes()]);
            eventually("the replica has it all", || {
                writer.call(&[b"WAIT", b"1", b"100"]).integer() == Some(1)
            });
            assert_eq!(shown(&mut reader), shown(&mut writer), "{seed}");
            assert_eq!(libraries(&mut reader), libraries(&mut writer));
        }
        // What goes by itself goes there, too.
        let mut writer = master.connect();
        writer.call(&[b"DEBUG", b"SET-ACTIVE-EXPIRE", b"1"]);
        writer.call(&[b"FLUSHALL"]);
        writer.call(&[b"SET", b"brief", b"1", b"PX", b"20"]);
        writer.call(&[b"SET", b"long", b"1", b"PX", b"2000000"]);
        // The other key, too, must have come: before that there is one as well.
        eventually("it has gone", || {
            reader.call(&[b"EXISTS", b"long"]).integer() == Some(1)
                && reader.call(&[b"DBSIZE"]).integer() == Some(1)
        });
        let left = reader.call(&[b"PTTL", b"long"]).integer().unwrap();
        assert!((1_900_000..=2_000_000).contains(&left), "{left}");
        reader.call(&[b"REPLICAOF", b"NO", b"ONE"]);
        eventually("it has left", || {
            info(&mut writer, "connected_slaves") == "0"
        });
    }
}

#[test]
fn sync_gives_a_file_that_redis_reads() {
    let ours = Server::keymesh();
    let mut connection = ours.connect();
    connection.call(&[b"SET", b"a", b"1"]);
    connection.call(&[b"ZADD", b"z", b"1", b"m"]);
    connection.send(&[vec![b"SYNC".to_vec()]]);
    let file = connection.read_file().unwrap();
    assert!(file.starts_with(b"REDIS0010"));
    let Some(redis) = Server::redis_beside(Some(&file)) else {
        println!("skipped: redis-server is not on the PATH (Debian: apt install redis-server)");
        return;
    };
    assert_eq!(shown(&mut redis.connect()), shown(&mut ours.connect()));
}
