//! ACL over sockets: who comes in, what they may do, and who is sent away. Texts are those of Redis 7.0.15.

use super::support::{TestClient, TestServer};

const NO_KEY: &str =
    "-NOPERM this user has no permissions to access one of the keys used as arguments\r\n";
const NO_CHANNEL: &str =
    "-NOPERM this user has no permissions to access one of the channels used as arguments\r\n";
const WRONGPASS: &str = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
const NOAUTH: &str = "-NOAUTH Authentication required.\r\n";

async fn server() -> (TestServer, TestClient) {
    let server = TestServer::start(&["--port", "1"]).await;
    let admin = server.connect().await;
    (server, admin)
}

impl TestServer {
    /// A connection of a user whose password is p.
    async fn connect_as(&self, user: &str) -> TestClient {
        let mut client = self.connect().await;
        client.check(&format!("AUTH {user} p"), "+OK\r\n").await;
        client
    }
}

/// The reply to an array of bulk strings as one text.
async fn lines(client: &mut TestClient, command: &str) -> Vec<String> {
    client.send(format!("{command}\r\n")).await;
    let header = client.line().await;
    let len: usize = header[1..].parse().unwrap();
    let mut found = Vec::new();
    for _ in 0..len {
        client.line().await;
        found.push(client.line().await);
    }
    found
}

#[tokio::test]
async fn users_are_made_shown_and_deleted() {
    let (_server, mut admin) = server().await;
    for (command, expected) in [
        ("ACL WHOAMI", "$7\r\ndefault\r\n"),
        (
            "ACL LIST",
            "*1\r\n$34\r\nuser default on nopass ~* &* +@all\r\n",
        ),
        ("ACL SETUSER u on >p ~a* (+get %R~z &c)", "+OK\r\n"),
        ("ACL USERS", "*2\r\n$7\r\ndefault\r\n$1\r\nu\r\n"),
        (
            "ACL GETUSER u",
            "*12\r\n$5\r\nflags\r\n*1\r\n$2\r\non\r\n$9\r\npasswords\r\n*1\r\n$64\r\n148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940\r\n$8\r\ncommands\r\n$5\r\n-@all\r\n$4\r\nkeys\r\n$3\r\n~a*\r\n$8\r\nchannels\r\n$0\r\n\r\n$9\r\nselectors\r\n*1\r\n*6\r\n$8\r\ncommands\r\n$10\r\n-@all +get\r\n$4\r\nkeys\r\n$4\r\n%R~z\r\n$8\r\nchannels\r\n$2\r\n&c\r\n",
        ),
        ("ACL GETUSER nope", "$-1\r\n"),
        (
            "ACL SETUSER \"a b\"",
            "-ERR Usernames can't contain spaces or null characters\r\n",
        ),
        (
            "ACL SETUSER u +foo",
            "-ERR Error in ACL SETUSER modifier '+foo': Unknown command or category name in ACL\r\n",
        ),
        (
            "ACL SETUSER u on (+get",
            "-ERR Unmatched parenthesis in acl selector starting at '(+get'.\r\n",
        ),
        (
            "ACL DELUSER u default",
            "-ERR The 'default' user cannot be removed\r\n",
        ),
        ("ACL DELUSER u nope", ":1\r\n"),
        ("ACL USERS", "*1\r\n$7\r\ndefault\r\n"),
        ("ACL CAT nope", "-ERR Unknown category 'nope'\r\n"),
        (
            "ACL CAT a b",
            "-ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP.\r\n",
        ),
        (
            "ACL GENPASS 0",
            "-ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096\r\n",
        ),
        (
            "ACL GENPASS x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "ACL LOG x",
            "-ERR value is not an integer or out of range\r\n",
        ),
        (
            "ACL SETUSER",
            "-ERR wrong number of arguments for 'acl|setuser' command\r\n",
        ),
        (
            "ACL foo",
            "-ERR unknown subcommand 'foo'. Try ACL HELP.\r\n",
        ),
        (
            "ACL SAVE",
            "-ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.\r\n",
        ),
    ] {
        admin.check(command, expected).await;
    }
    assert_eq!(admin.bulk("ACL GENPASS").await.len(), 64);
    assert_eq!(admin.bulk("ACL GENPASS 5").await.len(), 2);
    assert_eq!(lines(&mut admin, "ACL CAT").await[0], "keyspace");
    let transactions = lines(&mut admin, "ACL CAT transaction").await;
    assert_eq!(transactions.len(), 5, "{transactions:?}");
    admin.check("HELLO 3", "%7\r\n").await;
    for _ in 0..25 {
        admin.line().await;
    }
    admin.check("ACL SETUSER n reset", "+OK\r\n").await;
    admin
        .check(
            "ACL GETUSER n",
            "%6\r\n$5\r\nflags\r\n~2\r\n$3\r\noff\r\n$16\r\nsanitize-payload\r\n$9\r\npasswords\r\n*0\r\n$8\r\ncommands\r\n$5\r\n-@all\r\n$4\r\nkeys\r\n$0\r\n\r\n$8\r\nchannels\r\n$0\r\n\r\n$9\r\nselectors\r\n*0\r\n",
        )
        .await;
}

