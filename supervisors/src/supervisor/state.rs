//! What a supervisor knows, and how requests, reports and ends of actors change it.
//!
//! Nothing here awaits but [`SupervisorState::start_all`] and [`SupervisorState::drain`], which run
//! before and after the supervisor takes messages.

use super::{Reported, SupervisorArguments, SupervisorMessage, report};
use crate::{
    child::{AddReply, Child, Exit, Generation, Next, Phase, RemoveReply},
    error::{Ended, SupervisorError},
    handle::ChildStatus,
    spec::{ChildId, ChildSpec, Restart, Roster, Shutdown},
    stop::{start_child, stop_actor},
    task::OwnedTask,
};
use ractor::{ActorCell, ActorId, ActorRef};
use rand::{SeedableRng as _, rngs::StdRng};
use std::{sync::Arc, time::Duration};
use tokio::{sync::oneshot, time::Instant};

/// A supervisor's children and what it needs to run them.
pub struct SupervisorState {
    name: Arc<str>,
    roster: Roster,
    max_children: usize,
    /// In the order of their start.
    children: Vec<Child>,
    last_generation: Generation,
    /// Ends of actors whose start has not been reported yet: supervision events overtake messages.
    early_exits: Vec<(ActorId, Exit)>,
    random: StdRng,
    escalated: Option<Ended>,
    report: Option<oneshot::Sender<Result<(), Ended>>>,
}

impl SupervisorState {
    pub(super) fn new(SupervisorArguments { spec, report }: SupervisorArguments) -> Self {
        Self {
            name: spec.name,
            roster: spec.roster,
            max_children: spec.max_children,
            children: Vec::new(),
            last_generation: Generation(0),
            early_exits: Vec::new(),
            random: StdRng::seed_from_u64(spec.jitter_seed.unwrap_or_else(rand::random)),
            escalated: None,
            report,
        }
    }

    /// Starts the children of the roster, one after the other, up to the first that does not start.
    pub(super) async fn start_all(&mut self, myself: ActorCell) -> Result<(), SupervisorError> {
        for spec in self.roster.with(|specs| specs.clone()) {
            self.check_room_for(&spec.id)?;
            let actor = start_child(spec.clone(), myself.clone())
                .await
                .map_err(|reason| SupervisorError::StartFailed {
                    id: spec.id.clone(),
                    reason,
                })?;
            let since = Instant::now();
            let generation = self.next_generation();
            self.children.push(Child::new(
                spec,
                generation,
                Phase::Running { actor, since },
            ));
        }
        // A temporary child has no second start, not even with its supervisor.
        self.roster
            .with(|specs| specs.retain(|spec| spec.restart != Restart::Temporary));
        Ok(())
    }

    fn check_room_for(&self, id: &ChildId) -> Result<(), SupervisorError> {
        if self.children.iter().any(|child| child.spec.id == *id) {
            return Err(SupervisorError::AlreadyPresent(id.clone()));
        }
        if self.children.len() >= self.max_children {
            let limit = self.max_children;
            return Err(SupervisorError::TooManyChildren { limit });
        }
        Ok(())
    }

    fn next_generation(&mut self) -> Generation {
        self.last_generation.0 += 1;
        self.last_generation
    }

    pub(super) fn add(
        &mut self,
        myself: &ActorRef<SupervisorMessage>,
        spec: ChildSpec,
        reply: AddReply,
    ) {
        if let Err(error) = self.check_room_for(&spec.id) {
            let _ = reply.send(Err(error));
            return;
        }
        let generation = self.next_generation();
        self.children
            .push(Child::new(spec, generation, Phase::Stopped));
        self.begin_start(myself, self.children.len() - 1, Some(reply));
    }

    fn begin_start(
        &mut self,
        myself: &ActorRef<SupervisorMessage>,
        index: usize,
        adding: Option<AddReply>,
    ) {
        let generation = self.next_generation();
        let child = &mut self.children[index];
        let start = start_child(child.spec.clone(), myself.get_cell());
        let supervisor = myself.clone();
        let task = OwnedTask::new(tokio::spawn(async move {
            let result = start.await;
            let actor = result.as_ref().ok().cloned();
            // A supervisor that takes no messages any more drains, and asks this task itself.
            let _ = supervisor.cast(report(generation, Reported::Started(result)));
            actor
        }));
        child.generation = generation;
        child.phase = Phase::Starting { task, adding };
    }

