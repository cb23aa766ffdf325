//! A file is read into a keyspace, as writes of this node's present life: what is in it counts as written now.
//!
//! Invariant: nothing is loaded of a key that has expired; whatever is wrong with a file is said, and what was loaded before that is not
//! to be served.

use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::commands::keys::{LOAD, content_of};
use crate::commands::registry::lookup_built_in;
use crate::db::UnixMillis;
use crate::db::op::Kind;
use crate::keyspace::{Caller, Keyspace, Scratch};
use crate::persistence::rdb::{Entry, RdbError, Reader};
use crate::resp::{ArgsBuffer, Reply};

/// Why a file was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error(transparent)]
    Rdb(#[from] RdbError),
    /// It has databases that this server has not.
    #[error("Data file was created with a server configured to handle more than {0} databases")]
    Databases(u32),
    /// A key could not be put in place.
    #[error("A key could not be loaded: {0}")]
    Key(String),
    /// An append-only file of another server would be left out, and written over.
    #[error(
        "{0} is of a server that appends, and is not read here. Start that server once more, let it SAVE, and start this one in its directory with 'appendonly no'"
    )]
    Appended(PathBuf),
    /// A library is none.
    #[error("Failed to load function library: {0}")]
    Library(String),
}

/// What was loaded.
#[derive(Debug, Default)]
pub struct Loaded {
    /// How many keys.
    pub keys: u64,
    /// How many had expired.
    pub expired: u64,
    /// The code of each library, for who knows what to do with it.
    pub libraries: Vec<Vec<u8>>,
}

/// Loads a file. `checked` says whether its sum counts; `position` tells others how many bytes were read.
pub fn load(
    keyspace: &Keyspace,
    input: impl Read,
    now: UnixMillis,
    checked: bool,
    position: &AtomicU64,
) -> Result<Loaded, LoadError> {
    let mut reader = Reader::begin(input, checked)?;
    let mut loader = Loader {
        keyspace,
        scratch: Scratch::default(),
        reply: Reply::default(),
        now,
    };
    let mut loaded = Loaded::default();
    // The key that members' deadlines are those of; none where it had expired.
    let mut last: Option<(u32, Vec<u8>)> = None;
    while let Some(entry) = reader.next_entry()? {
        position.store(reader.position(), Ordering::Relaxed);
        match entry {
            Entry::Library(code) => loaded.libraries.push(code),
            Entry::Field(name, value) => tell_field(&name, &value),
            Entry::Key { deadline, .. } if deadline.is_some_and(|deadline| deadline <= now) => {
                loaded.expired += 1;
                last = None;
            }
            Entry::Key {
                db,
                key,
                deadline,
                content,
            } => {
                loader.put(db, &key, deadline, &content_of(&content))?;
                loaded.keys += 1;
                last = Some((db, key));
            }
            Entry::Job(db, key, bytes) => {
                let content = [&[Kind::Job as u8], &bytes[..]].concat();
                loader.put(db, &key, None, &content)?;
                loaded.keys += 1;
            }
            Entry::Member(member, when) => {
                if let Some((db, key)) = &last {
                    loader.member(*db, key, &member, when)?;
                }
            }
        }
    }
    Ok(loaded)
}

fn tell_field(name: &[u8], value: &[u8]) {
    let [name, value] = [name, value].map(String::from_utf8_lossy);
    match &*name {
        "redis-ver" => tracing::info!("Loading RDB produced by version {value}"),
        _ => tracing::debug!("RDB field {name}: {value}"),
    }
}

struct Loader<'k> {
    keyspace: &'k Keyspace,
    scratch: Scratch,
    reply: Reply,
    now: UnixMillis,
}

impl Loader<'_> {
    fn put(
        &mut self,
        db: u32,
        key: &[u8],
        deadline: Option<UnixMillis>,
        content: &[u8],
    ) -> Result<(), LoadError> {
        let deadline = deadline.map(|UnixMillis(ms)| ms.to_le_bytes());
        let deadline = deadline.as_ref().map_or(&[][..], |bytes| &bytes[..]);
        self.carry_out(db, &LOAD, &[b"load", key, content, deadline])
    }

    fn member(
        &mut self,
        db: u32,
        key: &[u8],
        member: &[u8],
        when: UnixMillis,
    ) -> Result<(), LoadError> {
        let when = when.0.to_string();
        match lookup_built_in(b"pexpirememberat") {
            Some(row) => {
                self.carry_out(db, row, &[b"pexpirememberat", key, member, when.as_bytes()])
            }
            None => Ok(()),
        }
    }

    fn carry_out(
        &mut self,
        db: u32,
        row: &'static crate::commands::Row,
        words: &[&[u8]],
    ) -> Result<(), LoadError> {
        if db >= self.keyspace.databases() {
            return Err(LoadError::Databases(self.keyspace.databases()));
        }
        let caller = Caller {
            db,
            now: self.now,
            trace: None,
        };
        let words = ArgsBuffer::from_args(words.iter().copied())
            .ok_or_else(|| LoadError::Key("it is too large".into()))?;
        self.reply.clear(0);
        self.keyspace.execute(
            row,
            words.as_args(),
            None,
            &caller,
            &mut self.scratch,
            &mut self.reply,
        );
        match self.reply.as_bytes().strip_prefix(b"-") {
            Some(error) => Err(LoadError::Key(
                String::from_utf8_lossy(error).trim_end().to_owned(),
            )),
            None => Ok(()),
        }
    }
}
