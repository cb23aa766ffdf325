//! A script in the machine and without it, beside each other, with a host whose answers are many and always the same.

use crate::lua::plain::Plain;
use crate::lua::tests::shown;
use crate::lua::{Ended, Host, Raised, Source, Vm};
use crate::resp::{Args, ArgsBuffer, Protocol, Reply};

/// Answers in ways that depend on the words.
#[derive(Default)]
struct Answers {
    called: Vec<Vec<Vec<u8>>>,
}

const TEXTS: [&[u8]; 8] = [
    b"10", b"0x1F", b"", b" 7 ", b"nan", b"12.50", b"-3", b"x\0y",
];

impl Host for Answers {
    fn call(&mut self, words: Args<'_>, reply: &mut Reply) -> Result<(), Raised> {
        self.called.push(words.to_vec());
        let sum: usize = words.iter().flatten().map(|byte| usize::from(*byte)).sum();
        let sum = sum + self.called.len();
        match sum % 20 {
            0 => reply.error("WRONG it failed"),
            1 => reply.error("failed"),
            2 => return Err(Raised::generic("refused")),
            3 if sum.is_multiple_of(3) => return Err(Raised::Stop),
            3 => return Err(Raised::Text(b"text".to_vec())),
            4 => reply.simple("OK"),
            5 => reply.null(),
            6 => reply.null_array(),
            7 => reply.integer(sum as i64),
            8 => reply.integer(i64::MAX - sum as i64),
            9 | 10 => {
                reply.array(6);
                reply.integer(i64::MIN);
                reply.null();
                reply.array(0);
                reply.bulk(b"one\r\ntwo");
                reply.simple("FINE");
                reply.error("inner");
            }
            11 | 12 => reply.integer((sum % 3) as i64),
            13..=15 => {
                reply.array(4);
                reply.bulk(TEXTS[sum % 8]);
                reply.array(2);
                reply.bulk(b"5");
                reply.null_array();
                reply.integer(sum as i64);
                reply.array(1);
                reply.bulk(b"2");
            }
            16 | 17 => reply.bulk(TEXTS[sum % 8]),
            _ => reply.bulk(words.get(words.len() - 1)),
        }
        Ok(())
    }

    fn may(&self, _: Args<'_>) -> Option<bool> {
        None
    }

    fn count_error(&mut self, _: &[u8]) {}

    fn set_replication(&mut self, _: u32) -> Result<(), Raised> {
        Ok(())
    }
}

fn words(words: &[&str]) -> ArgsBuffer {
    ArgsBuffer::from_args(words.iter().map(|word| word.as_bytes())).unwrap()
}

/// What was called, what the client gets, and how it ended.
pub type Outcome = (Vec<Vec<Vec<u8>>>, String, Ended);

/// Both ways for a client of RESP2; none where the script is no Lua, so that it never runs.
pub fn both_ways(vm: &Vm, code: &str, plain: &Plain) -> Option<(Outcome, Outcome)> {
    both_ways_in(Protocol::Resp2, vm, code, plain)
}

/// Both ways for a client of one protocol.
pub fn both_ways_in(
    protocol: Protocol,
    vm: &Vm,
    code: &str,
    plain: &Plain,
) -> Option<(Outcome, Outcome)> {
    let keys = words(&["k", "5"]);
    let arguments = words(&[
        "x",
        "",
        " 0x10 ",
        "1e3",
        "nan",
        "-0",
        "9007199254740993",
        "3",
        "-2.5",
    ]);
    let given = (keys.as_args(), arguments.as_args());
    let number = vm.compile(code.as_bytes(), Source::Script).ok()?;
    let (mut host, mut reply) = (Answers::default(), Reply::default());
    reply.set_protocol(protocol);
    let number_and_source = (number, Source::Script);
    let ended = vm.run(number_and_source, "sha", given, &mut host, &mut reply);
    vm.forget(number);
    let machine = (host.called, shown(&reply), ended);
    let (mut host, mut reply) = (Answers::default(), Reply::default());
    reply.set_protocol(protocol);
    let ended = vm.run_plain(plain, "sha", given, &mut host, &mut reply);
    Some((machine, (host.called, shown(&reply), ended)))
}
