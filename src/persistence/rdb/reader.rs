//! A file as it is read: a window over it, which grows to the largest entry.

use std::io::{self, Read};

use super::{JOB, MAGIC, MEMBER, MEMBER_WHEN, Sum, VERSION_MAX, opcode, sum};
use crate::commands::payload::{Content, PayloadError, take, take_len, take_string, take_value};
use crate::db::UnixMillis;
use crate::db::varint::{self, Malformed};
use crate::resp::parse_i64;

/// What is read at a time; as long as so much is there, an entry is read without another look at the file.
const PIECE: usize = 256 * 1024;
/// What lies in the window after that, the next entry not being larger.
const WINDOW: usize = 4 * PIECE;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum RdbError {
    /// It cannot be.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is none.
    #[error("Wrong signature trying to load DB from file")]
    Signature,
    /// A later version than is known here.
    #[error("Can't handle RDB format version {0}")]
    Version(String),
    /// It ends before it should, or holds what none holds.
    #[error("Unexpected EOF, or nothing that a file holds, at byte {0}")]
    Malformed(u64),
    /// A value of a type that is not known.
    #[error("Unknown RDB encoding type {0}")]
    Type(u8),
    /// It holds what a module wrote.
    #[error("The RDB file contains module data, and there are no modules here")]
    Module,
    /// Its sum is another.
    #[error("Wrong RDB checksum expected: ({expected:x}) but got ({found:x}). Aborting now.")]
    Sum {
        /// What the file says.
        expected: u64,
        /// What it comes to.
        found: u64,
    },
}

/// One thing that a file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// The code of a library.
    Library(Vec<u8>),
    /// A key.
    Key {
        /// Of which database.
        db: u32,
        /// Its name.
        key: Vec<u8>,
        /// When it goes.
        deadline: Option<UnixMillis>,
        /// What it holds.
        content: Content,
    },
    /// When a member goes of the key that came last.
    Member(Vec<u8>, UnixMillis),
    /// A job of KEYDB.CRON: database, key, bytes.
    Job(u32, Vec<u8>, Vec<u8>),
    /// A field of the file, of which nothing is made.
    Field(Vec<u8>, Vec<u8>),
}

/// A step through the file.
enum Step {
    Entry(Entry),
    /// Nothing to tell.
    Passed,
    Database(u32),
    Expires(UnixMillis),
    /// The member that the next field speaks of.
    Member(Vec<u8>),
    End,
}

