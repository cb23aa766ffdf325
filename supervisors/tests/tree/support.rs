//! A worker that fails on command, and a journal of what all workers did and when.

use keymesh_supervisors::{Backoff, ChildSpec, ChildState, ChildStatus, Slot, SupervisorHandle};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;

/// Longer than anything takes that does not wait on purpose, shorter than any delay in the tests.
pub const TICK: Duration = Duration::from_millis(5);

/// Lets everything happen that is due.
pub async fn settle() {
    tokio::time::sleep(TICK).await;
}

/// What happened, with the milliseconds since the journal was opened.
#[derive(Clone)]
pub struct Journal {
    opened: Instant,
    entries: Arc<Mutex<Vec<(u64, String)>>>,
}

impl Journal {
    pub fn open() -> Self {
        Self {
            opened: Instant::now(),
            entries: Arc::default(),
        }
    }

    pub fn write(&self, what: String) {
        let at = u64::try_from(self.opened.elapsed().as_millis()).unwrap();
        self.entries.lock().unwrap().push((at, what));
    }

    /// What happened, in order.
    pub fn lines(&self) -> Vec<String> {
        let entries = self.entries.lock().unwrap();
        entries.iter().map(|(_, what)| what.clone()).collect()
    }

    /// When that happened, each time.
    pub fn times_of(&self, what: &str) -> Vec<u64> {
        let entries = self.entries.lock().unwrap();
        let times = entries.iter().filter(|(_, entry)| entry == what);
        times.map(|&(at, _)| at).collect()
    }

    pub fn clear(&self) {
        self.entries.lock().unwrap().clear();
    }
}

/// What a start of a worker does.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Start {
    #[default]
    Works,
    Panics,
    PanicsAfterwards,
    Fails,
    Takes(Duration),
}

#[derive(Debug)]
pub enum Order {
    Panic,
    Fail,
    Quit,
    /// Handle this message for so long.
    Work(Duration),
    Ping(RpcReplyPort<()>),
}

/// One kind of worker: its name, its script, and the address of its current actor.
#[derive(Clone)]
pub struct Role {
    pub name: &'static str,
    pub slot: Slot<Order>,
    pub start: Arc<Mutex<Start>>,
    pub stop_takes: Duration,
    journal: Journal,
}

impl Role {
    pub fn new(name: &'static str, journal: &Journal) -> Self {
        Self {
            name,
            slot: Slot::new(),
            start: Arc::default(),
            stop_takes: Duration::ZERO,
            journal: journal.clone(),
        }
    }

    /// What all further starts do.
    pub fn starts(&self, start: Start) -> &Self {
        *self.start.lock().unwrap() = start;
        self
    }

    pub fn stop_takes(mut self, time: Duration) -> Self {
        self.stop_takes = time;
        self
    }

    /// A permanent child of this role, with delays free of jitter.
    pub fn spec(&self) -> ChildSpec {
        let role = self.clone();
        ChildSpec::in_slot(self.name, self.slot.clone(), move || (Worker, role.clone()))
            .backoff(Backoff::default().with_jitter_percent(0).unwrap())
    }

    pub fn order(&self, order: Order) {
        self.slot.cast(order).unwrap();
    }

    /// Gives the order and lets it have its effect.
    pub async fn obey(&self, order: Order) {
        self.order(order);
        settle().await;
    }

    /// Asks whoever has the role for a sign of life.
    pub async fn answers(&self) -> bool {
        let actor = self.slot.actor().expect("nobody has the role");
        actor.call(Order::Ping, None).await.unwrap().is_success()
    }

    fn write(&self, what: &str) {
        self.journal.write(format!("{} {what}", self.name));
    }
}

pub struct Worker;

impl Actor for Worker {
    type Msg = Order;
    type State = Role;
    type Arguments = Role;

    async fn pre_start(&self, _: ActorRef<Order>, role: Role) -> Result<Role, ActorProcessingErr> {
        role.write("starts");
        let start = *role.start.lock().unwrap();
        match start {
            Start::Works | Start::PanicsAfterwards => {}
            Start::Panics => panic!("told to panic while starting"),
            Start::Fails => return Err("told to fail while starting".into()),
            Start::Takes(time) => {
                tokio::time::sleep(time).await;
                role.write("took its time");
            }
        }
        Ok(role)
    }

    async fn post_start(
        &self,
        _: ActorRef<Order>,
        role: &mut Role,
    ) -> Result<(), ActorProcessingErr> {
        let start = *role.start.lock().unwrap();
        assert!(
            start != Start::PanicsAfterwards,
            "told to panic after the start"
        );
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Order>,
        order: Order,
        role: &mut Role,
    ) -> Result<(), ActorProcessingErr> {
        match order {
            Order::Panic => panic!("told to panic"),
            Order::Fail => return Err("told to fail".into()),
            Order::Quit => myself.stop(None),
            Order::Work(time) => {
                tokio::time::sleep(time).await;
                role.write("worked");
            }
            Order::Ping(reply) => reply.send(()).unwrap(),
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Order>,
        role: &mut Role,
    ) -> Result<(), ActorProcessingErr> {
        tokio::time::sleep(role.stop_takes).await;
        role.write("stops");
        Ok(())
    }
}

/// What the supervisor tells about one child.
pub async fn status(handle: &SupervisorHandle, name: &str) -> ChildStatus {
    let children = handle.children().await.unwrap();
    let found = children.into_iter().find(|child| child.id.as_str() == name);
    found.expect("no such child")
}

/// The names of all children, in order.
pub async fn names(handle: &SupervisorHandle) -> Vec<String> {
    let children = handle.children().await.unwrap();
    children.iter().map(|child| child.id.to_string()).collect()
}

pub async fn is_running(handle: &SupervisorHandle, name: &str) -> bool {
    matches!(status(handle, name).await.state, ChildState::Running { .. })
}

pub async fn is_backing_off(handle: &SupervisorHandle, name: &str) -> bool {
    matches!(
        status(handle, name).await.state,
        ChildState::BackingOff { .. }
    )
}
