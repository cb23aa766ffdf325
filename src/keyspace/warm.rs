//! Fetching what a pipeline is going to look at, before it does. A look-up in a large keyspace waits three times for memory, one
//! wait after the other, and the locks between commands keep a processor from going ahead to the next look-up. Here several
//! look-ups of a partition, or of a few, follow each other without a lock between them, so that their waits overlap.
//!
//! Nothing is decided here: a partition that somebody else holds is left out, and whoever executes looks for himself.

use parking_lot::MutexGuard;

use crate::commands::call::partition_of;
use crate::db::Partition;
use crate::keyspace::Keyspace;

/// The most hashes of one call: their records fit into the first cache.
pub const WARM_MAX: usize = 64;
/// So many partitions are held together, for a moment that is not much longer than a command's.
const HELD: usize = 4;
/// Among more partitions than this, hardly two keys of a pipeline share one: not worth the locks.
const PARTITIONS_MAX: usize = 64;
/// The end of a list.
const END: u8 = u8::MAX;

impl Keyspace {
    /// See the head of the file. Takes no more than [`WARM_MAX`] hashes.
    #[inline]
    pub fn warm(&self, db: u32, hashes: impl Iterator<Item = u64>) {
        // A list of its hashes for each partition, without a sort.
        let mut kept = [0u64; WARM_MAX];
        let mut next = [END; WARM_MAX];
        let mut heads = [END; PARTITIONS_MAX];
        let count = self.partitions.len();
        if count > PARTITIONS_MAX {
            return;
        }
        for (index, hash) in hashes.take(WARM_MAX).enumerate() {
            let head = &mut heads[partition_of(hash, count)];
            kept[index] = hash;
            next[index] = *head;
            *head = index as u8;
        }
        for (group, heads) in heads[..count].chunks(HELD).enumerate() {
            let mut guards: [Option<MutexGuard<'_, Partition>>; HELD] = [const { None }; HELD];
            // Whoever only tries can take locks in any order, and holds nobody up by waiting with one in hand.
            for (nth, (guard, &head)) in guards.iter_mut().zip(heads).enumerate() {
                if head != END {
                    *guard = self.partitions[group * HELD + nth].try_lock();
                }
            }
            for (guard, &head) in guards.iter().zip(heads) {
                let mut at = head;
                while let (Some(guard), true) = (guard, at != END) {
                    guard.touch_ahead(db, kept[usize::from(at)]);
                    at = next[usize::from(at)];
                }
            }
        }
    }
}