#[tokio::test]
async fn a_user_may_do_what_its_rules_say_and_nothing_else() {
    let (server, mut admin) = server().await;
    let rules = "ACL SETUSER u on >p ~k* %R~r* %W~w* &ch +@all -flushall -config|get";
    admin.check(rules, "+OK\r\n").await;
    let mut user = server.connect_as("u").await;
    for (command, expected) in [
        (
            "FLUSHALL",
            "-NOPERM this user has no permissions to run the 'flushall' command\r\n",
        ),
        (
            "CONFIG GET x",
            "-NOPERM this user has no permissions to run the 'config|get' command\r\n",
        ),
        (
            "CONFIG",
            "-ERR wrong number of arguments for 'config' command\r\n",
        ),
        ("GET x", NO_KEY),
        ("GET kx", "$-1\r\n"),
        ("SET r1 v", NO_KEY),
        ("SET w1 v", "+OK\r\n"),
        ("SET w1 v GET", NO_KEY),
        ("MSET k1 1 x", NO_KEY),
        ("COPY r1 w1", ":0\r\n"),
        ("COPY w1 r1", NO_KEY),
        ("PUBLISH ch x", ":0\r\n"),
        ("PUBLISH zz x", NO_CHANNEL),
        ("SPUBLISH zz x", NO_CHANNEL),
        ("SUBSCRIBE ch zz", NO_CHANNEL),
        ("PSUBSCRIBE c*", NO_CHANNEL),
        ("SSUBSCRIBE zz", NO_CHANNEL),
        (
            "UNSUBSCRIBE zz",
            "*3\r\n$11\r\nunsubscribe\r\n$2\r\nzz\r\n:0\r\n",
        ),
        ("ACL WHOAMI", "$1\r\nu\r\n"),
    ] {
        user.check(command, expected).await;
    }
    // A pipeline is judged command by command.
    user.send("GET k1\r\nGET x\r\nGET k1\r\n").await;
    user.expect(format!("$-1\r\n{NO_KEY}$-1\r\n")).await;
}

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

#[tokio::test]
async fn a_deleted_user_and_a_subscriber_that_loses_its_channel_are_sent_away() {
    let (server, mut admin) = server().await;
    admin
        .check("ACL SETUSER u on >p ~* &c* &p* +@all", "+OK\r\n")
        .await;
    let mut hears = server.connect_as("u").await;
    let mut matches = server.connect_as("u").await;
    let mut asks = server.connect_as("u").await;
    hears
        .check(
            "SUBSCRIBE c1",
            "*3\r\n$9\r\nsubscribe\r\n$2\r\nc1\r\n:1\r\n",
        )
        .await;
    matches
        .check(
            "PSUBSCRIBE p*",
            "*3\r\n$10\r\npsubscribe\r\n$2\r\np*\r\n:1\r\n",
        )
        .await;
    // What is left is enough, if by another pattern.
    admin
        .check("ACL SETUSER u resetchannels &c1 &p*", "+OK\r\n")
        .await;
    admin.check("PUBLISH c1 x", ":1\r\n").await;
    hears
        .expect("*3\r\n$7\r\nmessage\r\n$2\r\nc1\r\n$1\r\nx\r\n")
        .await;
    admin
        .check("ACL SETUSER u resetchannels &c1 &p?", "+OK\r\n")
        .await;
    matches.expect_closed().await;
    admin
        .check("ACL SETUSER u resetchannels &c2", "+OK\r\n")
        .await;
    hears.expect_closed().await;
    asks.check("PING", "+PONG\r\n").await;
    let mut own = server.connect_as("u").await;
    own.check("ACL DELUSER u", ":1\r\n").await;
    own.expect_closed().await;
    asks.expect_closed().await;
    let mut late = server.connect().await;
    late.check("AUTH u p", WRONGPASS).await;
}

