//! Late reports: what a timer or task tells of a child that has moved on.
//!
//! An aborted timer may have put its message into the mailbox already. Such a race cannot be
//! arranged from outside, so here the message is sent by hand.

use super::{Reported, report};
use crate::{
    Backoff, ChildSpec, ChildState, Intensity, Root, SupervisorHandle, SupervisorSpec,
    child::Generation,
};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef};
use std::time::Duration;
use tokio::time::Instant;

/// An actor that panics at every message.
struct Fragile;

impl Actor for Fragile {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<()>,
        (): (),
        _: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        panic!("fragile");
    }
}

const HOUR: Duration = Duration::from_secs(3600);

fn fragile() -> ChildSpec {
    let backoff = Backoff::new(HOUR, HOUR).unwrap();
    ChildSpec::actor("fragile", || (Fragile, ()))
        .intensity(Intensity::Unlimited)
        .backoff(backoff.with_jitter_percent(0).unwrap())
}

async fn tree() -> SupervisorHandle {
    let Root { handle, .. } = SupervisorSpec::new("root")
        .child(fragile())
        .spawn()
        .await
        .unwrap();
    handle
}

async fn actor(handle: &SupervisorHandle) -> Option<ActorCell> {
    handle.child("fragile").await.unwrap()
}

async fn state(handle: &SupervisorHandle) -> ChildState {
    handle.children().await.unwrap()[0].state
}

/// Fails the child and returns when its supervisor knows.
async fn fail(handle: &SupervisorHandle) {
    let actor = actor(handle).await.unwrap();
    actor.send_message(()).unwrap();
    actor.wait(None).await.unwrap();
    assert!(matches!(state(handle).await, ChildState::BackingOff { .. }));
}

fn send(handle: &SupervisorHandle, generation: u64, reported: Reported) {
    handle
        .slot()
        .cast(report(Generation(generation), reported))
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_timer_of_an_earlier_backoff_is_ignored() {
    let handle = tree().await; // generation 1: the first start
    fail(&handle).await; // generation 2: the first backoff
    tokio::time::sleep(HOUR + Duration::from_secs(1)).await; // generation 3: the restart
    fail(&handle).await; // generation 4: the second backoff
    let until = Instant::now() + HOUR;
    for earlier in 0..4 {
        send(&handle, earlier, Reported::RestartDue);
        assert_eq!(state(&handle).await, ChildState::BackingOff { until });
    }
    send(&handle, 4, Reported::RestartDue);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(matches!(state(&handle).await, ChildState::Running { .. }));
}

#[tokio::test(start_paused = true)]
async fn the_timer_of_a_removed_child_does_not_touch_its_successor() {
    let handle = tree().await;
    fail(&handle).await;
    handle.remove("fragile").await.unwrap();
    let successor = handle.add(fragile()).await.unwrap();
    fail(&handle).await;
    let before = state(&handle).await;
    send(&handle, 2, Reported::RestartDue);
    assert_eq!(state(&handle).await, before);
    tokio::time::sleep(HOUR + Duration::from_secs(1)).await;
    assert_ne!(actor(&handle).await.unwrap(), successor);
}

#[tokio::test(start_paused = true)]
async fn no_report_of_whatever_age_disturbs_a_running_child() {
    let handle = tree().await;
    let running = actor(&handle).await;
    for generation in 0..20 {
        send(&handle, generation, Reported::RestartDue);
        send(&handle, generation, Reported::Down);
        send(&handle, generation, Reported::Started(Err("late".into())));
    }
    assert_eq!(actor(&handle).await, running);
    assert_eq!(handle.children().await.unwrap()[0].restarts, 0);
}
