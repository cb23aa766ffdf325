//! Files of saves go both ways: what Redis has saved is here when this server starts with its file, and the other way round.

use std::collections::BTreeMap;

use crate::servers::Server;
use crate::wire::{Connection, Reply};
use crate::{BATCHES, Run};

/// Seeds whose data goes both ways.
const SEEDS: std::ops::Range<u64> = 7_000..7_004;
const DATABASES: usize = 16;
/// Fewer keys than this show little; some of them may still expire.
const KEYS_MIN: usize = 9;

/// What every key shows, by database: type and digest.
pub type Shown = BTreeMap<(usize, Vec<u8>), (Vec<u8>, Reply)>;

pub fn shown(connection: &mut Connection) -> Shown {
    let mut all = BTreeMap::new();
    for db in 0..DATABASES {
        connection.call(&[b"SELECT", db.to_string().as_bytes()]);
        for key in connection.call(&[b"KEYS", b"*"]).parts {
            let kind = connection.call(&[b"TYPE", &key.body]).line;
            let digest = connection.call(&[b"DEBUG", b"DIGEST-VALUE", &key.body]);
            all.insert((db, key.body), (kind, digest));
        }
    }
    connection.call(&[b"SELECT", b"0"]);
    all
}

/// Takes all deadlines away: no key goes on the way.
pub fn keep_all(connection: &mut Connection) {
    for db in 0..DATABASES {
        connection.call(&[b"SELECT", db.to_string().as_bytes()]);
        for key in connection.call(&[b"KEYS", b"*"]).parts {
            connection.call(&[b"PERSIST", &key.body]);
        }
    }
}

/// What FUNCTION DUMP says of each library; Redis tells them in the order of a table whose seed is another each time.
pub fn libraries(connection: &mut Connection) -> Vec<Vec<u8>> {
    const OPCODE: u8 = 0xf5;
    const FOOTER_LEN: usize = 10;
    let dump = connection.call(&[b"FUNCTION", b"DUMP"]).body;
    let mut rest = &dump[..dump.len() - FOOTER_LEN];
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (head, len) = match *rest {
            [OPCODE, len @ 0..0x40, ..] => (2, usize::from(len)),
            [OPCODE, high @ 0x40..0x80, low, ..] => {
                (3, usize::from(high - 0x40) << 8 | usize::from(low))
            }
            _ => panic!("no library: {:?}", rest.escape_ascii().to_string()),
        };
        let (library, behind) = rest.split_at(head + len);
        all.push(library.to_vec());
        rest = behind;
    }
    all.sort();
    all
}

fn save(server: &Server) -> (Vec<u8>, Shown, Vec<Vec<u8>>) {
    let mut connection = server.connect();
    keep_all(&mut connection);
    let all = shown(&mut connection);
    let functions = libraries(&mut connection);
    let saved = connection.call(&[b"SAVE"]);
    assert_eq!(saved.line, b"OK", "{saved:?}");
    (server.saved(), all, functions)
}

#[test]
fn files_go_both_ways() {
    let Some(redis) = Server::redis_beside(None) else {
        println!("skipped: redis-server is not on the PATH (Debian: apt install redis-server)");
        return;
    };
    let (ours, peers) = (Server::keymesh(), [redis]);
    for seed in SEEDS {
        let mut run = Run::new(seed, &ours, &peers);
        for _ in 0..BATCHES {
            run.batch();
        }
        // The last commands may have flushed all there was.
        while shown(&mut ours.connect()).len() < KEYS_MIN {
            run.batch();
        }
        drop(run);
        for (from, to) in [
            (
                &ours,
                Server::redis_beside as fn(Option<&[u8]>) -> Option<Server>,
            ),
            (&peers[0], Server::keymesh_beside),
            (&ours, Server::keymesh_beside),
        ] {
            let (file, expected, functions) = save(from);
            let reader = to(Some(&file));
            let reader = reader.unwrap_or_else(|| panic!("the file of {} is not read", from.name));
            let mut connection = reader.connect();
            let found = shown(&mut connection);
            assert_eq!(found, expected, "{seed}: {} {}", from.name, reader.name);
            assert_eq!(libraries(&mut connection), functions);
            assert!(expected.len() > 5, "{seed}: hardly any keys");
        }
    }
}
