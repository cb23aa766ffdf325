//! Rules: their text, what they allow, and that both agree.

use proptest::prelude::*;

use crate::acl::file;
use crate::acl::{Defaults, Denied, User, Users, merge_selectors};
use crate::commands::registry::lookup_full;
use crate::resp::ArgsBuffer;

pub(super) const CLOSED: Defaults = Defaults {
    all_channels: false,
};

/// A user of these rules; the first that is wrong with its error.
pub(super) fn made(rules: &str) -> Result<User, String> {
    let words: Vec<&[u8]> = rules.split(' ').map(str::as_bytes).collect();
    let merged = merge_selectors(&words).map_err(|at| format!("open at {at}"))?;
    let mut user = User::new(CLOSED);
    for rule in &merged {
        user.apply(rule, CLOSED)
            .map_err(|error| format!("{}: {error}", String::from_utf8_lossy(rule)))?;
    }
    Ok(user)
}

fn text(rules: &str) -> String {
    String::from_utf8(made(rules).unwrap().describe()).unwrap()
}

/// Whether a user of these rules may do that.
fn may(user: &User, command: &str) -> Result<(), Denied> {
    let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
    let buffer = ArgsBuffer::from_args(words.iter().copied()).unwrap();
    let row = lookup_full(words[0]).unwrap();
    let sub = words.get(1).and_then(|word| row.subcommand(word));
    user.check(sub.unwrap_or(row), buffer.as_args())
}

#[test]
fn the_text_of_a_user_is_that_of_redis() {
    const A: &str = "#ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    for (rules, expected) in [
        ("", "off resetchannels -@all"),
        ("reset", "off sanitize-payload resetchannels -@all"),
        (
            "ON NOPASS ALLKEYS ALLCHANNELS ALLCOMMANDS",
            "on nopass ~* &* +@all",
        ),
        ("on >a >a", &format!("on {A} resetchannels -@all")),
        (
            "nopass >a skip-sanitize-payload",
            &format!("off skip-sanitize-payload {A} resetchannels -@all"),
        ),
        (">a <a", "off resetchannels -@all"),
        (">a resetpass", "off resetchannels -@all"),
        (
            "~a* %R~b* %w~c* %RW~d* &ch* (+get ~z) (+set  %R~q &*)",
            "off ~a* %R~b* %W~c* ~d* resetchannels &ch* -@all (~z resetchannels -@all +get) (%R~q &* -@all +set)",
        ),
        ("%R~a %W~a ~a %R~a", "off ~a resetchannels -@all"),
        ("%RW~* &*", "off ~* &* -@all"),
        ("%RW~* ~a", "off %RW~* ~a resetchannels -@all"),
        ("~ %R &", "off ~ resetchannels & -@all"),
        (
            "+GET -GET +Get +CONFIG|GET +config -config|set",
            "off resetchannels -@all +get +config -config|set",
        ),
        (
            "+@string -set +config|get",
            "off resetchannels -@all +@string -set +config|get",
        ),
        (
            "+select|0 +select|1 +select|0",
            "off resetchannels -@all +select|1 +select|0",
        ),
        ("+select|0 -select", "off resetchannels -@all -select"),
        (
            "(+get) clearselectors ( )",
            "off resetchannels -@all (resetchannels -@all)",
        ),
        (
            "+get allcommands -@dangerous",
            "off resetchannels +@all -@dangerous",
        ),
        (
            "+psync +replconf +ping",
            "off resetchannels -@all +psync +replconf +ping",
        ),
    ] {
        assert_eq!(text(rules), expected, "{rules}");
    }
}

