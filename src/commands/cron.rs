//! KEYDB.CRON: a script that runs by itself, as a value at a key. It is written and replaced as a whole, moves with its key, and goes
//! with it.
//!
//! What is recorded is the moment and the node, chosen here. Who runs it, and when, is the business of the room of connections
//! (`clients/cron.rs`), which takes a job that runs once out of its key with [`CLAIM`], in one record with what its script writes.

use crate::commands::call::DataCall;
use crate::commands::docs::Docs;
use crate::commands::errors;
use crate::commands::table::{Flags, Handler, Keys, Row, Stamps};
use crate::db::job::{Job, TIME_MAX};
use crate::db::op::{Content, Kind};
use crate::db::{NodeId, Op, UnixMillis};
use crate::resp::parse_i64;

mod rows;

pub use rows::ROWS;

/// What KeyDB says of a first number that is none.
const NO_TIME: &str = "ERR missing expire time";
const NO_INTERVAL: &str = "ERR interval must be positive";
const TOO_FAR: &str = "ERR start or interval is out of range";
const TOO_FEW: &str = "ERR Missing arguments or numkeys is too big";

/// Reads a call; the error is what to reply.
fn parse<'a>(call: &DataCall<'a, '_>) -> Result<Job<'a>, &'static str> {
    let args = call.args;
    let is_once = match args.get(2) {
        word if word.eq_ignore_ascii_case(b"single") => true,
        word if word.eq_ignore_ascii_case(b"repeat") => false,
        _ => return Err(errors::SYNTAX),
    };
    let number = parse_i64(args.get(3)).ok_or(NO_TIME)?;
    // With a start before it, it is the interval that comes second.
    let second = args.try_get(4).and_then(parse_i64);
    let (start, interval, script_at) = match second {
        Some(interval) => (number, interval, 5),
        None => (call.wall.0, number, 4),
    };
    if interval <= 0 {
        return Err(NO_INTERVAL);
    }
    if !(0..=TIME_MAX).contains(&start) || interval > TIME_MAX {
        return Err(TOO_FAR);
    }
    let script = args.try_get(script_at).ok_or(errors::SYNTAX)?;
    let (mut keys, mut arguments) = (Vec::new(), Vec::new());
    if let Some(count) = args.try_get(script_at + 1) {
        let count = parse_i64(count).ok_or(errors::NOT_AN_INTEGER)?;
        let rest = args.skip(script_at + 2);
        let count = usize::try_from(count).map_err(|_| TOO_FEW)?;
        if count > rest.len() {
            return Err(TOO_FEW);
        }
        keys = rest.iter().take(count).collect();
        arguments = rest.iter().skip(count).collect();
    }
    let on_grid = start + interval;
    let first = on_grid.max(call.wall.0);
    // As in KeyDB, a job that starts at no time in particular is counted from its first run.
    let anchor = if start == 0 { first } else { on_grid };
    Ok(Job {
        is_once,
        node: own_node(call),
        first: UnixMillis(first),
        anchor: UnixMillis(anchor),
        interval,
        script,
        keys,
        arguments,
    })
}

/// Who carries this out.
fn own_node(call: &DataCall<'_, '_>) -> NodeId {
    let origin = call
        .stamp
        .and_then(|stamp| call.setting.origins.get(stamp.origin()));
    origin.map_or(NodeId(0), |origin| origin.node)
}

fn cron(call: &mut DataCall<'_, '_>) {
    let job = match parse(call) {
        Ok(job) => job,
        Err(error) => return call.reply.error(error),
    };
    let mut content = vec![Kind::Job as u8];
    job.encode(&mut content);
    let key = call.key(1);
    call.apply_quietly(key, Op::Put(Content::of(&content), None));
    call.reply.ok();
}

/// Takes a job out of its key, if it is this one: its key and its bytes. Answers whether it was there. No client calls this by name.
pub static CLAIM: Row = Row {
    name: "keydb.cron|run",
    arity: 3,
    flags: Flags::WRITE.and(Flags::SKIP_MONITOR),
    keys: Keys::One,
    stamps: Stamps::Fixed(1),
    handler: Handler::Data(claim),
    docs: &Docs::NONE,
};

fn claim(call: &mut DataCall<'_, '_>) {
    let (key, expected) = (call.key(1), call.args.get(2));
    let is_there = call.look(key, |view| {
        view.is_some_and(|view| view.job() == Some(expected))
    });
    if is_there {
        call.apply_quietly(key, Op::Del);
    }
    call.reply.integer(i64::from(is_there));
}

#[cfg(test)]
mod tests;
