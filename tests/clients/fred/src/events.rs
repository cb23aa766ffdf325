//! What comes unasked: messages, keyspace notifications, MONITOR, and invalidations.

use std::collections::{BTreeMap, BTreeSet};

use fred::clients::SubscriberClient;
use fred::monitor;
use fred::prelude::*;
use fred::types::RespVersion;
use fred::types::client::{ClientKillFilter, ClientKillType, Invalidation, Toggle};
use fred::types::config::Server;
use fred::types::{Message, MessageKind};
use futures_util::StreamExt;
use tokio::sync::broadcast::Receiver;

use crate::{Checks, Place, next, text, texts, until};

async fn message(receiver: &mut Receiver<Message>) -> FredResult<(MessageKind, String, String)> {
    let message = next(receiver).await?;
    Ok((
        message.kind,
        message.channel.to_string(),
        message.value.convert()?,
    ))
}

/// Where a client has connected, once it has.
pub async fn connected(receiver: &mut Receiver<Server>) -> FredResult<String> {
    Ok(next(receiver).await?.host.to_string())
}

/// The keys of the next invalidation.
async fn forgotten(receiver: &mut Receiver<Invalidation>) -> FredResult<Vec<String>> {
    let keys = next(receiver).await?.keys.into_iter();
    Ok(keys.filter_map(Key::into_string).collect())
}

/// Waits until nobody is subscribed: over RESP2 fred does not wait for what the server answers to that.
async fn silent(client: &Client) -> FredResult<()> {
    until(async || client.pubsub_numpat().await, 0).await?;
    until(async || client.pubsub_shardchannels("*").await, texts(&[])).await?;
    until(async || client.pubsub_channels("*").await, texts(&[])).await
}

/// pubsub.rs
pub async fn messages(check: &mut Checks, place: &Place, client: &Client) -> FredResult<()> {
    let subscriber = place.connect().await?;
    let mut received = subscriber.message_rx();
    check.equal(
        "subscribe",
        subscriber.subscribe(vec!["foo", "more"]).await,
        (),
    );
    check.equal("psubscribe", subscriber.psubscribe("f*").await, ());
    check.equal("ssubscribe", subscriber.ssubscribe("shard").await, ());
    until(
        async || {
            Ok((
                client.pubsub_numsub("foo").await?,
                client.pubsub_numpat().await?,
            ))
        },
        ((text("foo"), 1), 1),
    )
    .await?;
    check.equal("publish", client.publish("foo", 1).await, 2);
    let expected = (MessageKind::Message, text("foo"), text("1"));
    check.equal("a message", message(&mut received).await, expected);
    let expected = (MessageKind::PMessage, text("foo"), text("1"));
    check.equal("by a pattern", message(&mut received).await, expected);
    check.equal("spublish", client.spublish("shard", "one").await, 1);
    let expected = (MessageKind::SMessage, text("shard"), text("one"));
    check.equal("of a shard", message(&mut received).await, expected);
    let channels = client.pubsub_channels("*").await;
    check.equal(
        "pubsub_channels",
        channels,
        BTreeSet::from([text("foo"), text("more")]),
    );
    let counts = client.pubsub_numsub(vec!["foo", "none"]).await;
    check.equal(
        "pubsub_numsub",
        counts,
        BTreeMap::from([(text("foo"), 1), (text("none"), 0)]),
    );
    check.equal("pubsub_numpat", client.pubsub_numpat().await, 1);
    check.equal(
        "pubsub_shardchannels",
        client.pubsub_shardchannels("*").await,
        texts(&["shard"]),
    );
    let pipeline = client.pipeline();
    for number in 0..20 {
        pipeline.publish::<(), _, _>("more", number).await?;
    }
    check.equal("twenty", pipeline.all().await, vec![1; 20]);
    let mut numbers = Vec::new();
    for _ in 0..20 {
        numbers.push(next(&mut received).await?.value.convert::<i64>()?);
    }
    check.equal("in order", Ok(numbers), (0..20).collect());
    check.equal(
        "unsubscribe",
        subscriber.unsubscribe(vec!["foo", "more"]).await,
        (),
    );
    check.equal("punsubscribe", subscriber.punsubscribe("f*").await, ());
    check.equal("sunsubscribe", subscriber.sunsubscribe("shard").await, ());
    silent(client).await?;
    check.equal("nobody hears", client.publish("foo", 1).await, 0);
    check.equal(
        "and goes on",
        subscriber.get("nothing").await,
        None::<String>,
    );
    subscriber.quit().await
}

