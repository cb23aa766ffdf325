//! ACL over sockets: who comes in, what they may do, and who is sent away. Texts are those of Redis 7.0.15.

use super::support::{TestClient, TestServer};

pub(super) const NO_KEY: &str =
    "-NOPERM this user has no permissions to access one of the keys used as arguments\r\n";
pub(super) const NO_CHANNEL: &str =
    "-NOPERM this user has no permissions to access one of the channels used as arguments\r\n";
pub(super) const WRONGPASS: &str =
    "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
pub(super) const NOAUTH: &str = "-NOAUTH Authentication required.\r\n";

pub(super) async fn server() -> (TestServer, TestClient) {
    let server = TestServer::start(&["--port", "1"]).await;
    let admin = server.connect().await;
    (server, admin)
}

impl TestServer {
    /// A connection of a user whose password is p.
    pub(super) async fn connect_as(&self, user: &str) -> TestClient {
        let mut client = self.connect().await;
        client.check(&format!("AUTH {user} p"), "+OK\r\n").await;
        client
    }
}

/// The reply to an array of bulk strings as one text.
pub(super) async fn lines(client: &mut TestClient, command: &str) -> Vec<String> {
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
