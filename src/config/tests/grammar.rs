//! Words, quotes and escapes; any bytes are survived.

use proptest::prelude::*;

use crate::config::Place;
use crate::config::grammar::{UnbalancedQuotes, parse, quote, split_words};

fn check(line: &str, expected: &[&[u8]]) {
    let expected = expected.iter().map(|word| word.to_vec()).collect::<Vec<_>>();
    assert_eq!(split_words(line.as_bytes()), Ok(expected), "{line}");
}

#[test]
fn words_are_split_as_redis_splits_them() {
    check("", &[]);
    check("  \t ", &[]);
    check("a  b\tc", &[b"a", b"b", b"c"]);
    check(r#"a "b c" 'd e'"#, &[b"a", b"b c", b"d e"]);
    check(r#""\n\r\t\b\a\\\"\q""#, &[b"\n\r\t\x08\x07\\\"q"]);
    check(r#""\x00\xfF\xzz\x4""#, &[b"\x00\xffxzzx4"]);
    check(r"'a\'b' '\n'", &[b"a'b", br"\n"]);
    check(r#"a"b c" d"#, &[b"ab c", b"d"]);
    check(r#""" ''"#, &[b"", b""]);
    check("a\\ b", &[b"a\\", b"b"]);
    check("a\0b", &[b"a"]);
}

#[test]
fn quotes_must_close_and_end_the_word() {
    for line in [r#"""#, "'", r#"a "b"#, r#""a"b"#, "'a'b", r#""a\"#, "'a\\'", "\"a\0\""] {
        assert_eq!(split_words(line.as_bytes()), Err(UnbalancedQuotes), "{line}");
    }
}

#[test]
fn comments_and_blank_lines_say_nothing() {
    let text = b"# comment\n\n   # another\r\n \t\r\nport 1 # no comment here\r\n";
    let lines = parse(text, |line| Place::StandardInput { line }).unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].place, Place::StandardInput { line: 5 });
    assert_eq!(lines[0].text, "port 1 # no comment here");
    assert_eq!(lines[0].words.len(), 6);
}

proptest! {
    #[test]
    fn quoted_words_are_read_back(words in prop::collection::vec(any::<Vec<u8>>(), 0..6)) {
        let line = words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
        prop_assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        prop_assert_eq!(split_words(line.as_bytes()), Ok(words));
    }

    #[test]
    fn any_text_is_survived(text: Vec<u8>) {
        let _ = parse(&text, |line| Place::StandardInput { line });
    }

    #[test]
    fn lines_of_quotes_and_escapes_are_survived(text in "[\"'\\\\x0-9a ]{0,40}") {
        if let Ok(words) = split_words(text.as_bytes()) {
            prop_assert!(words.iter().map(Vec::len).sum::<usize>() <= text.len());
        }
    }
}
