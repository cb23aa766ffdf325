//! Payloads recorded from Redis 7.0.15 without `rdbcompression`: what is written is the same to the byte, and what is read the
//! value they were made of.

use super::*;

type Pairs = &'static [(&'static [u8], &'static [u8])];
type Scores = &'static [(&'static [u8], f64)];

const HASHES: &[(Pairs, &[u8])] = &[
(&[(b"f", b"v")], b"\x10\x0d\x0d\x00\x00\x00\x02\x00\x81f\x02\x81v\x02\xff\x0a\x00 \xf1=D#T\x08\x9d"),
(&[(b"", b""), (b"1", b"-1"), (b"01", b"127"), (b"n", b"128"), (b"text", b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")], b"\x10@ee\x00\x00\x00\x0a\x00\x80\x01\x80\x01\x01\x01\xdf\xff\x02\x8201\x03\x7f\x01\x81n\x02\xc0\x80\x02\x84text\x05\xe0@xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxB\xff\x0a\x00\x0b\xdew@\xe1\xc8OZ"),
];

/// In the order of HGETALL.
const HASH_TABLE: (Pairs, &[u8]) = (&[(b"1", b"300"), (b"70000", b"-1"), (b"big", b"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"), (b"f", b"")], b"\x04\x04\xc0\x01\xc1,\x01\xc2p\x11\x01\x00\xc0\xff\x03big@Ayyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\x01f\x00\x0a\x00\xd1\x12\xff\\\xe9\x1a\"W");

const INTEGERS: &[(&[&str], &[u8])] = &[
(&["1"], b"\x0b\x0a\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x0a\x00\x05oa)\x0cI\x054"),
(&["3", "-1", "2"], b"\x0b\x0e\x02\x00\x00\x00\x03\x00\x00\x00\xff\xff\x02\x00\x03\x00\x0a\x00\xc8z\x92*=}\xe7\x8c"),
(&["32767", "-32768"], b"\x0b\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x00\x80\xff\x7f\x0a\x00\"2\xde,\x8b\xa9\xc1\x8d"),
(&["32768", "1"], b"\x0b\x10\x04\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x00\x80\x00\x00\x0a\x00cIe}\xbd\xebjq"),
(&["-32769", "5"], b"\x0b\x10\x04\x00\x00\x00\x02\x00\x00\x00\xff\x7f\xff\xff\x05\x00\x00\x00\x0a\x00\xe6\xb5\xa6b\x9f\xa7\xb9I"),
(&["2147483648", "-1", "7"], b"\x0b \x08\x00\x00\x00\x03\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00\x00\x00\x0a\x00\x7f\xda \x8f\xbf0k\x81"),
(&["-9223372036854775808", "9223372036854775807"], b"\x0b\x18\x08\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\xff\xff\xff\xff\xff\xff\xff\x7f\x0a\x00(\xddc\x92{\xc4\xebz"),
];

/// In the order of SMEMBERS.
const SET_TABLE: (&[&str], &[u8]) = (
    &["", "12", "-70000", "a", "member"],
    b"\x02\x05\x00\xc0\x0c\xc2\x90\xee\xfe\xff\x01a\x06member\x0a\x00\xe2\x9a\xc1O40\xab\x93",
);

const ZSET: (Scores, &[u8]) = (&[(b"e", f64::NEG_INFINITY), (b"h", -4.7e+18), (b"m", -4.611686018427389e+18), (b"l", -4.611686018427388e+18), (b"k", -4097.0), (b"a", 0.0), (b"n", 1e-07), (b"g", 0.1), (b"1", 1.5), (b"b", 1e+17), (b"c", 4.6e+18), (b"i", 4.611686018427388e+18), (b"j", 4.611686018427389e+18), (b"d", 5e+18), (b"f", f64::INFINITY)], b"\x11@\xe0\xe0\x00\x00\x00\x1e\x00\x81e\x02\x84-inf\x05\x81h\x02\x88-4.7e+18\x09\x81m\x02\x97-4.6116860184273889e+18\x18\x81l\x02\xf4\x00\x00\x00\x00\x00\x00\x00\xc0\x09\x81k\x02\xf1\xff\xef\x03\x81a\x02\x00\x01\x81n\x02\x969.9999999999999995e-08\x17\x81g\x02\x930.10000000000000001\x14\x01\x01\x831.5\x04\x81b\x02\xf4\x00\x00\x8a]xEc\x01\x09\x81c\x02\xf4\x00\x00\xcc\xce\xa0{\xd6?\x09\x81i\x02\xf4\x00\x00\x00\x00\x00\x00\x00@\x09\x81j\x02\x964.6116860184273889e+18\x17\x81d\x02\x855e+18\x06\x81f\x02\x83inf\x04\xff\x0a\x00\x9aY\xb3{\x81\xbaJ\x0b");

const ZSET_TABLE: (Scores, &[u8]) = (&[(b"e", f64::NEG_INFINITY), (b"h", -4.7e+18), (b"m", -4.611686018427389e+18), (b"l", -4.611686018427388e+18), (b"k", -4097.0), (b"a", -0.0), (b"n", 1e-07), (b"g", 0.1), (b"1", 1.5), (b"b", 1e+17), (b"c", 4.6e+18), (b"i", 4.611686018427388e+18), (b"j", 4.611686018427389e+18), (b"d", 5e+18), (b"f", f64::INFINITY)], b"\x05\x0f\x01f\x00\x00\x00\x00\x00\x00\xf0\x7f\x01d\x00=\x91`\xe4X\xd1C\x01j\x01\x00\x00\x00\x00\x00\xd0C\x01i\x00\x00\x00\x00\x00\x00\xd0C\x01c\x00fg\xd0=\xeb\xcfC\x01b\x00\xa0\xd8\x85W4vC\xc0\x01\x00\x00\x00\x00\x00\x00\xf8?\x01g\x9a\x99\x99\x99\x99\x99\xb9?\x01nH\xaf\xbc\x9a\xf2\xd7z>\x01a\x00\x00\x00\x00\x00\x00\x00\x80\x01k\x00\x00\x00\x00\x00\x01\xb0\xc0\x01l\x00\x00\x00\x00\x00\x00\xd0\xc3\x01m\x01\x00\x00\x00\x00\x00\xd0\xc3\x01h\x80\x15KFpN\xd0\xc3\x01e\x00\x00\x00\x00\x00\x00\xf0\xff\x0a\x00\xdd-r\x9f\xed\xff\xcc]");

const LIST: (&[&[u8]], &[u8]) = (&[b"0", b"127", b"128", b"-1", b"4095", b"4096", b"-4096", b"-4097", b"32767", b"32768", b"-32768", b"-32769", b"8388607", b"8388608", b"-8388608", b"-8388609", b"2147483647", b"2147483648", b"-2147483648", b"-2147483649", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809", b"01", b"-0", b"+1", b"", b"a"], b"\x12\x01\x02@\xb7\xb7\x00\x00\x00\x1d\x00\x00\x01\x7f\x01\xc0\x80\x02\xdf\xff\x02\xcf\xff\x02\xf1\x00\x10\x03\xd0\x00\x02\xf1\xff\xef\x03\xf1\xff\x7f\x03\xf2\x00\x80\x00\x04\xf1\x00\x80\x03\xf2\xff\x7f\xff\x04\xf2\xff\xff\x7f\x04\xf3\x00\x00\x80\x00\x05\xf2\x00\x00\x80\x04\xf3\xff\xff\x7f\xff\x05\xf3\xff\xff\xff\x7f\x05\xf4\x00\x00\x00\x80\x00\x00\x00\x00\x09\xf3\x00\x00\x00\x80\x05\xf4\xff\xff\xff\x7f\xff\xff\xff\xff\x09\xf4\xff\xff\xff\xff\xff\xff\xff\x7f\x09\x939223372036854775808\x14\xf4\x00\x00\x00\x00\x00\x00\x00\x80\x09\x94-9223372036854775809\x15\x8201\x03\x82-0\x03\x82+1\x03\x80\x01\x81a\x02\xff\x0a\x00\xfdT4+\xab$l\xbf");

/// Elements, nodes of their own from 50 bytes on.
const LIST_PLAIN: &[u8] = b"\x12\x05\x02\x0d\x0d\x00\x00\x00\x02\x00\x81a\x02\x81b\x02\xff\x012pppppppppppppppppppppppppppppppppppppppppppppppppp\x013qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq\x02==\x00\x00\x00\x02\x00\x81c\x02\xb1rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr2\xff\x01<ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss\x0a\x00D\x8c$\x08\xdc\x1f\xe7\x9c";

fn owned(pairs: Pairs) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pairs = pairs.iter();
    pairs
        .map(|(field, value)| (field.to_vec(), value.to_vec()))
        .collect()
}

fn hash(pairs: Pairs, compact: bool) -> Body {
    Body::hash(pairs.iter().copied(), compact)
}

#[test]
fn hashes_are_those_of_redis() {
    for (pairs, payload) in HASHES {
        assert_eq!(hash(pairs, true).seal(), *payload, "{pairs:?}");
        assert_eq!(restore_content(payload), Ok(Content::Hash(owned(pairs))));
    }
    let (pairs, payload) = HASH_TABLE;
    assert_eq!(hash(pairs, false).seal(), payload);
    assert_eq!(restore_content(payload), Ok(Content::Hash(owned(pairs))));
}

#[test]
fn sets_are_those_of_redis() {
    for (members, payload) in INTEGERS {
        let body = Body::set(members.iter(), SetForm::Ints);
        assert_eq!(body.seal(), *payload, "{members:?}");
        let mut numbers: Vec<i64> = members.iter().map(|text| text.parse().unwrap()).collect();
        numbers.sort_unstable();
        let texts = numbers.iter().map(|number| number.to_string().into_bytes());
        assert_eq!(restore_content(payload), Ok(Content::Set(texts.collect())));
    }
    let (members, payload) = SET_TABLE;
    let texts = members.iter().map(|member| member.as_bytes().to_vec());
    assert_eq!(restore_content(payload), Ok(Content::Set(texts.collect())));
    for form in [SetForm::Table, SetForm::Ints] {
        assert_eq!(Body::set(members.iter(), form).seal(), payload);
    }
}

#[test]
fn sorted_sets_are_those_of_redis() {
    let owned = |members: Scores| -> Vec<_> {
        let members = members.iter();
        members
            .map(|(member, score)| (member.to_vec(), *score))
            .collect()
    };
    let (members, payload) = ZSET;
    let body = Body::zset(members.iter().copied(), true);
    assert_eq!(body.seal(), payload);
    assert_eq!(restore_content(payload), Ok(Content::Zset(owned(members))));
    let (members, payload) = ZSET_TABLE;
    let body = Body::zset(members.iter().copied(), false);
    assert_eq!(body.seal(), payload);
    let mut descending = owned(members);
    descending.reverse();
    assert_eq!(restore_content(payload), Ok(Content::Zset(descending)));
    // As a number a negative zero has lost its sign.
    let negative = Body::zset([("a", -0.0)].into_iter(), true);
    assert_eq!(negative, Body::zset([("a", 0.0)].into_iter(), true));
}

#[test]
fn lists_are_those_of_redis() {
    let (elements, payload) = LIST;
    assert_eq!(Body::list(elements.iter()).seal(), payload);
    let owned = elements.iter().map(|element| element.to_vec());
    assert_eq!(restore_content(payload), Ok(Content::List(owned.collect())));
    let texts = [
        "a".to_owned(),
        "b".to_owned(),
        "p".repeat(50),
        "q".repeat(51),
        "c".to_owned(),
        "r".repeat(49),
        "s".repeat(60),
    ];
    let body = Body::list_split(texts.iter(), 50);
    assert_eq!(body.serialized_len(), 246, "DEBUG OBJECT");
    assert_eq!(body.seal(), LIST_PLAIN);
    let owned = texts.iter().map(|text| text.clone().into_bytes());
    assert_eq!(
        restore_content(LIST_PLAIN),
        Ok(Content::List(owned.collect()))
    );
}

/// Their length and checksum stand for payloads that are long.
#[test]
fn long_lists_are_split_into_nodes_as_in_redis() {
    // Around each bound of a length, of its copy behind the element, and of a node.
    const LENGTHS: &[usize] = &[
        62, 63, 64, 65, 124, 125, 126, 127, 128, 4094, 4095, 4096, 4097, 8170, 8171, 8172, 8173,
        8177, 8178, 8179, 8180, 8192, 16376, 16377, 16378, 16379, 16380, 20000, 2097140, 2097141,
        2097142, 2097143, 2097144, 2097145, 2097146, 2097147,
    ];
    let lengths = LENGTHS.iter().map(|len| vec![b'x'; *len]).collect();
    let equal = vec![vec![b'a'; 100]; 200];
    let numbers = (0..20_000).map(|number: i32| number.to_string().into_bytes());
    let mixed = (0..500).map(|number| vec![b'z'; number * number * 7 % 3001]);
    let cases: [(Vec<_>, usize, &[u8; 8]); 4] = [
        (lengths, 16_970_445, b"pD}\xb0\xb5\x02\x10\xd7"),
        (equal, 20_642, b"\xdfs<\xa2\xc5\"\x88\x06"),
        (
            numbers.collect(),
            75_888,
            b"\x08\xd6\xbc\x1e\xac\x92\x8b\x03",
        ),
        (mixed.collect(), 742_616, b"\xe0\xc3!>y\x8cO\xa0"),
    ];
    for (elements, len, checksum) in cases {
        let payload = Body::list(elements.iter()).seal();
        assert_eq!(payload.len(), len);
        assert!(payload.ends_with(checksum), "{len}");
        assert_eq!(restore_content(&payload), Ok(Content::List(elements)));
    }
}

#[test]
fn elements_that_are_too_many_to_be_counted_are_read_nevertheless() {
    for count in [32_767, 32_768, 40_000] {
        let pairs = (0..count).map(|number: i32| {
            let text = number.to_string().into_bytes();
            (text.clone(), text)
        });
        let pairs: Vec<_> = pairs.collect();
        let body = Body::hash(pairs.iter().cloned(), true);
        assert_eq!(restore_content(&body.seal()), Ok(Content::Hash(pairs)));
    }
}
