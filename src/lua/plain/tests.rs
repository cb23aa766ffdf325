//! Plain scripts beside the machine: the same calls, replies and errors.

mod random;

use self::random::Random;
use super::*;
use crate::lua::tests::{VERSION, shown};
use crate::lua::{Ended, Host, Raised, Source, Vm};
use crate::resp::{Args, ArgsBuffer, Reply};

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

    fn set_replication(&mut self, _: u32) -> Result<(), Raised> {
        Ok(())
    }
}

fn words(words: &[&str]) -> ArgsBuffer {
    ArgsBuffer::from_args(words.iter().map(|word| word.as_bytes())).unwrap()
}

/// What was called, what the client gets, and how it ended.
type Outcome = (Vec<Vec<Vec<u8>>>, String, Ended);

/// Both ways; none where the script is no Lua, so that it never runs.
fn both_ways(vm: &Vm, code: &str, plain: &Plain) -> Option<(Outcome, Outcome)> {
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
    let number_and_source = (number, Source::Script);
    let ended = vm.run(number_and_source, "sha", given, &mut host, &mut reply);
    vm.forget(number);
    let machine = (host.called, shown(&reply), ended);
    let (mut host, mut reply) = (Answers::default(), Reply::default());
    let ended = vm.run_plain(plain, "sha", given, &mut host, &mut reply);
    Some((machine, (host.called, shown(&reply), ended)))
}

fn vm() -> Vm {
    Vm::new(VERSION, Box::new(|| true)).unwrap()
}

#[test]
fn a_plain_script_does_what_it_would_in_the_machine() {
    let (vm, mut random, mut plain_ones, mut errors) = (vm(), Random(1), 0, 0);
    let count = std::env::var("KEYMESH_PLAIN_SCRIPTS").ok();
    let count = count.and_then(|count| count.parse().ok()).unwrap_or(30_000);
    for _ in 0..count {
        let code = random.script();
        let Some(plain) = Plain::of(code.as_bytes()) else {
            continue;
        };
        let Some((machine, other)) = both_ways(&vm, &code, &plain) else {
            continue;
        };
        // Addresses differ.
        let has_address = |word: &[u8]| word.windows(7).any(|part| part == b"table: ");
        if machine.0.iter().flatten().any(|word| has_address(word)) || machine.1.contains("table: ")
        {
            continue;
        }
        plain_ones += 1;
        errors += u64::from(other.1.contains("attempt to"));
        assert_eq!(machine, other, "{code}");
    }
    println!("{plain_ones} plain ones, {errors} with errors of Lua's");
    assert!(plain_ones > count / 3, "{plain_ones}");
    assert!(errors > count / 20, "{errors}");
}

