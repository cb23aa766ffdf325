//! The partitions that a call holds locked, and which of them a key is in.

use crate::db::Partition;

/// The locked partitions of a call.
pub enum Access<'p> {
    /// The one that holds all its keys.
    One(&'p mut Partition),
    /// Those that it may need, in order of their numbers; the others are none.
    Many(&'p mut [Option<&'p mut Partition>]),
}

/// The partition of a hash among `count`, a power of two.
#[inline]
pub fn partition_of(hash: u64, count: usize) -> usize {
    (hash >> 48) as usize & (count - 1)
}

impl Access<'_> {
    /// The partition of a hash.
    #[inline]
    pub fn partition(&mut self, hash: u64) -> &mut Partition {
        match self {
            Access::One(partition) => partition,
            Access::Many(partitions) => {
                let index = partition_of(hash, partitions.len());
                partitions[index]
                    .as_deref_mut()
                    .expect("the executor locked the partitions of all keys in the row")
            }
        }
    }

    /// How many partitions the keyspace has, as far as the call can tell.
    pub fn count(&self) -> usize {
        match self {
            Access::One(_) => 1,
            Access::Many(partitions) => partitions.len(),
        }
    }

    /// The partition with this number, if it is locked.
    pub fn at(&self, index: usize) -> Option<&Partition> {
        match self {
            Access::One(partition) => (index == 0).then_some(&**partition),
            Access::Many(partitions) => partitions.get(index)?.as_deref(),
        }
    }

    /// All locked partitions in order, to look at.
    pub fn iter(&self) -> impl Iterator<Item = &Partition> {
        (0..self.count()).filter_map(|index| self.at(index))
    }

    /// All locked partitions in order, to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Partition> {
        let (one, many) = match self {
            Access::One(partition) => (Some(&mut **partition), None),
            Access::Many(partitions) => (
                None,
                Some(
                    partitions
                        .iter_mut()
                        .flatten()
                        .map(|partition| &mut **partition),
                ),
            ),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}
