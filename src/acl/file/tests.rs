//! Files and configurations with users in them.

use crate::acl::Users;
use crate::acl::file::{self, Declared, declare};
use crate::acl::tests::CLOSED;

#[test]
fn an_acl_file_is_read_as_a_whole_and_its_errors_are_those_of_redis() {
    let parse = |text: &str| file::parse(text.as_bytes(), "/f", CLOSED);
    let users =
        parse("user a on nopass\r\n\n  user default off  \nuser b (+get ~a ) +set").unwrap();
    let names: Vec<&[u8]> = users.keys().map(Vec::as_slice).collect();
    assert_eq!(names, [&b"a"[..], b"b", b"default"]);
    assert_eq!(
        users[&b"b"[..]].describe(),
        b"off resetchannels -@all +set (~a resetchannels -@all +get)"
    );
    let end =
        "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
    for (text, expected) in [
        (
            "usr x\nuser b on +nope\nuser b off",
            "/f:1 should start with user keyword followed by the username. /f:2: Error in applying operation '+nope': Unknown command or category name in ACL. WARNING: Duplicate user 'b' found on line 3. ",
        ),
        (
            "user",
            "/f:1 should start with user keyword followed by the username. ",
        ),
        (
            "\n # x",
            "/f:2 should start with user keyword followed by the username. ",
        ),
        (
            "user a foo bar +nope",
            "/f:1: Syntax error. /f:1: Error in applying operation '+nope': Unknown command or category name in ACL. ",
        ),
        (
            "user a on (+nope)",
            "/f:1: Error in applying operation '(+nope)': Unknown command or category name in ACL. ",
        ),
        (
            "user a (+get",
            "/f:1: Unmatched parenthesis in selector definition. ",
        ),
        (
            "user a\tb on",
            "'/f:1: username 'a\tb' contains invalid characters. ",
        ),
    ] {
        assert_eq!(
            parse(text).unwrap_err(),
            format!("{expected}{end}"),
            "{text}"
        );
    }
}

#[test]
fn users_of_a_configuration_are_looked_at_first_and_made_later() {
    let mut declared = Declared::default();
    let mut check = |line: &str| {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        declared.check(&words)
    };
    assert_eq!(check("user a on +nope"), Ok(()));
    assert_eq!(
        check("user a off").unwrap_err(),
        "Error in user declaration 'a': Duplicate user found. A user can only be defined once in config files"
    );
    assert_eq!(
        check("user b foo").unwrap_err(),
        "Error in user declaration 'foo': Syntax error"
    );
    let users = Users::default();
    let line = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    declare(&users, &[line("default on >a"), line("a on (+get ~k )")]).unwrap();
    let lines: Vec<String> = file::lines(&users)
        .into_iter()
        .map(|line| String::from_utf8(line).unwrap())
        .collect();
    assert_eq!(
        lines[0],
        "user a on resetchannels -@all (~k resetchannels -@all +get)"
    );
    assert!(
        lines[1].starts_with("user default on sanitize-payload #ca97"),
        "{}",
        lines[1]
    );
    assert_eq!(
        declare(&users, &[line("c on +nope")]).unwrap_err(),
        "Error loading ACL rule '+nope' for the user named 'c': Unknown command or category name in ACL"
    );
}
