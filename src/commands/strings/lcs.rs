//! LCS: the longest common subsequence of two strings, by the textbook's table, walked back from its last cell as Redis does:
//! where there are several, the same one comes out.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::resp::{Args, parse_i64};

#[derive(Debug, Clone, Copy, Default)]
struct Options {
    len: bool,
    idx: bool,
    with_match_len: bool,
    match_len_min: u64,
}

impl Options {
    fn parse(args: Args<'_>) -> Result<Self, &'static str> {
        let mut options = Self::default();
        let mut at = 3;
        while let Some(word) = args.try_get(at) {
            if word.eq_ignore_ascii_case(b"idx") {
                options.idx = true;
            } else if word.eq_ignore_ascii_case(b"len") {
                options.len = true;
            } else if word.eq_ignore_ascii_case(b"withmatchlen") {
                options.with_match_len = true;
            } else if let (true, Some(text)) = (
                word.eq_ignore_ascii_case(b"minmatchlen"),
                args.try_get(at + 1),
            ) {
                let least = parse_i64(text).ok_or(errors::NOT_AN_INTEGER)?;
                options.match_len_min = least.max(0) as u64;
                at += 1;
            } else {
                return Err(errors::SYNTAX);
            }
            at += 1;
        }
        if options.idx && options.len {
            return Err("ERR If you want both the length and indexes, please just use IDX.");
        }
        Ok(options)
    }
}

/// For each pair of beginnings, how long their longest common subsequence is.
struct Table {
    cells: Vec<u32>,
    width: usize,
}

impl Table {
    /// The error is what to reply.
    fn new(a: &[u8], b: &[u8], memory_max: usize) -> Result<Self, &'static str> {
        let width = b.len() + 1;
        let count = (a.len() + 1).saturating_mul(width);
        if count.saturating_mul(size_of::<u32>()) > memory_max {
            return Err(
                "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
            );
        }
        let mut cells = Vec::new();
        cells
            .try_reserve_exact(count)
            .map_err(|_| "ERR Insufficient memory, failed allocating transient memory for LCS")?;
        cells.resize(count, 0);
        for (i, from_a) in a.iter().enumerate() {
            let (before, row) = cells[i * width..].split_at_mut(width);
            for (j, from_b) in b.iter().enumerate() {
                row[j + 1] = if from_a == from_b {
                    before[j] + 1
                } else {
                    before[j + 1].max(row[j])
                };
            }
        }
        Ok(Self { cells, width })
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.cells[i * self.width + j]
    }

    fn len(&self) -> u32 {
        self.cells.last().copied().unwrap_or(0)
    }
}

/// Bytes that stand in both strings one behind the other: where they begin, and how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Match {
    in_a: usize,
    in_b: usize,
    len: usize,
}

/// The matches that make up the subsequence, the last one first.
fn matches(a: &[u8], b: &[u8], table: &Table) -> Vec<Match> {
    let mut found: Vec<Match> = Vec::new();
    let (mut i, mut j) = (a.len(), b.len());
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            match found.last_mut() {
                Some(last) if last.in_a == i && last.in_b == j => {
                    (last.in_a, last.in_b) = (i - 1, j - 1);
                    last.len += 1;
                }
                _ => found.push(Match {
                    in_a: i - 1,
                    in_b: j - 1,
                    len: 1,
                }),
            }
            (i, j) = (i - 1, j - 1);
        } else if table.at(i - 1, j) > table.at(i, j - 1) {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    found
}

pub(super) fn lcs(call: &mut DataCall<'_, '_>) {
    let mut copy = |index| {
        let key = call.key(index);
        call.read(key, |view, _| match view {
            Some(view) => view.string().map(<[u8]>::to_vec),
            None => Some(Vec::new()),
        })
    };
    let (Some(a), Some(b)) = (copy(1), copy(2)) else {
        return call
            .reply
            .error("ERR The specified keys must contain string values");
    };
    let memory_max = call.setting.string_len_max();
    let table = Options::parse(call.args)
        .and_then(|options| Ok((options, Table::new(&a, &b, memory_max)?)));
    let (options, table) = match table {
        Ok(table) => table,
        Err(error) => return call.reply.error(error),
    };
    if options.len {
        return call.reply.integer(i64::from(table.len()));
    }
    let mut matches = matches(&a, &b, &table);
    if !options.idx {
        let parts = matches.iter().rev();
        let parts: Vec<&[u8]> = parts
            .map(|part| &a[part.in_a..part.in_a + part.len])
            .collect();
        return call.reply.bulk(&parts.concat());
    }
    matches.retain(|found| found.len as u64 >= options.match_len_min);
    call.reply.map(2);
    call.reply.bulk(b"matches");
    call.reply.array(matches.len());
    for found in matches {
        call.reply.array(2 + usize::from(options.with_match_len));
        for start in [found.in_a, found.in_b] {
            call.reply.array(2);
            call.reply.integer(start as i64);
            call.reply.integer((start + found.len - 1) as i64);
        }
        if options.with_match_len {
            call.reply.integer(found.len as i64);
        }
    }
    call.reply.bulk(b"len");
    call.reply.integer(i64::from(table.len()));
}
