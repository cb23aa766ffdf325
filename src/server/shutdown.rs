//! Why the server ends, and what it waits for before: SHUTDOWN, SIGTERM and SIGINT as Redis takes them, and KeyDB's soft shutdown.
//!
//! Invariant: what was acknowledged to a client before the wait is with every attached replica when the wait ends well; writes are held
//! back meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::clients::context::{Context, PauseMode};
use crate::clients::{ShutdownRequest, persistence};
use crate::config::OnSignal;
use crate::db::UnixMillis;

/// How often replicas are counted anew: one that goes is not waited for.
const LOOK: Duration = Duration::from_millis(50);
/// Held back for as long as the wait lasts.
const FOREVER: UnixMillis = UnixMillis(i64::MAX);

/// The signals that end a server.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits until somebody wants the end, which from then on counts as requested.
    pub(super) async fn requested(&mut self, context: &Context) -> ShutdownRequest {
        let mut commands = context.shutdown.subscribe();
        let options = || context.configuration.options();
        let request = loop {
            tokio::select! {
                asked = commands.wait_for(Option::is_some) => {
                    break asked.ok().and_then(|asked| *asked).unwrap_or(NOW);
                }
                _ = self.terminate.recv() => {
                    tracing::warn!("Received SIGTERM scheduling shutdown...");
                    break request(&options().shutdown_on_sigterm);
                }
                _ = self.interrupt.recv() => {
                    // The second one ends a soft shutdown.
                    if options().soft_shutdown && context.soft_shutdown.begin() {
                        continue;
                    }
                    tracing::warn!("Received SIGINT scheduling shutdown...");
                    break request(&options().shutdown_on_sigint);
                }
                () = context.soft_shutdown.all_left(&context.clients) => {
                    tracing::warn!("All clients have left: shutting down.");
                    break request(&[]);
                }
            }
        };
        if !context.keyspace.gate.is_open() {
            // A script that runs would hold up the end.
            context.scripts.running.end_all();
        }
        context.shutdown.send_replace(Some(request));
        request
    }
}

/// Where nobody can ask any more.
const NOW: ShutdownRequest = ShutdownRequest {
    save: None,
    now: true,
    force: true,
};

fn request(flags: &[OnSignal]) -> ShutdownRequest {
    let has = |flag| flags.contains(&flag);
    ShutdownRequest {
        save: match (has(OnSignal::Save), has(OnSignal::Nosave)) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
        now: has(OnSignal::Now),
        force: has(OnSignal::Force),
    }
}

/// From now on SIGINT ends the process at once: somebody insists.
pub(super) fn insist() -> std::io::Result<JoinHandle<()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::spawn(async move {
        interrupt.recv().await;
        tracing::warn!("You insist... exiting now.");
        std::process::exit(1);
    }))
}

/// How a wait for replicas ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// The server may end.
    Ready,
    /// SHUTDOWN ABORT.
    Aborted,
}

/// Gives replicas the time of `shutdown-timeout` to catch up, unless NOW was said.
pub(super) async fn wait_for_replicas(context: &Context, request: ShutdownRequest) -> Waited {
    if context.shutdown.borrow().is_none() {
        tracing::info!("Shutdown manually aborted.");
        context.scripts.running.go_on();
        return Waited::Aborted;
    }
    let timeout = context.configuration.options().shutdown_timeout;
    let replicas = || context.replication.replicas().len();
    if request.now || timeout.is_zero() || replicas() == 0 {
        return Waited::Ready;
    }
    let before = context.pause.get(context.now());
    context.pause.set(PauseMode::Write, FOREVER, context.now());
    let journal = &context.keyspace.journal;
    let last = journal.position(journal.own()).last;
    let in_sync = || context.replication.acknowledged(last);
    let caught_up = async {
        while in_sync() < replicas() {
            let news = context.replication.acknowledgement();
            if in_sync() >= replicas() {
                return;
            }
            // Whether by news or by time, it is looked again.
            let _ = tokio::time::timeout(LOOK, news).await;
        }
    };
    let mut requests = context.shutdown.subscribe();
    if in_sync() < replicas() {
        tracing::info!("Waiting for replicas before shutting down.");
    }
    let waited = tokio::select! {
        biased;
        _ = requests.wait_for(Option::is_none) => Waited::Aborted,
        _ = tokio::time::timeout(timeout, caught_up) => Waited::Ready,
    };
    if waited == Waited::Aborted {
        go_on(context, before);
        tracing::info!("Shutdown manually aborted.");
        return waited;
    }
    let (in_sync, all) = (in_sync().min(replicas()), replicas());
    tracing::info!("{in_sync} of {all} replicas are in sync when shutting down.");
    waited
}

/// Saves, where that is wanted; writes are held back meanwhile. A save that fails calls the end off, unless it is to come whatever
/// fails.
pub(super) async fn save_before_end(context: &Arc<Context>, request: ShutdownRequest) -> Waited {
    if !request
        .save
        .unwrap_or_else(|| persistence::saves_at_end(context))
    {
        context.saver.call_off().await;
        return Waited::Ready;
    }
    let before = context.pause.get(context.now());
    context.pause.set(PauseMode::Write, FOREVER, context.now());
    match persistence::save_at_end(context).await {
        Ok(()) => Waited::Ready,
        Err(_) if request.force => {
            tracing::warn!("Error trying to save the DB. Exit anyway.");
            Waited::Ready
        }
        Err(_) => {
            tracing::warn!("Error trying to save the DB, can't exit.");
            context.shutdown.send_replace(None);
            go_on(context, before);
            Waited::Aborted
        }
    }
}

/// Writes are no longer held back, but for what held them back before.
fn go_on(context: &Context, before: Option<(PauseMode, UnixMillis)>) {
    context.pause.clear(&context.clients);
    if let Some((mode, until)) = before {
        context.pause.set(mode, until, context.now());
    }
    context.scripts.running.go_on();
}
