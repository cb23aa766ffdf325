//! `CONFIG GET` and `CONFIG SET`.

use super::*;
use crate::config::{Client, OutputBufferLimit};

fn check(pairs: &[(&str, &str)], expected: &str) {
    let mut settings = Settings::default();
    let before = settings.get(&["*"]);
    match settings.set(pairs) {
        Ok(()) => assert_eq!(expected, "OK", "{pairs:?}"),
        Err(error) => {
            assert_eq!(error.to_string(), expected, "{pairs:?}");
            assert_eq!(
                settings.get(&["*"]),
                before,
                "nothing changes when CONFIG SET fails"
            );
        }
    }
}

#[test]
fn what_is_newly_set_but_not_applied_is_told() {
    let before = load_text("maxmemory 1gb\n").unwrap();
    let told = |pairs: &[(&str, &str)]| -> Vec<String> {
        let mut after = before.clone();
        let pairs: Vec<(&[u8], &[u8])> = pairs
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        after.set(&pairs).unwrap();
        let warnings = after.newly_ignored(&before);
        warnings.into_iter().map(|warning| warning.about).collect()
    };
    assert_eq!(told(&[("maxmemory", "2gb")]), ["maxmemory"]);
    assert_eq!(told(&[("maxmemory", "1gb"), ("timeout", "7")]), [""; 0]);
    assert_eq!(told(&[("maxmemory", "0")]), [""; 0]);
    assert_eq!(
        told(&[("appendonly", "yes"), ("min-replicas-to-write", "1")]),
        ["min-replicas-to-write", "appendonly"]
    );
}

