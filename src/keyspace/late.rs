//! Records whose bytes are made after their partitions are released: those that bring a large value. Their places in the journal
//! are taken already, so order is kept; but who holds all partitions to look at data and journal as of one instant must not
//! find a place that is still open.
//!
//! Invariant: one is counted here before its partitions are released, and until its place is filled.

use parking_lot::{Condvar, Mutex};

/// How many there are.
#[derive(Debug, Default)]
pub(super) struct LateOnes {
    count: Mutex<usize>,
    none_left: Condvar,
}

/// One of them; it goes when the record is published.
#[derive(Debug)]
pub(super) struct Publishing<'l>(&'l LateOnes);

impl LateOnes {
    /// One more. The caller holds a partition.
    pub fn begin(&self) -> Publishing<'_> {
        *self.count.lock() += 1;
        Publishing(self)
    }

    /// One that was detached.
    pub fn resume(&self) -> Publishing<'_> {
        Publishing(self)
    }

    /// Whether there are any. None comes while the caller holds all partitions.
    pub fn is_any(&self) -> bool {
        *self.count.lock() > 0
    }

    /// Waits until there is none. The caller holds no partition.
    pub fn wait(&self) {
        let mut count = self.count.lock();
        while *count > 0 {
            self.none_left.wait(&mut count);
        }
    }
}

impl Publishing<'_> {
    /// It is still counted, but goes only when [`LateOnes::resume`] is told so.
    pub fn detach(self) {
        std::mem::forget(self);
    }
}

impl Drop for Publishing<'_> {
    fn drop(&mut self) {
        let mut count = self.0.count.lock();
        *count -= 1;
        if *count == 0 {
            self.0.none_left.notify_all();
        }
    }
}
