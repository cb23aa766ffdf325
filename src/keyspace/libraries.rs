//! Libraries of functions as the keyspace holds them: see [`crate::commands::libraries`].

use std::sync::atomic::Ordering;

use crate::commands::libraries::{DROP, KEEP};
use crate::db::partition::LIBRARIES;
use crate::db::{Key, Partition, UnixMillis};
use crate::keyspace::{Caller, Keyspace, Scratch, Stage, Staged};
use crate::resp::{ArgsBuffer, Reply};

/// A change of libraries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LibraryChange {
    /// A library is there: its name and its code.
    Keep(String, Vec<u8>),
    /// It is there no more.
    Drop(String),
}

impl Keyspace {
    /// A number that changes whenever a library may have.
    pub fn libraries_version(&self) -> u64 {
        self.libraries.load(Ordering::Acquire)
    }

    /// All libraries, by name.
    pub fn libraries(&self, now: UnixMillis) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        for index in 0..self.partitions_len() {
            let mut partition = self.lock(index);
            partition.catch_up_all();
            self.collect_libraries(&mut partition, now, &mut found);
        }
        found.sort();
        found
    }

    fn collect_libraries(
        &self,
        partition: &mut Partition,
        now: UnixMillis,
        found: &mut Vec<(String, Vec<u8>)>,
    ) {
        let table = partition.table(LIBRARIES);
        let live = table.iter().filter(|record| !record.is_tombstone());
        let names: Vec<Vec<u8>> = live.map(|record| record.key().to_vec()).collect();
        for name in names {
            let key = Key {
                bytes: &name,
                hash: self.hash(&name),
            };
            let view = partition.view(LIBRARIES, key, now);
            if let Some(code) = view.as_ref().and_then(|view| view.string())
                && let Ok(name) = String::from_utf8(name.clone())
            {
                found.push((name, code.to_vec()));
            }
        }
    }
}

impl Stage<'_, '_, '_> {
    /// All libraries, by name. The stage holds all partitions.
    pub fn libraries(&mut self, now: UnixMillis) -> Vec<(String, Vec<u8>)> {
        let (keyspace, access) = self.parts();
        let mut found = Vec::new();
        for partition in access.iter_mut() {
            keyspace.collect_libraries(partition, now, &mut found);
        }
        found.sort();
        found
    }

    /// Carries out changes of libraries; whether it could.
    pub fn change_libraries(
        &mut self,
        changes: &[LibraryChange],
        caller: &Caller,
        scratch: &mut Scratch,
    ) -> bool {
        let caller = Caller {
            db: LIBRARIES,
            ..*caller
        };
        let mut reply = Reply::default();
        changes.iter().all(|change| {
            let (row, words): (_, &[&[u8]]) = match change {
                LibraryChange::Keep(name, code) => (&KEEP, &[b"keep", name.as_bytes(), code]),
                LibraryChange::Drop(name) => (&DROP, &[b"drop", name.as_bytes()]),
            };
            let Some(words) = ArgsBuffer::from_args(words.iter().copied()) else {
                return false;
            };
            let staged = self.carry_out(row, words.as_args(), &caller, scratch, &mut reply);
            staged == Staged::Done && reply.is_empty()
        })
    }
}
