//! The bytes of one element, the same in small collections, small sorted sets and large collections.
//!
//! Invariant: what is encoded is split into the same again.
//!
//! ```text
//! key length varint | key | payload length varint | payload
//! ```

use crate::db::elements::Element;
use crate::db::varint::{self, Reader};

/// Appends an element.
pub fn encode(out: &mut Vec<u8>, key: &[u8], payload: &[u8]) {
    varint::put_bytes(out, key);
    varint::put_bytes(out, payload);
}

/// How many bytes [`encode`] writes.
pub fn encoded_len(key: &[u8], payload: &[u8]) -> usize {
    varint::len(key.len() as u64) + key.len() + varint::len(payload.len() as u64) + payload.len()
}

/// The element that begins here, and what stands behind it; none where there is no whole one.
pub fn split(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let mut reader = Reader::new(bytes);
    let key = reader.bytes().ok()?;
    let payload = reader.bytes().ok()?;
    Some(((key, payload), reader.rest()))
}
