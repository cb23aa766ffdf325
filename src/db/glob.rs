//! Glob patterns as Redis matches them: `*`, `?`, `[a-z]`, `[^x]` and `\` before a literal byte.
//!
//! Bytes, not characters. Never panics, never recurses; the time is at most `pattern * text` steps, whatever the pattern.
//! Redis's habits are kept: an unfinished class ends with the pattern, a range may be written backwards,
//! an escaped byte in a class is compared with its case, and an empty text matches the empty pattern only (not `*`).

/// Whether `text` as a whole matches `pattern`. With `nocase`, ASCII letters match either case.
#[must_use]
pub fn glob_match(pattern: &[u8], text: &[u8], nocase: bool) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let mut at = 0;
    let mut read = 0;
    // Where to go on after a mismatch: behind the last star, one byte of text further. An earlier star
    // need not be tried again: it could only leave less text for the same rest of the pattern.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(at) == Some(&b'*') {
            while pattern.get(at) == Some(&b'*') {
                at += 1;
            }
            if at == pattern.len() {
                return true;
            }
            retry = Some((at, read));
            continue;
        }
        match text.get(read) {
            None => return at == pattern.len(),
            Some(byte) => {
                if let Some(next) = step(pattern, at, *byte, nocase) {
                    at = next;
                    read += 1;
                    continue;
                }
            }
        }
        let Some((star, tried)) = retry else {
            return false;
        };
        retry = Some((star, tried + 1));
        at = star;
        read = tried + 1;
    }
}

/// Matches one byte with the pattern element at `at`; the place behind the element if it matches.
fn step(pattern: &[u8], at: usize, byte: u8, nocase: bool) -> Option<usize> {
    match *pattern.get(at)? {
        b'?' => Some(at + 1),
        b'[' => {
            let (matches, next) = class(pattern, at + 1, byte, nocase);
            matches.then_some(next)
        }
        b'\\' if at + 1 < pattern.len() => same(pattern[at + 1], byte, nocase).then_some(at + 2),
        literal => same(literal, byte, nocase).then_some(at + 1),
    }
}

/// Matches `byte` with the class whose first byte behind `[` is at `at`; also returns the place behind the class.
fn class(pattern: &[u8], mut at: usize, byte: u8, nocase: bool) -> (bool, usize) {
    let negated = pattern.get(at) == Some(&b'^');
    if negated {
        at += 1;
    }
    let mut found = false;
    loop {
        match pattern.get(at..).unwrap_or_default() {
            [] => return (found != negated, at),
            [b'\\', literal, ..] => {
                found |= *literal == byte;
                at += 2;
            }
            [b']', ..] => return (found != negated, at + 1),
            [first, b'-', last, ..] => {
                let (low, high) = (*first.min(last), *first.max(last));
                found |= if nocase {
                    let folded = byte.to_ascii_lowercase();
                    (low.to_ascii_lowercase()..=high.to_ascii_lowercase()).contains(&folded)
                } else {
                    (low..=high).contains(&byte)
                };
                at += 3;
            }
            [literal, ..] => {
                found |= same(*literal, byte, nocase);
                at += 1;
            }
        }
    }
}

fn same(left: u8, right: u8, nocase: bool) -> bool {
    left == right || (nocase && left.eq_ignore_ascii_case(&right))
}

#[cfg(test)]
mod tests {
    use super::glob_match;
    use proptest::prelude::*;

    fn check(pattern: &str, text: &str, expected: bool) {
        let found = glob_match(pattern.as_bytes(), text.as_bytes(), false);
        assert_eq!(found, expected, "{pattern} against {text}");
    }

    #[test]
    fn patterns_match_as_redis_matches_them() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", false),
            ("", "a", false),
            ("*", "a", true),
            ("***", "abc", true),
            ("a*", "a", true),
            ("*a", "a", true),
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("*ab*ab", "abxabyab", true),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-b]llo", "hbllo", true),
            ("h[b-a]llo", "hallo", true),
            ("h[a-b]llo", "hcllo", false),
            ("[]", "a", false),
            ("[^]", "a", true),
            ("[abc", "b", true),
            ("[abc", "d", false),
            ("[", "[", false),
            ("[^", "x", true),
            ("[a-", "-", true),
            ("[\\]]", "]", true),
            ("[\\-x]", "-", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a\\", "a\\", true),
            ("a\\", "a", false),
            ("foo*", "foo", true),
            ("foo*bar", "foo", false),
        ] {
            check(pattern, text, expected);
        }
    }

    #[test]
    fn case_is_ignored_on_request_except_behind_a_backslash_in_a_class() {
        assert!(glob_match(b"MaX*", b"maxmemory", true));
        assert!(glob_match(b"[A-C]x", b"bX", true));
        assert!(!glob_match(b"[\\A]", b"a", true));
        assert!(!glob_match(b"MaX*", b"maxmemory", false));
    }

    #[test]
    fn many_stars_do_not_explode() {
        let pattern = b"a*"
            .repeat(500)
            .into_iter()
            .chain(*b"b")
            .collect::<Vec<_>>();
        assert!(!glob_match(&pattern, &b"a".repeat(5_000), false));
    }

    /// The definition, as recursion; only for short inputs.
    fn slow(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => (0..=text.len()).any(|skip| slow(rest, &text[skip..])),
            ([b'?', rest @ ..], [_, tail @ ..]) => slow(rest, tail),
            ([literal, rest @ ..], [byte, tail @ ..]) => literal == byte && slow(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn stars_and_marks_agree_with_their_definition(pattern in "[ab*?]{0,8}", text in "[ab]{1,10}") {
            prop_assert_eq!(glob_match(pattern.as_bytes(), text.as_bytes(), false), slow(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn any_bytes_are_survived(pattern: Vec<u8>, text: Vec<u8>, nocase: bool) {
            let _ = glob_match(&pattern, &text, nocase);
        }
    }
}