#[tokio::test]
async fn requirepass_and_the_default_user_are_the_same_both_ways() {
    let (server, mut admin) = server().await;
    admin.check("CONFIG SET requirepass abc", "+OK\r\n").await;
    // Who was let in stays in.
    admin.check("PING", "+PONG\r\n").await;
    let mut client = server.connect().await;
    client.check("PING", NOAUTH).await;
    client.check("AUTH x", WRONGPASS).await;
    client.check("AUTH abc", "+OK\r\n").await;
    admin.check("ACL SETUSER default >foo", "+OK\r\n").await;
    admin
        .check(
            "CONFIG GET requirepass",
            "*2\r\n$11\r\nrequirepass\r\n$3\r\nabc\r\n",
        )
        .await;
    let mut client = server.connect().await;
    client.check("AUTH foo", "+OK\r\n").await;
    client.check("RESET", "+RESET\r\n").await;
    client.check("PING", NOAUTH).await;
    admin.check("ACL SETUSER default nopass", "+OK\r\n").await;
    // It is open now for those, too, who had to come in before.
    client.check("PING", "+PONG\r\n").await;
    client.check("AUTH x", "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n").await;
    admin.check("ACL SETUSER default off", "+OK\r\n").await;
    let mut client = server.connect().await;
    client.check("PING", NOAUTH).await;
    client.check("AUTH default x", WRONGPASS).await;
    admin.check("PING", "+PONG\r\n").await;
    admin.check("CONFIG SET requirepass \"\"", "+OK\r\n").await;
    admin
        .check(
            "ACL LIST",
            "*1\r\n$35\r\nuser default off nopass ~* &* +@all\r\n",
        )
        .await;
}

#[tokio::test]
async fn clients_are_listed_and_ended_by_their_user() {
    let (server, mut admin) = server().await;
    admin.check("ACL SETUSER u on >p +@all", "+OK\r\n").await;
    let mut user = server.connect_as("u").await;
    let list = admin.bulk("CLIENT LIST").await;
    assert!(
        list.contains(" user=u ") && list.contains(" user=default "),
        "{list}"
    );
    admin
        .check("CLIENT KILL USER nope", "-ERR No such user 'nope'\r\n")
        .await;
    admin.check("CLIENT KILL USER u", ":1\r\n").await;
    user.expect_closed().await;
}

#[tokio::test]
async fn a_dry_run_says_why_not() {
    let (_server, mut admin) = server().await;
    admin
        .check("ACL SETUSER u ~a +get +publish +psubscribe &c*", "+OK\r\n")
        .await;
    for (command, expected) in [
        ("nope get a", "-ERR User 'nope' not found\r\n"),
        ("u nope a", "-ERR Command 'nope' not found\r\n"),
        ("u config nope a", "-ERR Command 'config' not found\r\n"),
        (
            "u config",
            "-ERR wrong number of arguments for 'config' command\r\n",
        ),
        (
            "u get",
            "-ERR wrong number of arguments for 'get' command\r\n",
        ),
        (
            "u get \"b\\x00c\"",
            "$50\r\nThis user has no permissions to access the 'b' key\r\n",
        ),
        ("u get a", "+OK\r\n"),
        ("u auth x", "+OK\r\n"),
        (
            "u get b",
            "$50\r\nThis user has no permissions to access the 'b' key\r\n",
        ),
        (
            "u config get a",
            "$60\r\nThis user has no permissions to run the 'config|get' command\r\n",
        ),
        (
            "u psubscribe c1",
            "$55\r\nThis user has no permissions to access the 'c1' channel\r\n",
        ),
    ] {
        admin
            .check(&format!("ACL DRYRUN {command}"), expected)
            .await;
    }
}

#[tokio::test]
async fn a_link_needs_a_user_with_the_rights_of_a_replica() {
    let (server, mut admin) = server().await;
    admin
        .check("ACL SETUSER r on >p +psync +replconf +ping", "+OK\r\n")
        .await;
    admin
        .check("ACL SETUSER u on >p ~* &* +@all -keymesh.link", "+OK\r\n")
        .await;
    let mut user = server.connect_as("u").await;
    user.check(
        "KEYMESH.LINK 1",
        "-NOPERM this user has no permissions to run the 'keymesh.link' command\r\n",
    )
    .await;
    let mut replica = server.connect_as("r").await;
    replica.send("KEYMESH.LINK 1\r\n").await;
    let links = std::sync::Arc::clone(&server.links);
    super::support::eventually(move || links.attached.lock().len() == 1).await;
}

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
        admin.check("CONFIG REWRITE", "+OK\r\n").await;
        lines(&mut admin, "ACL LIST").await
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
