//! Clients and how they are set, that they connect again, pools, users, and what the server tells of itself.

use std::collections::{BTreeSet, HashMap};

use fred::prelude::*;
use fred::types::InfoKind;
use fred::types::RespVersion;
use fred::types::client::{ClientKillFilter, ClientPauseKind};
use fred::types::config::DynamicPoolConfig;

use crate::events::connected;
use crate::{Checks, Place, next, text, texts};

/// basic.rs and misc.rs
pub async fn clients(check: &mut Checks, place: &Place, client: &Client) -> FredResult<()> {
    let mut config = place.config.clone();
    config.database = Some(3);
    let mut builder = Place {
        config,
        ..place.clone()
    }
    .builder();
    builder.with_connection_config(|config| {
        config.auto_client_setname = true;
        config.tcp.nodelay = Some(true);
    });
    builder.with_performance_config(|config| config.broadcast_channel_capacity = 48);
    let third = builder.build()?;
    third.init().await?;
    check.equal(
        "auto_client_setname",
        third.client_getname().await,
        third.id().to_string(),
    );
    check.equal("a database", third.set("k", 3, None, None, false).await, ());
    check.equal("is another", client.get("k").await, None::<i64>);
    check.equal("select", third.select(0).await, ());
    check.equal("and back", third.get("k").await, None::<i64>);
    check.equal("client_setname", third.client_setname("smoke").await, ());
    check.equal(
        "client_getname",
        third.client_getname().await,
        text("smoke"),
    );
    check.equal("is_connected", Ok(third.is_connected()), true);
    check.equal(
        "the protocol asked for",
        Ok(third.protocol_version() == place.resp),
        true,
    );
    check.equal("echo", third.echo("said").await, text("said"));
    check.equal("quit", third.quit().await, ());
    check.equal("its state", Ok(third.state()), ClientState::Disconnected);
    let clone = client.clone_new();
    clone.init().await?;
    check.equal(
        "clone_new",
        clone.client_id().await.map(|id: i64| id > 0),
        true,
    );
    let proto = clone
        .custom::<HashMap<String, Value>, _>(fred::cmd!("HELLO"), Vec::<String>::new())
        .await;
    let number = if place.resp == RespVersion::RESP3 {
        3
    } else {
        2
    };
    check.equal(
        "hello",
        proto.map(|hello| hello.get("proto").and_then(Value::as_i64)),
        Some(number),
    );
    clone.quit().await
}

/// events.rs
pub async fn again(check: &mut Checks, place: &Place, client: &Client) -> FredResult<()> {
    let own = place.builder().build()?;
    let (mut reconnected, mut failed) = (own.reconnect_rx(), own.error_rx());
    own.init().await?;
    check.equal(
        "connects",
        connected(&mut reconnected).await,
        text("127.0.0.1"),
    );
    let id: i64 = own.client_id().await?;
    let filter = ClientKillFilter::ID(id.to_string());
    check.equal(
        "killed by the other",
        client.client_kill(vec![filter]).await,
        1,
    );
    check.equal(
        "an error",
        next(&mut failed)
            .await
            .map(|(error, _)| error.kind().clone()),
        ErrorKind::IO,
    );
    check.equal(
        "connects again",
        connected(&mut reconnected).await,
        text("127.0.0.1"),
    );
    check.equal(
        "another connection",
        own.client_id().await.map(|now: i64| now > id),
        true,
    );
    check.equal(
        "and goes on",
        own.set("again", 1, None, None, false).await,
        text("OK"),
    );
    check.equal("force_reconnection", own.force_reconnection().await, ());
    check.equal("after it", own.get("again").await, 1);
    own.quit().await
}

/// pool.rs and dynamic_pool.rs
pub async fn pools(check: &mut Checks, place: &Place, client: &Client) -> FredResult<()> {
    let pool = place.builder().build_pool(5)?;
    pool.init().await?;
    check.equal("get of nothing", pool.get("foo").await, None::<String>);
    check.equal("set", pool.set("foo", "bar", None, None, false).await, ());
    check.equal("get", pool.get("foo").await, text("bar"));
    let mut ids = BTreeSet::new();
    for own in pool.clients() {
        ids.insert(own.client_id::<i64>().await?);
    }
    check.equal("five connections", Ok(ids.len()), 5);
    let pipeline = pool.next().pipeline();
    pipeline.incr::<(), _>("n").await?;
    pipeline.incr::<(), _>("n").await?;
    check.equal("a pipeline", pipeline.last().await, 2);
    let all = futures_util::future::try_join_all((0..100).map(|_| pool.incr::<i64, _>("n")));
    check.equal(
        "a hundred at once",
        all.await
            .map(|all| all.into_iter().collect::<BTreeSet<_>>()),
        (3..=102).collect(),
    );
    check.equal("quit", pool.quit().await, ());

    let mut builder = place.builder();
    builder.set_pool_config(DynamicPoolConfig {
        min_clients: 2,
        max_clients: 3,
        ..DynamicPoolConfig::default()
    });
    let pool = builder.build_dynamic_pool()?;
    pool.init().await?;
    check.equal("a dynamic pool", Ok(pool.size()), 2);
    check.equal("one more", Ok(pool.scale(1).await), 1);
    check.equal(
        "and no more",
        Ok((pool.scale(1).await, pool.size())),
        (0, 3),
    );
    for _ in 0..6 {
        pool.next().incr::<(), _>("foo2").await?;
    }
    check.equal("all of them count", client.get("foo2").await, 6);
    check.equal("one less", Ok((pool.scale(-1).await, pool.size())), (-1, 2));
    check.equal("quit again", pool.quit().await, ());

    let pool = place.builder().build_exclusive_pool(2)?;
    pool.init().await?;
    let own = pool.acquire().await;
    own.watch("foo").await?;
    let trx = own.multi();
    trx.get::<(), _>("foo").await?;
    check.equal(
        "a client for one alone",
        trx.exec(true).await,
        texts(&["bar"]),
    );
    drop(own);
    check.equal("quit of these", pool.quit().await, ());
    Ok(())
}

