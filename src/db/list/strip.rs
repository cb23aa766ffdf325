//! Bytes that grow and shrink cheaply at both ends: a vector with room in front too.
//!
//! Invariant: `start` is within `bytes`, and what lies before it is room. Places are counted from `start`.

/// As much room as this is never given back.
const ROOM_MIN: usize = 256;

/// See the head of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Strip {
    bytes: Vec<u8>,
    start: usize,
}

impl Strip {
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Memory of it, room included, without its own fields.
    #[inline]
    pub fn len_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Puts the parts in, one behind the other, before the byte at `at`.
    #[inline]
    pub fn insert(&mut self, at: usize, parts: &[&[u8]]) {
        let (len, more) = (self.len(), parts.iter().map(|part| part.len()).sum());
        let back_room = self.bytes.capacity() - self.bytes.len();
        let is_front = at < len - at;
        if !is_front && back_room >= more {
            if at == len {
                for part in parts {
                    self.bytes.extend_from_slice(part);
                }
                return;
            }
            count_moved(len - at);
            let (from, end) = (self.start + at, self.bytes.len());
            self.bytes.resize(end + more, 0);
            self.bytes.copy_within(from..end, from + more);
        } else if is_front && self.start >= more {
            count_moved(at);
            let start = self.start;
            self.bytes.copy_within(start..start + at, start - more);
            self.start -= more;
        } else {
            let room = if len == 0 { 0 } else { (len / 4).max(16) };
            self.rebuild(at, parts, room, is_front);
            return;
        }
        let mut place = self.start + at;
        for part in parts {
            self.bytes[place..place + part.len()].copy_from_slice(part);
            place += part.len();
        }
    }

    /// All anew, with so much room at one end.
    fn rebuild(&mut self, at: usize, parts: &[&[u8]], room: usize, in_front: bool) {
        count_moved(self.len());
        let more: usize = parts.iter().map(|part| part.len()).sum();
        let mut bytes = Vec::with_capacity(self.len() + more + room);
        let start = if in_front { room } else { 0 };
        bytes.resize(start, 0);
        let (before, behind) = self.as_slice().split_at(at);
        bytes.extend_from_slice(before);
        for part in parts {
            bytes.extend_from_slice(part);
        }
        bytes.extend_from_slice(behind);
        *self = Self { bytes, start };
    }

    /// Takes out `count` bytes from `at` on.
    #[inline]
    pub fn remove(&mut self, at: usize, count: usize) {
        let behind = self.len() - at - count;
        let from = self.start + at;
        if at < behind {
            count_moved(at);
            self.bytes.copy_within(self.start..from, self.start + count);
            self.start += count;
        } else {
            count_moved(behind);
            self.bytes.copy_within(from + count.., from);
            self.bytes.truncate(from + behind);
        }
        self.give_back();
    }

    /// Gives room back where it is more than what is there.
    fn give_back(&mut self) {
        if self.bytes.capacity() - self.len() > self.len() + ROOM_MIN {
            self.rebuild(0, &[], self.len() / 8, false);
        }
    }

    /// `count` bytes from `at` on, which are not here any more.
    pub fn take(&mut self, at: usize, count: usize) -> Self {
        let bytes = self.as_slice()[at..at + count].to_vec();
        count_moved(count);
        self.remove(at, count);
        Self { bytes, start: 0 }
    }

    /// What was elsewhere comes to the end.
    pub fn append(&mut self, parts: &[&[u8]]) {
        count_moved(parts.iter().map(|part| part.len()).sum());
        self.insert(self.len(), parts);
    }

    /// Everything from `at` on, which is not here any more.
    pub fn split_off(&mut self, at: usize) -> Self {
        self.take(at, self.len() - at)
    }

    /// Gives all room back.
    pub fn seal(&mut self) {
        if self.bytes.capacity() > self.len() {
            self.rebuild(0, &[], 0, false);
        }
    }
}

#[cfg(test)]
thread_local! {
    /// Bytes that were moved within nodes or from one to another, in this thread.
    pub(super) static MOVED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
fn count_moved(bytes: usize) {
    MOVED.set(MOVED.get() + bytes);
}

#[cfg(not(test))]
#[inline]
fn count_moved(_: usize) {}
