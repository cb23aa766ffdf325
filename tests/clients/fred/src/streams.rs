//! Streams and their groups, and commands that wait at the server.

use std::collections::HashMap;

use fred::prelude::*;
use fred::types::ClientUnblockFlag;
use fred::types::lists::LMoveDirection;
use fred::types::sorted_sets::ZCmp;
use fred::types::streams::XReadResponse;

use crate::{Checks, Place, blocked, text, texts};

/// streams.rs
pub async fn streams(check: &mut Checks, place: &Place, client: &Client) -> FredResult<()> {
    let entry = |id: &str, field: &str, value: &str| {
        (text(id), HashMap::from([(text(field), text(value))]))
    };
    let found = |entries: Vec<_>| -> XReadResponse<String, String, String, String> {
        HashMap::from([(text("s"), entries)])
    };
    check.equal(
        "xadd",
        client.xadd("s", false, None::<()>, "1-0", ("a", "1")).await,
        text("1-0"),
    );
    check.equal(
        "xadd to nothing",
        client.xadd("x", true, None::<()>, "*", ("a", "1")).await,
        None::<String>,
    );
    let reader = place.connect().await?;
    let reading = {
        let reader = reader.clone();
        tokio::spawn(async move { reader.xread_map(Some(1), Some(10_000), "s", "$").await })
    };
    blocked(client, 1).await?;
    check.equal(
        "xadd for a reader",
        client.xadd("s", false, None::<()>, "2-0", ("b", "2")).await,
        text("2-0"),
    );
    let read = reading
        .await
        .map_err(|error| Error::new(ErrorKind::Canceled, error.to_string()));
    check.equal(
        "the reader",
        read.and_then(|read| read),
        found(vec![entry("2-0", "b", "2")]),
    );
    let read = client.xread_map(None, None, "s", "0").await;
    check.equal(
        "xread",
        read,
        found(vec![entry("1-0", "a", "1"), entry("2-0", "b", "2")]),
    );
    let nothing = reader.xread(None, Some(10), "s", "$").await;
    check.equal("xread for a while", nothing, Value::Null);
    check.equal(
        "xrange",
        client.xrange_values("s", "-", "+", Some(1)).await,
        vec![entry("1-0", "a", "1")],
    );
    let last = client.xrevrange_values("s", "+", "-", Some(1)).await;
    check.equal("xrevrange", last, vec![entry("2-0", "b", "2")]);
    check.equal(
        "xadd trims",
        client
            .xadd("s", false, ("MAXLEN", "=", 2), "3-0", ("c", "3"))
            .await,
        text("3-0"),
    );
    check.equal("xlen", client.xlen("s").await, 2);
    check.equal("xtrim", client.xtrim("s", ("MINID", "=", "3-0")).await, 1);
    check.equal("xdel", client.xdel("s", vec!["3-0", "9-9"]).await, 1);
    reader.quit().await
}

