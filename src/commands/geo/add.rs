//! GEOADD: a ZADD whose scores are positions.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::commands::geo::cell::score_of;
use crate::commands::geo::parse_position;
use crate::commands::zsets::{Terms, add_scores};
use crate::db::op::Scores;

pub(super) fn geoadd(call: &mut DataCall<'_, '_>) {
    let (mut terms, mut first) = (Terms::default(), 2);
    while let Some(word) = call.args.try_get(first) {
        let term = match () {
            () if word.eq_ignore_ascii_case(b"nx") => &mut terms.nx,
            () if word.eq_ignore_ascii_case(b"xx") => &mut terms.xx,
            () if word.eq_ignore_ascii_case(b"ch") => &mut terms.ch,
            () => break,
        };
        *term = true;
        first += 1;
    }
    let triples = call.args.skip(first);
    if !triples.len().is_multiple_of(3) || terms.nx && terms.xx {
        return call.reply.error(errors::SYNTAX);
    }
    let mut bytes = Vec::with_capacity(triples.len() * 8);
    for nth in (0..triples.len()).step_by(3) {
        match parse_position(triples.get(nth), triples.get(nth + 1)) {
            Ok(position) => Scores::put(&mut bytes, score_of(position), triples.get(nth + 2)),
            Err(fault) => return call.reply.error(&fault),
        }
    }
    if bytes.is_empty() {
        return call.reply.error(errors::SYNTAX);
    }
    let key = call.key(1);
    add_scores(call, key, terms, Scores::of(&bytes));
}
