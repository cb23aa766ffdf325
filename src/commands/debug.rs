//! What DEBUG OBJECT and DEBUG DIGEST-VALUE say of a value: text and digest are those of Redis.
//!
//! Invariant: equal values with or without a deadline have equal digests on every node, whatever their encoding.

use sha1::{Digest, Sha1};

use crate::commands::keys::encoding_name;
use crate::commands::payload;
use crate::db::{UnixMillis, View};

/// The digest of no value at all.
pub const NO_DIGEST: [u8; 20] = [0; 20];

/// Redis's number of the type of strings.
const STRING: u32 = 0;
/// Redis's clock of accesses counts seconds in so many bits.
const LRU_BITS: u32 = 24;

/// A line of what is known of a value: its place, how it is held, how long it is in RDB's bytes without their type.
pub fn describe(view: &View<'_>, now: UnixMillis) -> String {
    let value = view.value;
    // Reads are not counted; the time of the last write is known where keys bear stamps.
    let written = view.stamp.map_or(now, |stamp| stamp.time().millis());
    let idle = now.0.saturating_sub(written.0).max(0) / 1000;
    format!(
        "Value at:{:p} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{idle}",
        value.as_ptr(),
        encoding_name(value),
        payload::serialized_len(value),
        written.0.max(0) / 1000 % (1 << LRU_BITS),
    )
}

/// The digest of a value and of whether it has a deadline.
pub fn digest(view: &View<'_>) -> [u8; 20] {
    let mut digest = NO_DIGEST;
    mix(&mut digest, &STRING.to_be_bytes());
    mix(&mut digest, view.value);
    if view.deadline.is_some() {
        blend(&mut digest, b"!!expire!!");
    }
    digest
}

/// Adds bytes so that their order among others does not matter.
fn blend(digest: &mut [u8; 20], bytes: &[u8]) {
    for (byte, more) in digest.iter_mut().zip(Sha1::digest(bytes)) {
        *byte ^= more;
    }
}

/// Adds bytes so that their order among others matters.
fn mix(digest: &mut [u8; 20], bytes: &[u8]) {
    blend(digest, bytes);
    *digest = Sha1::digest(*digest).into();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(value: &[u8], deadline: Option<i64>) -> View<'_> {
        View {
            value,
            deadline: deadline.map(UnixMillis),
            stamp: None,
        }
    }

    fn hex(bytes: [u8; 20]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn digests_are_those_of_redis() {
        assert_eq!(
            hex(digest(&view(b"b", None))),
            "b78559cd22bce6e6df712eb99ce7f3b08e8f8f1f"
        );
        assert_eq!(
            hex(digest(&view(b"123", None))),
            "89f7f51b707418f666d5b45e053bd5bbbf82ac2b"
        );
        assert_eq!(
            hex(digest(&view(b"1", Some(100)))),
            "5279988c5d1911f474bcbbf2f0a87012d40f8459"
        );
    }

    #[test]
    fn a_description_names_encoding_and_length() {
        let line = describe(&view(b"12345", None), UnixMillis(5_000));
        assert!(line.starts_with("Value at:0x"), "{line}");
        assert!(
            line.ends_with("refcount:1 encoding:int serializedlength:3 lru:5 lru_seconds_idle:0"),
            "{line}"
        );
    }
}
