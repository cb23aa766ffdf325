//! Each type of value as fred gives and takes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fred::prelude::*;
use fred::types::geo::{GeoPosition, GeoUnit, GeoValue};
use fred::types::lists::{LMoveDirection, ListLocation};
use fred::types::sorted_sets::{Ordering, ZCmp, ZRange, ZRangeBound, ZRangeKind, ZSort};
use fred::types::{ExpireOptions, SortOrder};

use crate::{Checks, Place, text, texts};

/// basic.rs
pub async fn strings(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    let none = None::<String>;
    check.equal("get of nothing", client.get("s").await, none.clone());
    check.equal(
        "set",
        client.set("s", "bar", None, None, false).await,
        text("OK"),
    );
    check.equal("get", client.get("s").await, text("bar"));
    let answer = client.set(
        "s",
        "x",
        Some(Expiration::EX(1)),
        Some(SetOptions::NX),
        false,
    );
    check.equal("set nx", answer.await, none.clone());
    let answer = client.set(
        "s",
        7,
        Some(Expiration::EX(100)),
        Some(SetOptions::XX),
        true,
    );
    check.equal("set xx get", answer.await, text("bar"));
    check.equal("a number", client.get("s").await, 7);
    check.equal("ttl", client.ttl("s").await, 100);
    let answer = client.set("s", 8, Some(Expiration::KEEPTTL), None, false);
    check.equal("set keeps one", answer.await, text("OK"));
    check.equal("ttl again", client.ttl("s").await, 100);
    check.equal("persist", client.persist("s").await, true);
    check.equal(
        "expire",
        client.expire("s", 50, Some(ExpireOptions::NX)).await,
        true,
    );
    check.equal(
        "expire gt",
        client.expire("s", 40, Some(ExpireOptions::GT)).await,
        false,
    );
    check.equal(
        "expire_at",
        client.expire_at("s", 4_102_444_800, None).await,
        true,
    );
    check.equal(
        "expire_time",
        client.expire_time("s").await,
        4_102_444_800_i64,
    );
    check.equal("incr", client.incr("i").await, 1);
    check.equal("incr_by", client.incr_by("i", 41).await, 42);
    check.equal("decr_by", client.decr_by("i", 2).await, 40);
    check.equal("incr_by_float", client.incr_by_float("i", 0.5).await, 40.5);
    check.equal("append", client.append("w", "Hello").await, 5);
    check.equal("setrange", client.setrange("w", 1, "a").await, 5);
    check.equal("getrange", client.getrange("w", 0, 2).await, text("Hal"));
    check.equal("getset", client.getset("w", "v").await, text("Hallo"));
    check.equal("getdel", client.getdel("w").await, Some(text("v")));
    check.equal("mset", client.mset(vec![("a", 1), ("b", 2)]).await, ());
    check.equal(
        "mget",
        client.mget(vec!["a", "x", "b"]).await,
        vec![Some(1), None, Some(2)],
    );
    check.equal(
        "msetnx",
        client.msetnx(vec![("a", 1), ("c", 2)]).await,
        false,
    );
    check.equal("setnx", client.setnx("a", 9).await, false);
    check.equal("strlen", client.strlen("s").await, 1);
    check.equal("del", client.del(vec!["a", "b", "x"]).await, 2);
    let all: Vec<u8> = (0..=255).collect();
    let answer = client.set(
        all.as_slice(),
        Value::Bytes(all.clone().into()),
        None,
        None,
        false,
    );
    check.equal("bytes", answer.await, ());
    check.equal(
        "bytes again",
        client.get(all.as_slice()).await.and_then(Value::convert),
        all,
    );
    client
        .mset(vec![("l1", "ohmytext"), ("l2", "mynewtext")])
        .await?;
    let answer = client.lcs("l1", "l2", false, false, None, false);
    check.equal("lcs", answer.await, text("mytext"));
    check.equal(
        "lcs len",
        client.lcs("l1", "l2", true, false, None, false).await,
        6,
    );
    check.equal("pfadd", client.pfadd("h1", vec!["a", "b", "c"]).await, true);
    check.equal("pfadd again", client.pfadd("h1", "a").await, false);
    check.equal("pfmerge", client.pfmerge("h2", "h1").await, ());
    check.equal("pfcount", client.pfcount(vec!["h1", "h2"]).await, 3);
    Ok(())
}

