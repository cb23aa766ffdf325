//! What time does to connections, a few times per second: idle ones are closed or give memory back, soft limits of output
//! buffers are watched, rates are sampled, freed memory goes back to the system.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::clients::allocator;
use crate::clients::context::Context;
use crate::clients::memory::MemoryUse;
use crate::clients::registry::{Client, signal};
use crate::clients::statistics::SAMPLE_PERIOD_MS;
use crate::config::Options;
use crate::db::UnixMillis;

/// Samples between two rounds through all clients.
const ROUND_SAMPLES: u32 = 10;
/// An idle connection gives memory back after so long.
const TRIM_AFTER_MS: i64 = 5_000;

/// Runs for ever.
pub async fn run(context: Arc<Context>) {
    let mut ticks = interval(Duration::from_millis(SAMPLE_PERIOD_MS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    let mut count = 0u32;
    loop {
        let now = ticks.tick().await;
        let elapsed = now.duration_since(last).as_millis() as u64;
        if elapsed > 0 {
            let links = context.replication.link_counts();
            context.statistics.sample(elapsed, links);
            last = now;
        }
        count = count.wrapping_add(1);
        if count.is_multiple_of(ROUND_SAMPLES) {
            round(&context);
            context.migrations.tidy();
            allocator::give_back(false);
        }
    }
}

pub(super) fn round(context: &Context) {
    let (now, options) = (context.now(), context.configuration.options());
    let (mut input, mut output, mut memory) = (0, 0, 0);
    for client in context.clients.list() {
        let shown = client.shown.lock();
        input = input.max(shown.query_len + shown.query_free);
        output = output.max(shown.unsent + client.mailbox.len_bytes());
        memory += shown.len_bytes() + client.mailbox.len_bytes();
        drop(shown);
        if let Some(why) = closing_reason(&client, &options, now) {
            tracing::info!(client = client.id.0, why, "closing client");
            if why != IDLE {
                let counter = &context.statistics.output_buffer_disconnections;
                counter.fetch_add(1, Ordering::Relaxed);
            }
            client.signal(signal::KILL);
        } else if is_to_trim(&client, now) {
            client.signal(signal::TRIM);
        }
    }
    context.statistics.note_buffers(input, output);
    // Looking raises the peak. Not while a script may hold partitions: this thread answers clients.
    if context.keyspace.gate.is_open() {
        MemoryUse::with_clients(context, memory);
    }
}

const IDLE: &str = "idle";

/// Why a connection is to be closed now, if it is. Notes since when its soft limit has been passed.
pub(super) fn closing_reason(
    client: &Client,
    options: &Options,
    now: UnixMillis,
) -> Option<&'static str> {
    let idle_ms = now.0 - client.last_interaction.load(Ordering::Relaxed);
    if let Some(timeout) = options.timeout
        && !waits_on_purpose(client)
        && idle_ms > i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX)
    {
        return Some(IDLE);
    }
    let limits = &options.client_output_buffer_limit;
    let limit = if client.mailbox.is_pubsub() {
        limits.pubsub
    } else {
        limits.normal
    };
    let mut shown = client.shown.lock();
    // Messages come without the session's doing, which a full socket holds up.
    let held = shown.unsent + client.mailbox.len_bytes();
    if limit.soft == 0 || (held as u64) < limit.soft {
        shown.over_soft_limit_since = None;
        return None;
    }
    let since = *shown.over_soft_limit_since.get_or_insert(now);
    let soft_ms = i64::try_from(limit.soft_seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
    (now.0 - since.0 > soft_ms).then_some("output buffer soft limit")
}

/// Whether it need not say anything: who listens, watches others' commands, or is blocked.
fn waits_on_purpose(client: &Client) -> bool {
    let shown = client.shown.lock();
    client.mailbox.is_pubsub() || shown.is_monitor || shown.blocked || shown.paused
}

/// Whether it has just become idle and holds memory.
fn is_to_trim(client: &Client, now: UnixMillis) -> bool {
    let idle_ms = now.0 - client.last_interaction.load(Ordering::Relaxed);
    let period_ms = i64::from(ROUND_SAMPLES) * SAMPLE_PERIOD_MS as i64;
    (TRIM_AFTER_MS..TRIM_AFTER_MS + 2 * period_ms).contains(&idle_ms)
}
