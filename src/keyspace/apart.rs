//! Reads of all elements of large collections: carried out over copies, which share their parts with what the keys show, by who
//! holds no partition any more.
//!
//! Invariant: the reply, and what is counted, is that of the moment at which the copies were made.

use smallvec::SmallVec;

use crate::commands::Row;
use crate::commands::call::{Access, partition_of};
use crate::db::{Key, Partition};
use crate::keyspace::execute::Begun;
use crate::keyspace::{Caller, Keyspace, Ran, Scratch};
use crate::resp::{Args, Reply, parse_i64};

/// Fewer elements than this are read at once.
const AT_ONCE: usize = 1024;

/// How many elements each key has, and whether it is large.
type Sizes = SmallVec<[(usize, bool); 4]>;

impl Keyspace {
    /// Copies of a call's keys, where it reads much of them; all of them are there then.
    #[inline(never)]
    pub(super) fn copies_to_read(
        &self,
        row: &Row,
        args: Args<'_>,
        caller: &Caller,
        access: &mut Access<'_>,
    ) -> Option<Box<Partition>> {
        if row.looks_anywhere(args) {
            return None;
        }
        let keys = row.key_arguments(args).map(|index| {
            let bytes = args.get(index);
            let hash = self.hash(bytes);
            Key { bytes, hash }
        });
        let keys: SmallVec<[Key<'_>; 4]> = keys.collect();
        let mut sizes = Sizes::new();
        for key in &keys {
            let partition = access.partition(key.hash);
            let shown = partition.view(caller.db, *key, caller.now)?.shown;
            sizes.push((shown.len(), shown.is_large()));
        }
        if !reads_much(row, args, &sizes) {
            return None;
        }
        let first = keys.first()?;
        let mut copies = Box::new(access.partition(first.hash).apart());
        for key in &keys {
            let partition = access.partition(key.hash);
            partition.copy_apart(caller.db, *key, &mut copies);
        }
        Some(copies)
    }

    /// What is left to do of a call, best without the partitions.
    #[inline]
    pub(super) fn finish_call(
        &self,
        begun: Begun<'_>,
        row: &Row,
        args: Args<'_>,
        caller: &Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> Ran {
        match begun {
            Begun::Apart(copies) => self.read_apart(copies, row, args, caller, scratch, reply),
            begun => self.finish(begun, caller, scratch),
        }
    }

    #[inline(never)]
    fn read_apart(
        &self,
        mut copies: Box<Partition>,
        row: &Row,
        args: Args<'_>,
        caller: &Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> Ran {
        let mut access = Access::One(&mut copies);
        let panicked = self.call(row, args, None, caller, None, scratch, reply, &mut access);
        // Counts are summed over all partitions.
        let hash = row.key_arguments(args).next();
        let hash = hash.map_or(0, |index| self.hash(args.get(index)));
        let stats = &mut self.lock(partition_of(hash, self.partitions.len())).stats;
        stats.hits += copies.stats.hits;
        stats.misses += copies.stats.misses;
        Ran {
            stamp: None,
            panicked,
        }
    }
}

/// Whether a call reads so much of its keys that a copy costs less.
fn reads_much(row: &Row, args: Args<'_>, sizes: &Sizes) -> bool {
    let is_large = |(len, is_large): &(usize, bool)| *is_large && *len > 0;
    if !sizes.iter().any(is_large) {
        return false;
    }
    match row.name {
        // The smallest says how much there is to do.
        "sinter" | "sintercard" | "zinter" | "zintercard" => sizes.iter().all(is_large),
        "lrange" | "zrange" | "zrevrange" | "zrangebyscore" | "zrevrangebyscore" => {
            let some = sizes.first().filter(|size| is_large(size));
            let by_score = row.name.ends_with("score");
            some.is_some_and(|(len, _)| range_len(args, *len, by_score) > AT_ONCE)
        }
        _ => true,
    }
}

/// How many elements a range holds, of so many: those between two ranks, or all between two infinities. Of other bounds that is not
/// known yet.
fn range_len(args: Args<'_>, len: usize, by_score: bool) -> usize {
    let [Some(start), Some(end)] = [args.try_get(2), args.try_get(3)] else {
        return 0;
    };
    let has = |word: &[u8]| (4..args.len()).any(|at| args.get(at).eq_ignore_ascii_case(word));
    let is_infinite = |text: &[u8]| text.ends_with(b"inf");
    if is_infinite(start) && is_infinite(end) {
        return if has(b"limit") { 0 } else { len };
    }
    if by_score || has(b"byscore") || has(b"bylex") {
        return 0;
    }
    let rank = |text| {
        let index = parse_i64(text)?;
        let len = i64::try_from(len).unwrap_or(i64::MAX);
        let rank = if index < 0 {
            len.saturating_add(index)
        } else {
            index
        };
        Some(rank.clamp(0, len))
    };
    match (rank(start), rank(end)) {
        (Some(start), Some(end)) => usize::try_from(end - start).unwrap_or(0),
        _ => 0,
    }
}