pub async fn hashes(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    check.equal("hset", client.hset("h", vec![("a", 1), ("b", 2)]).await, 2);
    check.equal(
        "hset of a map",
        client.hset("h", HashMap::from([("c", 3)])).await,
        1,
    );
    check.equal("hget", client.hget("h", "c").await, 3);
    check.equal("hget of nothing", client.hget("h", "x").await, None::<i64>);
    let all = BTreeMap::from([(text("a"), 1), (text("b"), 2), (text("c"), 3)]);
    check.equal("hgetall", client.hgetall("h").await, all);
    check.equal(
        "hgetall of nothing",
        client.hgetall("x").await,
        HashMap::<String, i64>::new(),
    );
    check.equal(
        "hmget",
        client.hmget("h", vec!["a", "x"]).await,
        vec![Some(1), None],
    );
    check.equal("hincrby", client.hincrby("h", "a", 41).await, 42);
    check.equal(
        "hincrbyfloat",
        client.hincrbyfloat("h", "a", 0.5).await,
        42.5,
    );
    check.equal("hsetnx", client.hsetnx("h", "a", 1).await, false);
    check.equal("hexists", client.hexists("h", "a").await, true);
    check.equal("hstrlen", client.hstrlen("h", "a").await, 4);
    let names = texts(&["a", "b", "c"]).into_iter().collect::<BTreeSet<_>>();
    check.equal("hkeys", client.hkeys("h").await, names);
    check.equal("hdel", client.hdel("h", vec!["a", "b", "x"]).await, 2);
    check.equal("hvals", client.hvals("h").await, vec![3]);
    check.equal("hlen", client.hlen("h").await, 1);
    check.equal("hrandfield", client.hrandfield("h", None).await, text("c"));
    let answer = client.hrandfield("h", Some((-2, false))).await;
    check.equal("hrandfield many", answer, texts(&["c", "c"]));
    Ok(())
}

pub async fn lists(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    use LMoveDirection::{Left, Right};
    check.equal("rpush", client.rpush("l", vec!["a", "b", "c"]).await, 3);
    check.equal("lpush", client.lpush("l", "z").await, 4);
    check.equal("lpushx", client.lpushx("x", "z").await, 0);
    check.equal(
        "lrange",
        client.lrange("l", 0, -1).await,
        texts(&["z", "a", "b", "c"]),
    );
    let answer = client.linsert("l", ListLocation::Before, "b", "b").await;
    check.equal("linsert", answer, 5);
    check.equal("lpos", client.lpos("l", "b", Some(-1), None, None).await, 3);
    check.equal(
        "lpos many",
        client.lpos("l", "b", None, Some(0), None).await,
        vec![2, 3],
    );
    check.equal("lrem", client.lrem("l", 1, "b").await, 1);
    check.equal("lset", client.lset("l", 0, "y").await, ());
    check.equal("lindex", client.lindex("l", 0).await, text("y"));
    check.equal(
        "lmove",
        client.lmove("l", "m", Left, Right).await,
        text("y"),
    );
    check.equal("rpoplpush", client.rpoplpush("l", "m").await, text("c"));
    let popped = client.lmpop(vec!["x", "m"], Left, Some(5)).await;
    check.equal("lmpop", popped, (text("m"), texts(&["c", "y"])));
    check.equal("lpop", client.lpop("l", Some(9)).await, texts(&["a", "b"]));
    check.equal(
        "rpop of nothing",
        client.rpop("l", None).await,
        None::<String>,
    );
    check.equal(
        "rpush of numbers",
        client.rpush("n", vec![3, 10, 2]).await,
        3,
    );
    let sorted = client.sort("n", None, None, (), Some(SortOrder::Desc), false, None);
    check.equal("sort", sorted.await, vec![10, 3, 2]);
    let sorted = client.sort("n", None, Some((0, 2)), (), None, true, Some("kept".into()));
    check.equal("sort kept", sorted.await, 2);
    check.equal(
        "what was kept",
        client.lrange("kept", 0, -1).await,
        vec![10, 2],
    );
    check.equal("ltrim", client.ltrim("n", 1, 1).await, ());
    check.equal("llen", client.llen("n").await, 1);
    Ok(())
}

pub async fn sets(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    let set = |members: &[&str]| texts(members).into_iter().collect::<BTreeSet<_>>();
    check.equal("sadd", client.sadd("s", vec!["a", "b", "c"]).await, 3);
    check.equal("sadd to another", client.sadd("t", vec!["c", "d"]).await, 2);
    check.equal(
        "smembers",
        client.smembers("s").await,
        set(&["a", "b", "c"]),
    );
    check.equal("sismember", client.sismember("s", "a").await, true);
    check.equal(
        "smismember",
        client.smismember("s", vec!["a", "x"]).await,
        vec![true, false],
    );
    check.equal("sinter", client.sinter(vec!["s", "t"]).await, set(&["c"]));
    check.equal(
        "sunion",
        client.sunion(vec!["s", "t"]).await,
        set(&["a", "b", "c", "d"]),
    );
    check.equal(
        "sdiff",
        client.sdiff(vec!["s", "t"]).await,
        set(&["a", "b"]),
    );
    check.equal(
        "sdiffstore",
        client.sdiffstore("d", vec!["s", "t"]).await,
        2,
    );
    check.equal("smove", client.smove("s", "t", "a").await, true);
    check.equal("srem", client.srem("t", vec!["a", "x"]).await, 1);
    check.equal("scard", client.scard("t").await, 2);
    check.equal(
        "srandmember",
        client.srandmember("x", None).await,
        None::<String>,
    );
    check.equal("spop", client.spop("d", Some(5)).await, set(&["a", "b"]));
    Ok(())
}

