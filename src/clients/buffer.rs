//! The read buffer of a connection. Bytes before `filled` came from the socket; a command that is not whole moves to the front
//! before more is read. Grows by doubling with what has really come, so that a promised length costs nothing.
//!
//! Invariant: a connection that waits with nothing unfinished holds no memory: its thread keeps some buffers, [`SPARES`] at
//! most and a few that have grown, for whoever reads next; the last ones are the warmest in its caches.

use std::cell::RefCell;

/// What a usual pipeline fits into.
pub const READ_LEN: usize = 16 * 1024;
/// What is kept between big commands.
const KEPT_LEN: usize = 64 * 1024;
/// Buffers that a thread keeps: one for each connection that is read before the commands of any are carried out.
pub const SPARES: usize = 64;
/// Buffers that have grown, which it keeps as well.
const GROWN_SPARES: usize = 4;

thread_local! {
    /// Buffers of this thread that nobody uses, [`SPARES`] of [`READ_LEN`] bytes and [`GROWN_SPARES`] of up to [`KEPT_LEN`].
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct ReadBuffer {
    bytes: Vec<u8>,
    filled: usize,
}

impl ReadBuffer {
    /// Takes memory to read into, where it holds none.
    #[inline]
    pub fn borrow_memory(&mut self) {
        if self.bytes.is_empty() {
            let spare = SPARE.with_borrow_mut(Vec::pop);
            self.bytes = spare.unwrap_or_else(|| vec![0; READ_LEN]);
        }
    }

    /// Gives its memory to whoever reads next on this thread, where nothing is unfinished.
    #[inline]
    pub fn return_memory(&mut self) {
        if self.filled == 0 && !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            let has_grown = |bytes: &Vec<u8>| bytes.len() > READ_LEN;
            SPARE.with_borrow_mut(|spares| {
                let is_kept = if has_grown(&bytes) {
                    let grown = spares.iter().filter(|bytes| has_grown(bytes)).count();
                    bytes.len() <= KEPT_LEN && grown < GROWN_SPARES
                } else {
                    spares.len() < SPARES
                };
                if is_kept {
                    spares.push(bytes);
                }
            });
        }
    }

    /// What has been read.
    #[inline]
    pub fn filled(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// What has been read; the splitter undoes quotes in place.
    #[inline]
    pub fn filled_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.filled]
    }

    /// Bytes read.
    #[inline]
    pub fn len(&self) -> usize {
        self.filled
    }

    /// Room behind them.
    pub fn free(&self) -> usize {
        self.bytes.len() - self.filled
    }

    /// Where the next bytes go.
    #[inline]
    pub fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.filled..]
    }

    /// Counts `count` bytes that were put into [`Self::room`].
    #[inline]
    pub fn advance(&mut self, count: usize) {
        self.filled = (self.filled + count).min(self.bytes.len());
    }

    /// Drops the first `done` bytes and makes room for the next read, of which at least `wanted` bytes are needed.
    #[inline]
    pub fn prepare(&mut self, done: usize, wanted: usize) {
        if done == self.filled {
            self.filled = 0;
            if self.bytes.len() > KEPT_LEN {
                self.bytes = Vec::new();
            }
            if wanted <= READ_LEN {
                return;
            }
        } else if done > 0 {
            self.bytes.copy_within(done..self.filled, 0);
            self.filled -= done;
        }
        if self.free() < wanted || self.filled == self.bytes.len() {
            self.grow(wanted);
        }
    }

    #[cold]
    fn grow(&mut self, wanted: usize) {
        let needed = self.filled + wanted;
        let doubled = (self.bytes.len() * 2).max(READ_LEN);
        self.bytes.resize(needed.clamp(READ_LEN, doubled), 0);
    }

    /// Takes the bytes from `done` on.
    pub fn take_rest(&mut self, done: usize) -> Vec<u8> {
        let rest = self.bytes[done.min(self.filled)..self.filled].to_vec();
        self.filled = 0;
        rest
    }
}
