//! Payloads recorded from Redis 7.0.15, both ways, and bytes that no server writes.

use super::*;
use proptest::prelude::*;

mod goldens;
mod old_forms;
mod properties;

/// Values and what DUMP makes of them where they are not compressed.
const PLAIN: &[(&[u8], &[u8])] = &[
    (b"", b"\x00\x00\x0a\x00]\x9b\x5c@\x0f\x7f\xa2\xda"),
    (b"0", b"\x00\xc0\x00\x0a\x00\x98@\xa7x\xf8P\x03\x08"),
    (b"-1", b"\x00\xc0\xff\x0a\x00\x0c\x93~$\x85\x08\x9d\xc5"),
    (b"127", b"\x00\xc0\x7f\x0a\x00\x0d\xb5\xeb1RT\xc5\x14"),
    (b"128", b"\x00\xc1\x80\x00\x0a\x00\xebz\xb3\xb5\x10\xcfKe"),
    (b"-128", b"\x00\xc0\x80\x0a\x00\x99f2m/\x0c[\xd9"),
    (b"-129", b"\x00\xc1\x7f\xff\x0a\x00\x17`\x82(T\x80\x84\x80"),
    (b"32767", b"\x00\xc1\xff\x7f\x0a\x00IZ7\xda\x17\xf4\xd5+"),
    (b"32768", b"\x00\xc2\x00\x80\x00\x00\x0a\x00E\xd8.\xed\xd5\xbd\xa9\x10"),
    (b"-32769", b"\x00\xc2\xff\x7f\xff\xff\x0a\x00\xae\xe3LM\x06\xc6\x856"),
    (b"2147483647", b"\x00\xc2\xff\xff\xff\x7f\x0a\x00,t\xe5\x9e\xe0.\xad\xa1"),
    (b"2147483648", b"\x00\x0a2147483648\x0a\x00\xe7\xb1)\xa3L\x1dv\xee"),
    (b"-2147483648", b"\x00\xc2\x00\x00\x00\x80\x0a\x00\xc7O\x87>3U\x81\x87"),
    (b"-2147483649", b"\x00\x0b-2147483649\x0a\x00\xc2a7y\x08\xf2\x02\x8c"),
    (b"9223372036854775807", b"\x00\x139223372036854775807\x0a\x00:e~\x94\x81\xe8_\x22"),
    (b"01", b"\x00\x0201\x0a\x00l\xdd\xc4A\x14L}\xa4"),
    (b"+1", b"\x00\x02+1\x0a\x00\xc2\x86\xf0\xd7C\x9a\xeeo"),
    (b"-0", b"\x00\x02-0\x0a\x00\xd5A\x1f\xd9\xd6\xd0P\xcc"),
    (b"hello", b"\x00\x05hello\x0a\x00cr\xdfve4 \x0a"),
    (b"\x00\xff", b"\x00\x02\x00\xff\x0a\x00\xf5\xf2\xc8+e\xec5}"),
    (b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", b"\x00?xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a\x00\x14\x0cy\x5c\xdf\xfb\xaa\xfb"),
    (b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", b"\x00@@xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a\x007l\x9d\x02=\xc5)s"),
];

/// Texts and what DUMP makes of them with `rdbcompression`.
const COMPRESSED: &[(&[u8], usize, &[u8])] = &[
    (b"a", 100, b"\x00\xc3\x09@d\x01aa\xe0W\x00\x01aa\x0a\x00\xe8\xa3\xb5\x07\xb0m\xf2q"),
    (b"abc", 30, b"\x00\xc3\x0b@Z\x03abca\xe0K\x02\x01bc\x0a\x00#\x806\xf9\xe2\xd0\xc7\x80"),
    (b"abcdefgh-", 1000, b"\x00\xc3@wc(\x09abcdefgh-a\xe0\xff\x08\xe1\xff\x0d\xe2\xff\x12\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\xff\x17\xe3\x03\x17\x01h-\x0a\x00 >\xdek\xc7\x0c$,"),
    (b"\x00", 300, b"\x00\xc3\x0cA,\x01\x00\x00\xe0\xff\x00\xe0\x17\x00\x01\x00\x00\x0a\x00\xa4\x05bi\x19\x03%b"),
    (b"0123456789abcdefghijklmnopqrstuvwxyz", 3, b"\x00\xc3-@l\x1f0123456789abcdefghijklmnopqrstuv\x04wxyz0\xe0<#\x01yz\x0a\x00r\x8c\xedlIxy+"),
];

/// A list: no value that is known here, yet.
const LIST: &[u8] = b"\x12\x01\x02\x0a\x0a\x00\x00\x00\x01\x00\x81a\x02\xff\x0a\x00\x09\xb9\xed\xf5\x94\xde\xd9\x95";

/// Content with a footer of this version.
fn sealed(content: &[u8], version: u16) -> Vec<u8> {
    let mut out = [content, &version.to_le_bytes()].concat();
    let checksum = CRC.checksum(&out);
    out.extend_from_slice(&checksum.to_le_bytes());
    out
}

#[test]
fn payloads_are_those_of_redis() {
    for (value, payload) in PLAIN {
        assert_eq!(dump(value), *payload, "{value:?}");
        assert_eq!(restore(payload).as_deref(), Ok(*value), "{value:?}");
    }
    for (part, times, payload) in COMPRESSED {
        let value = part.repeat(*times);
        assert_eq!(restore(payload), Ok(value), "{part:?}");
    }
    for len in [0x3fff, 0x4000, 100_000] {
        let value = vec![b'x'; len];
        assert_eq!(restore(&dump(&value)), Ok(value));
    }
}

#[test]
fn a_payload_of_redis_7_2_or_with_something_behind_its_value_is_taken_and_a_later_one_is_not() {
    assert_eq!(restore(&sealed(b"\x00\x01v", 11)), Ok(b"v".to_vec()));
    let keydb = sealed(b"\x00\x01v\xfa\x0bmvcc-tstamp\x031.5", 9);
    assert_eq!(restore(&keydb), Ok(b"v".to_vec()));
    let later = restore(&sealed(b"\x00\x01v", 12));
    assert_eq!(later, Err(PayloadError::Footer));
}

#[test]
fn a_length_may_lead_into_the_footer_as_in_redis() {
    assert_eq!(restore(&sealed(b"\x00\x03v", 10)), Ok(b"v\n\0".to_vec()));
    assert_eq!(restore(&sealed(b"\x00\xc0", 10)), Ok(b"10".to_vec()));
}

#[test]
fn what_is_no_string_is_refused() {
    assert_eq!(restore(LIST), Err(PayloadError::Format));
    let bad: &[&[u8]] = &[
        b"",
        b"\x00",
        b"\x00\x20v",
        b"\x00\x41",
        b"\x00\x80\x00\x00\x00",
        b"\x00\x80\xff\xff\xff\xffv",
        b"\x00\x81\xff\xff\xff\xff\xff\xff\xff\xffv",
        b"\x00\x82v",
        b"\x00\xc4vvvv",
        // Compressed: nothing, too short, too long, from before the beginning, cut.
        b"\x00\xc3\x00\x00",
        b"\x00\xc3\x02\x02\x00v",
        b"\x00\xc3\x03\x01\x01vv",
        b"\x00\xc3\x04\x05\x00v\x20\x05",
        b"\x00\xc3\x03\x05\x00v\xe0",
        b"\x00\xc3\x02\x80\xff\xff\xff\xff\x00v",
        b"\x00\xc3\xc0\x01\x00v",
    ];
    for content in bad {
        assert_eq!(
            restore(&sealed(content, 10)),
            Err(PayloadError::Format),
            "{content:?}"
        );
    }
}

proptest! {
    #[test]
    fn a_value_comes_back(value in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(restore(&dump(&value)), Ok(value));
    }

    #[test]
    fn a_number_comes_back(number: i64, shift in 0..64_u32) {
        let value = (number >> shift).to_string().into_bytes();
        prop_assert_eq!(restore(&dump(&value)), Ok(value));
    }

    #[test]
    fn any_bytes_with_a_right_footer_are_refused_or_taken(
        content in proptest::collection::vec(any::<u8>(), 0..200), kind in 0..6_usize,
    ) {
        let start: [&[u8]; 6] = [b"", b"\x00", b"\x00\xc3", b"\x00\xc3\x20\x40\x60", b"\x00\xc3\x40\x80\x41\x00", b"\x00\x80"];
        if let Ok(value) = restore(&sealed(&[start[kind], &content].concat(), 10)) {
            prop_assert!(value.len() <= lzf::RATIO_MAX * (content.len() + 16));
            prop_assert_eq!(restore(&dump(&value)), Ok(value));
        }
    }

    #[test]
    fn a_flipped_bit_is_refused(value in proptest::collection::vec(any::<u8>(), 0..50), bit: usize) {
        let mut payload = dump(&value);
        let bit = bit % (payload.len() * 8);
        payload[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(restore(&payload), Err(PayloadError::Footer));
    }
}
