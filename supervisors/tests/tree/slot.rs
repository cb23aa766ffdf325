//! Addresses that survive restarts.

use crate::support::*;
use keymesh_supervisors::{Shutdown, Slot, SlotError, SupervisorHandle, SupervisorSpec};
use std::time::Duration;

async fn tree(role: &Role) -> SupervisorHandle {
    let spec = role
        .spec()
        .shutdown(Shutdown::Drain(Duration::from_secs(5)));
    let root = SupervisorSpec::new("root").child(spec).spawn().await;
    root.unwrap().handle
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_empty_during_backoff_and_refilled_by_the_restart() {
    let role = Role::new("a", &Journal::open());
    let refused = role.slot.cast(Order::Quit).unwrap_err();
    assert!(matches!(refused, SlotError::Empty(Order::Quit)));
    let _handle = tree(&role).await;
    let before = role.slot.actor().unwrap();
    role.obey(Order::Panic).await;
    let refused = role.slot.cast(Order::Quit).unwrap_err();
    assert!(matches!(refused.into_message(), Order::Quit));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(role.answers().await);
    assert_ne!(role.slot.actor().unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_empty_before_its_actor_stops() {
    let role = Role::new("a", &Journal::open()).stop_takes(Duration::from_secs(1));
    let handle = tree(&role).await;
    let (removed, ()) = tokio::join!(handle.remove("a"), async {
        settle().await;
        assert!(role.slot.is_empty());
        assert!(matches!(
            role.slot.cast(Order::Quit),
            Err(SlotError::Empty(_))
        ));
    });
    removed.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_died_hands_messages_back() {
    let journal = Journal::open();
    let role = Role::new("a", &journal);
    let (actor, task) = ractor::Actor::spawn(None, Worker, role).await.unwrap();
    let slot = Slot::new();
    slot.fill(actor.clone());
    actor.stop(None);
    task.await.unwrap();
    let refused = slot.cast(Order::Quit).unwrap_err();
    assert!(matches!(refused, SlotError::Down(Order::Quit)));
}

#[tokio::test(start_paused = true)]
async fn nobody_vacates_the_slot_of_a_successor() {
    let role = Role::new("a", &Journal::open());
    let (former, _) = ractor::Actor::spawn(None, Worker, role.clone())
        .await
        .unwrap();
    let (latter, _) = ractor::Actor::spawn(None, Worker, role).await.unwrap();
    let slot = Slot::new();
    slot.fill(former.clone());
    slot.fill(latter.clone());
    slot.vacate(former.get_id());
    assert_eq!(slot.actor(), Some(latter.clone()));
    slot.vacate(latter.get_id());
    assert!(slot.is_empty());
}
