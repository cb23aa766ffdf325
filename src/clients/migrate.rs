//! MIGRATE: keys that go to another server by DUMP and RESTORE; the connections to such servers, kept for a while.
//!
//! Invariant: a connection is used by one command at a time, and is kept only where all that was sent over it was answered. What is
//! taken along of a key is watched from then on, so that what was written to it meanwhile is not deleted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::net::TcpStream;

use crate::clients::conversation::{After, Conversation, ReplyMode};
use crate::clients::errors;
use crate::clients::transaction::Watch;
use crate::commands::keys::migrate::{self, Word};
use crate::commands::keys::payload_of;
use crate::db::UnixMillis;
use crate::resp::{Args, Reply, parse_i64};

/// How long an idle connection is kept.
const KEPT: Duration = Duration::from_secs(10);
/// How many are.
const KEPT_MAX: usize = 64;
/// How long is waited where nothing sensible is asked for.
const TIMEOUT: Duration = Duration::from_millis(1000);

const NO_TRANSACTION: &str =
    "ERR MIGRATE is not allowed inside a transaction or a script here: it waits for another server";
const KEYS_AND_KEY: &str =
    "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string";
const NO_PAYLOAD_OF_JOB: &str = crate::commands::errors::NO_PAYLOAD_OF_JOB;

/// A connection to another server.
#[derive(Debug)]
pub(super) struct Link {
    /// It.
    pub stream: TcpStream,
    /// The database that is selected there, where that is known.
    pub db: Option<i64>,
    used: Instant,
}

impl Link {
    /// A new one.
    pub fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            db: None,
            used: Instant::now(),
        }
    }
}

/// Idle connections by host and port.
#[derive(Debug, Default)]
pub struct Links(Mutex<HashMap<(String, u16), Link>>);

impl Links {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// Closes those that nobody has used for long.
    pub fn tidy(&self) {
        self.0.lock().retain(|_, link| link.used.elapsed() < KEPT);
    }

    /// One, if there is.
    pub(super) fn take(&self, host: &str, port: u16) -> Option<Link> {
        self.tidy();
        self.0.lock().remove(&(host.to_owned(), port))
    }

    /// Gives it back.
    pub(super) fn keep(&self, host: &str, port: u16, mut link: Link) {
        link.used = Instant::now();
        let mut links = self.0.lock();
        if links.len() >= KEPT_MAX {
            let oldest = links.iter().min_by_key(|(_, link)| link.used);
            if let Some(oldest) = oldest.map(|(place, _)| place.clone()) {
                links.remove(&oldest);
            }
        }
        links.insert((host.to_owned(), port), link);
    }
}

/// A key on its way.
#[derive(Debug)]
pub(super) struct Taken {
    /// It.
    pub key: Vec<u8>,
    /// What it shows, as RESTORE takes it.
    pub payload: Vec<u8>,
    /// When it goes by itself.
    pub deadline: Option<UnixMillis>,
    /// Whether it has changed since.
    pub watch: Watch,
}

/// What is asked for.
#[derive(Debug)]
pub(super) struct Migration {
    /// Where to.
    pub host: String,
    /// Where to; 0 where that is no port.
    pub port: u16,
    /// Which database there.
    pub db: i64,
    /// How long each answer may take.
    pub timeout: Duration,
    /// The keys stay here, too.
    pub is_copy: bool,
    /// Whatever is there goes.
    pub replaces: bool,
    /// The words behind AUTH.
    pub credentials: Vec<Vec<u8>>,
    /// The database here.
    pub own_db: u32,
    /// The keys that there are.
    pub taken: Vec<Taken>,
}

