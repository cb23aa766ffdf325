//! What is refused to a user, within transactions too, and what ACL LOG says of it.

use super::acl::{NO_KEY, WRONGPASS, server};

#[tokio::test]
async fn transactions_are_judged_when_commands_are_queued_and_when_they_run() {
    let (server, mut admin) = server().await;
    admin
        .check("ACL SETUSER u on >p ~k* &ch +@all -flushall", "+OK\r\n")
        .await;
    let mut user = server.connect_as("u").await;
    for (refused, text) in [
        (
            "FLUSHALL",
            "-NOPERM this user has no permissions to run the 'flushall' command\r\n",
        ),
        ("GET x", NO_KEY),
    ] {
        user.check("MULTI", "+OK\r\n").await;
        user.check(refused, text).await;
        user.check(
            "EXEC",
            "-EXECABORT Transaction discarded because of previous errors.\r\n",
        )
        .await;
    }
    user.check("MULTI", "+OK\r\n").await;
    for command in [
        "SET k1 v",
        "GET k1",
        "PUBLISH ch x",
        "PING",
        "CONFIG RESETSTAT",
    ] {
        user.check(command, "+QUEUED\r\n").await;
    }
    admin
        .check("ACL SETUSER u -set resetchannels -config", "+OK\r\n")
        .await;
    let changed = "-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: no permission to ";
    user.check(
        "EXEC",
        &format!(
            "*5\r\n{changed}execute the command or subcommand\r\n$-1\r\n{changed}access one of the channels used as arguments\r\n+PONG\r\n{changed}execute the command or subcommand\r\n"
        ),
    )
    .await;
    admin.check("EXISTS k1", ":0\r\n").await;
    user.check("MULTI", "+OK\r\n").await;
    user.check("GET k1", "+QUEUED\r\n").await;
    admin.check("ACL SETUSER u resetkeys", "+OK\r\n").await;
    user.check(
        "EXEC",
        &format!("*1\r\n{changed}touch the specified keys\r\n"),
    )
    .await;
    admin.check("ACL SETUSER u -exec", "+OK\r\n").await;
    user.check("MULTI", "+OK\r\n").await;
    user.check("EXEC", "-EXECABORT Transaction discarded because of: NOPERM this user has no permissions to run the 'exec' command\r\n")
        .await;
    user.check("DISCARD", "-ERR DISCARD without MULTI\r\n")
        .await;
}

#[tokio::test]
async fn who_comes_in_within_a_transaction_has_rights_from_there_on() {
    let (server, mut admin) = server().await;
    admin
        .check("ACL SETUSER u on >p ~k* +get +auth", "+OK\r\n")
        .await;
    let mut client = server.connect().await;
    client.check("MULTI", "+OK\r\n").await;
    for command in ["SET x 1", "AUTH u p", "GET x", "GET k1"] {
        client.check(command, "+QUEUED\r\n").await;
    }
    client.check("EXEC", "*4\r\n+OK\r\n+OK\r\n-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: no permission to touch the specified keys\r\n$-1\r\n").await;
    client.check("GET k1", "$-1\r\n").await;
}

#[tokio::test]
async fn what_was_refused_is_in_the_log() {
    let (server, mut admin) = server().await;
    admin
        .check("ACL SETUSER u on >p ~k* +@all -flushall", "+OK\r\n")
        .await;
    let mut user = server.connect_as("u").await;
    user.check("GET x", NO_KEY).await;
    user.check("GET x", NO_KEY).await;
    user.check("HELLO 3 AUTH u wrong", WRONGPASS).await;
    user.check("MULTI", "+OK\r\n").await;
    user.check(
        "FLUSHALL",
        "-NOPERM this user has no permissions to run the 'flushall' command\r\n",
    )
    .await;
    admin.send("ACL LOG\r\n").await;
    assert_eq!(admin.line().await, "*3");
    for (count, reason, context, object, id) in [
        (1, "command", "multi", "flushall", 2),
        (1, "auth", "toplevel", "HELLO", 1),
        (2, "key", "toplevel", "x", 0),
    ] {
        assert_eq!(admin.line().await, "*20");
        let mut found = Vec::new();
        for _ in 0..10 {
            admin.line().await;
            found.push(admin.line().await);
            let value = admin.line().await;
            found.push(match value.strip_prefix('$') {
                Some(_) => admin.line().await,
                None => value,
            });
        }
        assert_eq!(
            found[..10],
            [
                "count",
                &format!(":{count}"),
                "reason",
                reason,
                "context",
                context,
                "object",
                object,
                "username",
                "u"
            ]
        );
        let names: Vec<&String> = found.iter().skip(10).step_by(2).collect();
        assert_eq!(
            names,
            [
                "age-seconds",
                "client-info",
                "entry-id",
                "timestamp-created",
                "timestamp-last-updated"
            ]
        );
        assert!(found[13].contains(" user=u "), "{}", found[13]);
        assert_eq!(found[15], format!(":{id}"));
    }
    admin.check("ACL LOG RESET", "+OK\r\n").await;
    admin.check("ACL LOG", "*0\r\n").await;
    let info = admin.bulk("INFO stats").await;
    assert!(info.contains("acl_access_denied_key:2\r\n"), "{info}");
}