#[test]
fn wrong_rules_are_refused_in_redis_words() {
    for (rule, expected) in [
        ("foo", "Syntax error"),
        (")", "Syntax error"),
        ("~a\tb", "Syntax error"),
        ("&a\tb", "Syntax error"),
        ("%~", "Syntax error"),
        ("%", "Syntax error"),
        ("%X~a", "Syntax error"),
        ("%RR~a", "Syntax error"),
        ("+get|", "Syntax error"),
        ("(on)", "Syntax error"),
        ("(>a)", "Syntax error"),
        ("(+get (+set))", "Syntax error"),
        ("+foo", "Unknown command or category name in ACL"),
        ("+", "Unknown command or category name in ACL"),
        ("-@foo", "Unknown command or category name in ACL"),
        ("+config|foo", "Unknown command or category name in ACL"),
        ("-get|x", "Unknown command or category name in ACL"),
        (
            "+config|get|x",
            "Allowing first-arg of a subcommand is not supported",
        ),
        (
            "<nope",
            "The password you are trying to remove from the user does not exist",
        ),
        (
            "#abc",
            "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters",
        ),
        (
            "!00000000000000000000000000000000000000000000000000000000000000FF",
            "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters",
        ),
    ] {
        assert_eq!(made(rule).unwrap_err(), format!("{rule}: {expected}"));
    }
    let error = made("~* ~a").unwrap_err();
    assert!(error.starts_with("~a: Adding a pattern after the * pattern (or the 'allkeys' flag)"));
    let error = made("&* &a").unwrap_err();
    assert!(error.starts_with("&a: Adding a pattern after the * pattern (or the 'allchannels'"));
}

#[test]
fn a_call_needs_its_command_its_keys_and_its_channels() {
    let user = made("~k* %R~r* %W~w* &ch +@all -flushall -config|get").unwrap();
    for (command, expected) in [
        ("flushall", Err(Denied::Command)),
        ("config get x", Err(Denied::Command)),
        ("config set x y", Ok(())),
        ("get kx", Ok(())),
        ("get x", Err(Denied::Key(1))),
        ("get r1", Ok(())),
        ("set r1 v", Err(Denied::Key(1))),
        ("set w1 v", Ok(())),
        ("set w1 v get", Err(Denied::Key(1))),
        ("append w1 x", Ok(())),
        ("exists w1 r1 x", Err(Denied::Key(3))),
        ("exists w1 r1", Ok(())),
        ("mset k1 1 x", Err(Denied::Key(3))),
        ("bitfield r1 get u8 0", Ok(())),
        ("bitfield r1 set u8 0 1", Err(Denied::Key(1))),
        ("copy r1 w1", Ok(())),
        ("copy w1 r1", Err(Denied::Key(1))),
        ("object encoding x", Err(Denied::Key(2))),
        ("publish ch x", Ok(())),
        ("publish zz x", Err(Denied::Channel(1))),
        ("spublish zz x", Err(Denied::Channel(1))),
        ("subscribe ch zz", Err(Denied::Channel(2))),
        ("psubscribe c*", Err(Denied::Channel(1))),
        ("unsubscribe zz", Ok(())),
        ("auth x", Ok(())),
        ("keys x", Ok(())),
    ] {
        assert_eq!(may(&user, command), expected, "{command}");
    }
    let nobody = made("on nopass").unwrap();
    assert_eq!(may(&nobody, "hello 3"), Ok(()));
    assert_eq!(may(&nobody, "ping"), Err(Denied::Command));
}

#[test]
fn one_selector_must_allow_all_of_a_call_and_the_greatest_reason_is_told() {
    let user = made("+get ~a (+set ~b) (+mget ~a ~b) (+publish &c)").unwrap();
    for (command, expected) in [
        ("get a", Ok(())),
        ("set b 1", Ok(())),
        ("get b", Err(Denied::Key(1))),
        ("set a 1", Err(Denied::Key(1))),
        ("mget a b", Ok(())),
        ("mget a b c", Err(Denied::Key(3))),
        ("publish d 1", Err(Denied::Channel(1))),
        ("del a", Err(Denied::Command)),
    ] {
        assert_eq!(may(&user, command), expected, "{command}");
    }
}

