//! How the rest of the program talks to a supervisor.
//!
//! A handle survives restarts of its supervisor. Its functions await replies: they are for edges
//! and tests. An actor that needs a supervisor casts a [`SupervisorMessage`] instead and awaits
//! nothing. A supervisor that is down or draining answers every request with
//! [`SupervisorError::Down`].

use crate::{
    error::{Ended, SupervisorError},
    slot::Slot,
    spec::{ChildId, ChildSpec, Shutdown, StartError, SupervisorSpec},
    supervisor::{Supervisor, SupervisorArguments, SupervisorMessage},
};
use ractor::{Actor as _, ActorCell, ActorStatus, RpcReplyPort, SpawnErr, rpc::CallResult};
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};

/// Where a child is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildState {
    /// Its start or restart is under way.
    Starting,
    /// It runs.
    Running {
        /// When it started.
        since: Instant,
    },
    /// It failed and waits.
    BackingOff {
        /// When it is restarted.
        until: Instant,
    },
    /// It was removed and is being stopped.
    Stopping,
    /// It ended and is not restarted.
    Stopped,
}

/// What a supervisor tells about one child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildStatus {
    /// Its name.
    pub id: ChildId,
    /// Where it is in its life.
    pub state: ChildState,
    /// How often it was restarted since it was added.
    pub restarts: u64,
    /// How it ended the last time, if ever.
    pub last_exit: Option<String>,
}

/// Talks to one supervisor. Clones talk to the same.
#[derive(Clone, Debug)]
pub struct SupervisorHandle {
    slot: Slot<SupervisorMessage>,
}

impl SupervisorHandle {
    /// Adds a child after all others and starts it; returns its first actor.
    ///
    /// A child that does not start is an error and is not kept. There is no need to await the
    /// result: the child is added all the same once the request is sent.
    pub async fn add(&self, spec: ChildSpec) -> Result<ActorCell, SupervisorError> {
        self.call(|reply| SupervisorMessage::Add(spec, reply))
            .await?
    }

    /// Removes a child, wherever it is in its life; returns when it is down for good.
    pub async fn remove(&self, id: impl Into<ChildId>) -> Result<(), SupervisorError> {
        let id = id.into();
        self.call(|reply| SupervisorMessage::Remove(id, reply))
            .await?
    }

    /// The actor a child currently runs as; `None` while it is not running.
    pub async fn child(
        &self,
        id: impl Into<ChildId>,
    ) -> Result<Option<ActorCell>, SupervisorError> {
        let id = id.into();
        self.call(|reply| SupervisorMessage::Child(id, reply))
            .await?
    }

    /// All children in the order of their start.
    pub async fn children(&self) -> Result<Vec<ChildStatus>, SupervisorError> {
        self.call(SupervisorMessage::Children).await
    }

    /// Stops the children one by one, last started first, then the supervisor; returns when all
    /// is down.
    ///
    /// For the root of a tree. A nested supervisor is stopped by removing it from its own, which
    /// would otherwise restart it.
    pub async fn shutdown(&self) {
        if let Some(supervisor) = self.slot.actor() {
            supervisor.stop(None);
            // Without a limit this cannot time out; every child has a limit of its own.
            let _ = supervisor.wait(None).await;
        }
    }

    /// The supervisor itself, to link or watch it; `None` while it is down.
    pub fn supervisor(&self) -> Option<ActorCell> {
        self.slot.actor().map(|actor| actor.get_cell())
    }

    /// The supervisor's address, for actors that cast to it.
    pub const fn slot(&self) -> &Slot<SupervisorMessage> {
        &self.slot
    }

    async fn call<T: Send + 'static>(
        &self,
        message: impl FnOnce(RpcReplyPort<T>) -> SupervisorMessage,
    ) -> Result<T, SupervisorError> {
        let supervisor = self.slot.actor().ok_or(SupervisorError::Down)?;
        match supervisor.call(message, None).await {
            Ok(CallResult::Success(reply)) => Ok(reply),
            // The mailbox is gone, before or after the request was put into it.
            Ok(CallResult::SenderError | CallResult::Timeout) | Err(_) => {
                Err(SupervisorError::Down)
            }
        }
    }
}

/// A running tree: its handle, and a task that tells how it ended.
#[derive(Debug)]
pub struct Root {
    /// Talks to the root supervisor.
    pub handle: SupervisorHandle,
    /// Ends with the root supervisor: `Ok` after a stop that somebody asked for.
    pub ended: JoinHandle<Result<(), Ended>>,
}

impl SupervisorSpec {
    /// Starts the supervisor and its children as a tree of its own.
    ///
    /// A child that does not start makes this fail, after the children before it were stopped.
    pub async fn spawn(self) -> Result<Root, SpawnErr> {
        let (report, mut reported) = oneshot::channel();
        let arguments = SupervisorArguments::new(self, Some(report));
        let (supervisor, task) = Supervisor::spawn(None, Supervisor, arguments).await?;
        let slot = Slot::new();
        slot.fill(supervisor);
        let ended = tokio::spawn(async move {
            // An actor's task catches its panics; what went wrong shows in the missing report.
            let _ = task.await;
            reported.try_recv().unwrap_or(Err(Ended::Crashed))
        });
        let handle = SupervisorHandle { slot };
        Ok(Root { handle, ended })
    }

    /// Makes the supervisor a child of another one, and a handle for it.
    ///
    /// Its start includes the starts of its children, one after the other, and its shutdown their
    /// shutdowns: both are unbounded because theirs are not.
    pub fn into_child(self) -> (ChildSpec, SupervisorHandle) {
        let slot = Slot::new();
        let (filled, vacated) = (slot.clone(), slot.clone());
        let spec = ChildSpec::new(self.name.clone(), move |parent| {
            let arguments = SupervisorArguments::new(self.clone(), None);
            Box::pin(start_nested(arguments, filled.clone(), parent))
        })
        .on_down(move |actor| vacated.vacate(actor))
        .shutdown(Shutdown::StopUnbounded)
        .start_unbounded();
        (spec, SupervisorHandle { slot })
    }
}

/// Starts a supervisor below another one.
///
/// `spawn_linked` would throw the new supervisor away when `parent` has begun to drain meanwhile,
/// and its children would be killed. Linked afterwards, it is handed to the drain instead.
async fn start_nested(
    arguments: SupervisorArguments,
    slot: Slot<SupervisorMessage>,
    parent: ActorCell,
) -> Result<ActorCell, StartError> {
    let (supervisor, _) = Supervisor::spawn(None, Supervisor, arguments).await?;
    let cell = supervisor.get_cell();
    cell.link(parent.clone());
    if cell.try_get_supervisor().is_none() {
        if cell.get_status() >= ActorStatus::Draining {
            return Err("it ended as soon as it had started".into());
        }
        // The parent is going down. If it drains it stops this one first; if it was killed,
        // nobody else ends what was never linked.
        let orphan = cell.clone();
        tokio::spawn(async move {
            let _ = parent.wait(None).await;
            orphan.kill();
        });
        return Ok(cell);
    }
    slot.fill(supervisor);
    Ok(cell)
}
