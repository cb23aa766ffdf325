//! The part of DEBUG that makes keys, and its sample replies.

use crate::clients::conversation::Conversation;
use crate::clients::errors;
use crate::commands::registry;
use crate::resp::{Args, ArgsBuffer, Protocol, Reply, parse_i64};

#[expect(
    clippy::approx_constant,
    reason = "the number that Redis shows, which is not pi"
)]
const SAMPLE: f64 = 3.141;
const NOT_POSITIVE: &str = "ERR value is out of range, must be positive";
const NO_SUCH_TYPE: &str = "ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false";

impl Conversation {
    /// DEBUG POPULATE count [prefix] [size]. Unlike in Redis these are writes as any other: they reach all masters, or those
    /// would differ.
    pub(super) fn debug_populate(&mut self, args: Args<'_>, reply: &mut Reply) {
        let number = |index| {
            let number = args.try_get(index).map_or(Some(0), parse_i64);
            number.and_then(|number| usize::try_from(number).ok())
        };
        let (Some(count), Some(size)) = (number(2), number(4)) else {
            return reply.error(NOT_POSITIVE);
        };
        let Some(row) = registry::lookup_built_in(b"setnx") else {
            return;
        };
        if let Some(text) = self.refusal(row) {
            return reply.error(text);
        }
        let prefix = errors::until_nul(args.try_get(3).unwrap_or(b"key"));
        let mut made = Reply::default();
        for index in 0..count {
            let key = [prefix, format!(":{index}").as_bytes()].concat();
            let mut value = format!("value:{index}").into_bytes();
            if size > 0 {
                value.resize(size, 0);
            }
            let Some(call) = ArgsBuffer::from_args([b"setnx".as_slice(), &key, &value]) else {
                return reply.error(errors::NOT_AN_INTEGER);
            };
            made.clear(0);
            self.run_data(row, call.as_args(), None, &mut made);
            if made.as_bytes().starts_with(b"-") {
                return reply.raw(made.as_bytes());
            }
        }
        reply.ok();
    }
}

/// DEBUG PROTOCOL type: a reply of each kind.
pub(super) fn sample(kind: &[u8], reply: &mut Reply) {
    let is_resp3 = matches!(reply.protocol(), Protocol::Resp3);
    match kind.to_ascii_lowercase().as_slice() {
        b"string" => reply.bulk(b"Hello World"),
        b"integer" => reply.integer(12_345),
        b"double" => reply.double(SAMPLE),
        b"bignum" => reply.big_number("1234567999999999999999999999999999999"),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            (0..3).for_each(|number| reply.integer(number));
        }
        b"set" => {
            reply.set(3);
            (0..3).for_each(|number| reply.integer(number));
        }
        b"map" => {
            reply.map(3);
            for number in 0..3 {
                reply.integer(number);
                reply.boolean(number == 1);
            }
        }
        b"attrib" => {
            reply.attribute(1, |reply| {
                reply.bulk(b"key-popularity");
                reply.array(2);
                reply.bulk(b"key:123");
                reply.integer(90);
            });
            reply.bulk(b"Some real reply following the attribute");
        }
        b"push" if is_resp3 => {
            reply.push(2);
            reply.bulk(b"server-cpu-usage");
            reply.integer(42);
            reply.bulk(b"Some real reply following the push reply");
        }
        b"push" => reply.error("ERR RESP2 is not supported by this command"),
        b"verbatim" => reply.verbatim(b"txt", b"This is a verbatim\nstring"),
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        _ => reply.error(NO_SUCH_TYPE),
    }
}
