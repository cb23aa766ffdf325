//! Commands whose reply says that the caller has got what only one may get: an element that was taken out, a removal that succeeded,
//! a first write, the old value of an exchange. Two masters that carry them out at once may both say so.
//!
//! Reads and additions are none of these, and neither are removals by range, whose reply is a number of elements that nobody named. Of
//! scripts nobody knows what they will do: they may claim something of all keys that they declare, but for those that only read.

use crate::commands::blocking::{Timeout, parse_timeout};
use crate::commands::table::Flags;
use crate::commands::{Row, streams};
use crate::resp::Args;

/// The keys that a call claims something of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claims {
    /// None.
    None,
    /// The first: others are only added to.
    First,
    /// All.
    All,
}

/// Whether a call runs a script that may write.
pub fn is_script(row: &Row) -> bool {
    matches!(row.name, "eval" | "evalsha" | "fcall")
}

/// What a call claims.
pub fn of(row: &Row, args: Args<'_>) -> Claims {
    if is_script(row) {
        return Claims::All;
    }
    if !row.flags.has(Flags::WRITE) {
        return Claims::None;
    }
    match row.name {
        "set" if is_conditional(args) => Claims::First,
        "blmove" | "brpoplpush" | "getdel" | "getset" | "hdel" | "hsetnx" | "lmove" | "lpop"
        | "lrem" | "move" | "rename" | "renamenx" | "rpop" | "rpoplpush" | "setnx" | "smove"
        | "spop" | "srem" | "xack" | "xautoclaim" | "xclaim" | "zpopmax" | "zpopmin" | "zrem" => {
            Claims::First
        }
        "blmpop" | "blpop" | "brpop" | "bzmpop" | "bzpopmax" | "bzpopmin" | "del" | "expdel"
        | "lmpop" | "msetnx" | "unlink" | "xreadgroup" | "zmpop" => Claims::All,
        _ => Claims::None,
    }
}

/// Whether a SET is one that only the first may make, or gives what was there before.
fn is_conditional(args: Args<'_>) -> bool {
    let is = |word: &[u8]| word.eq_ignore_ascii_case(b"nx") || word.eq_ignore_ascii_case(b"get");
    args.skip(3).iter().any(is)
}

/// The arguments that are keys of which a call claims something.
pub fn keys(row: &Row, args: Args<'_>) -> impl Iterator<Item = usize> + use<> {
    let count = match of(row, args) {
        Claims::None => 0,
        Claims::First => 1,
        Claims::All => usize::MAX,
    };
    row.key_arguments(args).take(count)
}

/// How long a command waits, if it does; one whose timeout is wrong has none.
pub fn timeout(row: &Row, args: Args<'_>, now_ms: i64) -> Option<Timeout> {
    let text = match row.name {
        _ if !row.flags.has(Flags::BLOCKING) => return None,
        "xread" | "xreadgroup" => return streams::timeout(args, now_ms),
        "blmpop" | "bzmpop" => args.try_get(1),
        _ => args.last(),
    };
    text.map(|text| parse_timeout(text, now_ms).unwrap_or(None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::registry::lookup_built_in;
    use crate::resp::ArgsBuffer;

    fn claimed(command: &str) -> Vec<String> {
        let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        let buffer = ArgsBuffer::from_args(words.iter().copied()).unwrap();
        let args = buffer.as_args();
        let row = lookup_built_in(args.name()).unwrap();
        keys(row, args)
            .map(|at| String::from_utf8_lossy(args.get(at)).into_owned())
            .collect()
    }

    #[test]
    fn what_takes_out_or_comes_first_claims_its_keys() {
        for command in [
            "lpop a",
            "RPOP a 2",
            "lmove a b left right",
            "blmove a b left right 0",
            "brpoplpush a b 0",
            "smove a b m",
            "spop a",
            "zrem a m",
            "hdel a f",
            "hsetnx a f v",
            "set a v nx",
            "set a v EX 10 Get",
            "getset a v",
            "rename a b",
            "zpopmin a",
        ] {
            assert_eq!(claimed(command), ["a"], "{command}");
        }
        for command in [
            "del a b",
            "expdel a b",
            "blpop a b 0",
            "lmpop 2 a b left",
            "bzmpop 0 2 a b min",
            "msetnx a 1 b 2",
            "eval text 2 a b c",
            "fcall name 2 a b c",
        ] {
            assert_eq!(claimed(command), ["a", "b"], "{command}");
        }
    }

    #[test]
    fn reads_and_additions_claim_nothing() {
        for command in [
            "get a",
            "set a nx",
            "set a v ex 10",
            "rpush a nx",
            "sadd a b",
            "zadd a nx 1 m",
            "lrange a 0 -1",
            "incr a",
            "lmpop x a left",
            "eval_ro text 1 a",
            "evalsha_ro text 1 a",
            "fcall_ro name 1 a",
            "eval text 0 a",
        ] {
            assert_eq!(claimed(command), [""; 0], "{command}");
        }
    }

    #[test]
    fn every_command_named_here_is_there_and_writes() {
        for name in [
            "blmove",
            "blmpop",
            "blpop",
            "brpop",
            "brpoplpush",
            "bzmpop",
            "bzpopmax",
            "bzpopmin",
            "getdel",
            "getset",
            "lmpop",
            "move",
            "msetnx",
            "renamenx",
            "rpop",
            "rpoplpush",
            "setnx",
            "srem",
            "unlink",
            "zmpop",
            "zpopmax",
            "lrem",
        ] {
            let row = lookup_built_in(name.as_bytes()).unwrap();
            assert!(row.flags.has(Flags::WRITE), "{name}");
            let buffer = ArgsBuffer::from_args([name.as_bytes()]).unwrap();
            assert_ne!(of(row, buffer.as_args()), Claims::None, "{name}");
        }
    }
}
