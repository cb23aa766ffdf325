//! One child of a running supervisor: where it is in its life, and what its end leads to.
//!
//! ```text
//! Starting -> Running -> BackingOff -> Starting ...
//!     |          |-> Stopped (transient, ended by itself)
//!     `----------+-> Stopping -> forgotten
//! ```
//! Each start, backoff and stop has a generation of its own, never used again by the supervisor:
//! what a timer or task of an earlier one reports finds no child and is ignored.

use crate::{
    backoff::Attempts,
    error::SupervisorError,
    handle::{ChildState, ChildStatus},
    intensity::RestartHistory,
    spec::{ChildSpec, Restart},
    stop::{cut_short, stop_child, stop_starting},
    supervisor::SupervisorMessage,
    task::OwnedTask,
};
use ractor::{ActorCell, MessagingErr, RpcReplyPort, SupervisionEvent};
use rand::Rng;
use std::{fmt, time::Duration};
use tokio::time::Instant;

/// Names one start, backoff or stop among all those of one supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(pub(crate) u64);

/// The reply to a request to add a child: its actor.
pub(crate) type AddReply = RpcReplyPort<Result<ActorCell, SupervisorError>>;

/// The reply to a request to remove a child: that it is down.
pub(crate) type RemoveReply = RpcReplyPort<Result<(), SupervisorError>>;

/// The reason of an end by kill. Nobody else should stop an actor with this reason.
const KILLED: &str = "killed";

/// How an actor ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// By itself or because somebody stopped or drained it; `post_stop` ran.
    Normal(Option<String>),
    /// It was killed or its task was dropped.
    Killed,
    /// It panicked, returned an error, or did not start.
    Failed(String),
}

impl Exit {
    /// The actor that ended and how, if the event tells of an end.
    pub(crate) fn from_event(event: SupervisionEvent) -> Option<(ActorCell, Self)> {
        match event {
            SupervisionEvent::ActorTerminated(actor, state, reason) => {
                // A killed actor hands its state over all the same, unless it was starting or
                // stopping; what tells a kill apart is the reason `ractor` gives.
                let killed = state.is_none() || reason.as_deref() == Some(KILLED);
                let exit = if killed {
                    Self::Killed
                } else {
                    Self::Normal(reason)
                };
                Some((actor, exit))
            }
            SupervisionEvent::ActorFailed(actor, error) => {
                Some((actor, Self::Failed(error.to_string())))
            }
            _ => None,
        }
    }

    fn wants_restart(&self, restart: Restart) -> bool {
        match restart {
            Restart::Permanent => true,
            Restart::Transient => !matches!(self, Self::Normal(_)),
            Restart::Temporary => false,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal(None) => f.write_str("stopped"),
            Self::Normal(Some(reason)) => write!(f, "stopped: {reason}"),
            Self::Killed => f.write_str("killed"),
            Self::Failed(reason) => f.write_str(reason),
        }
    }
}

/// Where a child is in its life.
pub(crate) enum Phase {
    /// Its starter runs; the task tells the actor that came of it.
    Starting {
        task: OwnedTask<Option<ActorCell>>,
        adding: Option<AddReply>,
    },
    /// Its actor runs.
    Running { actor: ActorCell, since: Instant },
    /// It failed and waits for its restart.
    BackingOff {
        until: Instant,
        timer: OwnedTask<Result<(), MessagingErr<SupervisorMessage>>>,
    },
    /// It was removed and is being stopped.
    Stopping {
        task: OwnedTask<()>,
        removing: Vec<RemoveReply>,
    },
    /// It ended and is not to be restarted.
    Stopped,
}

/// What the end of a child leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Restart it after a delay.
    RestartAfter(Duration),
    /// Leave it listed as stopped.
    Rest,
    /// Forget it.
    Forget,
    /// It failed too often: the supervisor fails.
    Escalate,
}

/// A child with its history.
pub(crate) struct Child {
    pub(crate) spec: ChildSpec,
    pub(crate) generation: Generation,
    pub(crate) phase: Phase,
    pub(crate) restarts: u64,
    pub(crate) last_exit: Option<Exit>,
    attempts: Attempts,
    history: RestartHistory,
}

impl Child {
    pub(crate) fn new(spec: ChildSpec, generation: Generation, phase: Phase) -> Self {
        Self {
            spec,
            generation,
            phase,
            restarts: 0,
            last_exit: None,
            attempts: Attempts::default(),
            history: RestartHistory::default(),
        }
    }

    /// Records an end and decides what it leads to. Leaves the phase to the caller.
    pub(crate) fn ended(&mut self, exit: Exit, now: Instant, random: &mut impl Rng) -> Next {
        let lived = match self.phase {
            Phase::Running { since, .. } => now.duration_since(since),
            _ => Duration::ZERO,
        };
        let wants_restart = exit.wants_restart(self.spec.restart);
        self.last_exit = Some(exit);
        if !wants_restart {
            return match self.spec.restart {
                Restart::Temporary => Next::Forget,
                Restart::Permanent | Restart::Transient => Next::Rest,
            };
        }
        if !self.history.admit(self.spec.intensity, now) {
            return Next::Escalate;
        }
        let delay = self.attempts.next_delay(&self.spec.backoff, lived, random);
        Next::RestartAfter(delay)
    }

    /// The actor of the child while it runs.
    pub(crate) const fn actor(&self) -> Option<&ActorCell> {
        match &self.phase {
            Phase::Running { actor, .. } => Some(actor),
            _ => None,
        }
    }

    /// Whether the child runs as this actor.
    pub(crate) fn is(&self, actor: &ActorCell) -> bool {
        self.actor()
            .is_some_and(|own| own.get_id() == actor.get_id())
    }

    /// Whether a start of the child is under way.
    pub(crate) const fn is_starting(&self) -> bool {
        matches!(self.phase, Phase::Starting { .. })
    }

    /// Sees to it that nothing new begins while the supervisor drains.
    pub(crate) fn freeze(&self) {
        match &self.phase {
            Phase::Starting { task, .. } => cut_short(&self.spec, task),
            Phase::BackingOff { timer, .. } => timer.abort(),
            Phase::Running { .. } | Phase::Stopping { .. } | Phase::Stopped => {}
        }
    }

    /// Brings the child down from wherever it is, and waits until it is.
    pub(crate) async fn bring_down(self) {
        match self.phase {
            Phase::Running { actor, .. } => stop_child(&self.spec, &actor).await,
            Phase::Starting { task, .. } => stop_starting(&self.spec, task).await,
            // Its own task stops it, within the limits of the spec.
            Phase::Stopping { task, removing } => {
                task.finished().await;
                for reply in removing {
                    let _ = reply.send(Ok(()));
                }
            }
            Phase::BackingOff { .. } | Phase::Stopped => {}
        }
    }

    /// What is told about the child.
    pub(crate) fn status(&self) -> ChildStatus {
        ChildStatus {
            id: self.spec.id.clone(),
            state: match self.phase {
                Phase::Starting { .. } => ChildState::Starting,
                Phase::Running { since, .. } => ChildState::Running { since },
                Phase::BackingOff { until, .. } => ChildState::BackingOff { until },
                Phase::Stopping { .. } => ChildState::Stopping,
                Phase::Stopped => ChildState::Stopped,
            },
            restarts: self.restarts,
            last_exit: self.last_exit.as_ref().map(ToString::to_string),
        }
    }
}