#[test]
fn a_first_argument_is_allowed_alone() {
    let user = made("~* +select|1 +select|ABC").unwrap();
    assert_eq!(may(&user, "select 1"), Ok(()));
    assert_eq!(may(&user, "select abc"), Ok(()));
    assert_eq!(may(&user, "select 0"), Err(Denied::Command));
    let user = made("~* +select|1 +@all -select").unwrap();
    assert_eq!(may(&user, "select 1"), Err(Denied::Command));
}

#[test]
fn a_pattern_of_channels_must_be_allowed_as_it_stands() {
    let user = made("+@all &c* &d").unwrap();
    assert_eq!(may(&user, "psubscribe c*"), Ok(()));
    assert_eq!(may(&user, "psubscribe c1"), Err(Denied::Channel(1)));
    assert_eq!(may(&user, "subscribe c1 d"), Ok(()));
}

#[test]
fn rights_that_are_told_to_another_server_are_the_same_there_without_a_password() {
    for rules in [
        "on nopass ~* &* +@all",
        "on >secret ~jobs:* %R~all* resetchannels &news -@all +get +config|get +select|0",
        "off ~a &b +@read -get (~c +set) (%W~d &e* +@all -debug)",
        "on",
    ] {
        let user = made(rules).unwrap();
        let text = user.describe_rights();
        let there = User::of_rights(&text).unwrap();
        assert_eq!(there.selectors(), user.selectors(), "{rules}");
        assert_eq!(there.passwords().count(), 0);
        assert_eq!(there.describe_rights(), text);
    }
    assert!(User::of_rights(b"+nosuchcommand").is_none());
    assert!(User::of_rights(b"(~a").is_none());
}

#[test]
fn passwords_are_asked_of_users_that_have_some_and_nobody_comes_in_who_is_off() {
    let user = |rules| made(rules).unwrap();
    assert!(user("on >a >b").accepts(b"b") && !user("on >a").accepts(b"b"));
    assert!(user("on nopass").accepts(b"x") && !user("on").accepts(b""));
    assert!(!user("off nopass").accepts(b"x") && !user("off >a").accepts(b"a"));
    assert!(user("on nopass").is_open() && !user("nopass").is_open());
}

#[test]
fn only_who_may_do_everything_is_never_checked() {
    assert!(User::unlimited().may_all());
    assert!(made("(~* &* +@all)").unwrap().may_all());
    assert!(made("~* &* +@all -get +get").unwrap().may_all());
    for less in [
        "~* &* +@all -get",
        "~a &* +@all",
        "~* &a +@all",
        "~* &* +@read",
    ] {
        assert!(!made(less).unwrap().may_all(), "{less}");
    }
}

#[test]
fn channels_that_are_lost_are_told_from_those_that_are_left() {
    let before = made("&a (&b)").unwrap();
    let left = |rules| made(rules).unwrap().channels_left(&before);
    assert!(left("&a &b &c").is_none() && left("&*").is_none() && left("(&*)").is_none());
    let some = left("&a").unwrap();
    assert!(some.has(b"a", false) && !some.has(b"b", false));
    let all = made("&*").unwrap();
    let some = made("&a* &b").unwrap().channels_left(&all).unwrap();
    assert!(some.has(b"a1", false) && !some.has(b"a1", true) && some.has(b"a*", true));
}

#[test]
fn a_change_is_whole_and_a_deleted_user_is_gone_for_who_holds_it() {
    let users = Users::default();
    let before = users.generation();
    let made = users.set(b"a", &["on", ">p", "+get"]).unwrap();
    assert!(made.before.is_none() && users.generation() > before);
    assert!(
        users
            .set(b"a", &["off", "+nope"])
            .is_err_and(|(at, _)| at == 1)
    );
    assert!(users.authenticate(b"a", b"p").is_some());
    assert!(users.authenticate(b"a", b"q").is_none() && users.authenticate(b"b", b"p").is_none());
    assert!(users.delete(b"default").is_none() && users.delete(b"b").is_none());
    assert!(users.delete(b"a").is_some() && made.account.is_gone());
    let again = users.set(b"a", &["on"]).unwrap();
    assert!(!again.account.is_gone());
    let gone = users.replace(std::collections::BTreeMap::new());
    assert!(gone.len() == 1 && again.account.is_gone());
    assert!(!users.default_account().is_gone() && users.default_account().user().may_all());
}

