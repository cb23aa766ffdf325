//! COMMAND against replies recorded from Redis 7.0.15.

use crate::commands::docs::Argument;
use crate::commands::registry;
use crate::commands::world::{World, check};
use crate::resp::Protocol;

/// `COMMAND INFO` of each command: its name, then the reply with blanks for line ends.
const INFOS: &str = include_str!("tests/infos_7_0_15.txt");
/// The grammar in `COMMAND DOCS`, in the same form.
const ARGUMENTS: &str = include_str!("tests/arguments_7_0_15.txt");
/// What `COMMAND DOCS` says of HSCAN beyond that.
const NOVALUES: &str = "%5 $4 name $8 novalues $4 type $10 pure-token $5 token $8 NOVALUES $5 since $5 7.4.0 $5 flags ~1 +optional ";

/// What XREAD takes where there are other masters.
const STABLE: &str =
    "%4 $4 name $6 stable $4 type $10 pure-token $5 token $6 STABLE $5 flags ~1 +optional ";

/// One master more or less, which is KeyDB's.
const CHANGE: &str = " %3 $4 name $6 change $4 type $5 block $9 arguments *3 %3 $4 name $4 what $4 type $5 oneof $9 arguments *2 %3 $4 name $3 add $4 type $10 pure-token $5 token $3 ADD %3 $4 name $6 remove $4 type $10 pure-token $5 token $6 REMOVE %2 $4 name $4 host $4 type $6 string %2 $4 name $4 port $4 type $7 integer";
/// What SHUTDOWN takes as in KeyDB.
const SOFT: &str = "%5 $4 name $4 soft $4 type $10 pure-token $5 token $4 SOFT $5 since $5 6.0.0 $5 flags ~1 +optional ";

/// What TTL, PTTL and PERSIST take as in KeyDB.
const MEMBER: &str = " %3 $4 name $6 member $4 type $6 string $5 flags ~1 +optional";

/// What Redis 7.2 added to ZRANK.
const WITHSCORE: &str = " %5 $4 name $9 withscore $4 type $10 pure-token $5 token $9 WITHSCORE $5 since $5 7.2.0 $5 flags ~1 +optional";

fn world() -> World {
    let mut world = World::new(false, 1);
    world.protocol = Protocol::Resp3;
    world
}

/// Without the remark on key flags, whose words are our own.
fn without_note(reply: &str) -> String {
    let mut parts = reply.split("%4 $5 notes ");
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let flags = part.find(" $5 flags").unwrap();
        rest += "%3";
        rest += &part[flags..];
    }
    rest
}

#[test]
fn command_info_equals_that_of_redis() {
    let mut world = world();
    for line in INFOS.lines() {
        let (name, expected) = line.split_once(' ').unwrap();
        // REMOVE, which Redis does not have, takes one argument more: the arity alone differs.
        let expected = match name {
            "replicaof" | "slaveof" => expected.replacen(" :3 ", " :-3 ", 1),
            // WITHSCORE came with Redis 7.2.
            "zrank" | "zrevrank" => expected.replacen(" :3 ", " :-3 ", 1),
            // A member came with KeyDB.
            "ttl" | "pttl" | "persist" => expected.replacen(" :2 ", " :-2 ", 1),
            _ => expected.to_owned(),
        };
        let reply = world
            .run(&format!("COMMAND INFO {name}"))
            .replace("\r\n", " ");
        assert_eq!(
            without_note(reply.trim_end()),
            without_note(&expected),
            "{name}"
        );
    }
}

#[test]
fn the_grammar_in_command_docs_equals_that_of_redis() {
    let mut world = world();
    for line in ARGUMENTS.lines() {
        let (name, expected) = line.split_once(' ').unwrap();
        let reply = world
            .run(&format!("COMMAND DOCS {name}"))
            .replace("\r\n", " ");
        // NOVALUES came with 7.4.
        let reply = reply.replace(NOVALUES, "").replace(STABLE, "");
        let reply = reply.replace(SOFT, "").replace(CHANGE, "");
        let expected = match name {
            "hscan" => expected.replacen("*4", "*5", 1),
            "xread" => expected.replacen("*3", "*4", 1),
            "shutdown" => expected.replacen("*4", "*5", 1),
            "replicaof" | "slaveof" => {
                expected.replacen("oneof $9 arguments *2", "oneof $9 arguments *3", 1)
            }
            "xreadgroup" => expected.replacen("*5", "*6", 1),
            "ttl" | "pttl" | "persist" => {
                format!("{}{MEMBER}", expected.replacen("*1", "*2", 1))
            }
            "zrank" | "zrevrank" => format!("{}{WITHSCORE}", expected.replacen("*2", "*3", 1)),
            _ => expected.to_owned(),
        };
        let start = reply.find("$9 arguments ").unwrap_or(0);
        assert_eq!(reply[start..].trim_end(), expected, "{name}");
    }
}

