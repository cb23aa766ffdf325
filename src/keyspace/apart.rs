//! Reads of all elements of large collections: carried out over copies, which share their parts with what the keys show, by who
//! holds no partition any more.
//!
//! Invariant: the reply, and what is counted, is that of the moment at which the copies were made.

use std::time::Instant;

use smallvec::SmallVec;

use crate::ablation::large_from;
use crate::commands::call::{Access, partition_of};
use crate::commands::whole::Ahead;
use crate::commands::{Flags, Row, streams, zsets};
use crate::db::{Key, Partition, UnixMillis, View};
use crate::keyspace::execute::Begun;
use crate::keyspace::left::Left;
use crate::keyspace::{Caller, Keyspace, Ran, Scratch};
use crate::resp::{Args, Reply, parse_i64};

/// So many elements of a range are read at once.
const AT_ONCE: usize = 1024;

/// How many elements each key has, and whether it is large.
pub(super) type Sizes = SmallVec<[(usize, bool); 4]>;

/// What a call reads, copied.
#[derive(Debug)]
pub(super) struct Copies {
    partition: Partition,
    /// About how many bytes of them it reads.
    pub bytes: usize,
}

impl Keyspace {
    /// What is first to be done of a call whose row says that it may read much, where that is best done apart.
    #[inline(never)]
    pub(super) fn begin_apart(
        &self,
        row: &Row,
        args: Args<'_>,
        caller: &Caller,
        scratch: &Scratch,
        access: &mut Access<'_>,
    ) -> Option<Begun<'_>> {
        if row.flags.has(Flags::AHEAD)
            && matches!(scratch.ahead, Ahead::Perhaps)
            && let Some(sources) = self.sources_to_compute(row, args, caller, access)
        {
            return Some(Begun::Ahead(sources));
        }
        let stores = row.flags.has(Flags::WRITE) && row.key_arguments(args).nth(1).is_some();
        if !row.flags.has(Flags::WHOLE) || stores {
            return None;
        }
        let copies = self.copies_to_read(row, args, caller, access)?;
        Some(Begun::Apart(copies))
    }

    /// Shows a key, a large collection as a copy without its partition; none where it shows nothing.
    pub fn show<R>(
        &self,
        db: u32,
        key: &[u8],
        now: UnixMillis,
        look: impl FnOnce(&View<'_>) -> R,
    ) -> Option<R> {
        let (bytes, hash) = (key, self.hash(key));
        let key = Key { bytes, hash };
        let mut copies = {
            let mut partition = self.lock_hash(hash);
            let view = partition.view(db, key, now)?;
            if !view.shown.is_large() {
                return Some(look(&view));
            }
            let mut copies = partition.apart();
            partition.copy_apart(db, key, &mut copies);
            copies
        };
        copies.view(db, key, now).map(|view| look(&view))
    }

    /// The keys that stand at these arguments.
    pub(super) fn keys_at<'a>(
        &self,
        args: Args<'a>,
        indices: impl Iterator<Item = usize>,
    ) -> SmallVec<[Key<'a>; 4]> {
        let key = |index| {
            let bytes = args.get(index);
            let hash = self.hash(bytes);
            Key { bytes, hash }
        };
        indices.map(key).collect()
    }

    /// Copies of a call's keys, where it reads much of them; all of them are there then.
    pub(super) fn copies_to_read(
        &self,
        row: &Row,
        args: Args<'_>,
        caller: &Caller,
        access: &mut Access<'_>,
    ) -> Option<Box<Copies>> {
        if row.looks_anywhere(args) {
            return None;
        }
        let keys = self.keys_at(args, row.key_arguments(args));
        let (mut sizes, mut bytes) = (Sizes::new(), 0);
        for key in &keys {
            let partition = access.partition(key.hash);
            let view = partition.view(caller.db, *key, caller.now)?;
            let size = size_of_key(row, args, &view);
            bytes += bytes_read(&view, size.0);
            sizes.push(size);
        }
        if !reads_much(row, &sizes) {
            return None;
        }
        let first = keys.first()?;
        let mut copies = access.partition(first.hash).apart();
        for key in &keys {
            let partition = access.partition(key.hash);
            partition.copy_apart(caller.db, *key, &mut copies);
        }
        let partition = copies;
        Some(Box::new(Copies { partition, bytes }))
    }

    /// What is left to do of a call, best without the partitions.
    #[inline]
    pub(super) fn finish_call(
        &self,
        begun: Begun<'_>,
        row: &'static Row,
        args: Args<'_>,
        caller: &Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> Ran {
        match begun {
            Begun::Done(ran) => ran,
            begun => self.finish_apart(begun, row, args, caller, scratch, reply),
        }
    }

    #[inline(never)]
    fn finish_apart(
        &self,
        begun: Begun<'_>,
        row: &'static Row,
        args: Args<'_>,
        caller: &Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> Ran {
        let since = Instant::now();
        let begun = match scratch.may_leave {
            true => match Left::of(begun, row, args, caller, scratch) {
                Ok(left) => {
                    scratch.left = Some(left);
                    return Ran::default();
                }
                Err(begun) => begun,
            },
            false => begun,
        };
        let ran = match begun {
            Begun::Apart(copies) => self.read_apart(copies, row, args, caller, scratch, reply),
            Begun::Ahead(sources) => {
                self.compute_and_store(sources, row, args, caller, scratch, reply)
            }
            begun => self.finish(begun, caller, scratch),
        };
        // The time without a partition is no part of a lap.
        let laps = &mut scratch.laps;
        laps.leave_out(since, Instant::now(), &self.holds);
        ran
    }

    fn read_apart(
        &self,
        mut copies: Box<Copies>,
        row: &Row,
        args: Args<'_>,
        caller: &Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> Ran {
        let copies = &mut copies.partition;
        let mut access = Access::One(copies);
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

/// How many elements a call reads of a key, as far as that is known, and whether the key is large.
pub(super) fn size_of_key(row: &Row, args: Args<'_>, view: &View<'_>) -> (usize, bool) {
    let is_large = view.shown.is_large();
    let len = match row.name {
        "lrange" if is_large => range_len(args, view.shown.len()),
        "xrange" | "xrevrange" if is_large => {
            let stream = view.stream();
            stream.map_or(0, |stream| {
                streams::range_len(row.name, args, stream, usize::MAX)
            })
        }
        _ if is_large && is_range(row) => zsets::range_len(row.name, args, view).unwrap_or(0),
        _ => view.shown.len(),
    };
    (len, is_large)
}

/// About how many bytes of a key a call reads that reads so many of its elements.
pub(super) fn bytes_read(view: &View<'_>, elements: usize) -> usize {
    let each = view.shown.len_bytes() / view.shown.len().max(1);
    each.saturating_mul(elements)
}

/// Whether it is a command over a range of one key.
fn is_range(row: &Row) -> bool {
    ["lrange", "zrange", "zrevrange", "xrange", "xrevrange"]
        .iter()
        .any(|name| row.name.starts_with(name))
}

/// Whether a call reads so much of its keys that a copy costs less.
pub(super) fn reads_much(row: &Row, sizes: &Sizes) -> bool {
    let is_large = |(len, is_large): &(usize, bool)| *is_large && *len > 0;
    if !sizes.iter().any(is_large) {
        return false;
    }
    match row.name {
        // The smallest says how much there is to do.
        "sinter" | "sintercard" | "sinterstore" | "zinter" | "zintercard" | "zinterstore" => {
            sizes.iter().all(is_large)
        }
        _ if is_range(row) => {
            let some = sizes.first().filter(|size| is_large(size));
            some.is_some_and(|(len, _)| *len > AT_ONCE.min(large_from()))
        }
        _ => true,
    }
}

/// How many elements a range of a list holds that has so many.
fn range_len(args: Args<'_>, len: usize) -> usize {
    let [Some(start), Some(end)] = [args.try_get(2), args.try_get(3)] else {
        return 0;
    };
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
