//! DEBUG OBJECT and DEBUG DIGEST-VALUE, which look at keys: text and digest are those of Redis.
//!
//! Invariant: equal values with or without a deadline have equal digests on every node, whatever their encoding.

use std::fmt::Write as _;

use sha1::{Digest, Sha1};

use crate::commands::call::DataCall;
use crate::commands::docs::Docs;
use crate::commands::keys::{encoding_name, payload_of};
use crate::commands::table::{Flags, Handler, Keys, Row, ServerCommand, Stamps};
use crate::db::op::Kind;
use crate::db::stream::StreamId;
use crate::db::views::{HashView, ListView, SetView, ZsetView};
use crate::db::{UnixMillis, View};
use crate::resp::{Args, write_double};

const NO_SUCH_KEY: &str = "ERR no such key";

/// The digest of no value at all.
const NO_DIGEST: [u8; 20] = [0; 20];

/// Redis's clock of accesses counts seconds in so many bits.
const LRU_BITS: u32 = 24;

/// DEBUG OBJECT. COMMAND knows DEBUG as a whole only.
static OBJECT: Row = looking(2, object);

/// DEBUG DIGEST-VALUE.
static DIGEST_VALUE: Row = looking(-1, digest_value);

const fn looking(last: i16, handler: fn(&mut DataCall<'_, '_>)) -> Row {
    Row {
        name: "debug",
        arity: -2,
        flags: Flags::READONLY.and(Flags::WHOLE),
        keys: Keys::Range {
            first: 2,
            last,
            step: 1,
        },
        stamps: Stamps::None,
        handler: Handler::Data(handler),
        docs: &Docs::NONE,
    }
}

/// The row that carries a call of DEBUG out over the keys that it names, where it names any.
pub fn data_row(row: &Row, args: Args<'_>) -> Option<&'static Row> {
    if !matches!(row.handler, Handler::Server(ServerCommand::Debug)) {
        return None;
    }
    match (args.try_get(1)?.to_ascii_lowercase().as_slice(), args.len()) {
        (b"object", 3) => Some(&OBJECT),
        (b"digest-value", _) => Some(&DIGEST_VALUE),
        _ => None,
    }
}

fn object(call: &mut DataCall<'_, '_>) {
    let (key, now) = (call.key(2), call.now);
    match call.look(key, |view| view.map(|view| describe(&view, now))) {
        Some(line) => call.reply.simple(&line),
        None => call.reply.error(NO_SUCH_KEY),
    }
}

fn digest_value(call: &mut DataCall<'_, '_>) {
    let count = call.args.len();
    call.reply.array(count - 2);
    for index in 2..count {
        let key = call.key(index);
        let digest = call.look(key, |view| view.as_ref().map_or(NO_DIGEST, digest));
        let mut text = String::with_capacity(2 * digest.len());
        for byte in digest {
            // Writing into a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        call.reply.simple(&text);
    }
}

/// A line of what is known of a value: its place, how it is held, how long it is in RDB's bytes without their type.
fn describe(view: &View<'_>, now: UnixMillis) -> String {
    let value = view.string().unwrap_or_default();
    // Reads are not counted; the time of the last write is known where keys bear stamps.
    let written = view.stamp.map_or(now, |stamp| stamp.time().millis());
    let idle = now.0.saturating_sub(written.0).max(0) / 1000;
    format!(
        "Value at:{:p} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{idle}",
        value.as_ptr(),
        encoding_name(view.shown),
        payload_of(view).serialized_len(),
        written.0.max(0) / 1000 % (1 << LRU_BITS),
    )
}

/// The digest of a value and of whether it has a deadline.
fn digest(view: &View<'_>) -> [u8; 20] {
    let mut digest = NO_DIGEST;
    mix(&mut digest, &type_number(view.shown.kind()).to_be_bytes());
    if let Some(value) = view.string() {
        mix(&mut digest, value);
    }
    for (_, element) in view.list().into_iter().flat_map(ListView::iter) {
        mix(&mut digest, element);
    }
    for member in view.set().into_iter().flat_map(SetView::iter) {
        blend(&mut digest, member);
    }
    for (field, value) in view.hash().into_iter().flat_map(HashView::iter) {
        blend_pair(&mut digest, field, value);
    }
    for (member, score) in view.zset().into_iter().flat_map(ZsetView::iter) {
        let mut text = Vec::new();
        write_double(&mut text, score);
        blend_pair(&mut digest, member, &text);
    }
    let entries = view.stream().map(|stream| &stream.entries);
    for entry in entries
        .into_iter()
        .flat_map(|entries| entries.range(StreamId::MIN, StreamId::MAX))
    {
        mix(
            &mut digest,
            format!("{}.{}", entry.id.ms, entry.id.seq).as_bytes(),
        );
        for (name, value) in entry.fields.iter() {
            mix(&mut digest, name);
            mix(&mut digest, value);
        }
    }
    if let Some(job) = view.job() {
        mix(&mut digest, job);
    }
    if view.deadline.is_some() {
        blend(&mut digest, b"!!expire!!");
    }
    digest
}

/// Redis's number of a type.
fn type_number(kind: Kind) -> u32 {
    match kind {
        Kind::String => 0,
        Kind::List => 1,
        Kind::Set => 2,
        Kind::Zset => 3,
        Kind::Hash => 4,
        Kind::Stream => 6,
        // KeyDB's own.
        Kind::Job => 7,
    }
}

/// Adds two that belong together, so that the order of such pairs does not matter.
fn blend_pair(digest: &mut [u8; 20], name: &[u8], value: &[u8]) {
    let mut pair = NO_DIGEST;
    mix(&mut pair, name);
    mix(&mut pair, value);
    blend(digest, &pair);
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
    use crate::db::body::Shown;
    use crate::db::table::KeyHasher;

    fn view(value: &[u8], deadline: Option<i64>) -> View<'_> {
        View {
            shown: Shown::String(value),
            hasher: Box::leak(Box::new(KeyHasher::new(1))),
            deadline: deadline.map(UnixMillis),
            member_deadlines: None,
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
