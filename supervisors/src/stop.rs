//! Starting and stopping one actor as its spec says.
//!
//! Both are bounded in time and neither panics. They await other actors, so a supervisor runs
//! them as tasks while it lives and inline only when it has nothing else left to do.

use crate::{
    spec::{ChildId, ChildSpec, Shutdown},
    task::OwnedTask,
};
use futures_util::FutureExt as _;
use ractor::ActorCell;
use std::{panic::AssertUnwindSafe, time::Duration};

/// How long a killed actor may take to end. Only one that never awaits takes any time at all; it
/// is then left behind, for nothing can stop a thread.
pub const KILL_PATIENCE: Duration = Duration::from_secs(1);

/// Starts a child; a start that panics or takes too long is a start that failed.
pub(crate) async fn start_child(
    spec: ChildSpec,
    supervisor: ActorCell,
) -> Result<ActorCell, String> {
    let start = AssertUnwindSafe(async { (spec.start)(supervisor).await }).catch_unwind();
    let started = match spec.start_timeout {
        None => start.await,
        Some(limit) => match tokio::time::timeout(limit, start).await {
            Ok(started) => started,
            Err(_elapsed) => return Err(format!("no start within {limit:?}")),
        },
    };
    match started {
        Ok(Ok(actor)) => Ok(actor),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_panic) => Err("the starter panicked".to_owned()),
    }
}

/// Cuts a start short, unless the spec gives its child all the time it takes: cut short, a
/// supervisor would kill the children it has started so far.
pub(crate) fn cut_short(spec: &ChildSpec, task: &OwnedTask<Option<ActorCell>>) {
    if spec.shutdown != Shutdown::StopUnbounded {
        task.abort();
    }
}

/// Ends a start, and stops the actor that came of it, if any.
pub(crate) async fn stop_starting(spec: &ChildSpec, task: OwnedTask<Option<ActorCell>>) {
    cut_short(spec, &task);
    let started = match spec.shutdown {
        Shutdown::StopUnbounded => Ok(task.finished().await),
        _ => tokio::time::timeout(KILL_PATIENCE, task.finished()).await,
    };
    match started {
        Ok(Some(Some(actor))) => stop_child(spec, &actor).await,
        Ok(_) => {}
        Err(_elapsed) => {
            tracing::error!(child = %spec.id, "start does not yield, leaving it behind");
        }
    }
}

/// Stops a running child as its spec says and waits until it is down.
pub(crate) async fn stop_child(spec: &ChildSpec, actor: &ActorCell) {
    // First of all, so that nobody sends what would never be handled.
    if let Some(down) = &spec.down {
        down(actor.get_id());
    }
    stop_actor(&spec.id, spec.shutdown, actor).await;
}

/// Stops an actor and waits until it is down; `child` is what logs call it.
pub(crate) async fn stop_actor(child: &ChildId, shutdown: Shutdown, actor: &ActorCell) {
    let graceful = match shutdown {
        Shutdown::Drain(timeout) => {
            // An error means that it is down already.
            let _ = actor.drain();
            actor.wait(Some(timeout)).await
        }
        Shutdown::Stop(timeout) => {
            actor.stop(None);
            actor.wait(Some(timeout)).await
        }
        Shutdown::StopUnbounded => {
            actor.stop(None);
            actor.wait(None).await
        }
        Shutdown::Kill => {
            actor.kill();
            actor.wait(Some(KILL_PATIENCE)).await
        }
    };
    if graceful.is_ok() {
        return;
    }
    tracing::warn!(%child, ?shutdown, "child did not stop in time, killing it");
    actor.kill();
    if actor.wait(Some(KILL_PATIENCE)).await.is_err() {
        tracing::error!(%child, "child does not yield, leaving it behind");
    }
}
