//! Some entries of a stream in one piece of bytes, in the order of their ids.
//!
//! ```text
//! entry: length of the rest varint | flags 1 | milliseconds behind the base's varint | number varint |
//!        values, or number of fields varint | names and values in turns
//! ```
//! The number is counted from the base's in the base's own millisecond. Names stand there only where they are not those of the
//! entry that began the block, which mostly they are: that is what the flag says. Names and values are length varint and bytes.
//!
//! Redis's nodes keep deleted entries until all of them are, and are full by the bytes of their listpack: so a block counts what was
//! deleted and what its listpack would take, and is full where Redis's node would be.
//!
//! Invariant: `count` entries lie in `bytes`, none before the base, which the block's owner knows; `last` is where the last begins.

use crate::db::stream::StreamId;
use crate::db::stream::pack;
use crate::db::varint::{self, Reader};

/// The names are those of the block.
const SAME_NAMES: u8 = 1;

/// How much one block takes while entries are appended: `stream-node-max-entries` and `stream-node-max-bytes`, 0 for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeLimits {
    /// Entries.
    pub entries: usize,
    /// Bytes.
    pub bytes: usize,
}

impl Default for NodeLimits {
    fn default() -> Self {
        Self {
            entries: 100,
            bytes: 4096,
        }
    }
}

/// The fields of an entry: so many names and values.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'f> {
    len: usize,
    /// Names and values in turns; or only names, where the values lie apart.
    names: &'f [u8],
    values: Option<&'f [u8]>,
}

impl<'f> Fields<'f> {
    /// Names and values in turns, each with its length before it.
    pub fn of(pairs: &'f [u8], len: usize) -> Self {
        Self {
            len,
            names: pairs,
            values: None,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none: an entry has one at least.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Names with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&'f [u8], &'f [u8])> + use<'f> {
        let mut names = Reader::new(self.names);
        let mut values = self.values.map(Reader::new);
        (0..self.len).map_while(move |_| {
            let name = names.bytes().ok()?;
            let value = match &mut values {
                Some(values) => values.bytes().ok()?,
                None => names.bytes().ok()?,
            };
            Some((name, value))
        })
    }

    /// The same in turns, as [`Self::of`] takes them.
    pub fn to_pairs(&self, out: &mut Vec<u8>) {
        for (name, value) in self.iter() {
            varint::put_bytes(out, name);
            varint::put_bytes(out, value);
        }
    }
}

/// An entry.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'b> {
    /// Its id.
    pub id: StreamId,
    /// What it says.
    pub fields: Fields<'b>,
}

/// See the head of the file.
#[derive(Debug, Clone)]
pub struct Block {
    /// Names that entries have in common, and how many.
    names: Box<[u8]>,
    names_len: usize,
    bytes: Vec<u8>,
    count: usize,
    last: usize,
    /// Entries that were here and were taken out.
    deleted: usize,
    /// What a listpack would take for names and entries, those that were taken out, too.
    packed: usize,
    /// The last that was ever here.
    edge: StreamId,
}

impl Block {
    /// A block of one entry, under its id.
    pub fn of(id: StreamId, fields: Fields<'_>) -> Self {
        let mut names = Vec::new();
        for (name, _) in fields.iter() {
            varint::put_bytes(&mut names, name);
        }
        let mut block = Self {
            names: names.into_boxed_slice(),
            names_len: fields.len(),
            bytes: Vec::new(),
            count: 0,
            last: 0,
            deleted: 0,
            packed: pack::head_len(fields),
            edge: id,
        };
        block.insert(id, id, fields);
        block
    }

    pub fn len(&self) -> usize {
        self.count
    }

    /// Memory of it, with that of its count.
    pub fn len_bytes(&self) -> usize {
        size_of::<Self>() + 16 + self.names.len() + self.bytes.capacity()
    }

    /// Whether one more may be appended, as Redis judges its nodes.
    pub fn takes_more(&self, fields: Fields<'_>, limits: NodeLimits) -> bool {
        let most = match limits.bytes {
            1..pack::LEN_MAX => limits.bytes,
            _ => pack::LEN_MAX,
        };
        let texts = fields.iter().map(|(name, value)| name.len() + value.len());
        let packed = self.packed + pack::counts_len(self.count, self.deleted);
        packed + texts.sum::<usize>() < most
            && (limits.entries == 0 || self.count + self.deleted < limits.entries)
    }

