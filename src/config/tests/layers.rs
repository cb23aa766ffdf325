//! File, environment and command line, and what they mean together.

use super::*;
use crate::config::Endpoint;

fn masters(settings: &Settings) -> Vec<String> {
    settings.replicaof.iter().map(Endpoint::to_string).collect()
}

#[test]
fn the_environment_overrides_the_file_and_the_command_line_both() {
    let file = "port 1\nhz 20\ntimeout 7\n";
    let environment = [
        ("KEYMESH_PORT", "2"),
        ("KEYMESH_HZ", "30"),
        ("PATH", "/bin"),
        ("KEYMESH_TCP_BACKLOG", "5"),
    ];
    let settings = load_all(file, &environment, &["--port", "3"]).unwrap();
    assert_eq!(
        (settings.port, settings.hz, settings.tcp_backlog),
        (3, 30, 5)
    );
    assert_eq!(settings.timeout.unwrap().as_secs(), 7);
}

#[test]
fn a_password_in_the_environment_is_taken_as_it_is() {
    let settings = load_all("", &[("KEYMESH_REQUIREPASS", "two words \"x")], &[]).unwrap();
    assert_eq!(
        settings.requirepass.as_ref().unwrap().expose(),
        "two words \"x"
    );
    assert!(!format!("{settings:?}").contains("two words"));
}

#[test]
fn the_environment_can_name_several_masters() {
    let environment = [
        ("KEYMESH_REPLICAOF", "a 1, b 2"),
        ("KEYMESH_ACTIVE_REPLICA", "yes"),
        ("KEYMESH_MULTI_MASTER", "yes"),
    ];
    let settings = load_all("replicaof c 3", &environment, &[]).unwrap();
    assert_eq!(masters(&settings), ["a:1", "b:2"]);
    let error = load_all("", &[("KEYMESH_REPLICAOF", "a 1 b")], &[]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("Reading the environment variable KEYMESH_REPLICAOF"),
        "{error}"
    );
    assert_eq!(reason(&error), "wrong number of arguments");
}

#[test]
fn foreign_variables_bring_a_warning_not_an_end() {
    let environment = [
        ("KEYMESH_SERVICE_HOST", "10.0.0.1"),
        ("KEYMESH_PORT", "tcp://10.0.0.1:6379"),
        ("KEYMESH_HX", "1"),
    ];
    let settings = load_all("", &environment, &[]).unwrap();
    assert_eq!(settings.port, 6379);
    let warnings = settings
        .warnings()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    assert_eq!(
        warnings,
        [
            "'KEYMESH_HX' names no directive and is ignored (did you mean 'hz'?)",
            "'KEYMESH_PORT' is the address of a service, not a port, and is ignored",
            "'KEYMESH_SERVICE_HOST' names no directive and is ignored",
        ]
    );
}

#[test]
fn the_command_line_continues_the_lists_of_the_file() {
    let settings = load_all("save 900 1", &[], &["--save", "60", "5"]).unwrap();
    assert_eq!(shown(&settings, "save"), "900 1 60 5");
    for words in [&["--save", ""][..], &["--save"], &["--save", "--port", "1"]] {
        let settings = load_all("save 900 1", &[], words).unwrap();
        assert_eq!(shown(&settings, "save"), "", "{words:?}");
    }
    let both = [
        "--active-replica",
        "yes",
        "--multi-master",
        "yes",
        "--replicaof",
        "b",
        "2",
        "--replicaof",
        "a",
        "1",
    ];
    let settings = load_all("replicaof a 1", &[], &both).unwrap();
    assert_eq!(masters(&settings), ["a:1", "b:2"]);
}

#[test]
fn masters_may_stand_before_what_makes_them_possible() {
    let settings =
        load_text("replicaof a 1\nslaveof b 2\nmulti-master yes\nactive-replica yes\n").unwrap();
    assert_eq!(masters(&settings), ["a:1", "b:2"]);
    assert_eq!(shown(&settings, "replicaof"), "a 1|b 2");
    assert_eq!(shown(&settings, "slaveof"), "a 1|b 2");
    assert_eq!(shown(&settings, "replica-read-only"), "no");
}

