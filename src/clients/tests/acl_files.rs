//! Users that come from files: ACL LOAD and SAVE, `user` lines, CONFIG REWRITE.

use super::acl::lines;
use super::support::TestServer;

#[tokio::test]
async fn users_of_a_file_are_loaded_saved_and_replaced() {
    let dir = std::env::temp_dir().join(format!("keymesh-acl-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("users.acl");
    let shown = path.display().to_string();
    std::fs::write(&path, "user a on >p +@all ~* &*\nuser b off\n").unwrap();
    let server = TestServer::start(&["--port", "1", "--aclfile", &shown]).await;
    let mut admin = server.connect().await;
    admin
        .check("ACL USERS", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$7\r\ndefault\r\n")
        .await;
    admin
        .check("ACL SETUSER b on +get (+set ~x)", "+OK\r\n")
        .await;
    admin.check("ACL SAVE", "+OK\r\n").await;
    let saved = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        saved,
        "user a on #148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940 ~* &* +@all\nuser b on resetchannels -@all +get (~x resetchannels -@all +set)\nuser default on nopass ~* &* +@all\n"
    );
    std::fs::write(&path, "usr x\nuser b +nope\n").unwrap();
    let mut user = server.connect_as("a").await;
    admin.check("ACL LOAD", &format!("-ERR {shown}:1 should start with user keyword followed by the username. {shown}:2: Error in applying operation '+nope': Unknown command or category name in ACL. WARNING: ACL errors detected, no change to the previously active ACL rules was performed\r\n")).await;
    user.check("PING", "+PONG\r\n").await;
    std::fs::write(&path, "user a on nopass +@all\n").unwrap();
    user.check("ACL LOAD", "+OK\r\n").await;
    // Whoever is not the default user has to come in again.
    user.expect_closed().await;
    admin
        .check("ACL USERS", "*2\r\n$1\r\na\r\n$7\r\ndefault\r\n")
        .await;
    std::fs::remove_file(&path).unwrap();
    admin
        .check(
            "ACL LOAD",
            &format!(
                "-ERR Error loading ACLs, opening file '{shown}': No such file or directory\r\n"
            ),
        )
        .await;
    std::fs::remove_dir_all(&dir).unwrap();
}

#[tokio::test]
async fn new_users_get_the_channels_that_the_configuration_says() {
    let server = TestServer::start(&["--port", "1", "--acl-pubsub-default", "allchannels"]).await;
    let mut admin = server.connect().await;
    admin.check("ACL SETUSER n", "+OK\r\n").await;
    admin.check("ACL SETUSER m reset (+get)", "+OK\r\n").await;
    let users = lines(&mut admin, "ACL LIST").await;
    assert_eq!(
        users[1],
        "user m off sanitize-payload &* -@all (&* -@all +get)"
    );
    assert_eq!(users[2], "user n off &* -@all");
    admin
        .check("CONFIG SET acl-pubsub-default resetchannels", "+OK\r\n")
        .await;
    admin.check("ACL SETUSER o", "+OK\r\n").await;
    assert_eq!(
        lines(&mut admin, "ACL LIST").await[3],
        "user o off resetchannels -@all"
    );
}

#[tokio::test]
async fn users_are_written_back_into_the_configuration_and_read_again() {
    let dir = std::env::temp_dir().join(format!("keymesh-acl-conf-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("a.conf");
    let text = "port 1\n# mine\nuser a on nopass +@all\nuser gone on\nrequirepass foo\n";
    std::fs::write(&path, text).unwrap();
    let shown = path.display().to_string();
    let before = {
        let server = TestServer::start(&[&shown]).await;
        let mut admin = server.connect().await;
        admin.check("AUTH foo", "+OK\r\n").await;
        admin.check("ACL DELUSER gone", ":1\r\n").await;
        admin
            .check(
                "ACL SETUSER c on >p \"~a\\\"b\" \"&\\x01\" (+get ~z)",
                "+OK\r\n",
            )
            .await;
        let users = lines(&mut admin, "ACL LIST").await;
        // Names and patterns are any bytes.
        admin
            .check("ACL SETUSER \"d\\xff\" on >p \"~\\xfe*\" +get", "+OK\r\n")
            .await;
        admin.check("CONFIG REWRITE", "+OK\r\n").await;
        users
    };
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("port 1\n# mine\nuser a on nopass resetchannels +@all\nuser c on #148d"),
        "{text}"
    );
    assert!(
        text.contains(
            " \"~a\\\"b\" resetchannels \"&\\x01\" -@all (~z resetchannels -@all +get)\n"
        ),
        "{text}"
    );
    assert!(
        text.contains("\nuser default on #2c26") && !text.contains("gone"),
        "{text}"
    );
    let server = TestServer::start(&[&shown]).await;
    let mut admin = server.connect().await;
    admin.check("AUTH foo", "+OK\r\n").await;
    let mut other = server.connect().await;
    other.check("AUTH \"d\\xff\" p", "+OK\r\n").await;
    other.check("GET \"\\xfex\"", "$-1\r\n").await;
    admin.check("ACL DELUSER \"d\\xff\"", ":1\r\n").await;
    let mut after = lines(&mut admin, "ACL LIST").await;
    // A default user that is told of is made from nothing, as in Redis.
    after[2] = after[2].replace(" sanitize-payload", "");
    assert_eq!(after, before);
    std::fs::remove_dir_all(&dir).unwrap();
}

#[tokio::test]
#[should_panic(expected = "define either an ACL file or declare users directly")]
async fn users_in_both_places_stop_the_start() {
    let words = ["--port", "1", "--user", "a", "on", "--aclfile", "/nowhere"];
    TestServer::start(&words).await;
}
