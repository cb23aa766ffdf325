//! Plain scripts beside the machine: the same calls, replies and errors.

use super::*;
use crate::lua::tests::{VERSION, shown};
use crate::lua::{Host, Raised, Source, Vm};
use crate::resp::{Args, ArgsBuffer, Reply};

/// Answers in ways that depend on the words.
#[derive(Default)]
struct Answers {
    called: Vec<Vec<Vec<u8>>>,
}

impl Host for Answers {
    fn call(&mut self, words: Args<'_>, reply: &mut Reply) -> Result<(), Raised> {
        self.called.push(words.to_vec());
        let sum: usize = words.iter().flatten().map(|byte| usize::from(*byte)).sum();
        match (sum + self.called.len()) % 14 {
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
            9 => {
                reply.array(6);
                reply.integer(i64::MIN);
                reply.null();
                reply.array(0);
                reply.bulk(b"one\r\ntwo");
                reply.simple("FINE");
                reply.error("inner");
            }
            10 => reply.integer((sum % 3) as i64),
            _ => reply.bulk(words.get(words.len() - 1)),
        }
        Ok(())
    }

    fn may(&self, _: Args<'_>) -> Option<bool> {
        None
    }

    fn set_replication(&mut self, _: u32) -> Result<(), Raised> {
        Ok(())
    }
}

/// Numbers that are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % count
    }

    fn one_of(&mut self, all: &[&str]) -> String {
        all[self.below(all.len() as u64) as usize].to_owned()
    }

    fn blank(&mut self) -> String {
        self.one_of(&[" ", " ", " ", "\n", "  -- a remark\n", "\t"])
    }

    fn call(&mut self, depth: u32) -> String {
        let words: Vec<String> = (0..self.below(4))
            .map(|_| self.expression(depth + 2))
            .collect();
        format!("redis.call({})", words.join(&self.one_of(&[", ", ",\n "])))
    }

    fn expression(&mut self, depth: u32) -> String {
        let simple = depth > 3;
        match self.below(if simple { 9 } else { 17 }) {
            0 => self.one_of(&["KEYS[1]", "KEYS[2]", "KEYS[0]", "KEYS[3]"]),
            1 => self.one_of(&["ARGV[1]", "ARGV[2]", "ARGV[9]"]),
            2 => self.one_of(&["'get'", "\"x\"", "''", "'5'", "\"it's\""]),
            3 => self.one_of(&["0", "5", "-5", "007", "123456789012345", "- 1"]),
            4 => self.one_of(&["nil", "true", "false"]),
            5..=8 => self.one_of(&["a", "b", "c"]),
            9 | 10 => self.call(depth),
            11 => format!("not {}", self.expression(depth + 1)),
            12 => format!("({})", self.expression(depth + 1)),
            _ => {
                let sign = self.one_of(&["==", "~=", "and", "or", "=="]);
                let (left, right) = (self.expression(depth + 1), self.expression(depth + 1));
                format!("{left}{}{sign}{}{right}", self.blank(), self.blank())
            }
        }
    }

    fn block(&mut self, depth: u32) -> String {
        let mut code = String::new();
        for _ in 0..self.below(4) {
            let statement = match self.below(if depth > 2 { 4 } else { 6 }) {
                0 => format!(
                    "local {} = {}",
                    self.one_of(&["a", "b", "c"]),
                    self.expression(0)
                ),
                1 => format!("local {}", self.one_of(&["a", "b", "c"])),
                2 => format!("{} = {}", self.one_of(&["a", "b"]), self.expression(0)),
                3 => self.call(0),
                _ => {
                    let condition = self.expression(1);
                    let mut code = format!("if {condition} then {}", self.block(depth + 1));
                    for _ in 0..self.below(2) {
                        let condition = self.expression(1);
                        code += &format!(" elseif {condition} then {}", self.block(depth + 1));
                    }
                    if self.below(2) == 0 {
                        code += &format!(" else {}", self.block(depth + 1));
                    }
                    code + " end"
                }
            };
            code += &statement;
            code += &self.one_of(&["\n", "; ", " "]);
        }
        if self.below(3) == 0 {
            code += &match self.below(4) {
                0 => "return".to_owned(),
                _ => format!("return {}", self.expression(0)),
            };
            code += &self.one_of(&["", ";", "\n"]);
        }
        code
    }

    fn script(&mut self) -> String {
        let mut code = format!("local a, b = 1\n{}", self.block(0));
        if self.below(8) > 0 {
            code = format!("local a = 'a' local b = KEYS[1] local c\n{}", self.block(0));
        }
        // Some are cut, or have something in them that is not plain, or not even Lua.
        if self.below(6) == 0 && !code.is_empty() {
            let at = self.below(code.len() as u64) as usize;
            let other = self.one_of(&[
                "#", " .. ", "(", ")", "end", "\n(", "1", "'", "=", " . ", "-", "[", "redis",
                "return",
            ]);
            code.insert_str(at, &other);
        }
        code
    }
}