/// Scripts as applications send them.
const OF_APPLICATIONS: &[&str] = &[
    "return redis.call('incr', KEYS[1])",
    "return(redis.call('incr',KEYS[1]))",
    "if redis.call(\"get\",KEYS[1]) == ARGV[1] then\n return redis.call(\"del\",KEYS[1])\nelse\n return 0\nend",
    "local token = redis.call('get', KEYS[1])\nif not token or token ~= ARGV[1] then\n return 0\nend\nredis.call('del', KEYS[1])\nreturn 1\n",
    "-- Sets it if it was this.\nlocal v = redis.call('GET', KEYS[1])\nif v == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]); return 1 end return 0",
    "",
    // Counters with a limit.
    "local current = redis.call('INCR', KEYS[1]) if current == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end return current",
    "local c = tonumber(redis.call('GET', KEYS[1]) or '0') if c + 1 > tonumber(ARGV[1]) then return 0 else redis.call('INCRBY', KEYS[1], 1) redis.call('EXPIRE', KEYS[1], ARGV[2]) return 1 end",
    "local v = redis.call('GET', KEYS[1]) if v and tonumber(v) >= tonumber(ARGV[1]) then return redis.call('DECRBY', KEYS[1], ARGV[1]) end return -1",
    // A window that slides.
    "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', tonumber(ARGV[1]) - tonumber(ARGV[2])) local n = redis.call('ZCARD', KEYS[1]) if n < tonumber(ARGV[3]) then redis.call('ZADD', KEYS[1], ARGV[1], ARGV[4]) redis.call('PEXPIRE', KEYS[1], ARGV[2]) return {1, n + 1} end return {0, n}",
    // A bucket of tokens.
    "local rate, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])\nlocal now = tonumber(ARGV[3])\nlocal requested = tonumber(ARGV[4])\nlocal fill_time = capacity/rate\nlocal ttl = math.floor(fill_time*2)\nlocal last_tokens = tonumber(redis.call(\"get\", KEYS[1]))\nif last_tokens == nil then\n  last_tokens = capacity\nend\nlocal last_refreshed = tonumber(redis.call(\"get\", KEYS[2]))\nif last_refreshed == nil then\n  last_refreshed = 0\nend\nlocal delta = math.max(0, now-last_refreshed)\nlocal filled_tokens = math.min(capacity, last_tokens+(delta*rate))\nlocal allowed = filled_tokens >= requested\nlocal new_tokens = filled_tokens\nlocal allowed_num = 0\nif allowed then\n  new_tokens = filled_tokens - requested\n  allowed_num = 1\nend\nif ttl > 0 then\n  redis.call(\"setex\", KEYS[1], ttl, new_tokens)\n  redis.call(\"setex\", KEYS[2], ttl, now)\nend\nreturn { allowed_num, new_tokens }",
    "local data = redis.call('HMGET', KEYS[1], 'tokens', 'at')\nlocal tokens = tonumber(data[1] or ARGV[1])\nlocal at = tonumber(data[2]) or 0\nlocal time = redis.call('TIME')\nlocal now = time[1] * 1000 + math.floor(time[2] / 1000)\nif tokens < 1 then return {0, tostring(tokens)} end\nredis.call('HSET', KEYS[1], 'tokens', tokens - 1, 'at', now)\nreturn {1, tostring(tokens - 1)}",
    "redis.replicate_commands()\nlocal key = KEYS[1]\nlocal burst = ARGV[1]\nlocal rate = ARGV[2]\nlocal period = ARGV[3]\nlocal cost = tonumber(ARGV[4])\nlocal emission_interval = period / rate\nlocal increment = emission_interval * cost\nlocal burst_offset = emission_interval * burst\nlocal now = redis.call(\"TIME\")\nnow = (now[1] - 1483228800) + (now[2] / 1000000)\nlocal tat = redis.call(\"GET\", key)\nif not tat then\n  tat = now\nelse\n  tat = tonumber(tat)\nend\ntat = math.max(tat, now)\nlocal new_tat = tat + increment\nlocal allow_at = new_tat - burst_offset\nlocal diff = now - allow_at\nlocal remaining = diff / emission_interval\nif remaining < 0 then\n  local reset_after = tat - now\n  local retry_after = diff * -1\n  return {\n    0,\n    0,\n    tostring(retry_after),\n    tostring(reset_after),\n  }\nend\nlocal reset_after = new_tat - now\nif reset_after > 0 then\n  redis.call(\"SET\", key, new_tat, \"EX\", math.ceil(reset_after))\nend\nlocal retry_after = -1\nreturn {cost, remaining, tostring(retry_after), tostring(reset_after)}",
    // A lock that its holder may take again.
    "if ((redis.call('exists', KEYS[1]) == 0) or (redis.call('hexists', KEYS[1], ARGV[2]) == 1)) then redis.call('hincrby', KEYS[1], ARGV[2], 1); redis.call('pexpire', KEYS[1], ARGV[1]); return nil; end; return redis.call('pttl', KEYS[1]);",
    "if (redis.call('hexists', KEYS[1], ARGV[3]) == 0) then return nil;end; local counter = redis.call('hincrby', KEYS[1], ARGV[3], -1); if (counter > 0) then redis.call('pexpire', KEYS[1], ARGV[2]); return 0; else redis.call('del', KEYS[1]); redis.call('publish', KEYS[2], ARGV[1]); return 1; end; return nil;",
    // Queues.
    "local job = redis.call('RPOP', KEYS[1])\nif not job then return nil end\nredis.call('ZADD', KEYS[2], ARGV[1] + 30, job)\nredis.call('HINCRBY', KEYS[3] .. ':' .. job, 'attempts', 1)\nreturn job",
    "local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1)\nif #found == 0 then return false end\nredis.call('ZREM', KEYS[1], found[1])\nreturn found[1]",
    "if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('NOKEY no such job') end return redis.status_reply('OK')",
    "if #KEYS ~= 1 then return {err = 'ERR one key'} end local r = redis.pcall('INCR', KEYS[1]) return r",
];

#[test]
fn scripts_of_applications_are_plain() {
    let vm = vm();
    for code in OF_APPLICATIONS {
        let plain = Plain::of(code.as_bytes()).expect(code);
        let (machine, other) = both_ways(&vm, code, &plain).expect(code);
        assert_eq!(machine, other, "{code}");
    }
}