    pub(super) fn remove(
        &mut self,
        myself: &ActorRef<SupervisorMessage>,
        id: &ChildId,
        reply: RemoveReply,
    ) {
        let Some(index) = self.children.iter().position(|child| child.spec.id == *id) else {
            let _ = reply.send(Err(SupervisorError::Unknown(id.clone())));
            return;
        };
        self.roster.remove(id);
        let generation = self.next_generation();
        let child = &mut self.children[index];
        match &mut child.phase {
            Phase::Stopping { removing, .. } => {
                removing.push(reply);
                return;
            }
            // Dropping the timer aborts it; should it have fired already, its generation is gone.
            Phase::BackingOff { .. } | Phase::Stopped => {
                self.children.remove(index);
                let _ = reply.send(Ok(()));
                return;
            }
            Phase::Starting { adding, .. } => {
                if let Some(adding) = adding.take() {
                    let _ = adding.send(Err(SupervisorError::RemovedDuringStart(id.clone())));
                }
            }
            Phase::Running { .. } => {}
        }
        let phase = std::mem::replace(&mut child.phase, Phase::Stopped);
        let going = Child::new(child.spec.clone(), child.generation, phase);
        let supervisor = myself.clone();
        let task = OwnedTask::new(tokio::spawn(async move {
            going.bring_down().await;
            let _ = supervisor.cast(report(generation, Reported::Down));
        }));
        let removing = vec![reply];
        child.generation = generation;
        child.phase = Phase::Stopping { task, removing };
    }

    /// Takes a report, unless the child it concerns has moved on or is gone.
    pub(super) fn reported(
        &mut self,
        myself: &ActorRef<SupervisorMessage>,
        generation: Generation,
        reported: Reported,
    ) {
        let current = |child: &Child| child.generation == generation;
        let Some(index) = self.children.iter().position(current) else {
            tracing::debug!(supervisor = %self.name, ?reported, "late report ignored");
            return;
        };
        let child = &mut self.children[index];
        match (reported, &mut child.phase) {
            (Reported::Started(result), Phase::Starting { adding, .. }) => {
                let adding = adding.take();
                self.started(myself, index, result, adding);
            }
            (Reported::RestartDue, Phase::BackingOff { .. }) => {
                child.restarts += 1;
                tracing::info!(
                    supervisor = %self.name, child = %child.spec.id, restarts = child.restarts,
                    "restarting child",
                );
                self.begin_start(myself, index, None);
            }
            (Reported::Down, Phase::Stopping { removing, .. }) => {
                for reply in removing.drain(..) {
                    let _ = reply.send(Ok(()));
                }
                self.children.remove(index);
            }
            // A generation has one phase, and its task reports once.
            _ => {}
        }
    }

    fn started(
        &mut self,
        myself: &ActorRef<SupervisorMessage>,
        index: usize,
        result: Result<ActorCell, String>,
        adding: Option<AddReply>,
    ) {
        let child = &mut self.children[index];
        match result {
            Ok(actor) => {
                let since = Instant::now();
                child.phase = Phase::Running {
                    actor: actor.clone(),
                    since,
                };
                if let Some(adding) = adding {
                    // A first start: only now does the child outlive its supervisor.
                    if child.spec.restart != Restart::Temporary {
                        self.roster.with(|specs| specs.push(child.spec.clone()));
                    }
                    let _ = adding.send(Ok(actor.clone()));
                }
                let early = |(ended, _): &(ActorId, Exit)| *ended == actor.get_id();
                if let Some(position) = self.early_exits.iter().position(early) {
                    let (_, exit) = self.early_exits.swap_remove(position);
                    self.child_ended(myself, index, exit);
                }
            }
            Err(reason) => match adding {
                Some(adding) => {
                    let id = self.children.remove(index).spec.id;
                    let _ = adding.send(Err(SupervisorError::StartFailed { id, reason }));
                }
                None => self.child_ended(myself, index, Exit::Failed(reason)),
            },
        }
        self.forget_early_exits();
    }

