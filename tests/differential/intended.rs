//! Where replies differ on purpose, each with its reason.

use std::collections::BTreeMap;

use crate::wire::Reply;

/// Directives whose values are the server's own.
const OWN_VALUES: &[&[u8]] = &[
    b"port",
    b"dir",
    b"pidfile",
    b"logfile",
    // KeyDB's masters need more than the megabyte of Redis.
    b"repl-backlog-size",
];
/// The type of a list in a payload.
const LIST: u8 = 18;

/// Whether an intended difference leaves other data behind: Redis has refused to store what it sorted.
pub fn sets_apart(command: &[Vec<u8>], theirs: &Reply) -> bool {
    let mut words = command.iter();
    let is_sort = words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case(b"sort"));
    is_sort && theirs.is_error() && words.any(|word| word.eq_ignore_ascii_case(b"store"))
}

/// Why these two may differ; none where they may not.
pub fn reason(command: &[Vec<u8>], ours: &Reply, theirs: &Reply) -> Option<&'static str> {
    let word = |at: usize| {
        let word = command.get(at).map(|word| word.to_ascii_lowercase());
        word.unwrap_or_default()
    };
    if word(0).starts_with(b"z") && *ours == without_sign_of_zero(theirs) {
        return Some("a zero that is stored has no sign, whatever the form of the sorted set");
    }
    if word(0) == b"zscan" && is_same_walk(ours, theirs) {
        return Some("a zero that is stored has no sign, and a hash table no order");
    }
    match (word(0).as_slice(), word(1).as_slice()) {
        (b"config", b"get") if !ours.is_error() && !theirs.is_error() => {
            let (ours, theirs) = (pairs(ours), pairs(theirs));
            let is_same = |(name, value): (&Vec<u8>, &Vec<u8>)| {
                ours.get(name)
                    .is_some_and(|ours| ours == value || OWN_VALUES.contains(&name.as_slice()))
            };
            let all = theirs.iter().all(is_same);
            all.then_some("the directives of KeyDB and of Keymesh are listed too")
        }
        (b"config", b"set")
            if command
                .iter()
                .any(|word| std::str::from_utf8(word).is_err()) =>
        {
            let shown = String::from_utf8_lossy(&theirs.line);
            let is_same = shown.as_bytes() == ours.line;
            is_same.then_some("the name of a directive is text: what is none is shown as U+FFFD")
        }
        (b"object", b"encoding") => match (ours.body.as_slice(), theirs.body.as_slice()) {
            (b"int" | b"embstr", b"raw") | (b"int", b"embstr") => {
                Some("how a string came about leaves no trace in how it is held")
            }
            (b"listpack" | b"quicklist", b"quicklist" | b"listpack") => Some(
                "small lists are listpacks, as since Redis 7.2, and nodes are filled a little otherwise",
            ),
            (b"listpack", b"hashtable") => Some("small sets are packed, as since Redis 7.2"),
            _ => None,
        },
        (b"object", b"refcount") => (matches!(theirs.line.as_slice(), b"2147483647" | b"2")
            && ours.line == b"1")
            .then_some("nothing is shared: no small numbers, no arguments of a transaction"),
        (b"object", b"idletime") => (ours.is_error() && theirs.kind == b':')
            .then_some("reads are not counted, and no write bears a stamp without masters"),
        (b"xsetid", _) => ours
            .line
            .ends_with(b"is smaller than current max_deleted_entry_id")
            .then_some("what was deleted is looked at, too, as since Redis 7.2"),
        (b"xread" | b"xreadgroup", _) if ours.line.starts_with(b"ERR Unbalanced") => theirs
            .line
            .starts_with(b"ERR Unbalanced XREAD list")
            .then_some("said as since Redis 7.2"),
        (b"xread", _) => (theirs.line.starts_with(b"ERR Invalid stream ID")
            && command.contains(&b"+".to_vec()))
        .then_some("the last entry may be asked for, as since Redis 7.4"),
        (b"xgroup", b"createconsumer") => (ours.kind == b':' && theirs.kind == b':')
            .then_some("XCLAIM makes a consumer that it gives nothing, as since Redis 7.2"),
        (b"xautoclaim", _) => theirs
            .line
            .starts_with(b"ERR Insufficient memory")
            .then_some("nothing is allocated for a count"),
        (b"xinfo", b"groups") => is_same_but_for_progress(ours, theirs)
            .then_some("what a group has read is reckoned as since Redis 7.4"),
        (b"dump", _)
            if [15, 19, 21]
                .map(|kind: u8| theirs.body.first() == Some(&kind))
                .contains(&true) =>
        {
            (ours.body.first() == Some(&19)).then_some(
                "nodes of streams are written without deleted entries, and clocks differ",
            )
        }
        (b"xinfo", b"stream") => is_same_stream(ours, theirs)
            .then_some("a node goes with the last of its entries, however these went"),
        (b"script" | b"function", b"help") => (ours.parts.len() == theirs.parts.len()
            && ours.parts[..ours.parts.len() - 1] == theirs.parts[..theirs.parts.len() - 1])
            .then_some("its last line is that of Redis 7.2"),
        (
            b"eval" | b"eval_ro" | b"evalsha" | b"evalsha_ro" | b"fcall" | b"fcall_ro" | b"exec",
            _,
        ) if ours.line.starts_with(b"NOPERM ACL failure in script: ") => {
            let is_same = theirs
                .line
                .starts_with(b"ERR The user executing the script can't ");
            is_same.then_some("the words and the code of Redis 7.2")
        }
        (b"lpos", _) => ours
            .line
            .starts_with(b"ERR value is out of range, value must between -9223372036854775807")
            .then_some("the smallest rank is out of range, as since Redis 7.2"),
        (b"sort" | b"sort_ro", _) => (theirs
            .line
            .starts_with(b"ERR One or more scores can't be converted")
            && !ours.is_error())
        .then_some("Redis goes by an error code that an earlier command may have left"),
        (b"debug", b"digest-value") => command[2..]
            .iter()
            .any(|key| key.starts_with(b"z"))
            .then_some("a zero that is stored has no sign, and so another digest"),
        (b"bitcount" | b"bitpos", _) => (ours.is_error() && matches!(theirs.kind, b':' | b'-'))
            .then_some("arguments are checked first, as since Redis 7.2"),
        // Type 2 is a set in a hash table.
        (b"dump", _) if theirs.body.starts_with(b"\x05") => {
            let zero = |reply: &Reply| reply.body.windows(8).any(|word| word == [0; 8]);
            let signed = |reply: &Reply| {
                let negative = (-0.0_f64).to_le_bytes();
                reply.body.windows(8).any(|word| word == negative)
            };
            (ours.body.len() == theirs.body.len() && zero(ours) && signed(theirs))
                .then_some("a zero that is stored has no sign, whatever the form of the sorted set")
        }
        (b"dump", _) if ours.body.first() == Some(&LIST) && theirs.body.first() == Some(&LIST) => {
            Some("nodes of lists are filled a little otherwise")
        }
        (b"dump", _) => (ours.body.starts_with(b"\x02")
            && theirs.body.starts_with(b"\x02")
            && ours.body.len() == theirs.body.len())
        .then_some("members of a set have no order"),
        (b"zrank" | b"zrevrank", _) => (command.len() > 3
            && theirs.line.starts_with(b"ERR wrong number of arguments"))
        .then_some("WITHSCORE came with Redis 7.2"),
        (b"ttl" | b"pttl" | b"persist", _) => (command.len() == 3
            && theirs.line.starts_with(b"ERR wrong number of arguments"))
        .then_some("KeyDB's form for a member"),
        (b"command", b"getkeysandflags")
            if [3, 4].into_iter().any(|at| is_odd_number(&word(at))) =>
        {
            Some("Redis tells no flags where the number of keys is not canonical")
        }
        (b"command", b"getkeys" | b"getkeysandflags")
            if !ours.is_error() && word(2).starts_with(b"z") && word(2).ends_with(b"store") =>
        {
            let sorted = |reply: &Reply| {
                let mut parts = reply.parts.clone();
                parts.sort();
                parts
            };
            (sorted(ours) == sorted(theirs))
                .then_some("Redis finds keys in another order where their number is not canonical")
        }
        _ => None,
    }
}

