//! The read buffer of a connection. Bytes before `filled` came from the socket; a command that is not whole moves to the front
//! before more is read. Grows by doubling with what has really come, so that a promised length costs nothing.

/// What a usual pipeline fits into.
pub const READ_LEN: usize = 16 * 1024;
/// What is kept between big commands.
const KEPT_LEN: usize = 64 * 1024;
/// What an idle connection keeps.
const IDLE_LEN: usize = 512;

/// See the head of the file.
#[derive(Debug)]
pub struct ReadBuffer {
    bytes: Vec<u8>,
    filled: usize,
}

impl ReadBuffer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self {
            bytes: vec![0; READ_LEN],
            filled: 0,
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
            if self.bytes.len() > KEPT_LEN && wanted <= KEPT_LEN {
                self.bytes.truncate(READ_LEN);
                self.bytes.shrink_to_fit();
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

    /// Gives memory back where nothing is unfinished.
    pub fn trim(&mut self) {
        if self.filled == 0 {
            self.bytes.truncate(IDLE_LEN);
            self.bytes.shrink_to_fit();
        }
    }

    /// Takes the bytes from `done` on.
    pub fn take_rest(&mut self, done: usize) -> Vec<u8> {
        let rest = self.bytes[done.min(self.filled)..self.filled].to_vec();
        self.filled = 0;
        rest
    }
}