#[test]
fn every_command_and_subcommand_is_documented() {
    fn complete(arguments: &[Argument]) -> bool {
        arguments
            .iter()
            .all(|argument| !argument.name.is_empty() && complete(argument.arguments))
    }
    for row in super::all_with_subcommands() {
        assert!(!row.docs.summary.is_empty(), "{}", row.name);
        assert!(!row.docs.summary.ends_with('.'), "{}", row.name);
        assert!(complete(row.docs.arguments), "{}", row.name);
        assert!(row.arity != 0, "{}", row.name);
        for sub in row.docs.subcommands {
            assert_eq!(sub.name.split_once('|').unwrap().0, row.name);
        }
    }
}

#[test]
fn lists_and_counts_agree() {
    let mut world = world();
    let count = registry::all().count();
    let with_subcommands = super::all_with_subcommands().count();
    assert_eq!(world.run("COMMAND COUNT"), format!(":{count}\r\n"));
    assert!(
        world
            .run("COMMAND")
            .starts_with(&format!("*{count}\r\n*10"))
    );
    assert!(
        world
            .run("COMMAND INFO")
            .starts_with(&format!("*{count}\r\n*10"))
    );
    assert!(
        world
            .run("COMMAND DOCS")
            .starts_with(&format!("%{count}\r\n"))
    );
    assert!(
        world
            .run("COMMAND LIST")
            .starts_with(&format!("*{with_subcommands}\r\n"))
    );
    let mut list = |filter: &str| -> Vec<String> {
        let reply = world.run(&format!("COMMAND LIST FILTERBY {filter}"));
        let mut names: Vec<_> = reply
            .split("\r\n")
            .skip(1)
            .filter(|line| !line.is_empty() && !line.starts_with('$'))
            .map(str::to_owned)
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        list("PATTERN GET*"),
        ["get", "getbit", "getdel", "getex", "getrange", "getset"]
    );
    assert_eq!(
        list("ACLCAT transaction"),
        ["discard", "exec", "multi", "unwatch", "watch"]
    );
    assert_eq!(
        list("pattern config*"),
        [
            "config",
            "config|get",
            "config|help",
            "config|resetstat",
            "config|rewrite",
            "config|set"
        ]
    );
}

#[test]
fn help_lists_each_subcommand_with_its_grammar() {
    let help = World::new(false, 1).run("COMMAND HELP");
    assert!(help.starts_with(
        "*15\r\n+COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n"
    ));
    for line in [
        "+COUNT\r\n+    Counts the commands.\r\n",
        "+INFO [<command-name> ...]\r\n",
        "+LIST [FILTERBY MODULE <module-name> | ACLCAT <category> | PATTERN <pattern>]\r\n",
    ] {
        assert!(help.contains(line), "{line} in {help}");
    }
}

#[test]
fn errors_of_command_are_those_of_redis() {
    check(&[
        (
            "COMMAND FOO",
            "-ERR unknown subcommand 'FOO'. Try COMMAND HELP.\r\n",
        ),
        (
            "COMMAND COUNT x",
            "-ERR wrong number of arguments for 'command|count' command\r\n",
        ),
        ("COMMAND LIST FOO", "-ERR syntax error\r\n"),
        ("COMMAND LIST FILTERBY", "-ERR syntax error\r\n"),
        ("COMMAND LIST FILTERBY FOO x", "-ERR syntax error\r\n"),
        ("COMMAND LIST FILTERBY ACLCAT nothing", "*0\r\n"),
        ("COMMAND LIST FILTERBY MODULE nothing", "*0\r\n"),
        ("COMMAND INFO nothing", "*1\r\n$-1\r\n"),
        ("COMMAND INFO config|nothing", "*1\r\n$-1\r\n"),
        ("COMMAND DOCS nothing", "*0\r\n"),
        (
            "CONFIG",
            "-ERR wrong number of arguments for 'config' command\r\n",
        ),
        (
            "CONFIG GET",
            "-ERR wrong number of arguments for 'config|get' command\r\n",
        ),
        (
            "CONFIG FOO",
            "-ERR unknown subcommand 'FOO'. Try CONFIG HELP.\r\n",
        ),
        (
            "CONFIG SET a",
            "-ERR wrong number of arguments for 'config|set' command\r\n",
        ),
        (
            "CLIENT KILL",
            "-ERR wrong number of arguments for 'client|kill' command\r\n",
        ),
        ("@resp3", ""),
        ("COMMAND INFO nothing", "*1\r\n_\r\n"),
        ("COMMAND DOCS nothing", "%0\r\n"),
    ]);
}

