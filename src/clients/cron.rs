//! KEYDB.CRON: jobs run at their moments, by one worker, one after the other, as scripts that nobody waits for.
//!
//! A job is a value that all masters hold; the node that is named in it runs it, where KeyDB runs it at every node: what a script
//! writes reaches the others anyway. While that node is away, nobody does; once it is no member any more, the one that stands in for
//! it ([`ReplicationControl::stands_in_for`](crate::replication::ReplicationControl::stands_in_for)).
//!
//! Invariant: no moment is met twice. A job that runs once goes from its key in the record of what its script writes; which moments of
//! others have been is remembered here, and those from before this life, or from before this node stood in, are over.

mod schedule;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clients::context::{Context, PauseMode};
use crate::clients::conversation::Conversation;
use crate::clients::registry::Client;
use crate::clients::scripting::Left;
use crate::clients::transaction::Transaction;
use crate::commands::cron::CLAIM;
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
    let mut schedule = Schedule::new(time(&context));
    loop {
        let wait = tick(&context, &mut schedule).await;
        tokio::time::sleep(wait).await;
    }
}

/// The time that jobs are made by: not the clock's own where most masters see that far ahead.
fn time(context: &Context) -> UnixMillis {
    context.keyspace.time(context.now())
}

/// Runs what is due; says how long nothing will be.
pub(in crate::clients) async fn tick(context: &Arc<Context>, schedule: &mut Schedule) -> Duration {
    let now = time(context);
    if !may_run(context) {
        return LOOK;
    }
    let partitions = 0..context.keyspace.partitions_len();
    let mut changes = 0_u64;
    for partition in partitions.clone() {
        // Not while a script may hold partitions: this thread answers clients.
        context.keyspace.gate.opened().await;
        changes = changes.wrapping_add(context.keyspace.job_changes(partition));
    }
    let due = if schedule.is_to_look(changes, now) {
        let mut jobs = Vec::new();
        for partition in partitions {
            context.keyspace.gate.opened().await;
            context.keyspace.jobs(partition, now, &mut jobs);
        }
        let is_alone = !context.configuration.options().active_replica;
        let is_mine = |node: NodeId| is_alone || context.replication.stands_in_for(node);
        schedule.look(jobs, changes, now, is_mine)
    } else {
        schedule.due(now)
    };
    for due in due {
        carry_out(context, due).await;
    }
    let next = schedule.next().map_or(LOOK, |next| {
        Duration::from_millis(next.0.saturating_sub(time(context).0).max(1) as u64)
    });
    next.min(LOOK)
}

/// Whether this node runs jobs at all now: a replica does not, and nobody does while writes are held back.
fn may_run(context: &Context) -> bool {
    let options = context.configuration.options();
    let follows = !options.replicaof.is_empty() && !options.active_replica;
    let is_paused = matches!(
        context.pause.get(context.now()),
        Some((PauseMode::Write | PauseMode::All, _))
    );
    !follows && !is_paused && !context.loading.load(Ordering::Relaxed)
}

/// Runs a job: EXEC of a queue that takes it out of its key, where it runs once, and evaluates its script. Whatever becomes of its
/// key before that ends the run. What it comes to is nobody's but the log's.
async fn carry_out(context: &Arc<Context>, placed: Placed) {
    context.keyspace.gate.opened().await;
    let client = Arc::new(Client::nobody(context.now()));
    let mut conversation = Conversation::new(Arc::clone(context), client);
    conversation.identity.become_own();
    conversation.begin_batch(context.now());
    conversation.caller.db = placed.db;
    let caller = conversation.caller;
    conversation.watch.add(&placed.key, &caller);
    if !context.keyspace.shows_job(&placed, caller.now) {
        // Somebody was here first.
        return;
    }
    let exec = lookup_built_in(b"exec").zip(ArgsBuffer::from_args([&b"EXEC"[..]]));
    let Some(((exec, args), transaction)) = exec.zip(transaction(&placed)) else {
        return;
    };
    conversation.transaction = Some(transaction);
    let left = Left::new(conversation, exec, args, Protocol::Resp2);
    let (name, db) = (String::from_utf8_lossy(&placed.key), placed.db);
    match tokio::task::spawn_blocking(move || left.carry_out()).await {
        Ok(left) => {
            if let Some(error) = error_of(left.reply.as_bytes()) {
                tracing::warn!(job = %name, db, error, "a job of KEYDB.CRON failed");
            }
        }
        Err(_) => tracing::error!(job = %name, db, "a job's thread failed"),
    }
}

/// What a job comes to.
fn transaction(placed: &Placed) -> Option<Transaction> {
    let job = Job::read(&placed.bytes).ok()?;
    let mut transaction = Transaction::default();
    if job.is_once {
        let claim: [&[u8]; 3] = [CLAIM.name.as_bytes(), &placed.key, &placed.bytes];
        transaction.queue(&CLAIM, ArgsBuffer::from_args(claim)?.as_args());
    }
    let count = job.keys.len().to_string();
    let head: [&[u8]; 3] = [b"EVAL", job.script, count.as_bytes()];
    let words = head.iter().chain(&job.keys).chain(&job.arguments);
    let words = ArgsBuffer::from_args(words.copied())?;
    transaction.queue(lookup_built_in(b"eval")?, words.as_args());
    Some(transaction)
}

/// The error that a job's script ended with, if it did, or that kept it from being run.
fn error_of(reply: &[u8]) -> Option<String> {
    let alone = reply.strip_prefix(b"*1\r\n");
    let behind_claim = || reply.strip_prefix(b"*2\r\n:1\r\n");
    let script = alone.or_else(behind_claim).unwrap_or(reply);
    let error = script.strip_prefix(b"-")?;
    Some(String::from_utf8_lossy(error).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_that_of_the_script_or_what_kept_it_from_being_run() {
        for (reply, error) in [
            ("*1\r\n-ERR x\r\n", Some("ERR x")),
            ("*2\r\n:1\r\n-ERR x\r\n", Some("ERR x")),
            ("-EXECABORT x\r\n", Some("EXECABORT x")),
            ("*1\r\n:-1\r\n", None),
            ("*2\r\n:1\r\n$2\r\n-x\r\n", None),
            // Somebody was there first.
            ("*-1\r\n", None),
        ] {
            assert_eq!(error_of(reply.as_bytes()).as_deref(), error, "{reply:?}");
        }
    }
}
