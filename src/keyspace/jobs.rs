//! Jobs of KEYDB.CRON as the keyspace holds them: which there are, and whoever runs one that runs once takes it first.

use crate::commands::cron::CLAIM;
use crate::db::{Key, UnixMillis};
use crate::keyspace::{Caller, Keyspace, Scratch};
use crate::resp::{ArgsBuffer, Reply};

/// A job and where it lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Placed {
    /// The database.
    pub db: u32,
    /// The key.
    pub key: Vec<u8>,
    /// What the key shows, see [`job`](crate::db::job).
    pub bytes: Vec<u8>,
}

impl Keyspace {
    /// Adds the jobs that a partition shows at `now`. One without any costs a lock.
    pub fn jobs(&self, partition: usize, now: UnixMillis, found: &mut Vec<Placed>) {
        let mut partition = self.lock(partition);
        let known: Vec<(u32, Vec<u8>)> = partition
            .jobs()
            .map(|(db, key)| (db, key.to_vec()))
            .collect();
        for (db, key) in known {
            let place = Key {
                bytes: &key,
                hash: self.hash(&key),
            };
            let job = partition.view(db, place, now);
            if let Some(bytes) = job.and_then(|view| view.job().map(<[u8]>::to_vec)) {
                found.push(Placed { db, key, bytes });
                continue;
            }
            // One whose deadline has passed is still there: what comes late may take the deadline away.
            let record = partition.table(db).get(place.bytes, place.hash);
            if !record.is_some_and(|record| record.is_job()) {
                partition.forget_job(db, &key);
            }
        }
    }

    /// Whether a job is still what its key shows.
    pub fn shows_job(&self, job: &Placed, now: UnixMillis) -> bool {
        let place = Key {
            bytes: &job.key,
            hash: self.hash(&job.key),
        };
        let mut partition = self.lock_hash(place.hash);
        let view = partition.view(job.db, place, now);
        view.is_some_and(|view| view.job() == Some(&*job.bytes))
    }

    /// Takes a job that runs once out of its key; false where that shows another one by now, or none.
    pub fn claim_job(&self, job: &Placed, now: UnixMillis) -> bool {
        let words: [&[u8]; 3] = [b"keydb.cron", &job.key, &job.bytes];
        let Some(args) = ArgsBuffer::from_args(words) else {
            return false;
        };
        let caller = Caller {
            db: job.db,
            now: self.time(now),
            trace: None,
        };
        let (mut scratch, mut reply) = (Scratch::default(), Reply::default());
        self.execute(
            &CLAIM,
            args.as_args(),
            None,
            &caller,
            &mut scratch,
            &mut reply,
        );
        reply.as_bytes() == b":1\r\n"
    }
}
