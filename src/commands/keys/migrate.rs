//! The words of MIGRATE that others than itself ask for: where its keys are, and what is nobody's business.

use std::ops::Range;

use crate::resp::Args;

/// Where the keys of a call are, as Redis finds them: argument 3, or those behind KEYS. None of a call that has both.
pub fn key_range(args: Args<'_>) -> Range<usize> {
    let is = |at: usize, word: &[u8]| args.get(at).eq_ignore_ascii_case(word);
    let mut at = 6;
    while at < args.len() {
        if is(at, b"keys") {
            return match args.get(3) {
                b"" if at + 1 < args.len() => at + 1..args.len(),
                b"" => 3..4,
                _ => 3..3,
            };
        }
        at += match () {
            () if is(at, b"auth") => 2,
            () if is(at, b"auth2") => 3,
            () => 1,
        };
    }
    3..4
}

/// Whether an argument is a password, or the name that goes with one.
pub fn is_secret(args: Args<'_>, index: usize) -> bool {
    let is = |at: usize, word: &[u8]| args.get(at).eq_ignore_ascii_case(word);
    let mut at = 6;
    while at <= index {
        let secrets = match () {
            () if is(at, b"keys") => return false,
            () if is(at, b"auth") => 1,
            () if is(at, b"auth2") => 2,
            () => 0,
        };
        if index > at && index <= at + secrets {
            return true;
        }
        at += 1 + secrets;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::ArgsBuffer;

    fn with<T>(command: &str, act: impl FnOnce(Args<'_>) -> T) -> T {
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