/// The other half of pubsub.rs: a client that subscribes again by itself.
pub async fn subscriptions(check: &mut Checks, place: &Place, client: &Client) -> FredResult<()> {
    let subscriber: SubscriberClient = place.builder().build_subscriber_client()?;
    subscriber.init().await?;
    let mut received = subscriber.message_rx();
    let mut reconnected = subscriber.reconnect_rx();
    let managing = subscriber.manage_subscriptions();
    subscriber.subscribe("foo").await?;
    subscriber.psubscribe(vec!["bar*", "baz*"]).await?;
    subscriber.ssubscribe("abc{123}").await?;
    let tracked = subscriber
        .tracked_patterns()
        .iter()
        .map(ToString::to_string)
        .collect();
    check.equal("tracked_patterns", Ok(tracked), texts(&["bar*", "baz*"]));
    let kind = ClientKillFilter::Type(ClientKillType::Pubsub);
    check.equal(
        "killed by the other",
        client.client_kill(vec![kind]).await,
        1,
    );
    check.equal(
        "connects again",
        connected(&mut reconnected).await,
        text("127.0.0.1"),
    );
    check.equal("resubscribe_all", subscriber.resubscribe_all().await, ());
    until(async || client.pubsub_numpat().await, 2).await?;
    check.equal("receivers", client.publish("bar1", 2).await, 1);
    let expected = (MessageKind::PMessage, text("bar1"), text("2"));
    check.equal("and hears", message(&mut received).await, expected);
    check.equal("unsubscribe_all", subscriber.unsubscribe_all().await, ());
    silent(client).await?;
    check.equal("nobody hears", client.publish("foo", 1).await, 0);
    managing.abort();
    subscriber.quit().await
}

/// keyspace.rs
pub async fn notifications(check: &mut Checks, place: &Place, client: &Client) -> FredResult<()> {
    check.equal(
        "config_set",
        client.config_set("notify-keyspace-events", "KEA").await,
        (),
    );
    let subscriber = place.connect().await?;
    let mut received = subscriber.keyspace_event_rx();
    subscriber.psubscribe("__key*__:foo*").await?;
    until(async || client.pubsub_numpat().await, 1).await?;
    client
        .set::<(), _, _>("foo-1", 1, None, None, false)
        .await?;
    client.incr::<(), _>("foo-1").await?;
    client.del::<(), _>("foo-1").await?;
    for operation in ["set", "incrby", "del"] {
        let event = next(&mut received).await;
        let event = event.map(|event| (event.operation, event.key.into_string(), event.db));
        check.equal("an event", event, (text(operation), Some(text("foo-1")), 0));
    }
    check.equal(
        "config_set of nothing",
        client.config_set("notify-keyspace-events", "").await,
        (),
    );
    subscriber.quit().await
}

/// monitor.rs
pub async fn monitor(check: &mut Checks, place: &Place, client: &Client) -> FredResult<()> {
    let mut commands = Box::pin(monitor::run(place.config.clone()).await?);
    client
        .set::<(), _, _>("foo", 7, Some(Expiration::EX(10)), None, false)
        .await?;
    let seen = tokio::time::timeout(crate::LIMIT, commands.next())
        .await
        .ok()
        .flatten();
    let seen = seen.map(|command| {
        let args = command.args.iter().filter_map(Value::as_string).collect();
        (command.command, args, command.db)
    });
    check.equal(
        "what others send",
        Ok(seen),
        Some((text("SET"), texts(&["foo", "7", "EX", "10"]), 0)),
    );
    Ok(())
}

/// client_tracking.rs
pub async fn tracking(check: &mut Checks, place: &Place, client: &Client) -> FredResult<()> {
    let own = place.connect().await?;
    let write = |key: &'static str| client.set::<(), _, _>(key, 1, None, None, false);
    if place.resp == RespVersion::RESP3 {
        let mut received = own.invalidation_rx();
        check.equal(
            "start_tracking",
            own.start_tracking((), false, false, false, false).await,
            (),
        );
        check.equal("read", own.get("foo").await, None::<i64>);
        write("foo").await?;
        let keys = forgotten(&mut received).await;
        check.equal("an invalidation", keys, texts(&["foo"]));
        check.equal("stop_tracking", own.stop_tracking().await, ());
        check.equal(
            "opt in",
            own.start_tracking((), false, true, false, false).await,
            (),
        );
        check.equal("read without leave", own.get("foo").await, 1);
        let pipeline = own.pipeline();
        pipeline.client_caching::<()>(true).await?;
        pipeline.get::<(), _>("bar").await?;
        check.equal(
            "read with it",
            pipeline.all().await,
            (text("OK"), None::<i64>),
        );
        write("foo").await?;
        write("bar").await?;
        let keys = forgotten(&mut received).await;
        check.equal("of the second only", keys, texts(&["bar"]));
        check.equal("stop_tracking again", own.stop_tracking().await, ());
        return own.quit().await;
    }
    let listener = place.connect().await?;
    let mut received = listener.invalidation_rx();
    listener.subscribe("__redis__:invalidate").await?;
    until(
        async || client.pubsub_channels("*").await,
        texts(&["__redis__:invalidate"]),
    )
    .await?;
    let id = listener.connection_ids().into_values().next();
    check.equal("a connection's id", Ok(id.is_some()), true);
    let answer = own.client_tracking(Toggle::On, id, (), false, false, false, false);
    check.equal("client_tracking", answer.await, ());
    check.equal(
        "client_getredir",
        own.client_getredir().await,
        id.unwrap_or_default(),
    );
    check.equal("read", own.get("foo").await, None::<i64>);
    write("foo").await?;
    let keys = forgotten(&mut received).await;
    check.equal("an invalidation", keys, texts(&["foo"]));
    listener.quit().await?;
    own.quit().await
}
