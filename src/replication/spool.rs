//! A snapshot on its way in: kept whole before any of it counts, in memory while it is small and in an unnamed file beyond that.
//!
//! Invariant: chunks come out in the order in which they went in.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

/// What is kept in memory; the rest goes to a file in the working directory.
const MEMORY_MAX: usize = 64 * 1024 * 1024;

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Spool {
    memory: VecDeque<Vec<u8>>,
    bytes: usize,
    written: Option<File>,
    reading: Option<BufReader<File>>,
}

impl Spool {
    /// Adds a chunk.
    pub fn push(&mut self, chunk: &[u8]) -> io::Result<()> {
        if self.written.is_none() && self.bytes + chunk.len() <= MEMORY_MAX {
            self.bytes += chunk.len();
            self.memory.push_back(chunk.to_vec());
            return Ok(());
        }
        if self.written.is_none() {
            self.written = Some(unnamed_file()?);
        }
        let Some(file) = &mut self.written else {
            return Ok(());
        };
        file.write_all(&(chunk.len() as u64).to_le_bytes())?;
        file.write_all(chunk)
    }

    /// Takes the next chunk; none after the last. Nothing may be added any more.
    pub fn pop(&mut self) -> io::Result<Option<Vec<u8>>> {
        if let Some(chunk) = self.memory.pop_front() {
            return Ok(Some(chunk));
        }
        if let Some(mut file) = self.written.take() {
            file.seek(SeekFrom::Start(0))?;
            self.reading = Some(BufReader::new(file));
        }
        let Some(reader) = &mut self.reading else {
            return Ok(None);
        };
        let mut len = [0; 8];
        match reader.read_exact(&mut len) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut chunk = vec![0; u64::from_le_bytes(len) as usize];
        reader.read_exact(&mut chunk)?;
        Ok(Some(chunk))
    }
}

/// A file that is gone when it is closed.
pub(super) fn unnamed_file() -> io::Result<File> {
    let name = format!(
        "temp-sync-{}-{:016x}.snapshot",
        std::process::id(),
        rand::random::<u64>()
    );
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&name)?;
    fs::remove_file(&name)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_come_out_as_they_went_in_from_memory_and_from_the_file() {
        let mut spool = Spool {
            bytes: MEMORY_MAX - 6,
            ..Spool::default()
        };
        let chunks: Vec<Vec<u8>> = (0..6u8).map(|n| vec![n; usize::from(n)]).collect();
        for chunk in &chunks {
            spool.push(chunk).unwrap();
        }
        assert!(spool.written.is_some(), "the last ones did not fit");
        let mut back = Vec::new();
        while let Some(chunk) = spool.pop().unwrap() {
            back.push(chunk);
        }
        assert_eq!(back, chunks);
    }
}
