//! Supervision trees on `ractor`: child specs, restart policies, intensity, backoff, ordered drain.
//!
//! The map:
//! - [`ChildSpec`] says how one actor is started, restarted and stopped; [`SupervisorSpec`] says
//!   which children a supervisor begins with. Specs outlive actors: what a restart must not lose
//!   is held by an `Arc` inside the spec's starter.
//! - [`Supervisor`] is the actor that runs the children, one for one. Its policies never make it
//!   wait: delays are timers, starts and stops are tasks that report back.
//! - [`SupervisorHandle`] is how everyone else asks it to add, remove, find and list children.
//! - [`Slot`] is the address of an actor that survives the actor's restarts.
//! - [`Worker`] is an actor whose whole work is one future.
//! - [`Backoff`] and [`Attempts`] are the pure arithmetic of retry delays, usable without a tree.
//!
//! Invariants, each tested under `tests/tree`:
//! - **Isolation**: whatever a child does, its siblings keep running and keep their restart counts,
//!   until its intensity is exceeded. Then the supervisor itself stops its children in order and
//!   fails, and its own supervisor decides.
//! - **A removed child stays down**, also when it is removed during its backoff or its start.
//! - **First starts are loud, restarts are patient**: a child that cannot start fails `spawn` or
//!   `add`; a child that cannot restart backs off.
//! - **Drain** runs in the reverse order of start, depth first, one child at a time, and every
//!   child that stops within its time runs its `post_stop`.
//! - No actor has a name: `ractor`'s registry is one per process, and several trees share one.
//!
//! Times are `tokio::time::Instant`s, so that all of it runs under paused time. `panic = "abort"`
//! would make restarts impossible.

mod backoff;
mod child;
mod error;
mod handle;
mod intensity;
mod slot;
mod spec;
mod stop;
mod supervisor;
mod task;
mod worker;

pub use backoff::{Attempts, Backoff, BackoffError};
pub use error::{Ended, SupervisorError};
pub use handle::{ChildState, ChildStatus, Root, SupervisorHandle};
pub use intensity::Intensity;
pub use slot::{Slot, SlotError};
pub use spec::{
    ChildId, ChildSpec, DEFAULT_MAX_CHILDREN, DEFAULT_SHUTDOWN_TIMEOUT, DEFAULT_START_TIMEOUT,
    Restart, Shutdown, StartError, StartFuture, Starter, SupervisorSpec,
};
pub use stop::KILL_PATIENCE;
pub use supervisor::{Supervisor, SupervisorArguments, SupervisorMessage, SupervisorState};
pub use worker::{Work, Worker, WorkerMessage, WorkerState};