/// Reads a file.
pub struct Reader<R> {
    input: R,
    window: Vec<u8>,
    /// What of the window has been read.
    at: usize,
    /// How many bytes of the file lie before the window.
    before: u64,
    is_all: bool,
    /// None where nobody compares it.
    sum: Option<Sum>,
    version: u32,
    db: u32,
    deadline: Option<UnixMillis>,
    member: Option<Vec<u8>>,
    is_over: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the head of a file; `checked` says whether its sum counts.
    pub fn begin(input: R, checked: bool) -> Result<Self, RdbError> {
        let mut reader = Self {
            input,
            window: Vec::with_capacity(WINDOW),
            at: 0,
            before: 0,
            is_all: false,
            sum: checked.then(sum),
            version: 0,
            db: 0,
            deadline: None,
            member: None,
            is_over: false,
        };
        reader.fill(PIECE)?;
        let head = reader.window.get(..MAGIC.len() + 4);
        let (magic, version) = head.ok_or(RdbError::Signature)?.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(RdbError::Signature);
        }
        let text = String::from_utf8_lossy(version).into_owned();
        match text.parse() {
            Ok(version @ 1..=VERSION_MAX) => reader.version = version,
            _ => return Err(RdbError::Version(text)),
        }
        reader.pass(MAGIC.len() + 4);
        Ok(reader)
    }

    /// How many bytes have been read.
    pub fn position(&self) -> u64 {
        self.before + self.at as u64
    }

    /// The next entry; none behind the last.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, RdbError> {
        while !self.is_over {
            match self.step()? {
                Step::Entry(entry) => return Ok(Some(entry)),
                Step::Passed => {}
                Step::Database(db) => self.db = db,
                Step::Expires(deadline) => self.deadline = Some(deadline),
                Step::Member(member) => self.member = Some(member),
                Step::End => {
                    self.is_over = true;
                    self.check()?;
                }
            }
        }
        Ok(None)
    }

    fn step(&mut self) -> Result<Step, RdbError> {
        if !self.is_all && self.window.len() - self.at < PIECE {
            self.fill(WINDOW)?;
        }
        loop {
            let unread = self.window.get(self.at..).unwrap_or_default();
            let mut reader = varint::Reader::new(unread);
            let error = match self.read(&mut reader) {
                Ok(step) => {
                    let read = unread.len() - reader.rest().len();
                    if matches!(step, Step::Entry(Entry::Key { .. })) {
                        self.deadline = None;
                    }
                    if !matches!(step, Step::Member(_)) {
                        self.member = None;
                    }
                    self.pass(read);
                    return Ok(step);
                }
                Err(error) => error,
            };
            // It may only not be there as a whole.
            let is_short = matches!(error, RdbError::Malformed(_)) && !self.is_all;
            if !is_short {
                return Err(error);
            }
            let wanted = unread.len().max(PIECE) * 2;
            self.fill(wanted)?;
        }
    }

    /// Reads what comes next of the window.
    fn read(&self, reader: &mut varint::Reader<'_>) -> Result<Step, RdbError> {
        let position = self.position();
        let bad = |_: PayloadError| RdbError::Malformed(position);
        let early = |_: Malformed| RdbError::Malformed(position);
        Ok(match reader.u8().map_err(early)? {
            opcode::END => Step::End,
            opcode::DATABASE => {
                let db = take_len(reader).map_err(bad)?;
                Step::Database(u32::try_from(db).map_err(|_| RdbError::Malformed(position))?)
            }
            opcode::EXPIRES_MS => {
                let deadline = i64::from_le_bytes(take(reader).map_err(bad)?);
                Step::Expires(UnixMillis(deadline))
            }
            opcode::EXPIRES => {
                let seconds = i32::from_le_bytes(take(reader).map_err(bad)?);
                Step::Expires(UnixMillis(i64::from(seconds) * 1000))
            }
            opcode::RESIZE => {
                take_len(reader).map_err(bad)?;
                take_len(reader).map_err(bad)?;
                Step::Passed
            }
            opcode::IDLE => {
                take_len(reader).map_err(bad)?;
                Step::Passed
            }
            opcode::FREQUENCY => {
                reader.u8().map_err(early)?;
                Step::Passed
            }
            opcode::FUNCTION => {
                let code = take_string(reader).map_err(bad)?;
                Step::Entry(Entry::Library(code.into_owned()))
            }
            opcode::FIELD => {
                let name = take_string(reader).map_err(bad)?;
                let value = take_string(reader).map_err(bad)?;
                self.field(&name, value.into_owned())?
            }
            246 | 247 | 6 | 7 => return Err(RdbError::Module),
            kind if !Content::is_known(kind) => return Err(RdbError::Type(kind)),
            kind => {
                let key = take_string(reader).map_err(bad)?.into_owned();
                let content = take_value(kind, reader).map_err(bad)?;
                let (db, deadline) = (self.db, self.deadline);
                Step::Entry(Entry::Key {
                    db,
                    key,
                    deadline,
                    content,
                })
            }
        })
    }

    fn field(&self, name: &[u8], value: Vec<u8>) -> Result<Step, RdbError> {
        let malformed = || RdbError::Malformed(self.position());
        if name == MEMBER {
            return Ok(Step::Member(value));
        }
        if name == MEMBER_WHEN {
            let when = parse_i64(&value).ok_or_else(malformed)?;
            let member = self.member.clone().ok_or_else(malformed)?;
            return Ok(Step::Entry(Entry::Member(member, UnixMillis(when))));
        }
        if name == JOB {
            let mut reader = varint::Reader::new(&value);
            let key = reader.bytes().map_err(|_| malformed())?.to_vec();
            return Ok(Step::Entry(Entry::Job(
                self.db,
                key,
                reader.rest().to_vec(),
            )));
        }
        Ok(Step::Entry(Entry::Field(name.to_vec(), value)))
    }

    /// Compares the sum with what was read.
    fn check(&mut self) -> Result<(), RdbError> {
        // The oldest files have none.
        if self.version < 5 {
            return Ok(());
        }
        let found = self.sum.take().map(Sum::finalize);
        let position = self.position();
        let stated = self.window.get(self.at..).unwrap_or_default();
        let mut reader = varint::Reader::new(stated);
        let expected = reader.u64().map_err(|_| RdbError::Malformed(position))?;
        self.pass(8);
        match found {
            Some(found) if expected != 0 && expected != found => {
                Err(RdbError::Sum { expected, found })
            }
            _ => Ok(()),
        }
    }

    /// So many bytes have been read.
    fn pass(&mut self, count: usize) {
        if let Some(sum) = &mut self.sum {
            let passed = self.window.get(self.at..self.at + count);
            sum.update(passed.unwrap_or_default());
        }
        self.at += count;
    }

    /// Reads on until so much lies in the window that has not been read, or the file is over.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        self.window.drain(..self.at);
        self.before += self.at as u64;
        self.at = 0;
        self.window.shrink_to(wanted.max(WINDOW));
        let missing = wanted.saturating_sub(self.window.len()) as u64;
        let read = self
            .input
            .by_ref()
            .take(missing)
            .read_to_end(&mut self.window)?;
        self.is_all = (read as u64) < missing;
        Ok(())
    }
}
