//! The words of MIGRATE: what stands behind its first five arguments, where its keys are, and what is nobody's business.

use std::ops::Range;

use crate::resp::Args;

/// Where the options begin.
const OPTIONS_AT: usize = 6;

/// An option, with the places of what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// The keys stay here, too.
    Copy,
    /// Whatever is there goes.
    Replace,
    /// AUTH or AUTH2: a password, or a user and his. The places may lie behind the last argument.
    Auth(Range<usize>),
    /// All that follows.
    Keys(Range<usize>),
    /// Something else.
    Unknown,
}

/// The options of a call, one after the other.
pub fn words(args: Args<'_>) -> impl Iterator<Item = Word> {
    let mut at = OPTIONS_AT;
    std::iter::from_fn(move || {
        let word = args.try_get(at)?;
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let behind = at + 1;
        let (word, end) = match () {
            () if is(b"copy") => (Word::Copy, behind),
            () if is(b"replace") => (Word::Replace, behind),
            () if is(b"auth") => (Word::Auth(behind..behind + 1), behind + 1),
            () if is(b"auth2") => (Word::Auth(behind..behind + 2), behind + 2),
            () if is(b"keys") => (Word::Keys(behind..args.len()), args.len()),
            () => (Word::Unknown, behind),
        };
        at = end;
        Some(word)
    })
}

/// Where the keys of a call are, as Redis finds them: argument 3, or those behind KEYS. None of a call that has both.
pub fn key_range(args: Args<'_>) -> Range<usize> {
    let mut keys = words(args).filter_map(|word| match word {
        Word::Keys(keys) => Some(keys),
        _ => None,
    });
    match keys.next() {
        Some(_) if !args.get(3).is_empty() => 3..3,
        Some(keys) if !keys.is_empty() => keys,
        _ => 3..4,
    }
}

/// Whether an argument is a password, or the name that goes with one.
pub fn is_secret(args: Args<'_>, index: usize) -> bool {
    words(args).any(|word| matches!(word, Word::Auth(places) if places.contains(&index)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::resp::ArgsBuffer;

    /// Acts on a command of these words; `-` is an empty one.
    pub fn with<T>(command: &str, act: impl FnOnce(Args<'_>) -> T) -> T {
        let words = command.split(' ').map(|word| match word {
            "-" => &b""[..],
            word => word.as_bytes(),
        });
        let buffer = ArgsBuffer::from_args(words).unwrap();
        act(buffer.as_args())
    }

    #[test]
    fn keys_are_found_where_redis_finds_them_and_passwords_are_secret() {
        let keys = |command| with(command, key_range);
        assert_eq!(keys("migrate h 1 k 0 1"), 3..4);
        assert_eq!(keys("migrate h 1 - 0 1 KEYS a b"), 7..9);
        assert_eq!(keys("migrate h 1 k 0 1 KEYS a b"), 3..3);
        assert_eq!(keys("migrate h 1 - 0 1 copy KEYS"), 3..4);
        assert_eq!(keys("migrate h 1 - 0 1 auth2 keys x keys a"), 10..11);
        let secrets = |command: &str| {
            with(command, |args| {
                let indexes = 0..args.len();
                indexes
                    .filter(|at| is_secret(args, *at))
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(secrets("migrate h 1 k 0 1 copy auth x replace"), [8]);
        assert_eq!(secrets("migrate h 1 - 0 1 auth2 u p keys auth a"), [7, 8]);
    }
}