    /// Names that entries have in common.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let mut names = Reader::new(&self.names);
        (0..self.names_len).map(move |_| names.bytes().unwrap_or_default())
    }

    /// The last that was ever here.
    pub fn edge(&self) -> StreamId {
        self.edge
    }

    /// Whether it holds so many times what one takes, in at least two entries.
    pub fn is_overfull(&self, limits: NodeLimits, times: usize) -> bool {
        let is_over = |len: usize, most: usize| most > 0 && len > most.saturating_mul(times);
        self.count > 1
            && (is_over(self.count, limits.entries) || is_over(self.bytes.len(), limits.bytes))
    }

    /// Where each entry from there on begins, and what it is.
    fn frames(&self, mut at: usize) -> impl Iterator<Item = (usize, &[u8])> {
        std::iter::from_fn(move || {
            let start = at;
            let mut reader = Reader::new(self.bytes.get(at..)?);
            let entry = reader.bytes().ok()?;
            at = self.bytes.len() - reader.rest().len();
            Some((start, entry))
        })
    }

    /// Where each entry begins, and its id.
    fn places(&self, base: StreamId) -> impl Iterator<Item = (usize, StreamId)> {
        self.frames(0)
            .map_while(move |(at, entry)| Some((at, read_id(base, &mut Reader::new(entry))?.0)))
    }

    /// Where the first entry begins that is not before an id; the end where all are.
    fn seek(&self, base: StreamId, from: StreamId) -> usize {
        let Some(ms) = from.ms.checked_sub(base.ms) else {
            return 0;
        };
        // As entries have it, so that none of them is made an id.
        let seq = match ms {
            0 => from.seq.saturating_sub(base.seq),
            _ => from.seq,
        };
        let is_before = |entry: &[u8]| {
            let mut reader = Reader::new(entry);
            let parts = (reader.u8(), reader.varint(), reader.varint());
            matches!(parts, (Ok(_), Ok(its_ms), Ok(its_seq)) if (its_ms, its_seq) < (ms, seq))
        };
        let mut frames = self.frames(0);
        let found = frames.find(|(_, entry)| !is_before(entry));
        found.map_or(self.bytes.len(), |(at, _)| at)
    }

    /// The entry that begins here.
    fn entry(&self, base: StreamId, at: usize) -> Option<Entry<'_>> {
        self.read(base, Reader::new(self.bytes.get(at..)?).bytes().ok()?)
    }

    /// The entry that these bytes are.
    fn read<'b>(&'b self, base: StreamId, bytes: &'b [u8]) -> Option<Entry<'b>> {
        let mut reader = Reader::new(bytes);
        let (id, has_same) = read_id(base, &mut reader)?;
        let fields = if has_same {
            Fields {
                len: self.names_len,
                names: &self.names,
                values: Some(reader.rest()),
            }
        } else {
            let len = usize::try_from(reader.varint().ok()?).ok()?;
            Fields::of(reader.rest(), len)
        };
        Some(Entry { id, fields })
    }

    /// The last entry's id.
    pub fn last(&self, base: StreamId) -> StreamId {
        self.entry(base, self.last).map_or(base, |entry| entry.id)
    }

    /// The entries, upwards.
    pub fn iter(&self, base: StreamId) -> impl Iterator<Item = Entry<'_>> {
        self.frames(0)
            .map_while(move |(_, entry)| self.read(base, entry))
    }

    /// The same from an id on.
    pub fn iter_from(&self, base: StreamId, from: StreamId) -> impl Iterator<Item = Entry<'_>> {
        self.frames(self.seek(base, from))
            .map_while(move |(_, entry)| self.read(base, entry))
    }

    /// The entries, downwards.
    pub fn iter_back(&self, base: StreamId) -> impl Iterator<Item = Entry<'_>> {
        let frames: Vec<&[u8]> = self.frames(0).map(|(_, entry)| entry).collect();
        let entries = frames.into_iter().rev();
        entries.map_while(move |entry| self.read(base, entry))
    }

    pub fn get(&self, base: StreamId, id: StreamId) -> Option<Fields<'_>> {
        let entry = self.entry(base, self.seek(base, id))?;
        (entry.id == id).then_some(entry.fields)
    }

    /// Puts an entry in that is not there.
    pub fn insert(&mut self, base: StreamId, id: StreamId, fields: Fields<'_>) {
        let mut entry = Vec::new();
        let has_same = self.encode(base, id, fields, &mut entry);
        self.packed += pack::entry_len(base, id, fields, has_same);
        self.edge = self.edge.max(id);
        let mut framed = Vec::with_capacity(entry.len() + 5);
        varint::put_bytes(&mut framed, &entry);
        let is_newest = self.count == 0 || self.last(base) < id;
        if is_newest {
            self.last = self.bytes.len();
            if self.bytes.capacity() - self.bytes.len() < framed.len() {
                self.bytes
                    .reserve_exact(framed.len().max(self.bytes.len() / 4));
            }
            self.bytes.extend_from_slice(&framed);
        } else {
            let behind = self.places(base).find(|(_, here)| *here > id);
            let at = behind.map_or(self.bytes.len(), |(at, _)| at);
            self.last += framed.len();
            self.bytes.splice(at..at, framed);
        }
        self.count += 1;
    }

    /// Says whether its names are those of the block.
    fn encode(&self, base: StreamId, id: StreamId, fields: Fields<'_>, out: &mut Vec<u8>) -> bool {
        let has_same = fields.len() == self.names_len && {
            let mut names = Reader::new(&self.names);
            fields
                .iter()
                .all(|(name, _)| names.bytes().ok() == Some(name))
        };
        let ms = id.ms - base.ms;
        let seq = if ms == 0 { id.seq - base.seq } else { id.seq };
        out.push(if has_same { SAME_NAMES } else { 0 });
        varint::put(out, ms);
        varint::put(out, seq);
        if !has_same {
            varint::put(out, fields.len() as u64);
        }
        for (name, value) in fields.iter() {
            if !has_same {
                varint::put_bytes(out, name);
            }
            varint::put_bytes(out, value);
        }
        has_same
    }

    /// Takes an entry out that is there, and is not the only one; where it was `put_back`, as if it had never been there.
    pub fn remove(&mut self, base: StreamId, id: StreamId, put_back: bool) {
        let mut places = self.places(base).skip_while(|(_, here)| *here != id);
        let Some((at, _)) = places.next() else {
            return;
        };
        let end = places.next().map_or(self.bytes.len(), |(next, _)| next);
        drop(places);
        if put_back {
            if let Some(entry) = self.entry(base, at) {
                let has_same = entry.fields.values.is_some();
                self.packed -= pack::entry_len(base, id, entry.fields, has_same);
            }
        } else {
            self.deleted += 1;
        }
        self.bytes.drain(at..end);
        self.count -= 1;
        self.find_last(base);
        if put_back && self.edge == id {
            self.edge = self.last(base);
        }
    }

    fn find_last(&mut self, base: StreamId) {
        let last = self.places(base).last();
        self.last = last.map_or(0, |(at, _)| at);
    }

    /// Takes out all up to an id, which one at least is not; how many there were.
    pub fn trim_through(&mut self, base: StreamId, id: StreamId) -> usize {
        let before = self
            .places(base)
            .take_while(|(_, here)| *here <= id)
            .count();
        let at = self.places(base).nth(before).map_or(0, |(at, _)| at);
        if before < self.count {
            self.bytes.drain(..at);
            self.count -= before;
            self.deleted += before;
            self.last -= at;
            return before;
        }
        0
    }

    /// Gives the upper half away, as a block of its own under the id it is returned with.
    pub fn split(&mut self, base: StreamId) -> (StreamId, Self) {
        let kept = self.count / 2;
        let mut upper: Option<(StreamId, Self)> = None;
        for entry in self.iter(base).skip(kept) {
            match &mut upper {
                None => upper = Some((entry.id, Self::of(entry.id, entry.fields))),
                Some((middle, block)) => block.insert(*middle, entry.id, entry.fields),
            }
        }
        let end = self
            .places(base)
            .nth(kept)
            .map_or(self.bytes.len(), |(at, _)| at);
        let packed = upper.as_ref().map_or(0, |(_, block)| block.packed);
        // What was deleted stays with the lower half; names are counted at both.
        self.packed = self.packed.saturating_sub(packed);
        self.bytes.truncate(end);
        self.count = kept;
        self.find_last(base);
        self.edge = self.last(base);
        // A block of more than one entry has an upper half.
        upper.unwrap_or_else(|| (base, self.clone()))
    }
}

/// An entry's id, and whether its names are those of the block.
fn read_id(base: StreamId, reader: &mut Reader<'_>) -> Option<(StreamId, bool)> {
    let flags = reader.u8().ok()?;
    let (ms, seq) = (reader.varint().ok()?, reader.varint().ok()?);
    let id = StreamId {
        ms: base.ms.checked_add(ms)?,
        seq: if ms == 0 {
            base.seq.checked_add(seq)?
        } else {
            seq
        },
    };
    Some((id, flags & SAME_NAMES != 0))
}
