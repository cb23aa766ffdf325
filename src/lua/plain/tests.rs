//! Plain scripts beside the machine: the same calls, replies and errors.

mod applications;
mod beside;
mod random;

use self::applications::OF_APPLICATIONS;
use self::beside::{both_ways, both_ways_in};
use self::random::Random;
use super::*;
use crate::lua::tests::VERSION;
use crate::lua::{Raised, Vm};
use crate::resp::Protocol;

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
        let protocol = match random.below(4) {
            0 => Protocol::Resp3,
            _ => Protocol::Resp2,
        };
        let Some((machine, other)) = both_ways_in(protocol, &vm, &code, &plain) else {
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
