//! WATCH: flags that are raised when a key changes. Whatever else is to be told of every change is told here, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::db::partition::{Key, LIBRARIES, Partition, place_of};

impl Partition {
    /// Raises `flag` when the key changes.
    pub fn watch(&mut self, db: u32, key: &[u8], flag: Arc<AtomicBool>) {
        self.watchers
            .entry((db, key.into()))
            .or_default()
            .push(flag);
    }

    /// How many keys are watched.
    #[cfg(test)]
    pub(crate) fn watchers_len(&self) -> usize {
        self.watchers.len()
    }

    /// Whether anybody watches a key.
    pub(super) fn is_watched(&self) -> bool {
        !self.watchers.is_empty()
    }

    /// Ends a watch.
    pub fn unwatch(&mut self, db: u32, key: &[u8], flag: &Arc<AtomicBool>) {
        let place = (db, key.into());
        if let Some(flags) = self.watchers.get_mut(&place) {
            flags.retain(|other| !Arc::ptr_eq(other, flag));
            if flags.is_empty() {
                self.watchers.remove(&place);
            }
        }
    }

    /// Raises the flags of whoever watches a key, tells whoever may have cached it, and notes that somebody waits for what it shows.
    pub fn touch(&mut self, db: u32, key: &[u8]) {
        if db == LIBRARIES {
            // Nobody can watch it, or cache it.
            self.note_library();
            return;
        }
        self.note_change(key);
        if !self.waiters.is_empty() {
            let hash = self.hasher.hash(key);
            self.note_ready(db, Key { bytes: key, hash });
        }
        if self.watchers.is_empty() {
            return;
        }
        for flag in self.watchers.get(&(db, key.into())).into_iter().flatten() {
            flag.store(true, Ordering::Relaxed);
        }
    }

    /// Raises the flags of all watched keys of a database that exist.
    pub(in crate::db) fn touch_all(&mut self, db: u32) {
        if db == LIBRARIES {
            self.note_library();
            return;
        }
        self.note_flush();
        self.note_all_ready(db);
        for ((_, key), flags) in self
            .watchers
            .iter()
            .filter(|((watched, _), _)| *watched == db)
        {
            let hash = self.hasher.hash(key);
            if self.dbs[place_of(db)]
                .table
                .get(key, hash)
                .is_some_and(|record| !record.is_tombstone())
            {
                flags
                    .iter()
                    .for_each(|flag| flag.store(true, Ordering::Relaxed));
            }
        }
    }
}
