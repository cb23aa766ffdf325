//! The supervisor actor: one for one, never waiting.
//!
//! A handler of a living supervisor awaits nothing: a start or a stop is a task that casts its
//! outcome back, a backoff is a timer that casts. So no child's slowness reaches a sibling. Only
//! before it is running (`pre_start` starts the first children) and when it is going down
//! (`post_stop` drains) does it await its children, one at a time.
//!
//! Every way down but a kill leads through `post_stop`, because `ractor` kills the children of a
//! supervisor that ends without having stopped them: a request to stop, a drain, and an
//! escalation, which stops first and fails last.

mod state;

pub use state::SupervisorState;

use crate::{
    child::{Exit, Generation},
    error::{Ended, SupervisorError},
    handle::ChildStatus,
    spec::{ChildId, ChildSpec, SupervisorSpec},
};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::sync::oneshot;

/// Runs children as its [`SupervisorSpec`] says. Started with `SupervisorSpec::spawn` or as the
/// child that `SupervisorSpec::into_child` makes.
#[derive(Debug)]
pub struct Supervisor;

/// What a supervisor starts with.
#[derive(Debug)]
pub struct SupervisorArguments {
    spec: SupervisorSpec,
    report: Option<oneshot::Sender<Result<(), Ended>>>,
}

impl SupervisorArguments {
    pub(crate) const fn new(
        spec: SupervisorSpec,
        report: Option<oneshot::Sender<Result<(), Ended>>>,
    ) -> Self {
        Self { spec, report }
    }
}

/// What a supervisor is asked.
#[derive(Debug)]
pub enum SupervisorMessage {
    /// Add a child and start it; replies when it has started.
    Add(ChildSpec, RpcReplyPort<Result<ActorCell, SupervisorError>>),
    /// Stop a child and forget it; replies when it is down.
    Remove(ChildId, RpcReplyPort<Result<(), SupervisorError>>),
    /// Which actor a child currently runs as.
    Child(
        ChildId,
        RpcReplyPort<Result<Option<ActorCell>, SupervisorError>>,
    ),
    /// All children in the order of their start.
    Children(RpcReplyPort<Vec<ChildStatus>>),
    /// For tests: panic now. Its children are killed and started again with it.
    Panic,
    /// What the supervisor's own timers and tasks report.
    #[doc(hidden)]
    Report(Report),
}

/// A message of the supervisor to itself.
const fn report(generation: Generation, reported: Reported) -> SupervisorMessage {
    SupervisorMessage::Report(Report(generation, reported))
}

/// A report of one of the supervisor's own timers and tasks, opaque to everyone else.
#[derive(Debug)]
pub struct Report(Generation, Reported);

#[derive(Debug)]
enum Reported {
    /// A start is over.
    Started(Result<ActorCell, String>),
    /// A backoff is over.
    RestartDue,
    /// A removed child is down.
    Down,
}

impl Actor for Supervisor {
    type Msg = SupervisorMessage;
    type State = SupervisorState;
    type Arguments = SupervisorArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<SupervisorMessage>,
        arguments: SupervisorArguments,
    ) -> Result<SupervisorState, ActorProcessingErr> {
        let mut state = SupervisorState::new(arguments);
        if let Err(error) = state.start_all(myself.get_cell()).await {
            state.drain(myself.get_cell()).await;
            return Err(Box::new(error));
        }
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<SupervisorMessage>,
        message: SupervisorMessage,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        // Whoever asked may have stopped waiting: an error of a reply port is nobody's concern.
        match message {
            SupervisorMessage::Add(spec, reply) => state.add(&myself, spec, reply),
            SupervisorMessage::Remove(id, reply) => state.remove(&myself, &id, reply),
            SupervisorMessage::Child(id, reply) => {
                let _ = reply.send(state.child(&id));
            }
            SupervisorMessage::Children(reply) => {
                let _ = reply.send(state.statuses());
            }
            SupervisorMessage::Panic => panic!("asked to panic"),
            SupervisorMessage::Report(Report(generation, reported)) => {
                state.reported(&myself, generation, reported);
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<SupervisorMessage>,
        event: SupervisionEvent,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        if let Some((actor, exit)) = Exit::from_event(event) {
            state.actor_ended(&myself, &actor, exit);
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        myself: ActorRef<SupervisorMessage>,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        state.drain(myself.get_cell()).await;
        Ok(state.report_end()?)
    }
}

#[cfg(test)]
mod tests;
