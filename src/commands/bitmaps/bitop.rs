//! BITOP: strings combined bit by bit, the shorter ones followed by zeros. What comes out is the whole content of the
//! destination: a SET, or a DEL where it is empty.

use crate::commands::call::DataCall;
use crate::commands::errors;
use crate::db::{Expiry, Op};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    And,
    Or,
    Xor,
    Not,
}

impl Operation {
    fn parse(word: &[u8]) -> Option<Self> {
        let operations = [
            (&b"and"[..], Self::And),
            (b"or", Self::Or),
            (b"xor", Self::Xor),
            (b"not", Self::Not),
        ];
        let found = operations
            .into_iter()
            .find(|(name, _)| word.eq_ignore_ascii_case(name));
        found.map(|(_, operation)| operation)
    }

    /// Takes one more source into the result, which is not shorter than it.
    fn combine(self, result: &mut [u8], source: &[u8]) {
        let (common, rest) = result.split_at_mut(source.len());
        let pairs = common.iter_mut().zip(source);
        match self {
            Self::And => {
                pairs.for_each(|(to, from)| *to &= from);
                rest.fill(0);
            }
            Self::Or => pairs.for_each(|(to, from)| *to |= from),
            Self::Xor => pairs.for_each(|(to, from)| *to ^= from),
            Self::Not => pairs.for_each(|(to, from)| *to = !from),
        }
    }
}

pub(super) fn bitop(call: &mut DataCall<'_, '_>) {
    let Some(operation) = Operation::parse(call.args.get(1)) else {
        return call.reply.error(errors::SYNTAX);
    };
    if operation == Operation::Not && call.args.len() != 4 {
        return call
            .reply
            .error("ERR BITOP NOT must be called with a single source key.");
    }
    let mut result = Vec::new();
    for index in 3..call.args.len() {
        let key = call.key(index);
        let combined = call.read_string(key, |source, _| {
            let source = source.unwrap_or_default();
            if index == 3 && operation != Operation::Not {
                result.extend_from_slice(source);
                return;
            }
            if result.len() < source.len() {
                result.resize(source.len(), 0);
            }
            operation.combine(&mut result, source);
        });
        if combined.is_none() {
            return;
        }
    }
    let destination = call.key(2);
    if !result.is_empty() {
        call.apply(destination, Op::Set(&result, Expiry::Clear));
    } else if call.exists(destination) {
        call.apply(destination, Op::Del);
    }
    call.reply.integer(result.len() as i64);
}