pub async fn groups(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    let entry = |id: &str| (text(id), HashMap::from([(text("n"), text(id))]));
    let found = |ids: &[&str]| -> XReadResponse<String, String, String, String> {
        HashMap::from([(text("s"), ids.iter().map(|id| entry(id)).collect())])
    };
    check.equal(
        "xgroup_create",
        client.xgroup_create("s", "g", "0", true).await,
        (),
    );
    let answer = client.xgroup_create("s", "g", "0", true).await;
    let detail = "BUSYGROUP Consumer Group name already exists";
    check.refused("once only", answer, ErrorKind::Unknown, detail);
    for id in ["1-0", "2-0", "3-0"] {
        client
            .xadd::<(), _, _, _, _>("s", false, None::<()>, id, ("n", id))
            .await?;
    }
    let read = client
        .xreadgroup_map("g", "one", Some(2), None, false, "s", ">")
        .await;
    check.equal("xreadgroup", read, found(&["1-0", "2-0"]));
    let read = client
        .xreadgroup_map("g", "two", None, Some(1000), false, "s", ">")
        .await;
    check.equal("another consumer", read, found(&["3-0"]));
    check.equal("xack", client.xack("s", "g", vec!["1-0", "9-9"]).await, 1);
    let pending = client.xpending("s", "g", ()).await;
    let each = vec![(text("one"), text("1")), (text("two"), text("1"))];
    check.equal("xpending", pending, (2, text("2-0"), text("3-0"), each));
    let claimed = client
        .xclaim_values("s", "g", "two", 0, "2-0", None, None, None, false, false)
        .await;
    check.equal("xclaim", claimed, vec![entry("2-0")]);
    let claimed = client
        .xautoclaim_values("s", "g", "one", 0, "0", Some(1), false)
        .await;
    check.equal("xautoclaim", claimed, (text("3-0"), vec![entry("2-0")]));
    let groups: Vec<HashMap<String, Value>> = client.xinfo_groups("s").await?;
    let lag = groups
        .first()
        .and_then(|group| group.get("entries-read"))
        .and_then(Value::as_i64);
    check.equal("xinfo_groups", Ok((groups.len(), lag)), (1, Some(3)));
    check.equal(
        "xgroup_delconsumer",
        client.xgroup_delconsumer("s", "g", "two").await,
        1,
    );
    check.equal("xgroup_destroy", client.xgroup_destroy("s", "g").await, 1);
    Ok(())
}

/// blocking.rs
pub async fn blocking(check: &mut Checks, place: &Place, client: &Client) -> FredResult<()> {
    let waiter = place.connect().await?;
    let waiting = {
        let waiter = waiter.clone();
        tokio::spawn(async move { waiter.blpop(vec!["x", "foo"], 5.0).await })
    };
    blocked(client, 1).await?;
    check.equal("rpush", client.rpush("foo", vec![1, 2]).await, 2);
    let popped = waiting
        .await
        .map_err(|error| Error::new(ErrorKind::Canceled, error.to_string()));
    check.equal("blpop", popped.and_then(|popped| popped), (text("foo"), 1));
    check.equal(
        "brpop at once",
        waiter.brpop("foo", 5.0).await,
        (text("foo"), 2),
    );
    let nothing = waiter.blpop("foo", 0.01).await;
    check.refused(
        "blpop of nothing",
        nothing,
        ErrorKind::Timeout,
        "Request timed out.",
    );
    client.rpush::<(), _, _>("from", vec!["a", "b"]).await?;
    let (left, right) = (LMoveDirection::Left, LMoveDirection::Right);
    check.equal(
        "blmove",
        waiter.blmove("from", "to", left.clone(), right, 1.0).await,
        text("a"),
    );
    let popped = waiter.blmpop(1.0, vec!["x", "to"], left, None).await;
    check.equal("blmpop", popped, (text("to"), texts(&["a"])));
    client
        .zadd::<(), _, _>("z", None, None, false, false, vec![(1.5, "m"), (2.0, "n")])
        .await?;
    check.equal(
        "bzpopmin",
        waiter.bzpopmin("z", 1.0).await,
        (text("z"), text("m"), 1.5),
    );
    let popped = waiter.bzmpop(1.0, "z", ZCmp::Max, None).await;
    check.equal("bzmpop", popped, (text("z"), vec![(text("n"), 2.0)]));
    let waiting = {
        let waiter = waiter.clone();
        tokio::spawn(async move { waiter.blpop("never", 0.0).await })
    };
    blocked(client, 1).await?;
    check.equal(
        "unblock_self",
        waiter.unblock_self(Some(ClientUnblockFlag::Error)).await,
        (),
    );
    let ended = waiting
        .await
        .map_err(|error| Error::new(ErrorKind::Canceled, error.to_string()))?;
    let detail = "UNBLOCKED client unblocked via CLIENT UNBLOCK";
    check.refused("and it ends", ended, ErrorKind::Unknown, detail);
    waiter.quit().await
}