#[test]
fn requirepass_changes_the_default_user_only_where_it_changes_itself() {
    let users = Users::default();
    users.follow_requirepass(Some("a"));
    assert!(users.authenticate(b"default", b"a").is_some());
    users.set(b"default", &["resetpass", ">b"]).unwrap();
    users.follow_requirepass(Some("a"));
    assert!(users.authenticate(b"default", b"a").is_none());
    users.follow_requirepass(None);
    assert!(users.default_account().user().is_open());
}

fn a_rule() -> impl Strategy<Value = String> {
    let command = prop::sample::select(vec![
        "get",
        "set",
        "config",
        "config|get",
        "config|set",
        "select|0",
        "select",
        "@string",
        "@admin",
        "@read",
        "@slow",
        "@all",
        "psync",
        "acl",
        "acl|log",
        "GET",
    ]);
    let sign = prop::sample::select(vec!["+", "-"]);
    let command = (sign, command).prop_filter_map("no first argument to deny", |(sign, name)| {
        (sign == "+" || name != "select|0").then(|| format!("{sign}{name}"))
    });
    let keys = (
        prop::sample::select(vec!["~", "%R~", "%W~", "%RW~"]),
        "[ab*?]{0,2}",
    );
    let others = prop::sample::select(vec![
        "on",
        "off",
        "nopass",
        ">a",
        ">b",
        "<a",
        "resetpass",
        "resetkeys",
        "resetchannels",
        "allkeys",
        "allchannels",
        "sanitize-payload",
        "skip-sanitize-payload",
        "clearselectors",
        "reset",
        "&a",
        "&b*",
        "&*",
    ]);
    prop_oneof![
        4 => command,
        2 => keys.prop_map(|(kind, pattern)| format!("{kind}{pattern}")),
        3 => others.prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn a_user_read_from_its_text_is_the_same_user(
        rules in prop::collection::vec(a_rule(), 0..12),
        selectors in prop::collection::vec(prop::collection::vec(a_rule(), 0..4), 0..3),
        probes in prop::collection::vec(prop::sample::select(vec![
            "get a", "get b", "set a 1", "mget a b", "config get x", "config set a b", "select 0",
            "select 1", "acl log", "acl list", "publish a x", "subscribe b1", "psubscribe b*", "keymesh.link 1",
        ]), 8),
    ) {
        let mut user = User::new(CLOSED);
        for rule in &rules {
            // What is refused leaves it as it was.
            let _ = user.apply(rule.as_bytes(), CLOSED);
        }
        for selector in &selectors {
            let _ = user.apply(format!("({})", selector.join(" ")).as_bytes(), CLOSED);
        }
        let text = String::from_utf8(user.describe()).unwrap();
        let again = made(&text).unwrap();
        prop_assert_eq!(String::from_utf8(again.describe()).unwrap(), &text[..]);
        // `%RW~*` alone is written as `~*`.
        prop_assert!(again.may_all() >= user.may_all());
        for probe in probes {
            prop_assert_eq!(may(&again, probe), may(&user, probe), "{} with {}", probe, text);
        }
    }

    #[test]
    fn any_bytes_as_a_rule_are_survived(rules in prop::collection::vec(any::<Vec<u8>>(), 0..4)) {
        let mut user = User::unlimited();
        for rule in &rules {
            let _ = user.apply(rule, CLOSED);
        }
        let words: Vec<&[u8]> = rules.iter().map(Vec::as_slice).collect();
        let _ = merge_selectors(&words);
        let _ = file::parse(&rules.concat(), "f", CLOSED);
    }
}
