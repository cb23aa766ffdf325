//! LLEN, LINDEX, LRANGE, LPOS.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::db::views::ListView;
use crate::resp::{Args, parse_i64};

pub(super) fn llen(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    call.read_list(key, |list, reply| {
        reply.integer(list.map_or(0, |list| list.len() as i64));
    });
}

pub(super) fn lindex(call: &mut DataCall<'_, '_>) {
    let key = call.key(1);
    let index = parse_i64(call.args.get(2));
    call.read_list(key, |list, reply| match (list, index) {
        (None, _) => reply.null(),
        (Some(_), None) => reply.error(errors::NOT_AN_INTEGER),
        (Some(list), Some(index)) => match list.get(index) {
            Some(element) => reply.bulk(element),
            None => reply.null(),
        },
    });
}

/// The positions from index `start` to index `end`, both counted in: where they begin and how many there are.
pub(super) fn range_of(len: usize, start: i64, end: i64) -> (usize, usize) {
    let len = len as i64;
    let from_start = |index: i64| {
        if index < 0 {
            index.saturating_add(len)
        } else {
            index
        }
    };
    let (start, end) = (from_start(start).max(0), from_start(end).min(len - 1));
    if start > end || start >= len {
        return (0, 0);
    }
    (start as usize, (end - start + 1) as usize)
}

pub(super) fn lrange(call: &mut DataCall<'_, '_>) {
    let (Some(start), Some(end)) = (parse_i64(call.args.get(2)), parse_i64(call.args.get(3)))
    else {
        return call.reply.error(errors::NOT_AN_INTEGER);
    };
    let key = call.key(1);
    call.read_list(key, |list, reply| {
        let Some(list) = list else {
            return reply.array(0);
        };
        let (position, count) = range_of(list.len(), start, end);
        reply.array(count);
        for (_, element) in list.iter_from(position).take(count) {
            reply.bulk(element);
        }
    });
}

/// LPOS's options.
#[derive(Debug, Clone, Copy)]
struct Options {
    /// From which match on; from the tail where it is negative.
    rank: i64,
    /// How many matches; 0 for all, none for the first alone.
    count: Option<usize>,
    /// How many elements are looked at; 0 for all.
    maxlen: usize,
}

const ZERO_RANK: &str = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list";
const RANK_RANGE: &str =
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

fn parse(args: Args<'_>) -> Result<Options, &'static str> {
    let mut options = Options {
        rank: 1,
        count: None,
        maxlen: 0,
    };
    let mut at = 3;
    while let Some(word) = args.try_get(at) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let operand = args.try_get(at + 1).ok_or(errors::SYNTAX)?;
        let size = |error| {
            let size = parse_i64(operand).and_then(|size| usize::try_from(size).ok());
            size.ok_or(error)
        };
        if is(b"rank") {
            options.rank = match parse_i64(operand) {
                None => return Err(errors::NOT_AN_INTEGER),
                Some(i64::MIN) => return Err(RANK_RANGE),
                Some(0) => return Err(ZERO_RANK),
                Some(rank) => rank,
            };
        } else if is(b"count") {
            options.count = Some(size("ERR COUNT can't be negative")?);
        } else if is(b"maxlen") {
            options.maxlen = size("ERR MAXLEN can't be negative")?;
        } else {
            return Err(errors::SYNTAX);
        }
        at += 2;
    }
    Ok(options)
}

/// Positions of an element from an end, in the order in which they are met.
fn positions(list: ListView<'_>, element: &[u8], options: Options) -> Vec<usize> {
    let last = list.len().saturating_sub(1);
    let looked_at = match options.maxlen {
        0 => usize::MAX,
        maxlen => maxlen,
    };
    let skipped = usize::try_from(options.rank.unsigned_abs() - 1).unwrap_or(usize::MAX);
    let wanted = match options.count {
        None => 1,
        Some(0) => usize::MAX,
        Some(count) => count,
    };
    let is_it = |other: &[u8]| other == element;
    if options.rank > 0 {
        let met = list.iter().take(looked_at).enumerate();
        let met = met.filter(|(_, (_, other))| is_it(other));
        met.map(|(nth, _)| nth).skip(skipped).take(wanted).collect()
    } else {
        let met = list.iter_back_from(last).take(looked_at).enumerate();
        let met = met.filter(|(_, (_, other))| is_it(other));
        let met = met.map(|(nth, _)| last - nth);
        met.skip(skipped).take(wanted).collect()
    }
}

pub(super) fn lpos(call: &mut DataCall<'_, '_>) {
    let options = match parse(call.args) {
        Ok(options) => options,
        Err(error) => return call.reply.error(error),
    };
    let (key, element) = (call.key(1), call.args.get(2));
    call.read_list(key, |list, reply| {
        let found = list.map_or(Vec::new(), |list| positions(list, element, options));
        if options.count.is_some() {
            reply.array(found.len());
            return found
                .iter()
                .for_each(|position| reply.integer(*position as i64));
        }
        match found.first() {
            Some(position) => reply.integer(*position as i64),
            None => reply.null(),
        }
    });
}
