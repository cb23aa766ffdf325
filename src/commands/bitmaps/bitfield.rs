//! BITFIELD and BITFIELD_RO. What is recorded is the program of the writes that took place, not what they came to: other
//! masters carry it out over what they have, in stamp order.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use crate::commands::bitmaps::bit::{BAD_OFFSET, parse_offset};
use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::db::Op;
use crate::db::bitfield::{Field, FieldWrite, Overflow, Program, Verb};
use crate::db::varint;
use crate::resp::{Args, parse_i64};

const BAD_TYPE: &str = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";

#[derive(Debug, Clone, Copy)]
enum Step {
    Get(Field),
    Write(FieldWrite),
}

type Steps = SmallVec<[Step; 4]>;

/// Reads the subcommands; the error is what to reply.
fn parse(args: Args<'_>, len_max: usize) -> Result<Steps, &'static str> {
    let mut steps = Steps::new();
    let mut overflow = Overflow::Wrap;
    let mut at = 2;
    while let Some(word) = args.try_get(at) {
        let left = args.len() - at - 1;
        let is = |name: &[u8], operands: usize| word.eq_ignore_ascii_case(name) && left >= operands;
        let verb = if is(b"get", 2) {
            None
        } else if is(b"set", 3) {
            Some(Verb::Set)
        } else if is(b"incrby", 3) {
            Some(Verb::IncrBy)
        } else if is(b"overflow", 1) {
            overflow =
                parse_overflow(args.get(at + 1)).ok_or("ERR Invalid OVERFLOW type specified")?;
            at += 2;
            continue;
        } else {
            return Err(errors::SYNTAX);
        };
        let (signed, width) = parse_type(args.get(at + 1)).ok_or(BAD_TYPE)?;
        let offset = parse_offset(args.get(at + 2), Some(width), len_max).ok_or(BAD_OFFSET)?;
        let field = Field::new(signed, width, offset).ok_or(BAD_TYPE)?;
        let Some(verb) = verb else {
            steps.push(Step::Get(field));
            at += 3;
            continue;
        };
        let value = parse_i64(args.get(at + 3)).ok_or(errors::NOT_AN_INTEGER)?;
        steps.push(Step::Write(FieldWrite {
            field,
            verb,
            overflow,
            value,
        }));
        at += 4;
    }
    Ok(steps)
}

fn parse_overflow(word: &[u8]) -> Option<Overflow> {
    let kinds = [
        (&b"wrap"[..], Overflow::Wrap),
        (b"sat", Overflow::Sat),
        (b"fail", Overflow::Fail),
    ];
    let found = kinds
        .into_iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name));
    found.map(|(_, kind)| kind)
}

/// `i` or `u` and a width. As in Redis, a zero byte ends it.
fn parse_type(text: &[u8]) -> Option<(bool, u8)> {
    let (signed, width) = match text.split(|byte| *byte == 0).next() {
        Some([b'i', width @ ..]) => (true, width),
        Some([b'u', width @ ..]) => (false, width),
        _ => return None,
    };
    let width = u8::try_from(parse_i64(width)?).ok()?;
    Field::new(signed, width, 0).map(|_| (signed, width))
}

/// A string with some of its bytes changed, without a copy of the others.
struct Draft<'v> {
    value: &'v [u8],
    changed: BTreeMap<usize, u8>,
}

impl Draft<'_> {
    fn byte(&self, at: usize) -> u8 {
        let changed = self.changed.get(&at).or_else(|| self.value.get(at));
        changed.copied().unwrap_or(0)
    }
}

/// What the subcommands come to over a string.
struct Carried {
    replies: SmallVec<[Option<i64>; 4]>,
    /// The writes that took place, as they travel.
    writes: Vec<u8>,
    changes: bool,
}

fn carry_out(steps: &[Step], value: &[u8]) -> Carried {
    let mut draft = Draft {
        value,
        changed: BTreeMap::new(),
    };
    let mut carried = Carried {
        replies: SmallVec::new(),
        writes: Vec::new(),
        changes: false,
    };
    for step in steps {
        let write = match step {
            Step::Get(field) => {
                carried.replies.push(Some(field.get(|at| draft.byte(at))));
                continue;
            }
            Step::Write(write) => write,
        };
        let old = write.field.get(|at| draft.byte(at));
        let new = write.outcome(old);
        let shown = match write.verb {
            Verb::Set => new.and(Some(old)),
            Verb::IncrBy => new,
        };
        carried.replies.push(shown);
        if let Some(new) = new {
            let mut put = SmallVec::<[(usize, u8); 9]>::new();
            let byte = |at| draft.byte(at);
            write.field.put(new, byte, |at, byte| put.push((at, byte)));
            carried.changes |= put.iter().any(|(at, byte)| draft.byte(*at) != *byte);
            draft.changed.extend(put);
            write.encode(&mut carried.writes);
        }
    }
    carried
}

pub(super) fn bitfield(call: &mut DataCall<'_, '_>) {
    run(call, false);
}

pub(super) fn bitfield_ro(call: &mut DataCall<'_, '_>) {
    run(call, true);
}

fn run(call: &mut DataCall<'_, '_>, read_only: bool) {
    let len_max = call.setting.string_len_max();
    let steps = match parse(call.args, len_max) {
        Ok(steps) => steps,
        Err(error) => return call.reply.error(error),
    };
    let ends = steps.iter().filter_map(|step| match step {
        Step::Write(write) => Some(write.field.end()),
        Step::Get(_) => None,
    });
    let key = call.key(1);
    let Some(end) = ends.max() else {
        let carried =
            call.read_string(key, |value, _| carry_out(&steps, value.unwrap_or_default()));
        let Some(carried) = carried else { return };
        return reply_all(call, &carried);
    };
    if read_only {
        return call
            .reply
            .error("ERR BITFIELD_RO only supports the GET subcommand");
    }
    let looked = call.look_string(key, |value| {
        let value = value.unwrap_or_default();
        (carry_out(&steps, value), value.len() < end)
    });
    let Some((carried, grows)) = looked else {
        return;
    };
    // Redis makes the string as long as all writes need, those that fail among them.
    let mut bytes = Vec::new();
    let said = !carried.writes.is_empty() && call.stamp.is_some();
    if grows || carried.changes || said {
        varint::put(&mut bytes, end as u64);
        bytes.extend_from_slice(&carried.writes);
        // What this very function encoded is a program.
        if let Ok(program) = Program::new(&bytes) {
            call.apply(key, Op::BitField(program));
        }
    }
    reply_all(call, &carried);
}

fn reply_all(call: &mut DataCall<'_, '_>, carried: &Carried) {
    call.reply.array(carried.replies.len());
    for shown in &carried.replies {
        match shown {
            Some(number) => call.reply.integer(*number),
            None => call.reply.null(),
        }
    }
}
