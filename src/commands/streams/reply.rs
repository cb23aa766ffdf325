//! Entries and ids in replies.

use crate::db::stream::{Entry, StreamId};
use crate::resp::Reply;

/// An id.
pub(super) fn id(reply: &mut Reply, id: StreamId) {
    let mut text = [0; 41];
    let mut ms = itoa::Buffer::new();
    let mut seq = itoa::Buffer::new();
    let parts = [ms.format(id.ms), "-", seq.format(id.seq)];
    let mut len = 0;
    for part in parts {
        if let Some(place) = text.get_mut(len..len + part.len()) {
            place.copy_from_slice(part.as_bytes());
            len += part.len();
        }
    }
    reply.bulk(text.get(..len).unwrap_or_default());
}

/// An entry: its id, and names and values in turns.
pub(super) fn entry(reply: &mut Reply, entry: Entry<'_>) {
    reply.array(2);
    id(reply, entry.id);
    reply.array(2 * entry.fields.len());
    for (name, value) in entry.fields.iter() {
        reply.bulk(name);
        reply.bulk(value);
    }
}

/// Entries, at most so many.
pub(super) fn entries<'e>(
    reply: &mut Reply,
    all: impl Iterator<Item = Entry<'e>>,
    most: usize,
) -> usize {
    let array = reply.deferred_array();
    let mut len = 0;
    for one in all.take(most) {
        entry(reply, one);
        len += 1;
    }
    reply.set_len(array, len);
    len
}