pub async fn sorted_sets(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    let values = vec![(1.0, "a"), (2.5, "b"), (f64::INFINITY, "c")];
    check.equal(
        "zadd",
        client.zadd("z", None, None, false, false, values).await,
        3,
    );
    let options = Some(SetOptions::NX);
    check.equal(
        "zadd nx",
        client
            .zadd("z", options, None, false, false, (9.0, "a"))
            .await,
        0,
    );
    let order = Some(Ordering::GreaterThan);
    check.equal(
        "zadd gt ch",
        client.zadd("z", None, order, true, false, (2.0, "a")).await,
        1,
    );
    check.equal(
        "zadd incr",
        client.zadd("z", None, None, false, true, (1.0, "a")).await,
        3.0,
    );
    check.equal("zincrby", client.zincrby("z", -0.5, "a").await, 2.5);
    check.equal("zscore", client.zscore("z", "c").await, f64::INFINITY);
    check.equal(
        "zscore of nothing",
        client.zscore("z", "x").await,
        None::<f64>,
    );
    check.equal(
        "zmscore",
        client.zmscore("z", vec!["a", "x"]).await,
        vec![Some(2.5), None],
    );
    check.equal(
        "zrange",
        client.zrange("z", 0, -1, None, true, None, false).await,
        texts(&["c", "b", "a"]),
    );
    let bound = |kind, range| ZRange { kind, range };
    let above = bound(ZRangeKind::Exclusive, ZRangeBound::Score(2.0));
    let all = bound(ZRangeKind::Inclusive, ZRangeBound::InfiniteScore);
    let answer = client.zrange(
        "z",
        above,
        all,
        Some(ZSort::ByScore),
        false,
        Some((1, 1)),
        false,
    );
    check.equal("zrange by score", answer.await, texts(&["b"]));
    let answer = client.zrange("z", 0, 1, None, false, None, true).await;
    check.equal(
        "with scores",
        answer,
        vec![(text("a"), 2.5), (text("b"), 2.5)],
    );
    check.equal("zrank", client.zrank("z", "b", false).await, 1);
    check.equal(
        "zrevrank",
        client.zrevrank("z", "x", false).await,
        None::<i64>,
    );
    check.equal("zcount", client.zcount("z", 0.0, 5.0).await, 2);
    check.equal(
        "zadd to another",
        client
            .zadd("y", None, None, false, false, (10.0, "a"))
            .await,
        1,
    );
    let answer = client
        .zinter(vec!["z", "y"], vec![2.0, 1.0], None, true)
        .await;
    check.equal("zinter", answer, vec![(text("a"), 15.0)]);
    check.equal(
        "zunionstore",
        client.zunionstore("u", vec!["z", "y"], None, None).await,
        3,
    );
    check.equal(
        "zdiff",
        client.zdiff(vec!["z", "y"], false).await,
        texts(&["b", "c"]),
    );
    let answer = client.zrangestore("r", "u", 0, 0, None, false, None);
    check.equal("zrangestore", answer.await, 1);
    let answer = client.zpopmin("z", Some(1)).await;
    check.equal("zpopmin", answer, vec![(text("a"), 2.5)]);
    let answer = client.zmpop(vec!["x", "y"], ZCmp::Max, None).await;
    check.equal("zmpop", answer, (text("y"), vec![(text("a"), 10.0)]));
    check.equal("zrem", client.zrem("z", vec!["b", "x"]).await, 1);
    check.equal("zcard", client.zcard("z").await, 1);
    Ok(())
}

pub async fn places(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    let palermo = GeoValue::try_from((13.361389, 38.115556, "Palermo"))?;
    let catania = GeoValue::try_from((15.087269, 37.502669, "Catania"))?;
    let added = client
        .geoadd("g", None, false, vec![palermo, catania])
        .await;
    check.equal("geoadd", added, 2);
    let unit = Some(GeoUnit::Kilometers);
    let far = client.geodist("g", "Palermo", "Catania", unit.clone());
    check.equal("geodist", far.await, 166.2742);
    check.equal(
        "geodist of nothing",
        client.geodist("g", "Palermo", "Rome", unit).await,
        None::<f64>,
    );
    check.equal(
        "geohash",
        client.geohash("g", "Palermo").await,
        texts(&["sqc8b49rny0"]),
    );
    let from = Some(GeoPosition {
        longitude: 15.0,
        latitude: 37.0,
    });
    let near = Some((200.0, GeoUnit::Kilometers));
    let found = client.geosearch(
        "g",
        None,
        from,
        near,
        None,
        Some(SortOrder::Asc),
        None,
        false,
        false,
        false,
    );
    check.equal("geosearch", found.await, texts(&["Catania", "Palermo"]));
    Ok(())
}