/// Whether a word begins as a number, but is none in its shortest form.
fn is_odd_number(word: &[u8]) -> bool {
    let text = String::from_utf8_lossy(word);
    let number = text.parse::<u64>().map(|number| number.to_string());
    text.starts_with(|first: char| first.is_ascii_digit()) && number.as_deref() != Ok(&*text)
}

fn without_sign_of_zero(reply: &Reply) -> Reply {
    let unsigned = |text: &[u8]| {
        if text == b"-0" {
            b"0".to_vec()
        } else {
            text.to_vec()
        }
    };
    let body = unsigned(&reply.body);
    let line = match reply.kind {
        b',' => unsigned(&reply.line),
        b'$' if body != reply.body => b"1".to_vec(),
        _ => reply.line.clone(),
    };
    Reply {
        kind: reply.kind,
        line,
        body,
        parts: reply.parts.iter().map(without_sign_of_zero).collect(),
    }
}

/// Whether two lists of groups are the same but for how many consumers there are and how much was read.
fn is_same_but_for_progress(ours: &Reply, theirs: &Reply) -> bool {
    let of = |reply: &Reply| -> Vec<BTreeMap<Vec<u8>, Vec<u8>>> {
        let groups = reply.parts.iter().map(|group| {
            let mut fields: BTreeMap<Vec<u8>, Vec<u8>> = group
                .parts
                .chunks_exact(2)
                .map(|pair| {
                    (
                        pair[0].body.clone(),
                        [&pair[1].line[..], &pair[1].body].concat(),
                    )
                })
                .collect();
            for name in [&b"consumers"[..], b"entries-read", b"lag"] {
                fields.remove(name);
            }
            fields
        });
        groups.collect()
    };
    !ours.is_error() && of(ours) == of(theirs)
}