    pub(super) fn actor_ended(
        &mut self,
        myself: &ActorRef<SupervisorMessage>,
        actor: &ActorCell,
        exit: Exit,
    ) {
        match self.children.iter().position(|child| child.is(actor)) {
            Some(index) => self.child_ended(myself, index, exit),
            None => self.early_exits.push((actor.get_id(), exit)),
        }
        self.forget_early_exits();
    }

    /// Without a start under way no exit can be early: what is left belongs to removed children.
    fn forget_early_exits(&mut self) {
        if !self.children.iter().any(Child::is_starting) {
            self.early_exits.clear();
        }
    }

    fn child_ended(&mut self, myself: &ActorRef<SupervisorMessage>, index: usize, exit: Exit) {
        let now = Instant::now();
        let generation = self.next_generation();
        let child = &mut self.children[index];
        let id = child.spec.id.clone();
        let reason = exit.to_string();
        if let (Some(down), Some(actor)) = (&child.spec.down, child.actor()) {
            down(actor.get_id());
        }
        match child.ended(exit, now, &mut self.random) {
            Next::RestartAfter(delay) => {
                tracing::warn!(
                    supervisor = %self.name, child = %id, %reason, restarts = child.restarts,
                    delay_ms = delay_ms(delay), "child ended, restarting it after its backoff",
                );
                let timer =
                    myself.send_after(delay, move || report(generation, Reported::RestartDue));
                child.generation = generation;
                child.phase = Phase::BackingOff {
                    until: now + delay,
                    timer: OwnedTask::new(timer),
                };
            }
            Next::Rest => {
                tracing::info!(supervisor = %self.name, child = %id, %reason, "child ended");
                child.phase = Phase::Stopped;
            }
            Next::Forget => {
                tracing::info!(supervisor = %self.name, child = %id, %reason, "child ended");
                self.children.remove(index);
            }
            Next::Escalate => {
                tracing::error!(
                    supervisor = %self.name, child = %id, %reason, restarts = child.restarts,
                    intensity = ?child.spec.intensity, "child failed too often, supervisor gives up",
                );
                child.phase = Phase::Stopped;
                self.escalated = Some(Ended::Escalated {
                    supervisor: Arc::clone(&self.name),
                    child: id,
                    reason,
                });
                // A stop overtakes everything else that is queued, and leads to `post_stop`.
                myself.stop(None);
            }
        }
    }

    /// The actor a child currently runs as.
    pub(super) fn child(&self, id: &ChildId) -> Result<Option<ActorCell>, SupervisorError> {
        let child = self.children.iter().find(|child| child.spec.id == *id);
        child
            .map(|child| child.actor().cloned())
            .ok_or_else(|| SupervisorError::Unknown(id.clone()))
    }

    /// All children in the order of their start.
    pub(super) fn statuses(&self) -> Vec<ChildStatus> {
        self.children.iter().map(Child::status).collect()
    }

    /// Tells how the supervisor ended, to whoever waits for it and to the caller.
    pub(super) fn report_end(&mut self) -> Result<(), Ended> {
        let ended = self.escalated.take().map_or(Ok(()), Err);
        if let Some(report) = self.report.take() {
            // Nobody listens when the root was dropped.
            let _ = report.send(ended.clone());
        }
        ended
    }

    /// Brings all children down, last started first, each before the next.
    pub(super) async fn drain(&mut self, myself: ActorCell) {
        self.children.iter().for_each(Child::freeze);
        while let Some(child) = self.children.pop() {
            let id = child.spec.id.clone();
            child.bring_down().await;
            tracing::debug!(supervisor = %self.name, child = %id, "child drained");
        }
        // Actors that somebody else linked, or whose start was cut short after they had spawned.
        for stranger in myself.get_children() {
            stop_actor(&ChildId::from("stranger"), Shutdown::default(), &stranger).await;
        }
    }
}

fn delay_ms(delay: Duration) -> u64 {
    u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
}
