//! An actor whose whole work is one future: a loop over a socket, a timer, a walk. The future is dropped when the actor stops; if
//! it panics, the actor fails, and its supervisor decides.
//!
//! Invariant: at most one future of a worker runs at any time, and none after the actor's end.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::spec::{ChildId, ChildSpec};
use crate::task::OwnedTask;

/// Makes a worker's future, anew with each start.
pub type Work = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// See the head of the file.
pub struct Worker;

/// What a worker is told.
#[derive(Debug)]
pub enum WorkerMessage {
    /// The future has ended, by itself or by a panic.
    Ended {
        /// By a panic.
        panicked: bool,
    },
    /// For tests: panic now.
    Panic,
}

impl Actor for Worker {
    type Msg = WorkerMessage;
    type State = WorkerState;
    type Arguments = Work;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        work: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let future = work();
        let inner = tokio::spawn(future);
        Ok(WorkerState(OwnedTask::new(tokio::spawn(async move {
            let guard = AbortOnDrop(inner);
            let panicked = guard.join().await;
            // Refused only if the actor is gone already.
            let _ = myself.cast(WorkerMessage::Ended { panicked });
        }))))
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        _: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            WorkerMessage::Ended { panicked: true } => Err("the worker's task panicked".into()),
            WorkerMessage::Ended { panicked: false } => {
                myself.stop(None);
                Ok(())
            }
            WorkerMessage::Panic => panic!("asked to panic"),
        }
    }
}

/// The running future.
#[derive(Debug)]
pub struct WorkerState(
    #[expect(dead_code, reason = "held to be dropped with the actor")] OwnedTask<()>,
);

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl AbortOnDrop {
    /// Waits for the task; says whether it panicked.
    async fn join(mut self) -> bool {
        (&mut self.0).await.is_err_and(|error| error.is_panic())
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ChildSpec {
    /// A child that does nothing but run `work`.
    pub fn worker(id: impl Into<ChildId>, work: Work) -> Self {
        Self::actor(id, move || (Worker, Arc::clone(&work)))
    }
}
