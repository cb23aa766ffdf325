//! When two replies are the same: byte for byte, but for clocks, hash order, and what names the server itself.

use crate::intended;
use crate::wire::Reply;

/// How a command's replies are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Exact,
    /// Integers that count down while the servers are asked one after the other.
    Clock(i64),
    /// In any order.
    Unordered,
    /// Fields and their values, the pairs in any order.
    Pairs,
    /// As many elements and of the same kinds, but drawn at random.
    Drawn,
    /// What a *SCAN comes to, in places of this many: all in any order, where both are through with it. How much a call brings of a
    /// hash table is nobody's promise.
    Scan(usize),
    /// What DUMP gives: the same bytes of a string; of anything else as much of each byte, for its order may be that of a hash table.
    Dump,
    /// Rules of users: those of commands are listed as they were said, as since Redis 7.2, and not in the order of a hash. What
    /// they allow shows in what the users may do.
    Rules,
    /// ACL LOG, without what came with Redis 7.2 and without clocks.
    Refusals,
    /// Random picks: as many of them, and none where there are none.
    Draws,
    /// A step of a walk over elements of so many words each: in any order, and where it came to the end in one step on both
    /// servers, the same elements.
    Walk(usize),
    /// Only whether there is one, and of which kind.
    Shape,
    /// The replies of a transaction's commands, each compared in its own way; what is intended is so here too.
    Transaction(Vec<(Self, Vec<Vec<u8>>)>),
}

impl Kind {
    fn of(command: &[Vec<u8>]) -> Self {
        let name = command[0].to_ascii_lowercase();
        let second = command.get(1).map(|word| word.to_ascii_lowercase());
        match (name.as_slice(), second.as_deref()) {
            (b"ttl" | b"expiretime", _) => Self::Clock(2),
            (b"pttl" | b"pexpiretime", _) => Self::Clock(2_000),
            (b"keys", _) => Self::Unordered,
            (b"hkeys" | b"hvals" | b"smembers" | b"sinter" | b"sunion" | b"sdiff" | b"spop", _) => {
                Self::Unordered
            }
            (b"sort" | b"sort_ro", _) => Self::of_sort(command),
            (b"hgetall", _) => Self::Pairs,
            (b"hrandfield" | b"srandmember", _) => Self::Drawn,
            // What other cursors lead to in a hash table is its own affair.
            (b"hscan" | b"sscan", _) if command.get(2).is_none_or(|cursor| cursor != b"0") => {
                Self::Shape
            }
            (b"hscan", _) => Self::Scan(2),
            (b"sscan", _) => Self::Scan(1),
            (b"dump", _) => Self::Dump,
            (b"zrandmember", _) => Self::Draws,
            (b"zscan", _) if command.get(2).is_some_and(|cursor| cursor == b"0") => Self::Walk(2),
            (b"zscan", _) => Self::Shape,
            (b"debug", Some(b"digest-value" | b"protocol" | b"error" | b"populate")) => Self::Exact,
            (b"randomkey" | b"scan" | b"hello" | b"info" | b"debug", _)
            | (b"client", Some(b"id" | b"list" | b"info" | b"help" | b"kill"))
            | (b"command", Some(b"docs" | b"info" | b"list" | b"count" | b"help") | None)
            | (b"config" | b"pubsub" | b"object", Some(b"help")) => Self::Shape,
            (b"object", Some(b"idletime")) => Self::Shape,
            (b"acl", Some(b"list" | b"getuser")) => Self::Rules,
            (b"acl", Some(b"log")) => Self::Refusals,
            (b"acl", Some(b"cat" | b"genpass" | b"help")) => Self::Shape,
            // Where there are consumers, it tells when they were seen.
            (b"xinfo", Some(b"stream"))
                if command
                    .iter()
                    .any(|word| word.eq_ignore_ascii_case(b"full")) =>
            {
                Self::Shape
            }
            (b"xinfo" | b"xgroup", Some(b"help")) => Self::Shape,
            _ => Self::Exact,
        }
    }

    /// Redis sorts a whole vector as it came, with a sort that keeps no order where LIMIT leaves only a part of it: what BY finds
    /// equal as texts comes in any order, and so do members of a set that BY does not sort.
    fn of_sort(command: &[Vec<u8>]) -> Self {
        let has = |name: &[u8]| command.iter().any(|word| word.eq_ignore_ascii_case(name));
        let sorts_nothing = command
            .windows(2)
            .any(|pair| pair[0].eq_ignore_ascii_case(b"by") && !pair[1].contains(&b'*'));
        match () {
            () if !(sorts_nothing || has(b"by") && has(b"alpha")) => Self::Exact,
            () if has(b"limit") => Self::Shape,
            () => Self::Unordered,
        }
    }

