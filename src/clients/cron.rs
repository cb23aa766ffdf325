//! KEYDB.CRON: jobs run at their moments, by one worker, one after the other, as scripts that nobody waits for.
//!
//! A job is a value that all masters hold; the node that is named in it runs it, where KeyDB runs it at every node: what a script
//! writes reaches the others anyway. While that node is away, nobody does; once it is no member any more, the one that stands in for
//! it ([`ReplicationControl::stands_in_for`](crate::replication::ReplicationControl::stands_in_for)).
//!
//! Invariant: no moment is met twice. A job that runs once is taken out of its key first; which moments of others have been is
//! remembered here, and those from before this life, or from before this node stood in, are over.

mod schedule;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clients::context::{Context, PauseMode};
use crate::clients::conversation::Conversation;
use crate::clients::registry::Client;
use crate::clients::scripting::Left;
use crate::commands::registry::lookup_built_in;
use crate::db::job::Job;
use crate::db::{NodeId, UnixMillis};
use crate::keyspace::Placed;
use crate::resp::{ArgsBuffer, Protocol};
pub(in crate::clients) use schedule::Schedule;

/// How often it is looked which jobs there are.
const LOOK: Duration = Duration::from_millis(100);

/// Runs for ever.
pub async fn run(context: Arc<Context>) {
    let mut schedule = Schedule::new(context.now());
    loop {
        let wait = tick(&context, &mut schedule).await;
        tokio::time::sleep(wait).await;
    }
}

/// Runs what is due; says how long nothing will be.
pub(in crate::clients) async fn tick(context: &Arc<Context>, schedule: &mut Schedule) -> Duration {
    // Not while a script may hold partitions: this thread answers clients.
    context.keyspace.gate.opened().await;
    let now = context.now();
    if !may_run(context, now) {
        return LOOK;
    }
    let mut jobs = Vec::new();
    for partition in 0..context.keyspace.partitions_len() {
        context.keyspace.jobs(partition, now, &mut jobs);
    }
    let is_alone = !context.configuration.options().active_replica;
    let is_mine = |node: NodeId| is_alone || context.replication.stands_in_for(node);
    for due in schedule.due(jobs, now, is_mine) {
        carry_out(context, due).await;
    }
    let next = schedule.next().map_or(LOOK, |next| {
        Duration::from_millis(next.0.saturating_sub(context.now().0).max(1) as u64)
    });
    next.min(LOOK)
}

/// Whether this node runs jobs at all now: a replica does not, and nobody does while writes are held back.
fn may_run(context: &Context, now: UnixMillis) -> bool {
    let options = context.configuration.options();
    let follows = !options.replicaof.is_empty() && !options.active_replica;
    let is_paused = matches!(
        context.pause.get(now),
        Some((PauseMode::Write | PauseMode::All, _))
    );
    !follows && !is_paused && !context.loading.load(Ordering::Relaxed)
}

/// Runs a job. What it comes to is nobody's but the log's.
async fn carry_out(context: &Arc<Context>, placed: Placed) {
    let Ok(job) = Job::read(&placed.bytes) else {
        return;
    };
    let Some((row, words)) = lookup_built_in(b"eval").zip(words(&job)) else {
        return;
    };
    context.keyspace.gate.opened().await;
    // Somebody may have been here first.
    let now = context.now();
    let is_there = match job.is_once {
        true => context.keyspace.claim_job(&placed, now),
        false => context.keyspace.shows_job(&placed, now),
    };
    if !is_there {
        return;
    }
    let client = Arc::new(Client::nobody(context.now()));
    let mut conversation = Conversation::new(Arc::clone(context), client);
    conversation.identity.become_own();
    conversation.caller.db = placed.db;
    let left = Left::new(conversation, row, words, Protocol::Resp2);
    let name = String::from_utf8_lossy(&placed.key).into_owned();
    match tokio::task::spawn_blocking(move || left.carry_out()).await {
        Ok(left) => {
            if let Some(error) = left.reply.as_bytes().strip_prefix(b"-") {
                let error = String::from_utf8_lossy(error).trim_end().to_owned();
                tracing::warn!(
                    job = name,
                    db = placed.db,
                    error,
                    "a job of KEYDB.CRON failed"
                );
            }
        }
        Err(_) => tracing::error!(job = name, db = placed.db, "a job's thread failed"),
    }
}

/// The EVAL that a job is.
fn words(job: &Job<'_>) -> Option<ArgsBuffer> {
    let count = job.keys.len().to_string();
    let head: [&[u8]; 3] = [b"EVAL", job.script, count.as_bytes()];
    let words = head.iter().chain(&job.keys).chain(&job.arguments);
    ArgsBuffer::from_args(words.copied())
}