#[test]
fn errors_have_redis_words() {
    let failed = |name: &str, reason: &str| {
        format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}")
    };
    check(
        &[("nope", "1")],
        "ERR Unknown option or number of arguments for CONFIG SET - 'nope'",
    );
    check(
        &[("nOpe", "3")],
        "ERR Unknown option or number of arguments for CONFIG SET - 'nOpe'",
    );
    check(
        &[("port", "1"), ("nope", "2")],
        "ERR Unknown option or number of arguments for CONFIG SET - 'nope'",
    );
    check(
        &[("user", "x")],
        "ERR Unknown option or number of arguments for CONFIG SET - 'user'",
    );
    check(
        &[("a\r\nb", "1")],
        "ERR Unknown option or number of arguments for CONFIG SET - 'a  b'",
    );
    check(
        &[("databases", "4"), ("nope", "1")],
        &failed("databases", "can't set immutable config"),
    );
    check(
        &[("replicaof", "a 1")],
        &failed("replicaof", "can't set immutable config"),
    );
    check(
        &[("slaveof", "no one")],
        &failed("slaveof", "can't set immutable config"),
    );
    check(
        &[("dbfilename", "x")],
        &failed("dbfilename", "can't set protected config"),
    );
    check(
        &[("port", "1"), ("port", "2")],
        &failed("port", "duplicate parameter"),
    );
    check(
        &[("Hz", "20"), ("hZ", "21")],
        &failed("hZ", "duplicate parameter"),
    );
    check(
        &[("appendonly", "x")],
        &failed("appendonly", "argument must be 'yes' or 'no'"),
    );
    check(
        &[("port", "65536")],
        &failed("port", "argument must be between 0 and 65535 inclusive"),
    );
    check(
        &[("slave-priority", "x")],
        &failed(
            "slave-priority",
            "argument couldn't be parsed into an integer",
        ),
    );
    check(
        &[("Slave-Priority", "x")],
        &failed(
            "slave-priority",
            "argument couldn't be parsed into an integer",
        ),
    );
    check(
        &[("maxclients", "0")],
        &failed(
            "maxclients",
            "argument must be between 1 and 4294967295 inclusive",
        ),
    );
    for word in ["", " 5", "5x", "+5", "05", "-0", "99999999999999999999999"] {
        check(
            &[("timeout", word)],
            &failed("timeout", "argument couldn't be parsed into an integer"),
        );
    }
    for word in ["1tb", "-1", "1.5mb", " 1mb", "1 mb", "0x10"] {
        check(
            &[("repl-backlog-size", word)],
            &failed("repl-backlog-size", "argument must be a memory value"),
        );
    }
    let range = "argument must be between 1 and 9223372036854775807 inclusive";
    check(
        &[("repl-backlog-size", "kb")],
        &failed("repl-backlog-size", range),
    );
    check(
        &[("repl-backlog-size", "99999999999999999999999")],
        &failed("repl-backlog-size", range),
    );
    let range = "argument must be between 1048576 and 9223372036854775807 inclusive";
    check(
        &[("proto-max-bulk-len", "10")],
        &failed("proto-max-bulk-len", range),
    );
    let levels =
        "argument(s) must be one of the following: debug, verbose, notice, warning, nothing";
    check(
        &[("hz", "50"), ("loglevel", "nonsense")],
        &failed("loglevel", levels),
    );
    check(&[("loglevel", "notice debug")], &failed("loglevel", levels));
    let signals = "argument(s) must be one of the following: default, save, nosave, now, force";
    check(
        &[("shutdown-on-sigint", "save bogus")],
        &failed("shutdown-on-sigint", signals),
    );
    check(
        &[("shutdown-on-sigint", "")],
        &failed("shutdown-on-sigint", signals),
    );
    let both = "shutdown options SAVE and NOSAVE can't be used simultaneously";
    check(
        &[("shutdown-on-sigint", "save nosave")],
        &failed("shutdown-on-sigint", both),
    );
    for (word, reason) in [
        ("-20%", "argument must be a memory or percent value"),
        ("-5", "argument must be a memory or percent value"),
        ("101%", "percentage argument must be less or equal to 100"),
    ] {
        check(
            &[("maxmemory-clients", word)],
            &failed("maxmemory-clients", reason),
        );
    }
    for word in ["bogus", "900 1 300", "900 -1", "0 1", "x 1", "900  1"] {
        check(
            &[("save", word)],
            &failed("save", "Invalid save parameters"),
        );
    }
    for (word, reason) in [
        (
            "bogus",
            "Wrong number of arguments in buffer limit configuration.",
        ),
        (
            "bogus 1 2 3",
            "Invalid client class specified in buffer limit configuration.",
        ),
        (
            "master 1 2 3",
            "Invalid client class specified in buffer limit configuration.",
        ),
        (
            "normal 1x 2 3",
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
        ),
        (
            "normal 1 2 -3",
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
        ),
    ] {
        check(
            &[("client-output-buffer-limit", word)],
            &failed("client-output-buffer-limit", reason),
        );
    }
    let letters = "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
    check(
        &[("notify-keyspace-events", "bogus")],
        &failed("notify-keyspace-events", letters),
    );
    check(
        &[("oom-score-adj-values", "1 2")],
        &failed("oom-score-adj-values", "wrong number of arguments"),
    );
    let range = "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
    check(
        &[("oom-score-adj-values", "1 2 9999")],
        &failed("oom-score-adj-values", range),
    );
    check(
        &[("bind", &"a ".repeat(17))],
        &failed("bind", "Too many bind addresses specified."),
    );
    check(
        &[
            ("link-backoff-initial-ms", "5000"),
            ("link-backoff-max-ms", "100"),
        ],
        &failed(
            "link-backoff-initial-ms",
            "link-backoff-initial-ms must not be greater than link-backoff-max-ms",
        ),
    );
}

#[test]
fn values_are_shown_as_redis_shows_them() {
    for (name, value, expected) in [
        ("timeout", "5", "5"),
        ("hz", "0", "1"),
        ("hz", "10000", "500"),
        ("PROTECTED-mode", "NO", "no"),
        ("loglevel", "WARNING", "warning"),
        ("repl-backlog-size", "1k", "1000"),
        ("repl-backlog-size", "1mB", "1048576"),
        ("repl-backlog-size", "007", "7"),
        ("maxmemory", "", "0"),
        (
            "maxmemory",
            "99999999999999999999999",
            "18446744073709551615",
        ),
        ("maxmemory-clients", "20%", "20%"),
        ("maxmemory-clients", "1mb", "1048576"),
        ("list-max-ziplist-size", "-5", "-5"),
        ("save", "900 1 300 10", "900 1 300 10"),
        ("save", "", ""),
        ("bind", "127.0.0.1 -::1", "127.0.0.1 -::1"),
        ("bind", "", ""),
        (
            "client-output-buffer-limit",
            "slave 1mb 2mb 60 normal 0 0 0",
            "normal 0 0 0 slave 1048576 2097152 60 pubsub 33554432 8388608 60",
        ),
        ("notify-keyspace-events", "KEA", "AKE"),
        ("notify-keyspace-events", "g$lshzxetdK", "AK"),
        ("notify-keyspace-events", "KEmn", "nKEm"),
        ("notify-keyspace-events", "EAmn", "AEm"),
        ("shutdown-on-sigint", "now SAVE", "save now"),
        ("latency-tracking-info-percentiles", "50 99.9", "50 99.9"),
        ("latency-tracking-info-percentiles", "", ""),
        ("trace-sample-ratio", "0.25", "0.25"),
        ("masterauth", "two words", "two words"),
    ] {
        let mut settings = Settings::default();
        settings
            .set(&[(name, value)])
            .unwrap_or_else(|error| panic!("{name} {value}: {error}"));
        assert_eq!(shown(&settings, name), expected, "{name} {value}");
    }
}