fn words(words: &[&str]) -> ArgsBuffer {
    ArgsBuffer::from_args(words.iter().map(|word| word.as_bytes())).unwrap()
}

#[test]
fn a_plain_script_does_what_it_would_in_the_machine() {
    let vm = Vm::new(VERSION, Box::new(|| true)).unwrap();
    let (mut random, mut plain_ones) = (Random(1), 0);
    let (keys, arguments) = (words(&["k", "5"]), words(&["x", ""]));
    let given = (keys.as_args(), arguments.as_args());
    for _ in 0..if cfg!(debug_assertions) {
        20_000
    } else {
        200_000
    } {
        let code = random.script();
        let Some(plain) = Plain::of(code.as_bytes()) else {
            continue;
        };
        // What is no Lua never runs: the machine has compiled it before.
        let Ok(number) = vm.compile(code.as_bytes(), Source::Script) else {
            continue;
        };
        plain_ones += 1;
        let (mut host, mut reply) = (Answers::default(), Reply::default());
        let ended = vm.run(
            (number, Source::Script),
            "sha",
            given,
            &mut host,
            &mut reply,
        );
        let (mut other, mut other_reply) = (Answers::default(), Reply::default());
        let other_ended = vm.run_plain(&plain, "sha", given, &mut other, &mut other_reply);
        vm.forget(number);
        assert_eq!(host.called, other.called, "{code}");
        assert_eq!(shown(&reply), shown(&other_reply), "{code}");
        assert_eq!(ended, other_ended, "{code}");
    }
    assert!(plain_ones > 5_000, "{plain_ones}");
}

#[test]
fn scripts_of_applications_are_plain() {
    for code in [
        "return redis.call('incr', KEYS[1])",
        "return(redis.call('incr',KEYS[1]))",
        "if redis.call(\"get\",KEYS[1]) == ARGV[1] then\n return redis.call(\"del\",KEYS[1])\nelse\n return 0\nend",
        "local token = redis.call('get', KEYS[1])\nif not token or token ~= ARGV[1] then\n return 0\nend\nredis.call('del', KEYS[1])\nreturn 1\n",
        "-- Sets it if it was this.\nlocal v = redis.call('GET', KEYS[1])\nif v == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]); return 1 end return 0",
        "",
    ] {
        assert!(Plain::of(code.as_bytes()).is_some(), "{code}");
    }
}

#[test]
fn what_is_more_than_plain_is_for_the_machine() {
    for code in [
        "return redis.pcall('get', KEYS[1])",
        "return {1}",
        "return KEYS",
        "return #KEYS",
        "return KEYS[ARGV[1]]",
        "return redis.call('get', KEYS[1]) .. 'x'",
        "return tonumber(ARGV[1])",
        "return 1, 2",
        "local a, b = 1, 2",
        "x = 1",
        "return x",
        "for i = 1, 2 do redis.call('incr', KEYS[1]) end",
        "local redis = 1 return redis.call('a')",
        "local KEYS = 1 return KEYS[1]",
        "return redis.call\n('incr', KEYS[1])",
        "return redis.call('incr', KEYS[1])[1]",
        "return redis.call 'time'",
        "return redis.call(unpack(ARGV))",
        "return 'a\\n'",
        "return 1.5",
        "return 0x10",
        "return 1e3",
        "return 1234567890123456",
        "return 1 < 2",
        "--[[ x ]] return 1",
        "return 1 return 2",
        "return 1\r\n",
        "return 'a' 'b'",
        "return end",
    ] {
        assert_eq!(Plain::of(code.as_bytes()), None, "{code}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
        Plain::of(&bytes);
    }
}
