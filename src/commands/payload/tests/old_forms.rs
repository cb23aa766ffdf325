//! Forms that only older or newer servers write, made by hand after their layouts; and everything that is wrong with a form.

use super::*;

/// The bytes as a string of a payload, behind the type.
fn typed(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    strings::put_string(&mut out, bytes);
    sealed(&out, 9)
}

fn ziplist(elements: &[&[u8]]) -> Vec<u8> {
    let (mut body, mut before, mut last) = (Vec::new(), 0, 10);
    for element in elements {
        last = 10 + body.len();
        if before < 254 {
            body.push(before as u8);
        } else {
            body.push(0xfe);
            body.extend_from_slice(&(before as u32).to_le_bytes());
        }
        body.extend_from_slice(element);
        before = 10 + body.len() - last;
    }
    let mut out = (body.len() as u32 + 11).to_le_bytes().to_vec();
    out.extend_from_slice(&(last as u32).to_le_bytes());
    out.extend_from_slice(&(elements.len() as u16).to_le_bytes());
    out.extend_from_slice(&body);
    out.push(0xff);
    out
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn fields(pairs: &[(&str, &str)]) -> Content {
    let pairs = pairs.iter();
    Content::Hash(
        pairs
            .map(|(field, value)| (field.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect(),
    )
}

fn scores(members: &[(&str, f64)]) -> Content {
    let members = members.iter();
    Content::Zset(
        members
            .map(|(member, score)| (member.as_bytes().to_vec(), *score))
            .collect(),
    )
}

#[test]
fn a_ziplist_has_texts_of_three_lengths_and_numbers_of_six() {
    let middle = [&[0x41, 0x2c][..], &[b'm'; 300]].concat();
    let long = [&[0x80, 0, 0, 0x40, 1][..], &[b'l'; 0x4001]].concat();
    let list = ziplist(&[
        b"\x05short",
        &middle,
        &long,
        b"\x00",
        b"\xf1",
        b"\xfd",
        b"\xfe\x80",
        b"\xc0\x00\x80",
        b"\xf0\x00\x00\x80",
        b"\xd0\x00\x00\x00\x80",
        b"\xe0\x00\x00\x00\x00\x00\x00\x00\x80",
    ]);
    let (middle, long) = ("m".repeat(300), "l".repeat(0x4001));
    let expected = texts(&[
        "short",
        &middle,
        &long,
        "",
        "0",
        "12",
        "-128",
        "-32768",
        "-8388608",
        "-2147483648",
        "-9223372036854775808",
    ]);
    let read = restore_content(&typed(10, &list));
    assert_eq!(read, Ok(Content::List(expected.clone())));
    // A list of nodes of them, one of which is empty.
    let mut nodes = vec![14, 3];
    for node in [&list, &ziplist(&[]), &list] {
        strings::put_string(&mut nodes, node);
    }
    let read = restore_content(&sealed(&nodes, 9));
    let twice = [expected.clone(), expected].concat();
    assert_eq!(read, Ok(Content::List(twice)));
}

#[test]
fn hashes_and_sorted_sets_are_ziplists_too() {
    let list = ziplist(&[
        b"\x01a",
        b"\xf2",
        b"\x01b",
        b"\x031.5",
        b"\xf4",
        b"\x04-inf",
    ]);
    assert_eq!(
        restore_content(&typed(13, &list)),
        Ok(fields(&[("a", "1"), ("b", "1.5"), ("3", "-inf")]))
    );
    assert_eq!(
        restore_content(&typed(12, &list)),
        Ok(scores(&[("a", 1.0), ("b", 1.5), ("3", f64::NEG_INFINITY)]))
    );
}

#[test]
fn the_oldest_forms_are_read() {
    let list = sealed(b"\x01\x03\x01a\xc0\x07\x00", 6);
    assert_eq!(
        restore_content(&list),
        Ok(Content::List(texts(&["a", "7", ""])))
    );
    let zset = sealed(b"\x03\x04\x01a\x031.5\x01b\xfe\x01c\xff\xc0\x01\x02-3", 6);
    assert_eq!(
        restore_content(&zset),
        Ok(scores(&[
            ("a", 1.5),
            ("b", f64::INFINITY),
            ("c", f64::NEG_INFINITY),
            ("1", -3.0)
        ]))
    );
    let long = [
        b"\x03\x01k\xfe\x2c\x01\x00\x00\x02".as_slice(),
        &[b'v'; 302],
    ]
    .concat();
    let mut zipmap = b"\x02\x01a\x02\x00xy".to_vec();
    zipmap.extend_from_slice(&long[1..]);
    zipmap.push(0xff);
    assert_eq!(
        restore_content(&typed(9, &zipmap)),
        Ok(fields(&[("a", "xy"), ("k", &"v".repeat(300))]))
    );
    // Pairs that are too many for a byte are not counted.
    zipmap[0] = 254;
    assert!(restore_content(&typed(9, &zipmap)).is_ok());
    for wrong in [1, 3, 253, 255] {
        zipmap[0] = wrong;
        assert!(restore_content(&typed(9, &zipmap)).is_err());
    }
}

#[test]
fn a_set_is_a_listpack_in_redis_7_2() {
    let set = sealed(
        b"\x14\x0d\x0d\x00\x00\x00\x02\x00\x81a\x02\x81b\x02\xff",
        11,
    );
    assert_eq!(restore_content(&set), Ok(Content::Set(texts(&["a", "b"]))));
}

#[test]
fn strings_that_are_compressed_may_hold_a_collection() {
    // A listpack of "a" 40 times: nine bytes as they are, 117 that repeat, the end.
    let packed = b"\x08\x7f\x00\x00\x00\x28\x00\x81a\x02\xe0\x6c\x02\x00\xff";
    let mut payload = vec![18, 1, 2, 0xc3];
    strings::put_len(&mut payload, packed.len());
    strings::put_len(&mut payload, 7 + 3 * 40);
    payload.extend_from_slice(packed);
    assert_eq!(
        restore_content(&sealed(&payload, 10)),
        Ok(Content::List(vec![b"a".to_vec(); 40]))
    );
}

#[test]
fn what_is_wrong_with_a_collection_is_refused() {
    let two = ziplist(&[b"\x01a", b"\x01b"]);
    let changed = |at: usize, byte: u8| {
        let mut list = two.clone();
        list[at] = byte;
        typed(13, &list)
    };
    assert!(restore_content(&typed(13, &two)).is_ok());
    let mut bad: Vec<Vec<u8>> = vec![
        // Length, place of the last, number, length before, end.
        changed(0, 16),
        changed(4, 10),
        changed(4, 0xff),
        changed(8, 1),
        changed(13, 2),
        changed(14, 2),
        changed(14, 0xff),
        changed(16, 0),
        typed(13, &ziplist(&[b"\x01a"])),
        typed(13, &ziplist(&[b"\x01a", b"\x00", b"\x01a", b"\x00"])),
        typed(12, &ziplist(&[b"\x01a", b"\x03nan"])),
        typed(12, &ziplist(&[b"\x01a", b"\x00"])),
        typed(13, &ziplist(&[])),
        typed(12, &ziplist(&[])),
        typed(10, &ziplist(&[])),
        typed(10, b""),
        typed(9, b"\x00\xff"),
        typed(9, b"\x01\x01a\xff"),
        typed(9, b"\x01\x01a\x01\x00v"),
        typed(9, b"\x01\x01a\x01\x01v\xff"),
        typed(9, b"\x02\x01a\x00\x00\x01a\x00\x00\xff"),
    ];
    let contents: &[&[u8]] = &[
        // Empty.
        b"\x01\x00",
        b"\x02\x00",
        b"\x03\x00",
        b"\x04\x00",
        b"\x05\x00",
        b"\x0e\x00",
        b"\x12\x00",
        b"\x12\x01\x02\x07\x07\x00\x00\x00\x00\x00\xff",
        b"\x10\x07\x07\x00\x00\x00\x00\x00\xff",
        b"\x14\x07\x07\x00\x00\x00\x00\x00\xff",
        b"\x12\x01\x01\x00",
        // Twice.
        b"\x02\x02\x01a\x01a",
        b"\x02\x02\x011\xc0\x01",
        b"\x04\x02\x01a\x01b\x01a\x01c",
        b"\x05\x02\x01a\x00\x00\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x00\x00\x00\x00\xf0?",
        b"\x14\x0d\x0d\x00\x00\x00\x02\x00\x81a\x02\x81a\x02\xff",
        // NaN, or no number.
        b"\x05\x01\x01a\x00\x00\x00\x00\x00\x00\xf8\x7f",
        b"\x03\x01\x01a\xfd",
        b"\x03\x01\x01a\x03nan",
        b"\x03\x01\x01a\x00",
        // More than there are; a length that is an encoding; a node of no kind.
        b"\x01\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01a",
        b"\x04\x80\xff\xff\xff\xff\x01a\x01b",
        b"\x02\xc0\x01\x01a",
        b"\x12\x01\x03\x01a",
        b"\x12\x01\xc0\x01\x01a",
        // Listpacks: odd, of other lengths or counts, without an end, wrong backwards, of no encoding.
        b"\x10\x0a\x0a\x00\x00\x00\x01\x00\x81a\x02\xff",
        b"\x14\x0a\x0b\x00\x00\x00\x01\x00\x81a\x02\xff",
        b"\x14\x0a\x0a\x00\x00\x00\x02\x00\x81a\x02\xff",
        b"\x14\x0a\x0a\x00\x00\x00\x01\x00\x81a\x02\x00",
        b"\x14\x0a\x0a\x00\x00\x00\x01\x00\x81a\x03\xff",
        b"\x14\x0a\x0a\x00\x00\x00\x01\x00\xf5a\x02\xff",
        b"\x14\x0a\x0a\x00\x00\x00\x01\x00\x8fa\x02\xff",
        b"\x14\x0b\x0b\x00\x00\x00\x01\x00\x81a\x02\xff\xff",
        b"\x14\x06\x06\x00\x00\x00\x00\x00",
        b"\x14\x00",
        // Intsets: empty, of other lengths, of other widths, not ascending.
        b"\x0b\x08\x02\x00\x00\x00\x00\x00\x00\x00",
        b"\x0b\x0a\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00",
        b"\x0b\x09\x01\x00\x00\x00\x01\x00\x00\x00\x01",
        b"\x0b\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x01\x00",
        b"\x0b\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\xff\xff",
        b"\x0b\x04\x02\x00\x00\x00",
        // Modules and streams.
        b"\x06\x01a",
        b"\x07\x01a",
        b"\x0f\x01a",
        b"\x13\x01a",
        b"\x15\x01a",
    ];
    bad.extend(contents.iter().map(|content| sealed(content, 10)));
    for payload in &bad {
        assert_eq!(
            restore_content(payload),
            Err(PayloadError::Format),
            "{payload:?}"
        );
    }
}
