//! The bytes of files.

use proptest::prelude::*;

use super::writer::Writer;
use super::*;
use crate::commands::payload::Content;
use crate::db::body::Shown;
use crate::db::table::KeyHasher;
use crate::db::{UnixMillis, View};

/// As `redis-server` 7.0.15 writes it: `SET a b`, `SET n 12345`, `SET t x` with a deadline, `RPUSH l 1 two`, and in database 3
/// `SADD s 1 2 300`.
const OF_REDIS: &[u8] = include_bytes!("tests/redis-7.0.15.rdb");

fn read(bytes: &[u8]) -> Result<Vec<Entry>, RdbError> {
    let mut reader = Reader::begin(bytes, true)?;
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        entries.push(entry);
    }
    Ok(entries)
}

fn string(value: &[u8], deadline: Option<UnixMillis>) -> View<'_> {
    // Strings are not hashed.
    static HASHER: std::sync::LazyLock<KeyHasher> = std::sync::LazyLock::new(|| KeyHasher::new(1));
    View {
        shown: Shown::String(value),
        hasher: &HASHER,
        deadline,
        member_deadlines: None,
        stamp: None,
    }
}

/// A key with a string: database, name, value, deadline.
type StringKey<'a> = (u32, &'a [u8], &'a [u8], Option<UnixMillis>);

fn written(keys: &[StringKey<'_>], checked: bool) -> Vec<u8> {
    let fields = [("redis-ver", "7.2.0".to_owned())];
    let mut writer = Writer::begin(Vec::new(), &fields, checked).unwrap();
    writer.library(b"code").unwrap();
    for (db, key, value, deadline) in keys {
        writer.key(*db, key, &string(value, *deadline)).unwrap();
    }
    writer.finish().unwrap()
}

fn key(db: u32, key: &[u8], deadline: Option<UnixMillis>, content: Content) -> Entry {
    Entry::Key {
        db,
        key: key.to_vec(),
        deadline,
        content,
    }
}

#[test]
fn a_file_has_these_bytes_and_comes_back() {
    let when = Some(UnixMillis(0x0102_0304_0506));
    let bytes = written(&[(0, b"a", b"b", None), (2, b"c", b"7", when)], true);
    let golden = [
        &b"REDIS0010\xfa\x09redis-ver\x057.2.0\xf5\x04code\xfe\x00\x00\x01a\x01b\xfe\x02"[..],
        b"\xfc\x06\x05\x04\x03\x02\x01\x00\x00\x00\x01c\xc0\x07\xff",
    ]
    .concat();
    assert_eq!(bytes[..golden.len()], golden[..]);
    assert_eq!(bytes.len(), golden.len() + 8);
    let expected = [
        Entry::Field(b"redis-ver".to_vec(), b"7.2.0".to_vec()),
        Entry::Library(b"code".to_vec()),
        key(0, b"a", None, Content::String(b"b".to_vec())),
        key(2, b"c", when, Content::String(b"7".to_vec())),
    ];
    assert_eq!(read(&bytes).unwrap(), expected);
}

#[test]
fn a_file_of_redis_is_read() {
    let entries = read(OF_REDIS).unwrap();
    let keys: Vec<&Entry> = entries
        .iter()
        .filter(|entry| !matches!(entry, Entry::Field(..)))
        .collect();
    let text = |value: &[u8]| Content::String(value.to_vec());
    let all = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect::<Vec<_>>();
    for expected in [
        key(0, b"a", None, text(b"b")),
        key(0, b"n", None, text(b"12345")),
        key(0, b"t", Some(UnixMillis(4_102_444_800_123)), text(b"x")),
        key(0, b"l", None, Content::List(all(&[b"1", b"two"]))),
        key(3, b"s", None, Content::Set(all(&[b"1", b"2", b"300"]))),
    ] {
        assert!(keys.contains(&&expected), "{expected:?} {keys:?}");
    }
    assert_eq!(keys.len(), 5);
}

#[test]
fn whatever_is_wrong_with_a_file_is_said() {
    let good = written(&[(0, b"a", b"b", None)], true);
    let said = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    assert_eq!(said(b""), "Wrong signature trying to load DB from file");
    assert_eq!(
        said(b"RODIS0010"),
        "Wrong signature trying to load DB from file"
    );
    assert_eq!(
        said(b"REDIS0012\xff"),
        "Can't handle RDB format version 0012"
    );
    assert_eq!(said(b"REDIS0010\x19"), "Unknown RDB encoding type 25");
    assert!(said(b"REDIS0010\xf7").contains("module"));
    for len in 9..good.len() {
        assert!(read(&good[..len]).is_err(), "{len}");
    }
    let mut wrong = good.clone();
    let value = wrong.len() - 10;
    wrong[value] ^= 1;
    assert!(said(&wrong).starts_with("Wrong RDB checksum"));
    // Nobody counts it there, and nobody compares.
    let unchecked = written(&[(0, b"a", b"b", None)], false);
    assert!(unchecked.ends_with(&[0; 8]) && read(&unchecked).is_ok());
    let mut reader = Reader::begin(&wrong[..], false).unwrap();
    while reader.next_entry().unwrap().is_some() {}
}

#[test]
fn entries_larger_than_the_window_are_read() {
    let large = vec![b'x'; 5_000_000];
    let bytes = written(&[(0, b"a", &large, None), (0, b"b", b"c", None)], true);
    let entries = read(&bytes).unwrap();
    assert_eq!(entries[2], key(0, b"a", None, Content::String(large)));
    assert_eq!(entries.len(), 4);
}

proptest! {
    #[test]
    fn strings_come_back_whatever_they_are(
        keys in prop::collection::vec((0u32..16, any::<Vec<u8>>(), any::<Vec<u8>>(), any::<Option<i64>>()), 0..20),
    ) {
        let deadlines: Vec<_> = keys.iter().map(|key| key.3.map(UnixMillis)).collect();
        let all: Vec<_> = keys
            .iter()
            .zip(&deadlines)
            .map(|((db, key, value, _), deadline)| (*db, &key[..], &value[..], *deadline))
            .collect();
        let entries = read(&written(&all, true)).unwrap();
        let expected = all
            .iter()
            .map(|(db, name, value, deadline)| {
                key(*db, name, *deadline, Content::String(value.to_vec()))
            });
        prop_assert_eq!(&entries[2..], &expected.collect::<Vec<_>>()[..]);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, at in 0usize..400, with: u8) {
        let _ = read(&[b"REDIS0011", &bytes[..]].concat());
        let mut changed = OF_REDIS.to_vec();
        if let Some(byte) = changed.get_mut(at) {
            *byte = with;
        }
        if let Ok(mut reader) = Reader::begin(&changed[..], false) {
            while let Ok(Some(_)) = reader.next_entry() {}
        }
    }
}
