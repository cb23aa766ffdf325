//! An actor's address that outlives the actor.
//!
//! A restarted actor is another `ractor` actor: every `ActorRef` to the one before stays dead for
//! ever. Whoever casts to a supervised actor therefore holds its slot. The slot is filled after
//! each start and emptied when the actor is going down, before it is asked to stop: a message is
//! either accepted by a live actor or handed back.

use crate::spec::{ChildId, ChildSpec, StartError};
use arc_swap::ArcSwapOption;
use ractor::{Actor, ActorId, ActorRef, Message, MessagingErr};
use std::{fmt, sync::Arc};

/// A message that reached no actor, handed back.
#[derive(thiserror::Error)]
pub enum SlotError<M> {
    /// Nobody is in the slot: not started yet, backing off, or gone.
    #[error("no actor is in the slot")]
    Empty(M),
    /// Somebody was in the slot but took no message any more.
    #[error("the actor in the slot is going down")]
    Down(M),
}

impl<M> SlotError<M> {
    /// The message that was not delivered.
    pub fn into_message(self) -> M {
        match self {
            Self::Empty(message) | Self::Down(message) => message,
        }
    }
}

impl<M> fmt::Debug for SlotError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty(_) => "Empty",
            Self::Down(_) => "Down",
        })
    }
}

/// Where to find the actor that currently takes messages of type `M`. Clones share one slot.
pub struct Slot<M: Message> {
    occupant: Arc<ArcSwapOption<ActorRef<M>>>,
}

impl<M: Message> Slot<M> {
    /// An empty slot.
    pub fn new() -> Self {
        Self {
            occupant: Arc::new(ArcSwapOption::empty()),
        }
    }

    /// Sends a message to whoever is in the slot now.
    pub fn cast(&self, message: M) -> Result<(), SlotError<M>> {
        let occupant = self.occupant.load();
        let Some(actor) = occupant.as_ref() else {
            return Err(SlotError::Empty(message));
        };
        match actor.cast(message) {
            // The other two errors concern messages of another type and replies, never a cast.
            Err(MessagingErr::SendErr(message)) => Err(SlotError::Down(message)),
            _ => Ok(()),
        }
    }

    /// Whoever is in the slot now. Use it at once: after a restart it is somebody else.
    pub fn actor(&self) -> Option<ActorRef<M>> {
        self.occupant.load().as_deref().cloned()
    }

    /// Whether nobody is in the slot.
    pub fn is_empty(&self) -> bool {
        self.occupant.load().is_none()
    }

    /// Puts an actor into the slot.
    pub fn fill(&self, actor: ActorRef<M>) {
        self.occupant.store(Some(Arc::new(actor)));
    }

    /// Empties the slot unless somebody other than `actor` is in it by now.
    pub fn vacate(&self, actor: ActorId) {
        self.occupant.rcu(|occupant| {
            occupant
                .clone()
                .filter(|occupant| occupant.get_id() != actor)
        });
    }
}

impl<M: Message> Clone for Slot<M> {
    fn clone(&self) -> Self {
        Self {
            occupant: Arc::clone(&self.occupant),
        }
    }
}

impl<M: Message> Default for Slot<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Message> fmt::Debug for Slot<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let occupant = self.actor().map(|actor| actor.get_id());
        f.debug_tuple("Slot").field(&occupant).finish()
    }
}

impl ChildSpec {
    /// A child made anew by `make` for each start, reachable through `slot` while it runs.
    pub fn in_slot<A, F>(id: impl Into<ChildId>, slot: Slot<A::Msg>, make: F) -> Self
    where
        A: Actor,
        F: Fn() -> (A, A::Arguments) + Send + Sync + 'static,
    {
        let filled = slot.clone();
        Self::new(id, move |supervisor| {
            let (actor, arguments) = make();
            let slot = filled.clone();
            Box::pin(async move {
                let (actor, _) = A::spawn_linked(None, actor, arguments, supervisor).await?;
                let cell = actor.get_cell();
                slot.fill(actor);
                Ok::<_, StartError>(cell)
            })
        })
        .on_down(move |actor| slot.vacate(actor))
    }
}