#[test]
fn command_getkeys_names_the_keys_of_a_call() {
    check(&[
        (
            "COMMAND GETKEYS",
            "-ERR wrong number of arguments for 'command|getkeys' command\r\n",
        ),
        (
            "COMMAND GETKEYS GET",
            "-ERR wrong number of arguments for 'command|getkeys' command\r\n",
        ),
        (
            "COMMAND GETKEYS nothing x",
            "-ERR Invalid command specified\r\n",
        ),
        ("COMMAND GETKEYS GET a", "*1\r\n$1\r\na\r\n"),
        (
            "COMMAND GETKEYS GET a b",
            "-ERR Invalid number of arguments specified for command\r\n",
        ),
        (
            "COMMAND GETKEYS PING a",
            "-ERR The command has no key arguments\r\n",
        ),
        (
            "COMMAND GETKEYS KEYS *",
            "-ERR The command has no key arguments\r\n",
        ),
        (
            "COMMAND GETKEYS CONFIG GET x",
            "-ERR The command has no key arguments\r\n",
        ),
        (
            "COMMAND GETKEYS CONFIG FOO x",
            "-ERR Invalid command specified\r\n",
        ),
        (
            "COMMAND GETKEYS MSET a 1 b 2",
            "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
        ),
        ("COMMAND GETKEYS MSET a 1 b", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
        (
            "COMMAND GETKEYS SINTERCARD 2 a b LIMIT 5",
            "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
        ),
        (
            "COMMAND GETKEYS SINTERCARD 0 a b",
            "-ERR Invalid arguments specified for command\r\n",
        ),
        (
            "COMMAND GETKEYS SINTERCARD 3 a b",
            "-ERR Invalid arguments specified for command\r\n",
        ),
        (
            "COMMAND GETKEYS MGET a b c",
            "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
        ),
        ("COMMAND GETKEYS WATCH a b", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
        (
            "COMMAND GETKEYSANDFLAGS SET a b",
            "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n",
        ),
        (
            "COMMAND GETKEYSANDFLAGS SET a b GET",
            "*1\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+update\r\n",
        ),
        (
            "COMMAND GETKEYSANDFLAGS SET a b EX 10",
            "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n",
        ),
        (
            "COMMAND GETKEYSANDFLAGS MSET a 1 b 2",
            "*2\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n*2\r\n$1\r\nb\r\n*2\r\n+OW\r\n+update\r\n",
        ),
        (
            "COMMAND GETKEYSANDFLAGS GETEX a",
            "*1\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+update\r\n",
        ),
        (
            "COMMAND GETKEYSANDFLAGS ZUNIONSTORE a 1 b",
            "*2\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n*2\r\n$1\r\nb\r\n*2\r\n+RO\r\n+access\r\n",
        ),
        (
            "COMMAND GETKEYSANDFLAGS ZUNIONSTORE a +1 b",
            "*2\r\n*2\r\n$1\r\nb\r\n*0\r\n*2\r\n$1\r\na\r\n*0\r\n",
        ),
        (
            "COMMAND GETKEYSANDFLAGS EVAL script 1.5 a",
            "*1\r\n*2\r\n$1\r\na\r\n*0\r\n",
        ),
        ("@resp3", ""),
        (
            "COMMAND GETKEYSANDFLAGS DEL a",
            "*1\r\n*2\r\n$1\r\na\r\n~2\r\n+RM\r\n+delete\r\n",
        ),
    ]);
}