/// A port as C's `atoi` takes it; 0 for what is none.
fn port_of(text: &[u8]) -> u16 {
    let text = text.trim_ascii_start();
    let len = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let digits = text
        .get(..len)
        .and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

impl Migration {
    /// Reads a call; the error is what to reply.
    fn read(args: Args<'_>, own_db: u32) -> Result<(Self, std::ops::Range<usize>), &'static str> {
        let (mut is_copy, mut replaces, mut credentials) = (false, false, Vec::new());
        let mut keys = 3..4;
        for word in migrate::words(args) {
            match word {
                Word::Copy => is_copy = true,
                Word::Replace => replaces = true,
                Word::Auth(words) if words.end <= args.len() => {
                    credentials = args.range(words).to_vec();
                }
                Word::Keys(_) if !args.get(3).is_empty() => return Err(KEYS_AND_KEY),
                Word::Keys(words) => keys = words,
                Word::Auth(_) | Word::Unknown => return Err(errors::SYNTAX),
            }
        }
        let timeout = parse_i64(args.get(5)).ok_or(errors::NOT_AN_INTEGER)?;
        let db = parse_i64(args.get(4)).ok_or(errors::NOT_AN_INTEGER)?;
        let timeout = u64::try_from(timeout).ok().filter(|timeout| *timeout > 0);
        let migration = Self {
            host: String::from_utf8_lossy(args.get(1)).into_owned(),
            port: port_of(args.get(2)),
            db,
            timeout: timeout.map_or(TIMEOUT, Duration::from_millis),
            is_copy,
            replaces,
            credentials,
            own_db,
            taken: Vec::new(),
        };
        Ok((migration, keys))
    }
}

impl Conversation {
    pub(super) fn migrate_command(&mut self, args: Args<'_>, reply: &mut Reply) -> After {
        if self.is_in_exec {
            reply.error(NO_TRANSACTION);
            return After::Next;
        }
        let (mut migration, keys) = match Migration::read(args, self.caller.db) {
            Ok(read) => read,
            Err(text) => {
                reply.error(text);
                return After::Next;
            }
        };
        for key in args.range(keys) {
            match self.take_along(key) {
                Some(Ok(taken)) => migration.taken.push(taken),
                Some(Err(text)) => {
                    reply.error(text);
                    return After::Next;
                }
                None => {}
            }
        }
        if migration.taken.is_empty() {
            reply.simple("NOKEY");
            return After::Next;
        }
        self.migration = Some(Box::new(migration));
        After::Migrate {
            is_answered: self.reply_mode == ReplyMode::On,
        }
    }

    /// What there is to be sent of a key.
    fn take_along(&self, key: &[u8]) -> Option<Result<Taken, &'static str>> {
        let keyspace = &self.context.keyspace;
        let mut watch = Watch::new(Arc::clone(keyspace));
        // Before it is looked at: what changes behind that is noticed.
        watch.add(key, &self.caller);
        let (db, now) = (self.caller.db, self.caller.now);
        let shown = keyspace.show(db, key, now, |view| {
            if view.job().is_some() {
                return Err(NO_PAYLOAD_OF_JOB);
            }
            Ok((payload_of(view).seal(), view.deadline))
        })?;
        Some(shown.map(|(payload, deadline)| Taken {
            key: key.to_vec(),
            payload,
            deadline,
            watch,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::keys::migrate::tests::with;

    fn error(command: &str) -> Option<&'static str> {
        with(command, |args| Migration::read(args, 0).err())
    }

    #[test]
    fn a_call_is_read_as_redis_reads_it() {
        let read = |command| with(command, |args| Migration::read(args, 0).unwrap());
        let (migration, keys) = read("migrate h 7x - 1 0 copy AUTH x auth2 user pass KEYS a b");
        assert_eq!((migration.port, migration.db, keys), (7, 1, 13..15));
        assert_eq!(migration.credentials, [b"user".to_vec(), b"pass".to_vec()]);
        assert_eq!(migration.timeout, TIMEOUT);
        assert!(migration.is_copy && !migration.replaces);
        assert_eq!(error("migrate h 7 k 1 0 keys a"), Some(KEYS_AND_KEY));
        assert_eq!(error("migrate h 7 k 1 0 auth"), Some(errors::SYNTAX));
        assert_eq!(error("migrate h 7 k 1 0 auth2 x"), Some(errors::SYNTAX));
        assert_eq!(error("migrate h 7 k 1 0 no"), Some(errors::SYNTAX));
        assert_eq!(error("migrate h 7 k x 0"), Some(errors::NOT_AN_INTEGER));
        assert_eq!(error("migrate h 7 k 1 x"), Some(errors::NOT_AN_INTEGER));
    }
}