#[test]
fn without_multi_master_the_last_master_counts() {
    assert_eq!(
        masters(&load_text("replicaof a 1\nreplicaof b 2\n").unwrap()),
        ["b:2"]
    );
    assert_eq!(
        masters(&load_text("replicaof a 1\nreplicaof no one\n").unwrap()),
        [""; 0]
    );
    assert_eq!(
        masters(&load_all("replicaof a 1", &[], &["--replicaof", "no", "one"]).unwrap()),
        [""; 0]
    );
}

#[test]
fn multi_master_needs_active_replica() {
    let error = load_text("port 1\nmulti-master yes\n")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("Multi Master requires active replication to be enabled"),
        "{error}"
    );
    assert!(error.contains("standard input:2"), "{error}");
}

#[test]
fn arguments_become_lines_as_in_redis() {
    for (words, expected) in [
        (&["--port", "7"][..], vec!["port 7"]),
        (&["--port 7"], vec!["port 7"]),
        (
            &["--replicaof", "h", "1", "--port", "7"],
            vec!["replicaof h 1", "port 7"],
        ),
        (
            &["--requirepass", "--x", "--port", "7"],
            vec!["requirepass --x", "port 7"],
        ),
        (&["--save", "--port", "7"], vec!["save ", "port 7"]),
        (
            &["--save", "10", "1", "--save", "20", "2"],
            vec!["save 10 1", "save 20 2"],
        ),
    ] {
        let cli::Invocation::Run(run) = cli::parse(arguments(words)).unwrap() else {
            panic!()
        };
        let lines = run
            .lines
            .iter()
            .map(|line| String::from_utf8(line.words.join(&b' ')).unwrap());
        assert_eq!(lines.collect::<Vec<_>>(), expected, "{words:?}");
    }
}

#[test]
fn bad_arguments_are_named() {
    for (words, expected) in [
        (
            &["--port", "7", "8"][..],
            "at argument 1\n>>> 'port \"7\" \"8\"'\nwrong number of arguments",
        ),
        (
            &["--port", "--loglevel"],
            "at argument 1\n>>> 'port \"--loglevel\"'\nargument couldn't be parsed into an integer",
        ),
        (
            &["-x"],
            "at argument 1\n>>> '\"-x\"'\nBad directive or wrong number of arguments",
        ),
        (
            &["--hz", "9", "--is-flash-enabled"],
            "at argument 3\n>>> 'is-flash-enabled'\nBad directive or wrong number of arguments",
        ),
        (
            &["--"],
            "at argument 1\n>>> ''\nBad directive or wrong number of arguments",
        ),
    ] {
        let error = load_all("", &[], words).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
    }
}

#[test]
fn a_dash_reads_standard_input_at_either_end() {
    for words in [
        &["-"][..],
        &["-", "--port", "1"],
        &["--port", "1", "-"],
        &["x.conf", "-"],
    ] {
        let cli::Invocation::Run(run) = cli::parse(arguments(words)).unwrap() else {
            panic!()
        };
        assert!(run.read_standard_input, "{words:?}");
    }
}

#[test]
fn version_and_help_are_known_by_both_names() {
    for (word, expected) in [
        ("-v", cli::Invocation::Version),
        ("--version", cli::Invocation::Version),
        ("-h", cli::Invocation::Help),
        ("--help", cli::Invocation::Help),
    ] {
        assert_eq!(cli::parse(arguments(&[word])), Ok(expected));
    }
    let version = cli::version();
    assert!(
        version.starts_with("Keymesh server v=0.")
            && version.contains(" malloc=mimalloc bits=64 build="),
        "{version}"
    );
}

#[test]
fn directives_that_are_not_applied_are_told_once_with_their_place() {
    let settings =
        load_text("maxmemory 0\nmaxmemory 1gb\nappendonly yes\nuser default on\n").unwrap();
    let warnings = settings
        .warnings()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    assert_eq!(warnings.len(), 2);
    assert!(
        warnings.iter().any(|text| text
            .starts_with("'maxmemory' is accepted but not applied: memory is not limited")
            && text.ends_with("(standard input:2)")),
        "{warnings:?}"
    );
    assert_eq!(settings.lines("user"), [["\"default\"", "\"on\""]]);
}
