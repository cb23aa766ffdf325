//! A file as it is written.

use std::io::{self, Write};

use super::{JOB, MAGIC, MEMBER, MEMBER_WHEN, Sum, VERSION, opcode, sum};
use crate::commands::keys::payload_of;
use crate::commands::payload::{put_len, put_string};
use crate::db::varint;
use crate::db::{UnixMillis, View};

/// What is gathered before it is written.
const PIECE: usize = 256 * 1024;

/// Writes a file to `out`. [`Writer::finish`] ends it; without that it is none.
pub struct Writer<W> {
    out: W,
    gathered: Vec<u8>,
    /// None where nobody wants it.
    sum: Option<Sum>,
    db: Option<u32>,
}

impl<W: Write> Writer<W> {
    /// Begins one with these fields; `checked` says whether its sum is counted.
    pub fn begin(out: W, fields: &[(&str, String)], checked: bool) -> io::Result<Self> {
        let mut writer = Self {
            out,
            gathered: Vec::with_capacity(PIECE),
            sum: checked.then(sum),
            db: None,
        };
        writer.gathered.extend_from_slice(MAGIC);
        write!(writer.gathered, "{VERSION:04}")?;
        for (name, value) in fields {
            writer.field(name.as_bytes(), value.as_bytes());
        }
        Ok(writer)
    }

    /// The code of a library.
    pub fn library(&mut self, code: &[u8]) -> io::Result<()> {
        self.gathered.push(opcode::FUNCTION);
        put_string(&mut self.gathered, code);
        self.pass_on(PIECE)
    }

    /// A key and what it shows, of type, value and deadlines.
    pub fn key(&mut self, db: u32, key: &[u8], view: &View<'_>) -> io::Result<()> {
        if self.db != Some(db) {
            self.db = Some(db);
            self.gathered.push(opcode::DATABASE);
            put_len(&mut self.gathered, db as usize);
        }
        if let Some(job) = view.job() {
            let mut named = Vec::with_capacity(key.len() + job.len() + 2);
            varint::put_bytes(&mut named, key);
            named.extend_from_slice(job);
            self.field(JOB, &named);
            return self.pass_on(PIECE);
        }
        if let Some(UnixMillis(deadline)) = view.deadline {
            self.gathered.push(opcode::EXPIRES_MS);
            self.gathered.extend_from_slice(&deadline.to_le_bytes());
        }
        let body = payload_of(view);
        self.gathered.push(body.kind());
        put_string(&mut self.gathered, key);
        self.gathered.extend_from_slice(body.value());
        for (member, deadline) in view.timed_members() {
            self.field(MEMBER, member);
            self.field(MEMBER_WHEN, deadline.0.to_string().as_bytes());
            self.pass_on(PIECE)?;
        }
        self.pass_on(PIECE)
    }

    /// Ends the file, and gives back what it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.gathered.push(opcode::END);
        self.pass_on(0)?;
        let sum = self.sum.take().map_or(0, Sum::finalize);
        self.out.write_all(&sum.to_le_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.gathered.push(opcode::FIELD);
        put_string(&mut self.gathered, name);
        put_string(&mut self.gathered, value);
    }

    /// Writes what is gathered, if it is as much.
    fn pass_on(&mut self, from: usize) -> io::Result<()> {
        if self.gathered.len() < from {
            return Ok(());
        }
        if let Some(sum) = &mut self.sum {
            sum.update(&self.gathered);
        }
        self.out.write_all(&self.gathered)?;
        self.gathered.clear();
        // A large value leaves no more than the usual behind.
        self.gathered.shrink_to(PIECE);
        Ok(())
    }
}