    pub fn is_same(&self, ours: &Reply, theirs: &Reply) -> bool {
        if ours == theirs {
            return true;
        }
        if ours.is_error() || theirs.is_error() {
            return false;
        }
        match self {
            Self::Exact => false,
            Self::Clock(tolerance) => match (ours.integer(), theirs.integer()) {
                (Some(ours), Some(theirs)) => {
                    ours >= 0 && theirs >= 0 && (ours - theirs).abs() <= *tolerance
                }
                _ => false,
            },
            Self::Unordered => {
                let (mut ours, mut theirs) = (ours.parts.clone(), theirs.parts.clone());
                ours.sort();
                theirs.sort();
                ours == theirs
            }
            Self::Pairs => pairs(&ours.parts, 2) == pairs(&theirs.parts, 2),
            Self::Drawn => is_alike(ours, theirs),
            Self::Scan(width) => match (ours.parts.as_slice(), theirs.parts.as_slice()) {
                ([next, found], [their_next, their_found]) => {
                    next.body != b"0"
                        || their_next.body != b"0"
                        || pairs(&found.parts, *width) == pairs(&their_found.parts, *width)
                }
                _ => false,
            },
            Self::Dump => {
                // A byte for the type before, eight for the sum behind.
                let counted = |reply: &Reply| {
                    let len = reply.body.len().saturating_sub(8);
                    let mut bytes = reply.body[..len].to_vec();
                    bytes.sort_unstable();
                    bytes
                };
                let is_string = |reply: &Reply| reply.body.first() == Some(&0);
                ours.body.first() == theirs.body.first()
                    && !is_string(ours)
                    && counted(ours) == counted(theirs)
            }
            Self::Rules => without_commands(ours) == without_commands(theirs),
            Self::Refusals => {
                let told = |reply: &Reply| -> Vec<Vec<Reply>> {
                    let entries = reply.parts.iter();
                    entries
                        .map(|entry| entry.parts.iter().take(10).cloned().collect())
                        .collect()
                };
                told(ours) == told(theirs)
            }
            Self::Draws => {
                let is_null = |reply: &Reply| reply.kind == b'_' || reply.line == b"-1";
                ours.kind == theirs.kind
                    && ours.parts.len() == theirs.parts.len()
                    && is_null(ours) == is_null(theirs)
            }
            Self::Walk(width) => {
                let elements = |reply: &Reply| -> Option<Vec<Vec<Reply>>> {
                    let [cursor, found] = reply.parts.as_slice() else {
                        return None;
                    };
                    let mut all: Vec<Vec<Reply>> =
                        found.parts.chunks(*width).map(<[_]>::to_vec).collect();
                    all.sort();
                    (cursor.body == b"0").then_some(all)
                };
                let (ours, theirs) = (elements(ours), elements(theirs));
                ours.is_none() || theirs.is_none() || ours == theirs
            }
            Self::Shape => {
                let is_null = |reply: &Reply| reply.kind == b'_' || reply.line == b"-1";
                ours.kind == theirs.kind && is_null(ours) == is_null(theirs)
            }
            Self::Transaction(kinds) => {
                ours.parts.len() == theirs.parts.len()
                    && ours.parts.len() == kinds.len()
                    && kinds.iter().zip(ours.parts.iter().zip(&theirs.parts)).all(
                        |((kind, command), (ours, theirs))| {
                            kind.is_same(ours, theirs)
                                || intended::reason(command, ours, theirs).is_some()
                        },
                    )
            }
        }
    }
}

/// Elements in their order, each of so many parts.
fn pairs(parts: &[Reply], width: usize) -> Vec<&[Reply]> {
    let mut pairs: Vec<&[Reply]> = parts.chunks(width).collect();
    pairs.sort();
    pairs
}

/// Whether both have the same form.
fn is_alike(one: &Reply, other: &Reply) -> bool {
    let is_null = |reply: &Reply| reply.line == b"-1";
    one.kind == other.kind
        && is_null(one) == is_null(other)
        && one.parts.len() == other.parts.len()
        && one
            .parts
            .iter()
            .zip(&other.parts)
            .all(|(one, other)| is_alike(one, other))
}

/// The same without the words that allow and forbid commands.
fn without_commands(reply: &Reply) -> Reply {
    let is_other = |word: &&[u8]| {
        let is_command = matches!(word.first(), Some(b'+' | b'-'));
        !is_command || word.starts_with(b"+@all") || word.starts_with(b"-@all")
    };
    let words = reply.body.split(|byte| *byte == b' ').map(|word| {
        // The last word of a selector ends with its parenthesis.
        match word.strip_suffix(b")") {
            Some(inner) if !is_other(&inner) => &word[inner.len()..],
            _ => word,
        }
    });
    let words: Vec<&[u8]> = words.filter(is_other).collect();
    let text = words.concat();
    Reply {
        line: if reply.kind == b'$' {
            Vec::new()
        } else {
            reply.line.clone()
        },
        body: text,
        parts: reply.parts.iter().map(without_commands).collect(),
        ..*reply
    }
}

/// What a connection has queued since MULTI.
#[derive(Debug, Default)]
pub struct Queue(Vec<(Kind, Vec<Vec<u8>>)>);

impl Queue {
    /// How the replies to this command are compared; `reply` is ours.
    pub fn kind(&mut self, command: &[Vec<u8>], reply: &Reply) -> Kind {
        if reply.kind == b'+' && reply.line == b"QUEUED" {
            self.0.push((Kind::of(command), command.to_vec()));
            return Kind::Exact;
        }
        match command[0].to_ascii_lowercase().as_slice() {
            b"exec" => Kind::Transaction(std::mem::take(&mut self.0)),
            b"discard" | b"reset" | b"multi" => {
                if !reply.is_error() {
                    self.0.clear();
                }
                Kind::Exact
            }
            _ => Kind::of(command),
        }
    }
}