#[test]
fn what_is_more_than_plain_is_for_the_machine() {
    for code in [
        "return KEYS",
        "return KEYS[ARGV[1]]",
        "return ARGV[#ARGV]",
        "return 1, 2",
        "local a, b = 1, 2, 3",
        "local a = 1 a, b = 2, 3",
        "x = 1",
        "return x",
        "tonumber = 1",
        "for i = 1, 2 do redis.call('incr', KEYS[1]) end",
        "local redis = 1 return redis.call('a')",
        "local KEYS = 1 return #KEYS[1]['x']",
        "local tonumber = tonumber return tonumber('1')",
        "local tonumber = 1 return tonumber('1')",
        "local math = 1 return math.floor(1)",
        "return tonumber(1, 10)",
        "return tonumber()",
        "return math.sqrt(4)",
        "return redis.call\n('incr', KEYS[1])",
        "return tonumber\n('1')",
        "return redis.call 'time'",
        "redis.replicate_commands(1)",
        "tonumber('1')",
        "return redis.call(unpack(ARGV))",
        "local a = {1} return a",
        "return {1, a = 2}",
        "return {[1] = 2}",
        "local err = 1 return {err = 'x'}",
        "return #{1}",
        "return 'a\\n'",
        "return 0x10",
        "return .5",
        "return 1..2",
        "return 2 ^ 3",
        "--[[ x ]] return 1",
        "return 1 return 2",
        "return 1\r\n",
        "return 'a' 'b'",
        "return end",
        // Lua mixes 0 and -0 up.
        "return -0",
        "return 0 * -1",
        // Errors would call these by names that are hard to tell.
        "return nil + 1",
        "return (1 == 2) .. ''",
        "local a return ((a or 1) and 2) + 1",
        "local a return a[1]\n+ 1",
    ] {
        assert_eq!(Plain::of(code.as_bytes()), None, "{code}");
    }
}

#[test]
fn what_is_deep_is_for_the_machine() {
    for (before, behind) in [
        ("(", ")"),
        ("not ", ""),
        ("- ", ""),
        ("#", ""),
        ("{", "}"),
        ("tonumber(", ")"),
        ("1 or ", ""),
        ("ARGV[1] .. ", ""),
        ("ARGV[1] + ", ""),
    ] {
        for (count, is_plain) in [(20, true), (200, false), (100_000, false)] {
            let (before, behind) = (before.repeat(count), behind.repeat(count));
            let inner = if before.starts_with('{') { "" } else { "'1'" };
            let code = format!("return {before}{inner}{behind}");
            let start = &code[..20];
            assert_eq!(
                Plain::of(code.as_bytes()).is_some(),
                is_plain,
                "{start} {count}"
            );
        }
    }
    let code = "if 1 then ".repeat(100_000) + &"end ".repeat(100_000);
    assert_eq!(Plain::of(code.as_bytes()), None);
}

#[test]
fn errors_of_lua_are_worded_as_lua_words_them() {
    let vm = vm();
    for (code, text) in [
        (
            "local x return x + 1",
            "1: attempt to perform arithmetic on local 'x' (a nil value)",
        ),
        (
            "return 1 + KEYS[3]",
            "1: attempt to perform arithmetic on field '?' (a nil value)",
        ),
        (
            "return 'x' + 1",
            "1: attempt to perform arithmetic on a string value",
        ),
        (
            "return -tonumber('x')",
            "1: attempt to perform arithmetic on a nil value",
        ),
        (
            "local x return (x and 1 or\nARGV[99]) * 2",
            "2: attempt to perform arithmetic on field '?' (a nil value)",
        ),
        (
            "local x, y return (x or y)\n * 2",
            "2: attempt to perform arithmetic on a nil value",
        ),
        (
            "local x return 1 < x",
            "1: attempt to compare number with nil",
        ),
        (
            "local x return 1 > x",
            "1: attempt to compare nil with number",
        ),
        (
            "return ARGV[1]\n<=\n1",
            "3: attempt to compare string with number",
        ),
        (
            "local x return x >= nil",
            "1: attempt to compare two nil values",
        ),
        (
            "local x = 1 < 2 return 'a' .. x .. 'b'",
            "1: attempt to concatenate local 'x' (a boolean value)",
        ),
        (
            "return type(1) .. tonumber('')",
            "1: attempt to concatenate a nil value",
        ),
        (
            "local x return #x",
            "1: attempt to get length of local 'x' (a nil value)",
        ),
        (
            "local x return x[1]",
            "1: attempt to index local 'x' (a nil value)",
        ),
        (
            "return KEYS[9][1]",
            "1: attempt to index field '?' (a nil value)",
        ),
        (
            "return math.floor(nil)",
            "1: bad argument #1 to 'floor' (number expected, got nil)",
        ),
        (
            "return math.max(1, 'x')",
            "1: bad argument #2 to 'max' (number expected, got string)",
        ),
    ] {
        let plain = Plain::of(code.as_bytes()).expect(code);
        let (machine, other) = both_ways(&vm, code, &plain).expect(code);
        assert_eq!(machine, other, "{code}");
        let line = text.split(':').next().unwrap_or_default();
        let whole = format!("-ERR user_script:{text} script: sha, on @user_script:{line}.|");
        assert_eq!(other.1, whole, "{code}");
    }
}

