//! Keys as such, iterators over them and over what they hold, and JSON as a value.

use std::collections::BTreeSet;

use fred::prelude::*;
use fred::types::Map;
use fred::types::scan::{ScanType, Scanner};
use futures_util::TryStreamExt;
use serde_json::json;

use crate::{Checks, Place, text, texts};

pub async fn keys(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    client.mset(vec![("a", 1), ("b", 2)]).await?;
    check.equal("exists", client.exists(vec!["a", "b", "a", "x"]).await, 3);
    check.equal("rename", client.rename("a", "c").await, ());
    check.equal("renamenx", client.renamenx("b", "c").await, false);
    check.equal("copy", client.copy("c", "d", None, false).await, true);
    check.equal(
        "copy over it",
        client.copy("b", "d", None, false).await,
        false,
    );
    let dump: Value = client.dump("c").await?;
    let answer = client.restore("r", 60_000, dump.clone(), false, false, None, None);
    check.equal("restore", answer.await, text("OK"));
    check.equal("what was restored", client.get("r").await, 1);
    check.equal("for a while", client.ttl("r").await, 60);
    let answer = client.restore("r", 0, dump, false, false, None, None).await;
    let detail = "BUSYKEY Target key name already exists.";
    check.refused("restore over it", answer, ErrorKind::Unknown, detail);
    check.equal(
        "memory_usage",
        client
            .memory_usage("c", Some(0))
            .await
            .map(|size: i64| size > 8),
        true,
    );
    check.equal("unlink", client.unlink(vec!["b", "c", "d", "r"]).await, 4);
    check.equal("randomkey", client.randomkey().await, None::<String>);
    check.equal("dbsize", client.dbsize().await, 0);
    check.equal("pexpire_at", client.pexpire_at("x", 1, None).await, false);
    Ok(())
}

/// scan.rs
pub async fn scans(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    let names: BTreeSet<String> = (0..500).map(|at| format!("foo-{at}")).collect();
    let values: Vec<(String, i64)> = (0..500).map(|at| (format!("foo-{at}"), at)).collect();
    check.equal("mset of 500", client.mset(values).await, ());
    client.lpush::<(), _, _>("list", 1).await?;
    let mut found = BTreeSet::new();
    let mut pages = Box::pin(client.scan("foo*", Some(10), None));
    while let Some(mut page) = pages.try_next().await? {
        let keys = page.take_results().unwrap_or_default();
        found.extend(keys.into_iter().filter_map(Key::into_string));
        page.next();
    }
    check.equal("scan", Ok(found), names.clone());
    let buffered = client.scan_buffered("foo*", Some(50), Some(ScanType::String));
    let found: FredResult<BTreeSet<Key>> = buffered.try_collect().await;
    let found = found.map(|found| found.into_iter().filter_map(Key::into_string).collect());
    check.equal("scan_buffered", found, names);
    let page = client
        .scan_page("0", "*", Some(10_000), Some(ScanType::List))
        .await;
    check.equal("scan_page", page, (text("0"), texts(&["list"])));
    let fields: Vec<(String, i64)> = (0..300).map(|at| (format!("f{at}"), at)).collect();
    client.hset::<(), _, _>("h", fields).await?;
    let mut sum = 0;
    let mut pages = Box::pin(client.hscan("h", "f*", Some(20)));
    while let Some(mut page) = pages.try_next().await? {
        for (_, value) in page.take_results().into_iter().flat_map(Map::inner) {
            sum += value.convert::<i64>()?;
        }
        page.next();
    }
    check.equal("hscan", Ok(sum), 300 * 299 / 2);
    client
        .sadd::<(), _, _>("s", (0..300).collect::<Vec<i64>>())
        .await?;
    let mut members = BTreeSet::new();
    let mut pages = Box::pin(client.sscan("s", "*", Some(20)));
    while let Some(mut page) = pages.try_next().await? {
        for member in page.take_results().unwrap_or_default() {
            members.insert(member.convert::<i64>()?);
        }
        page.next();
    }
    check.equal("sscan", Ok(members), (0..300).collect());
    let values: Vec<(f64, i64)> = (0..300).map(|at| (f64::from(at), i64::from(at))).collect();
    client
        .zadd::<(), _, _>("z", None, None, false, false, values)
        .await?;
    let mut total = 0.0;
    let mut pages = Box::pin(client.zscan("z", "*", Some(20)));
    while let Some(mut page) = pages.try_next().await? {
        total += page
            .take_results()
            .unwrap_or_default()
            .iter()
            .map(|(_, score)| score)
            .sum::<f64>();
        page.next();
    }
    check.equal("zscan", Ok(total), 300.0 * 299.0 / 2.0);
    Ok(())
}

/// serde_json.rs
pub async fn json(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    let value = json!({ "name": "Foo", "age": 42, "phones": ["abc", "123"] });
    let answer = client.set("k", value.to_string(), None, None, false);
    check.equal("set", answer.await, ());
    check.equal("get", client.get("k").await, value.clone());
    check.equal("as text", client.get("k").await, value.to_string());
    client
        .hset::<(), _, _>("h", vec![("k", value.to_string()), ("n", text("7"))])
        .await?;
    check.equal("in a hash", client.hget("h", "k").await, value);
    Ok(())
}