#[test]
fn typed_fields_follow_config_set() {
    let mut settings = Settings::default();
    settings
        .set(&[
            ("client-output-buffer-limit", "pubsub 1 2 3"),
            ("repl-timeout", "5"),
            ("timeout", "9"),
            ("requirepass", "x"),
        ])
        .unwrap();
    assert_eq!(
        settings.client_output_buffer_limit.pubsub,
        OutputBufferLimit {
            hard: 1,
            soft: 2,
            soft_seconds: 3
        }
    );
    assert_eq!(settings.client_output_buffer_limit.replica.hard, 256 << 20);
    assert_eq!(
        (
            settings.repl_timeout.as_secs(),
            settings.timeout.unwrap().as_secs()
        ),
        (5, 9)
    );
    settings
        .set(&[("requirepass", ""), ("timeout", "0")])
        .unwrap();
    assert_eq!(
        (settings.requirepass.as_ref(), settings.timeout),
        (None, None)
    );
}

#[test]
fn an_alias_and_its_name_may_be_set_together_and_the_last_counts() {
    let mut settings = Settings::default();
    settings
        .set(&[
            ("repl-ping-slave-period", "5"),
            ("repl-ping-replica-period", "6"),
        ])
        .unwrap();
    assert_eq!(shown(&settings, "repl-ping-slave-period"), "6");
}

#[test]
fn patterns_and_names_find_directives_once() {
    let settings = Settings::default();
    let get = |patterns: &[&str]| settings.get(patterns);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(get(&["hz", "HZ", "h?"]), [pair("hz", "10")]);
    assert_eq!(get(&["HZ"]), [pair("HZ", "10")]);
    assert_eq!(get(&["SLAVE*only"]), [pair("slave-read-only", "yes")]);
    assert_eq!(get(&["io-threads"]), [pair("io-threads", "1")]);
    assert_eq!(get(&["rdb-key-save*"]), []);
    assert_eq!(
        get(&["rdb-key-save-delay"]),
        [pair("rdb-key-save-delay", "0")]
    );
    assert_eq!(get(&["user", "storage-provider", "include", "nope"]), []);
    assert_eq!(get(&["replicaof"]), [pair("replicaof", "")]);
    let names = get(&["*"])
        .into_iter()
        .map(|(name, _)| name)
        .collect::<Vec<_>>();
    let unique = names.iter().collect::<std::collections::HashSet<_>>();
    assert_eq!(names.len(), unique.len());
}

#[test]
fn protected_directives_need_permission() {
    let mut settings = load_text("enable-protected-configs local").unwrap();
    assert!(settings.set(&[("dbfilename", "x.rdb")]).is_err());
    settings
        .set_by(Client::Local, &[("dbfilename", "x.rdb")])
        .unwrap();
    let mut settings = load_text("enable-protected-configs yes").unwrap();
    settings.set(&[("dbfilename", "x.rdb")]).unwrap();
    let failed = settings
        .set(&[("dbfilename", "a/b")])
        .unwrap_err()
        .to_string();
    assert!(
        failed.ends_with("- dbfilename can't be a path, just a filename"),
        "{failed}"
    );
    let failed = settings
        .set(&[("dir", "/nonexistent")])
        .unwrap_err()
        .to_string();
    assert!(failed.ends_with("- No such file or directory"), "{failed}");
}

#[test]
fn masters_replaced_at_run_time_are_shown() {
    let mut settings = load_text("active-replica yes\nmulti-master yes\nreplicaof a 1").unwrap();
    let mut masters = settings.replicaof.clone();
    masters.push(crate::config::Endpoint {
        host: "b".to_owned(),
        port: 2,
    });
    settings.replace_masters(masters.clone());
    assert_eq!(shown(&settings, "replicaof"), "a 1|b 2");
    settings.set(&[("hz", "20")]).unwrap();
    assert_eq!(settings.replicaof, masters);
}