#[test]
fn values_are_computed_as_in_the_machine() {
    let vm = vm();
    for (code, reply) in [
        ("return 1 + 2 * 3 - 4 / 2", ":5|"),
        ("return (1 + 2) * 3", ":9|"),
        ("return 2 - 1 - 1", ":0|"),
        ("return 7 % 4 .. ''", "$1|3|"),
        ("return -7 % 4 .. ''", "$1|1|"),
        ("return 1 .. 2 == '12'", ":1|"),
        ("return 1 + 1 .. 'x'", "$2|2x|"),
        ("return not 1 == 2", "$-1|"),
        ("return -'2' + '0x10'", ":14|"),
        ("return 10 / 4", ":2|"),
        ("return tostring(10 / 4)", "$3|2.5|"),
        ("return tostring(2 / 3)", "$16|0.66666666666667|"),
        ("return 100000000000000 .. ''", "$5|1e+14|"),
        ("return 1 / ('0' + 0) .. ''", "$3|inf|"),
        ("return 'a' < 'b' and 'B' < 'a'", ":1|"),
        ("return #ARGV", ":9|"),
        ("return #'abc' + #KEYS", ":5|"),
        (
            "return {1, 'x', {2, nil, 3}, false, ARGV[99], 5}",
            "*4|:1|$1|x|*1|:2|$-1|",
        ),
        ("return {err = 'MY fault'}", "-MY fault|"),
        ("return {ok = 'FINE'}", "+FINE|"),
        (
            "return {redis.error_reply('MY fault'), redis.status_reply('x')}",
            "*2|-MY fault|+x|",
        ),
        ("return redis.error_reply('-x')", "-ERR x|"),
        ("return tonumber('nan') == tonumber('nan')", "$-1|"),
        (
            "return math.max(1, '5', 3) + math.min(2, 1) + math.abs(-1)",
            ":7|",
        ),
    ] {
        let plain = Plain::of(code.as_bytes()).expect(code);
        let (machine, other) = both_ways(&vm, code, &plain).expect(code);
        assert_eq!(machine, other, "{code}");
        assert_eq!(other.1, reply, "{code}");
    }
}

#[test]
fn what_is_called_has_its_numbers_as_from_the_machine() {
    let vm = vm();
    let numbers =
        "0.1, 1e3, 10 / 4, 2 / 3, -1, 1e17, 1e300, 9007199254740993, -('0' + 0), 1 / -('0' + 0)";
    let code = format!("return redis.pcall({numbers})");
    let plain = Plain::of(code.as_bytes()).unwrap();
    let (machine, other) = both_ways(&vm, &code, &plain).unwrap();
    assert_eq!(machine, other);
    let words: Vec<_> = other.0[0]
        .iter()
        .map(|word| String::from_utf8_lossy(word))
        .collect();
    assert_eq!(
        words,
        [
            "0.10000000000000001",
            "1000",
            "2.5",
            "0.66666666666666663",
            "-1",
            "100000000000000000",
            "1.0000000000000001e+300",
            "9007199254740992",
            "-0",
            "-inf"
        ]
    );
}

#[test]
fn no_more_text_is_made_than_there_is_room_for() {
    let join = Join {
        parts: Vec::new(),
        line: 1,
    };
    let (text, mut room) = (value::Value::Text(b"12345"), 12);
    let texts = [text.clone(), text];
    assert!(join.of(&texts, &mut room).is_ok());
    let (raised, line) = join.of(&texts, &mut room).unwrap_err();
    assert_eq!(raised, Raised::Text(b"not enough memory".to_vec()));
    assert_eq!(line, compute::NOWHERE);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
        Plain::of(&bytes);
    }
}
