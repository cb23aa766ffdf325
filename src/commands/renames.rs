//! `rename-command`: names that commands have instead of their own, or none.
//!
//! Names are changed before anybody is served and never again. A server without such lines asks once per look-up whether there are any.
//! As in Redis, a command keeps telling its own name; only what clients say is different. Nodes exchange effects and not commands, so
//! that masters may have different names.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::commands::registry;
use crate::commands::table::Row;

static IN_FORCE: OnceLock<Renames> = OnceLock::new();

/// Names and the rows that clients reach by them.
#[derive(Debug)]
pub struct Renames {
    /// By name in small letters.
    rows: HashMap<Vec<u8>, &'static Row>,
    is_changed: bool,
}

impl Default for Renames {
    fn default() -> Self {
        let rows = registry::built_in().map(|row| (row.name.as_bytes().to_vec(), row));
        Self {
            rows: rows.collect(),
            is_changed: false,
        }
    }
}

impl Renames {
    /// Takes a name away from its command and gives it another, none where `to` is empty. Errors are Redis's.
    pub fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), &'static str> {
        let row = self
            .rows
            .remove(&from.to_ascii_lowercase())
            .ok_or("No such command in rename-command")?;
        self.is_changed = true;
        if to.is_empty() {
            return Ok(());
        }
        match self.rows.insert(to.to_ascii_lowercase(), row) {
            None => Ok(()),
            Some(_) => Err("Target command name already exists"),
        }
    }

    /// From now on these are the names in this process. Only the first call counts.
    pub fn put_in_force(self) {
        if self.is_changed {
            // Who comes second keeps what is there.
            let _ = IN_FORCE.set(self);
        }
    }

    pub(super) fn lookup(&self, name: &[u8]) -> Option<&'static Row> {
        self.rows.get(&name.to_ascii_lowercase()).copied()
    }

    pub(super) fn has(&self, row: &Row) -> bool {
        self.rows.values().any(|known| std::ptr::eq(*known, row))
    }
}

/// The names in force, where they are not the commands' own.
#[inline]
pub(super) fn in_force() -> Option<&'static Renames> {
    IN_FORCE.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_found_by_its_new_name_only() {
        let mut renames = Renames::default();
        renames.rename(b"Get", b"Fetch-One").unwrap();
        assert_eq!(renames.lookup(b"fetch-ONE").unwrap().name, "get");
        assert!(renames.lookup(b"get").is_none());
        renames.rename(b"set", b"get").unwrap();
        assert_eq!(renames.lookup(b"GET").unwrap().name, "set");
    }

    #[test]
    fn an_empty_name_takes_a_command_away() {
        let mut renames = Renames::default();
        let row = registry::lookup(b"flushall").unwrap();
        assert!(renames.has(row));
        renames.rename(b"FLUSHALL", b"").unwrap();
        assert!(renames.lookup(b"flushall").is_none() && !renames.has(row));
    }

    #[test]
    fn what_is_no_command_and_what_is_taken_are_refused_in_redis_words() {
        let mut renames = Renames::default();
        let missing = Err("No such command in rename-command");
        assert_eq!(renames.rename(b"nothing", b"x"), missing);
        assert_eq!(renames.rename(b"config|get", b"x"), missing);
        assert_eq!(
            renames.rename(b"get", b"SET"),
            Err("Target command name already exists")
        );
        renames.rename(b"del", b"").unwrap();
        assert_eq!(renames.rename(b"del", b"x"), missing);
    }
}
