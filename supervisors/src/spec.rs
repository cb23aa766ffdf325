//! What a supervisor is told about its children: how each starts, restarts and stops.
//!
//! Specs are values, cheap to clone. They outlive the actors they describe: a starter is called
//! again for every restart and hands the new actor the same `Arc`s as the one before.

use crate::{backoff::Backoff, intensity::Intensity};
use futures_util::future::BoxFuture;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

/// How long a start may take unless the spec says otherwise. `pre_start` does no network I/O, so
/// whoever needs longer is stuck.
pub const DEFAULT_START_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a child may take to stop unless the spec says otherwise.
pub const DEFAULT_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// How many children one supervisor holds unless its spec says otherwise.
pub const DEFAULT_MAX_CHILDREN: usize = 4096;

/// The name of a child among the children of one supervisor.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChildId(Arc<str>);

impl ChildId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Arc<str>>> From<T> for ChildId {
    fn from(name: T) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Which ends of a child are followed by a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// Every end.
    #[default]
    Permanent,
    /// Failures, panics and kills; a child that stops by itself stays listed as stopped.
    Transient,
    /// None: an ended child is forgotten, and is not started again with its supervisor either.
    Temporary,
}

/// How a child is made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// It handles the messages it has, then runs `post_stop`; killed when that takes longer.
    Drain(Duration),
    /// It finishes the message it is handling, then runs `post_stop`; killed when that takes longer.
    Stop(Duration),
    /// As `Stop`, without a limit. For supervisors, whose children have limits of their own.
    StopUnbounded,
    /// It ends at its next await, without `post_stop`.
    Kill,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::Stop(DEFAULT_SHUTDOWN_TIMEOUT)
    }
}

/// Why an actor did not start.
pub type StartError = ActorProcessingErr;

/// One start on its way to a running actor.
pub type StartFuture = BoxFuture<'static, Result<ActorCell, StartError>>;

/// Starts a child as an actor linked to the given supervisor.
pub type Starter = Arc<dyn Fn(ActorCell) -> StartFuture + Send + Sync>;

/// Is told that an actor is going down, before it is asked to.
type DownHook = Arc<dyn Fn(ActorId) + Send + Sync>;

/// One child: its name, how it starts, and its policies.
#[derive(Clone)]
pub struct ChildSpec {
    pub(crate) id: ChildId,
    pub(crate) start: Starter,
    pub(crate) restart: Restart,
    pub(crate) backoff: Backoff,
    pub(crate) intensity: Intensity,
    pub(crate) shutdown: Shutdown,
    pub(crate) start_timeout: Option<Duration>,
    pub(crate) down: Option<DownHook>,
}

impl ChildSpec {
    /// A child that `start` starts, with default policies.
    ///
    /// `start` must link the actor to the supervisor it is given, without a name, and await
    /// nothing after the actor is spawned: a start that is cut short there would leave an actor
    /// that nobody stops until its supervisor does.
    pub fn new<F>(id: impl Into<ChildId>, start: F) -> Self
    where
        F: Fn(ActorCell) -> StartFuture + Send + Sync + 'static,
    {
        Self {
            id: id.into(),
            start: Arc::new(start),
            restart: Restart::default(),
            backoff: Backoff::default(),
            intensity: Intensity::default(),
            shutdown: Shutdown::default(),
            start_timeout: Some(DEFAULT_START_TIMEOUT),
            down: None,
        }
    }

    /// A child made anew by `make` for each start. See [`ChildSpec::in_slot`] to send to it.
    pub fn actor<A, F>(id: impl Into<ChildId>, make: F) -> Self
    where
        A: Actor,
        F: Fn() -> (A, A::Arguments) + Send + Sync + 'static,
    {
        Self::new(id, move |supervisor| {
            let (actor, arguments) = make();
            Box::pin(async move {
                let (actor, _) = A::spawn_linked(None, actor, arguments, supervisor).await?;
                Ok(actor.get_cell())
            })
        })
    }

    /// The name of the child.
    pub const fn id(&self) -> &ChildId {
        &self.id
    }

    /// Sets which ends are followed by a restart.
    #[must_use]
    pub const fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// Sets how long restarts wait.
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets how many restarts are too many.
    #[must_use]
    pub const fn intensity(mut self, intensity: Intensity) -> Self {
        self.intensity = intensity;
        self
    }

    /// Sets how the child is made to end.
    #[must_use]
    pub const fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Sets how long a start may take before it counts as failed.
    #[must_use]
    pub const fn start_timeout(mut self, start_timeout: Duration) -> Self {
        self.start_timeout = Some(start_timeout);
        self
    }

    /// Lets a start take as long as it takes. For supervisors, whose children have limits.
    #[must_use]
    pub(crate) const fn start_unbounded(mut self) -> Self {
        self.start_timeout = None;
        self
    }

    /// Has `hook` told, synchronously, each time an actor of this child is going down.
    #[must_use]
    pub(crate) fn on_down(mut self, hook: impl Fn(ActorId) + Send + Sync + 'static) -> Self {
        self.down = Some(Arc::new(hook));
        self
    }
}

impl fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildSpec")
            .field("id", &self.id)
            .field("restart", &self.restart)
            .field("backoff", &self.backoff)
            .field("intensity", &self.intensity)
            .field("shutdown", &self.shutdown)
            .field("start_timeout", &self.start_timeout)
            .finish_non_exhaustive()
    }
}

/// One supervisor: the children it begins with, in the order of their start, and its limits.
///
/// Clones share the list of children. Children added to the running supervisor join the list and
/// removed ones leave it, so that a supervisor that is itself restarted has the children it had.
#[derive(Clone, Debug)]
pub struct SupervisorSpec {
    pub(crate) name: Arc<str>,
    pub(crate) roster: Roster,
    pub(crate) max_children: usize,
    pub(crate) jitter_seed: Option<u64>,
}

impl SupervisorSpec {
    /// A supervisor without children. The name is for logs; it is registered nowhere.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            roster: Roster::default(),
            max_children: DEFAULT_MAX_CHILDREN,
            jitter_seed: None,
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a child to begin with, started after those added before.
    #[must_use]
    pub fn child(self, spec: ChildSpec) -> Self {
        self.roster.with(|children| children.push(spec));
        self
    }

    /// Sets how many children the supervisor holds at most, running or not.
    #[must_use]
    pub const fn max_children(mut self, max_children: usize) -> Self {
        self.max_children = max_children;
        self
    }

    /// Makes the jitter of restarts the same in every run.
    #[must_use]
    pub const fn jitter_seed(mut self, seed: u64) -> Self {
        self.jitter_seed = Some(seed);
        self
    }
}

/// The specs a supervisor starts with when it is started or restarted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster(Arc<Mutex<Vec<ChildSpec>>>);

impl Roster {
    /// Runs `change` on the specs. A poisoned lock is taken all the same: the list is never left
    /// half changed.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Vec<ChildSpec>) -> T) -> T {
        change(
            &mut self
                .0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    /// Takes the child of that name off the list.
    pub(crate) fn remove(&self, id: &ChildId) {
        self.with(|children| children.retain(|spec| spec.id != *id));
    }
}
