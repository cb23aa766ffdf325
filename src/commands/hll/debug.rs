//! PFDEBUG, which shows how a HyperLogLog is laid out, and PFSELFTEST.

use std::fmt::Write;

use crate::commands::call::DataCall;
use crate::commands::hll::{look, valid};
use crate::db::hll::{self, Adds, Change, Form, Merge, Run};
use crate::db::{Key, Op, varint};

/// How many elements PFSELFTEST adds.
const TESTED: u64 = 1_000_000;

pub(super) fn pfdebug(call: &mut DataCall<'_, '_>) {
    let key = call.key(2);
    let Some(form) = look(call, key, |value| Ok(value.and_then(hll::form_of))) else {
        return;
    };
    let Some(form) = form else {
        return call.reply.error("ERR The specified key does not exist");
    };
    let word = call.args.get(1);
    let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
    if is(b"getreg") {
        if form == Form::Sparse && !make_dense(call, key) {
            return;
        }
        let mut registers = hll::no_registers();
        let read = look(call, key, |value| match value {
            None => Ok(()),
            Some(value) => hll::merge_into(&mut registers, value),
        });
        if read.is_some() {
            call.reply.array(registers.len());
            for count in &registers {
                call.reply.integer(i64::from(*count));
            }
        }
    } else if is(b"decode") {
        if form != Form::Sparse {
            return call.reply.error("ERR HLL encoding is not sparse");
        }
        let text = look(call, key, |value| Ok(decoded(value.unwrap_or_default())));
        call.reply.bulk(text.unwrap_or_default().as_bytes());
    } else if is(b"encoding") {
        call.reply.simple(match form {
            Form::Dense => "dense",
            Form::Sparse => "sparse",
        });
    } else if is(b"todense") {
        if form == Form::Dense {
            return call.reply.integer(0);
        }
        if make_dense(call, key) {
            call.reply.integer(1);
        }
    } else {
        let shown = word.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = [b"ERR Unknown PFDEBUG subcommand '", shown, b"'"].concat();
        call.reply.error_bytes(&text);
    }
}

/// Makes a sparse one dense; false where the error was written.
fn make_dense(call: &mut DataCall<'_, '_>, key: Key<'_>) -> bool {
    let change = Change::Merge(Merge::TO_DENSE);
    let fits = look(call, key, |value| change.made_of(value).map(drop));
    if fits.is_some() {
        call.apply_quietly(key, Op::PfMerge(Merge::TO_DENSE));
    }
    fits.is_some()
}

/// The runs as Redis writes them.
fn decoded(value: &[u8]) -> String {
    let mut text = String::new();
    for run in hll::runs(value) {
        if !text.is_empty() {
            text.push(' ');
        }
        let _written = match run {
            Run::Zeros(len) => write!(text, "z:{len}"),
            Run::MoreZeros(len) => write!(text, "Z:{len}"),
            Run::Values(count, len) => write!(text, "v:{count},{len}"),
        };
    }
    text
}

pub(super) fn pfselftest(call: &mut DataCall<'_, '_>) {
    match self_test(call.setting.random()) {
        None => call.reply.ok(),
        Some(fault) => call.reply.error(fault),
    }
}

/// Adds elements to a dense one and to one that begins sparse, and looks at their estimates at each power of ten; what is wrong
/// with them.
fn self_test(seed: u64) -> Option<&'static str> {
    let empty = Adds::new(&[0]).ok().map(Change::Add)?;
    let mut sparse = empty.made_of(None).ok()??;
    let mut dense = Change::Merge(Merge::TO_DENSE)
        .made_of(Some(&sparse))
        .ok()??;
    let (mut bytes, mut checkpoint) = (Vec::new(), 1_u64);
    varint::put(&mut bytes, 3_000);
    let head = bytes.len();
    for element in 1..=TESTED {
        hll::put_add(&mut bytes, hll::place_of(&(element ^ seed).to_le_bytes()));
        if element < checkpoint {
            continue;
        }
        let adds = Change::Add(Adds::new(&bytes).ok()?);
        if let Ok(Some(made)) = adds.made_of(Some(&sparse)) {
            sparse = made;
        }
        adds.change_dense(&mut dense)?;
        bytes.truncate(head);
        if element <= 1_000 && hll::form_of(&sparse) != Some(Form::Sparse) {
            return Some("ERR TESTFAILED sparse encoding not used");
        }
        let estimates = valid(Some(&sparse), |_| {
            Ok((hll::count(&sparse)?, hll::count(&dense)?))
        });
        let Ok((ours, other)) = estimates else {
            return Some("ERR TESTFAILED registers are corrupt");
        };
        if ours != other {
            return Some("ERR TESTFAILED dense/sparse disagree");
        }
        // Six standard errors; of ten elements two may meet.
        let most = (0.05 * element as f64).ceil() as u64;
        if ours.abs_diff(element) > most.max(1) {
            return Some("ERR TESTFAILED Too big error");
        }
        checkpoint *= 10;
    }
    None
}
