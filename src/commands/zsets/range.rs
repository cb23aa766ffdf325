//! ZRANGE and all that it took the place of; ZRANGESTORE.

use std::ops::Range;

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::zsets::bounds::{Bounds, By, limited};
use crate::commands::zsets::{whole_of, write_elements};
use crate::db::View;
use crate::db::news::Attention;
use crate::db::ordered::Element;
use crate::db::views::{Form, ZsetView};
use crate::resp::{Args, parse_i64};

/// What a command of ranges leaves to its options, and what it does not.
#[derive(Debug, Clone, Copy)]
struct Grammar {
    /// The argument of the key that is read.
    source: usize,
    by: Option<By>,
    reverse: Option<bool>,
    stores: bool,
}

const READS: Grammar = Grammar {
    source: 1,
    by: None,
    reverse: None,
    stores: false,
};

/// A range that is asked for.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    bounds: Bounds<'a>,
    reverse: bool,
    offset: i64,
    count: i64,
    with_scores: bool,
}

impl<'a> Wanted<'a> {
    /// Reads the arguments in Redis's order; the error is what to reply.
    fn parse(grammar: Grammar, args: Args<'a>) -> Result<Self, &'static str> {
        let Grammar {
            source,
            mut by,
            mut reverse,
            stores,
        } = grammar;
        let (mut offset, mut count, mut with_scores) = (0, -1, false);
        let mut at = source + 3;
        while let Some(word) = args.try_get(at) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            if !stores && is(b"withscores") {
                with_scores = true;
            } else if is(b"limit")
                && let (Some(first), Some(second)) = (args.try_get(at + 1), args.try_get(at + 2))
            {
                offset = parse_i64(first).ok_or(errors::NOT_AN_INTEGER)?;
                count = parse_i64(second).ok_or(errors::NOT_AN_INTEGER)?;
                at += 2;
            } else if reverse.is_none() && is(b"rev") {
                reverse = Some(true);
            } else if by.is_none() && is(b"bylex") {
                by = Some(By::Lex);
            } else if by.is_none() && is(b"byscore") {
                by = Some(By::Score);
            } else {
                return Err(errors::SYNTAX);
            }
            at += 1;
        }
        let (by, reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
        if count != -1 && by == By::Rank {
            return Err(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            );
        }
        if with_scores && by == By::Lex {
            return Err("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
        }
        let (mut min, mut max) = (args.get(source + 1), args.get(source + 2));
        if reverse && by != By::Rank {
            std::mem::swap(&mut min, &mut max);
        }
        Ok(Self {
            bounds: Bounds::parse(by, min, max)?,
            reverse,
            offset,
            count,
            with_scores,
        })
    }

    fn ranks(&self, zset: ZsetView<'_>) -> Range<usize> {
        let ranks = self.bounds.ranks(zset, self.reverse);
        if matches!(self.bounds, Bounds::Ranks(..)) {
            return ranks;
        }
        limited(ranks, self.reverse, self.offset, self.count)
    }

    fn elements<'z>(
        &self,
        zset: ZsetView<'z>,
        ranks: Range<usize>,
    ) -> impl Iterator<Item = Element<'z>> + use<'z> {
        if self.reverse {
            Form::Small(zset.range_rev(ranks))
        } else {
            Form::Large(zset.range(ranks))
        }
    }
}

/// How many elements a call of a command of ranges reads; none where it is refused.
pub fn range_len(command: &str, args: Args<'_>, view: &View<'_>) -> Option<usize> {
    let by = match command {
        "zrangebyscore" | "zrevrangebyscore" => Some(By::Score),
        "zrangebylex" | "zrevrangebylex" => Some(By::Lex),
        "zrevrange" => Some(By::Rank),
        _ => None,
    };
    let stores = command == "zrangestore";
    let grammar = Grammar {
        source: if stores { 2 } else { 1 },
        by,
        reverse: by.map(|_| command.starts_with("zrev")),
        stores,
    };
    let wanted = Wanted::parse(grammar, args).ok()?;
    Some(wanted.ranks(view.zset()?).len())
}

fn range(call: &mut DataCall<'_, '_>, grammar: Grammar) {
    let wanted = match Wanted::parse(grammar, call.args) {
        Ok(wanted) => wanted,
        Err(error) => return call.reply.error(error),
    };
    let key = call.key(grammar.source);
    call.read_zset(key, |zset, reply| {
        let Some(zset) = zset else {
            return reply.array(0);
        };
        let ranks = wanted.ranks(zset);
        let len = ranks.len();
        write_elements(reply, len, wanted.with_scores, wanted.elements(zset, ranks));
    });
}

pub(super) fn zrange(call: &mut DataCall<'_, '_>) {
    range(call, READS);
}

pub(super) fn zrevrange(call: &mut DataCall<'_, '_>) {
    fixed(call, By::Rank, true);
}

pub(super) fn zrangebyscore(call: &mut DataCall<'_, '_>) {
    fixed(call, By::Score, false);
}

pub(super) fn zrevrangebyscore(call: &mut DataCall<'_, '_>) {
    fixed(call, By::Score, true);
}

pub(super) fn zrangebylex(call: &mut DataCall<'_, '_>) {
    fixed(call, By::Lex, false);
}

pub(super) fn zrevrangebylex(call: &mut DataCall<'_, '_>) {
    fixed(call, By::Lex, true);
}

/// A command whose name says what others leave to options.
fn fixed(call: &mut DataCall<'_, '_>, by: By, reverse: bool) {
    range(
        call,
        Grammar {
            by: Some(by),
            reverse: Some(reverse),
            ..READS
        },
    );
}

pub(super) fn zrangestore(call: &mut DataCall<'_, '_>) {
    let grammar = Grammar {
        source: 2,
        stores: true,
        ..READS
    };
    let wanted = match Wanted::parse(grammar, call.args) {
        Ok(wanted) => wanted,
        Err(error) => return call.reply.error(error),
    };
    let (destination, source) = (call.key(1), call.key(2));
    if call.read_zset(source, |_, _| ()).is_none() {
        return;
    }
    let computed = call.compute(|call| {
        let (db, now) = (call.db, call.now);
        let view = call.access.partition(source.hash).seen(db, source, now);
        let zset = view.and_then(|view| view.zset());
        let elements = zset.map(|zset| wanted.elements(zset, wanted.ranks(zset)));
        Ok(whole_of(elements.into_iter().flatten()))
    });
    if let Some(Ok(whole)) = computed {
        whole.store(call, destination, (Attention::ZSET, "zrangestore"));
    }
}
