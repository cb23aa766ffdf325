//! Scripts without a server: what they return, and what they cannot do.

mod casts;
mod deep;
mod guards;
mod refusals;
mod texts;
mod values;

use super::*;
use crate::resp::ArgsBuffer;

/// Answers each command with its words.
#[derive(Default)]
struct Echo {
    called: Vec<Vec<Vec<u8>>>,
}

impl Host for Echo {
    fn call(&mut self, words: Args<'_>, reply: &mut Reply) -> Result<(), Raised> {
        self.called.push(words.to_vec());
        match words.name() {
            b"fail" => reply.error("WRONG it failed"),
            b"refuse" => return Err(Raised::generic("refused")),
            b"stop" => return Err(Raised::Stop),
            _ => {
                reply.array(words.len());
                words.iter().for_each(|word| reply.bulk(word));
            }
        }
        Ok(())
    }

    fn may(&self, words: Args<'_>) -> Option<bool> {
        (words.name() != b"unknown").then(|| words.name() == b"get")
    }

    fn count_error(&mut self, _: &[u8]) {}

    fn set_replication(&mut self, flags: u32) -> Result<(), Raised> {
        if flags == 3 {
            return Ok(());
        }
        Err(Raised::generic("all is shipped"))
    }
}

pub(super) const VERSION: Version = Version {
    text: "7.2.0",
    number: 0x0007_0200,
};

fn vm() -> Vm {
    Vm::new(VERSION, Box::new(|| true)).unwrap()
}

fn run_on(vm: &Vm, code: &str, keys: &[&str], arguments: &[&str]) -> String {
    let number = match vm.compile(code.as_bytes(), Source::Script) {
        Ok(number) => number,
        Err(error) => return format!("!{}", String::from_utf8_lossy(&error)),
    };
    let words =
        |words: &[&str]| ArgsBuffer::from_args(words.iter().map(|word| word.as_bytes())).unwrap();
    let (keys, arguments) = (words(keys), words(arguments));
    let mut reply = Reply::default();
    let mut host = Echo::default();
    let given = (keys.as_args(), arguments.as_args());
    let ended = vm.run(
        (number, Source::Script),
        "sha",
        given,
        &mut host,
        &mut reply,
    );
    if ended == Ended::Stopped {
        return "stopped".into();
    }
    shown(&reply)
}

/// A reply to be read.
pub(super) fn shown(reply: &Reply) -> String {
    String::from_utf8_lossy(reply.as_bytes()).replace("\r\n", "|")
}

fn run(code: &str) -> String {
    run_on(&vm(), code, &[], &[])
}

/// The bytes of a reply to a script, those that are no letters spelled out.
fn escaped(code: impl AsRef<[u8]>) -> String {
    let vm = vm();
    let number = match vm.compile(code.as_ref(), Source::Script) {
        Ok(number) => number,
        Err(error) => return format!("!{}", error.escape_ascii()),
    };
    let none = ArgsBuffer::from_args([]).unwrap();
    let given = (none.as_args(), none.as_args());
    let (mut reply, mut host) = (Reply::default(), Echo::default());
    let script = (number, Source::Script);
    vm.run(script, "sha", given, &mut host, &mut reply);
    let shown = reply.as_bytes().escape_ascii().to_string();
    shown.replace("\\r\\n", "|")
}

#[test]
fn values_become_replies() {
    for (code, reply) in [
        ("return 1", ":1|"),
        ("return -1.9", ":-1|"),
        ("return 'x'", "$1|x|"),
        ("return true", ":1|"),
        ("return false", "$-1|"),
        ("return nil", "$-1|"),
        ("return", "$-1|"),
        ("return {1,2,{3,'4'},nil,5}", "*3|:1|:2|*2|:3|$1|4|"),
        ("return {ok='FINE'}", "+FINE|"),
        ("return {err='MY fault'}", "-MY fault|"),
        ("return redis.error_reply('x')", "-ERR x|"),
        ("return redis.status_reply('x')", "+x|"),
        ("return {double=1.5}", "$3|1.5|"),
        (
            "return redis.sha1hex('')",
            "$40|da39a3ee5e6b4b0d3255bfef95601890afd80709|",
        ),
        ("return redis.call('a', 1, 1.5)", "*3|$1|a|$1|1|$3|1.5|"),
        ("return redis.REDIS_VERSION_NUM", ":459264|"),
    ] {
        assert_eq!(run(code), reply, "{code}");
    }
}

#[test]
fn keys_and_arguments_are_there_and_gone_with_the_next_run() {
    let vm = vm();
    let code = "return {KEYS[1], ARGV[1], #KEYS, #ARGV}";
    assert_eq!(
        run_on(&vm, code, &["k"], &["a", "b"]),
        "*4|$1|k|$1|a|:1|:2|"
    );
    assert_eq!(run_on(&vm, "return {#KEYS, #ARGV}", &[], &[]), "*2|:0|:0|");
}

