//! Jobs of KEYDB.CRON as the keyspace holds them.

use crate::db::{Key, UnixMillis};
use crate::keyspace::Keyspace;

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

    /// A number that changes when a partition shows another job; not when one is shown no more.
    pub fn job_changes(&self, partition: usize) -> u64 {
        self.lock(partition).job_changes()
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
}