/// Whether two streams are the same but for how their entries lie in nodes.
fn is_same_stream(ours: &Reply, theirs: &Reply) -> bool {
    let without_nodes = |reply: &Reply| {
        let values = reply.parts.chunks(2).filter(|pair| {
            let name = pair.first().map_or(&b""[..], |name| &name.body);
            !name.starts_with(b"radix-tree-")
        });
        values.flatten().cloned().collect::<Vec<_>>()
    };
    let is_empty = ours.parts.get(1).is_some_and(|len| len.line == b"0");
    is_empty && without_nodes(ours) == without_nodes(theirs)
}

/// Whether both came to the end at once and found the same members, whose scores are the same but for the sign of a zero.
fn is_same_walk(ours: &Reply, theirs: &Reply) -> bool {
    let ([ours_next, ours], [theirs_next, theirs]) = (&ours.parts[..], &theirs.parts[..]) else {
        return false;
    };
    let found = |reply: &Reply| {
        let pairs = reply.parts.chunks(2).map(<[Reply]>::to_vec);
        let mut pairs: Vec<Vec<Reply>> = pairs.collect();
        pairs.sort();
        pairs
    };
    let mut unsigned = theirs.clone();
    for score in unsigned.parts.iter_mut().skip(1).step_by(2) {
        *score = without_sign_of_zero(score);
    }
    let is_over = |cursor: &Reply| cursor.body == b"0";
    is_over(ours_next) && is_over(theirs_next) && found(ours) == found(&unsigned)
}

fn pairs(reply: &Reply) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let pairs = reply.parts.chunks_exact(2);
    pairs
        .map(|pair| (pair[0].body.clone(), pair[1].body.clone()))
        .collect()
}

#[test]
fn a_walk_may_differ_in_its_order_and_in_the_sign_of_zeros_and_in_nothing_else() {
    let bulk = |text: &str| Reply {
        kind: b'$',
        line: text.len().to_string().into_bytes(),
        body: text.as_bytes().to_vec(),
        parts: Vec::new(),
    };
    let array = |parts: Vec<Reply>| Reply {
        kind: b'*',
        line: parts.len().to_string().into_bytes(),
        body: Vec::new(),
        parts,
    };
    let walk = |found: &[&str]| {
        let found = found.iter().map(|text| bulk(text)).collect();
        array(vec![bulk("0"), array(found)])
    };
    let command: Vec<Vec<u8>> = vec![b"ZSCAN".to_vec(), b"z".to_vec(), b"0".to_vec()];
    let ours = walk(&["-0", "1", "a", "0", "b", "2"]);
    let is_intended = |theirs: &[&str]| reason(&command, &ours, &walk(theirs)).is_some();
    assert!(is_intended(&["b", "2", "a", "-0", "-0", "1"]));
    assert!(is_intended(&["-0", "1", "a", "-0", "b", "2"]));
    assert!(!is_intended(&["b", "2", "a", "-1", "-0", "1"]));
    assert!(!is_intended(&["b", "2", "a", "-0", "0", "1"]));
    assert!(!is_intended(&["b", "2", "a", "-0"]));
    assert!(!is_intended(&["b", "2", "a", "-0", "-0", "1", "c", "3"]));
}