#[test]
fn errors_say_where_they_were_raised() {
    for (code, reply) in [
        (
            "return redis.call('fail')",
            "-WRONG it failed script: sha, on @user_script:1.|",
        ),
        (
            "\nlocal x = redis.call('fail')",
            "-WRONG it failed script: sha, on @user_script:2.|",
        ),
        ("return redis.pcall('fail')", "-WRONG it failed|"),
        (
            "return redis.call('refuse')",
            "-ERR refused script: sha, on @user_script:1.|",
        ),
        (
            "error('x')",
            "-ERR user_script:1: x script: sha, on @user_script:1.|",
        ),
        (
            "error({err='MY x'})",
            "-MY x script: sha, on @user_script:1.|",
        ),
        (
            "return unknown",
            "-ERR user_script:1: Script attempted to access nonexistent global variable 'unknown' script: sha, on @user_script:1.|",
        ),
        (
            "x = 1",
            "-ERR user_script:1: Attempt to modify a readonly table script: sha, on @user_script:1.|",
        ),
        (
            "redis.call = 1",
            "-ERR user_script:1: Attempt to modify a readonly table script: sha, on @user_script:1.|",
        ),
        (
            "local ok, e = pcall(redis.call, 'fail') return e",
            "$15|WRONG it failed|",
        ),
        (
            "local ok, e = pcall(cjson.decode, '[') return e",
            "$45|Expected value but found T_END at character 2|",
        ),
    ] {
        assert_eq!(run(code), reply, "{code}");
    }
}

#[test]
fn what_stops_a_script_is_caught_by_no_pcall() {
    assert_eq!(run("pcall(redis.call, 'stop') return 1"), "stopped");
    assert_eq!(run("redis.pcall('stop') return 1"), "stopped");
    assert_eq!(
        run("coroutine.resume(coroutine.create(function() redis.call('stop') end)) return 1"),
        "stopped"
    );
    let vm = Vm::new(VERSION, Box::new(|| false)).unwrap();
    assert_eq!(
        run_on(
            &vm,
            "while true do pcall(function() while true do end end) end",
            &[],
            &[]
        ),
        "stopped"
    );
    assert_eq!(run_on(&vm, "return 1", &[], &[]), ":1|");
}

#[test]
fn a_script_cannot_reach_what_the_next_one_sees() {
    let vm = vm();
    for code in [
        "rawset(_G, 'x', 1)",
        "table.insert(_G, 1)",
        "getmetatable('').__index = nil",
        "string.upper = nil",
        "setmetatable(redis, {})",
        "loadstring('x = 1')()",
        "KEYS = 1",
    ] {
        let reply = run_on(&vm, code, &[], &[]);
        assert!(
            reply.contains("Attempt to modify a readonly table"),
            "{code}: {reply}"
        );
    }
    for name in [
        "io", "print", "debug", "require", "dofile", "loadfile", "getfenv", "setfenv", "package",
    ] {
        assert!(
            run_on(&vm, &format!("return {name}"), &[], &[]).contains("nonexistent global"),
            "{name}"
        );
    }
    assert_eq!(
        run_on(
            &vm,
            "return type(loadstring(string.dump(function() end)))",
            &[],
            &[]
        ),
        "$3|nil|"
    );
}

#[test]
fn random_numbers_are_those_of_redis() {
    let code = "return {tostring(math.random()), math.random(10), math.random(5, 6)}";
    let vm = vm();
    assert_eq!(run_on(&vm, "return math.random(1)", &[], &[]), ":1|");
    assert_eq!(
        run_on(&vm, code, &[], &[]),
        "*3|$16|0.84048536971234|:4|:5|"
    );
    let seeded = format!("math.randomseed(0) {code}");
    assert_eq!(
        run_on(&vm, &seeded, &[], &[]),
        "*3|$16|0.17082803611217|:8|:5|"
    );
    assert_eq!(
        run_on(&vm, &seeded, &[], &[]),
        "*3|$16|0.17082803611217|:8|:5|"
    );
}

#[test]
fn endless_memory_is_an_error_and_not_the_end() {
    let vm = vm();
    vm.shared.memory_max.set(16 << 20);
    let reply = run_on(
        &vm,
        "local t = {} while true do t[#t + 1] = string.rep('x', 100000) .. #t end",
        &[],
        &[],
    );
    assert!(reply.contains("not enough memory"), "{reply}");
    assert_eq!(run_on(&vm, "return 1", &[], &[]), ":1|");
}

#[test]
fn packed_values_have_these_bytes() {
    for (code, reply) in [
        (
            "return cjson.encode({1,2,{a='b/\\n'}})",
            "$19|[1,2,{\"a\":\"b\\/\\n\"}]|",
        ),
        ("return cjson.encode({[1]=1,[50]=2})", ""),
        (
            "return tostring(cjson.decode('[1.5e3, null, \"\\\\u00e9\"]')[1])",
            "$4|1500|",
        ),
        ("return bit.band(0xff, 0x0f, -1)", ":15|"),
        ("return bit.tohex(-1)", "$8|ffffffff|"),
        ("return bit.lshift(1, 31)", ":-2147483648|"),
        ("return struct.size('>!4hi')", ":8|"),
        ("return #cmsgpack.pack({1, 'a', {x = 1.5}})", ":12|"),
        (
            "local a, b = struct.unpack('>hs', struct.pack('>hs', -2, 'abc')) return {a, b}",
            "*2|:-2|$3|abc|",
        ),
    ] {
        let found = run(code);
        if reply.is_empty() {
            assert!(
                found.contains("Cannot serialise table: excessively sparse array"),
                "{found}"
            );
        } else {
            assert_eq!(found, reply, "{code}");
        }
    }
}
