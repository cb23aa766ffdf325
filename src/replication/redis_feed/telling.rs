//! What changed keys show, as commands of Redis.
//!
//! Invariant: a command says all of what its key shows, so that it does not matter what the reader showed before.

use std::io;

use crate::commands::keys::payload_of;
use crate::db::follow::Changed;
use crate::db::partition::LIBRARIES;
use crate::db::varint::Reader;
use crate::db::{UnixMillis, View, item};
use crate::keyspace::Keyspace;
use crate::resp::encode_command;

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Telling {
    /// The database that the reader has selected.
    db: u32,
}

impl Telling {
    /// Writes what has changed.
    pub fn write(
        &mut self,
        keyspace: &Keyspace,
        changed: &mut Changed,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        for large in changed.large.drain(..) {
            large.encode(&mut changed.items);
        }
        for (db, key) in &changed.gone {
            self.tell(*db, key, None, out);
        }
        let maker = keyspace.maker(keyspace.is_stamped());
        let mut reader = Reader::new(&changed.items);
        while !reader.is_empty() {
            let item = item::decode(&mut reader, &Some).map_err(io::Error::other)?;
            let (db, key) = (item.db, item.key);
            if item
                .show(&maker, |view| self.tell(db, key, Some(view), out))
                .is_none()
            {
                self.tell(db, key, None, out);
            }
        }
        Ok(())
    }

    fn select(&mut self, db: u32, out: &mut Vec<u8>) {
        if self.db != db {
            self.db = db;
            encode_command(&[b"SELECT", db.to_string().as_bytes()], out);
        }
    }

    /// Writes what a key shows.
    fn tell(&mut self, db: u32, key: &[u8], view: Option<&View<'_>>, out: &mut Vec<u8>) {
        if db == LIBRARIES {
            match view.and_then(View::string) {
                Some(code) => encode_command(&[b"FUNCTION", b"LOAD", b"REPLACE", code], out),
                None => encode_command(&[b"FUNCTION", b"DELETE", key], out),
            }
            return;
        }
        self.select(db, out);
        let Some(view) = view.filter(|view| view.job().is_none()) else {
            return encode_command(&[b"DEL", key], out);
        };
        let deadline = view.deadline.map(|UnixMillis(ms)| ms.to_string());
        match (view.string(), &deadline) {
            (Some(value), None) => encode_command(&[b"SET", key, value], out),
            (Some(value), Some(at)) => {
                encode_command(&[b"SET", key, value, b"PXAT", at.as_bytes()], out);
            }
            (None, at) => {
                let at = at.as_ref().map_or(&b"0"[..], |at| at.as_bytes());
                let payload = payload_of(view).seal();
                let words = [b"RESTORE", key, at, &payload, b"REPLACE", b"ABSTTL"];
                encode_command(&words, out);
            }
        }
    }
}