pub async fn users(check: &mut Checks, place: &Place, client: &Client) -> FredResult<()> {
    let rules = vec![
        "reset", "on", ">secret", "~own:*", "+@read", "+set", "-keys",
    ];
    check.equal(
        "acl_setuser",
        client.acl_setuser("testuser", rules).await,
        (),
    );
    check.equal("acl_whoami", client.acl_whoami().await, text("default"));
    check.equal(
        "acl_users",
        client.acl_users().await,
        BTreeSet::from([text("default"), text("testuser")]),
    );
    let mut config = place.config.clone();
    (config.username, config.password) = (Some(text("testuser")), Some(text("secret")));
    let mut own = Place {
        config,
        ..place.clone()
    };
    let user = own.connect().await?;
    check.equal(
        "what it may",
        user.set("own:k", "v", None, None, false).await,
        text("OK"),
    );
    let detail = "NOPERM this user has no permissions to access one of the keys used as arguments";
    check.refused(
        "another's keys",
        user.get("k").await,
        ErrorKind::Unknown,
        detail,
    );
    let detail = "NOPERM this user has no permissions to run the 'del' command";
    check.refused(
        "another command",
        user.del("own:k").await,
        ErrorKind::Unknown,
        detail,
    );
    let denied: Vec<HashMap<String, Value>> = client.acl_log_count(Some(1)).await?;
    let object = denied
        .first()
        .and_then(|entry| entry.get("object"))
        .and_then(Value::as_string);
    check.equal("acl_log", Ok(object), Some(text("del")));
    check.equal("acl_log_reset", client.acl_log_reset().await, ());
    own.config.password = Some(text("wrong"));
    own.config.fail_fast = true;
    let refused = own
        .connect()
        .await
        .map(|_| ())
        .map_err(|error| (error.kind().clone(), error.details().to_owned()));
    let detail = text("WRONGPASS invalid username-password pair or user is disabled.");
    check.equal(
        "a wrong password",
        Ok(refused),
        Err((ErrorKind::Auth, detail)),
    );
    check.equal(
        "auth",
        user.auth(Some(text("testuser")), "secret").await,
        (),
    );
    user.quit().await?;
    check.equal(
        "acl_deluser",
        client.acl_deluser(vec!["testuser", "nobody"]).await,
        1,
    );
    Ok(())
}

pub async fn server(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    let id: i64 = client.client_id().await?;
    let line: String = client.client_info().await?;
    check.equal(
        "client_info",
        Ok(line.starts_with(&format!("id={id} "))),
        true,
    );
    let list: String = client
        .client_list::<_, String>(None, Some(vec![id.to_string()]))
        .await?;
    check.equal("client_list", Ok(list.trim_end().lines().count()), 1);
    check.equal(
        "client_pause",
        client.client_pause(1, Some(ClientPauseKind::Write)).await,
        (),
    );
    check.equal("client_unpause", client.client_unpause().await, ());
    let policy = HashMap::from([(text("maxmemory-policy"), text("noeviction"))]);
    check.equal(
        "config_get",
        client.config_get("maxmemory-policy").await,
        policy,
    );
    let info: String = client.info(Some(InfoKind::Replication)).await?;
    check.equal(
        "info",
        Ok(info.lines().any(|line| line == "role:master")),
        true,
    );
    check.equal("wait", client.wait(0, 10).await, 0);
    check.equal("ping", client.ping(None).await, text("PONG"));
    check.equal("slowlog_reset", client.slowlog_reset().await, ());
    check.equal(
        "slowlog_length",
        client.slowlog_length().await.map(|count: i64| count >= 0),
        true,
    );
    check.equal(
        "lastsave",
        client.lastsave().await.map(|time: i64| time > 0),
        true,
    );
    let version = client.server_version().map(|version| version.major >= 7);
    check.equal("server_version", Ok(version), Some(true));
    Ok(())
}
