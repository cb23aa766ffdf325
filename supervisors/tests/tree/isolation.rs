//! What a child does to its siblings: nothing.

use crate::support::*;
use keymesh_supervisors::{Intensity, Shutdown, SupervisorSpec};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_flapping_child_neither_stops_nor_restarts_its_siblings() {
    let journal = Journal::open();
    let [before, flapper, after] =
        ["before", "flapper", "after"].map(|name| Role::new(name, &journal));
    let spec = SupervisorSpec::new("root")
        .child(before.spec())
        .child(flapper.spec().intensity(Intensity::Unlimited))
        .child(after.spec());
    let handle = spec.spawn().await.unwrap().handle;
    let actors = [before.slot.actor(), after.slot.actor()];
    for start in [
        Start::PanicsAfterwards,
        Start::Panics,
        Start::Fails,
        Start::Works,
    ] {
        flapper.starts(start);
        if !flapper.slot.is_empty() {
            flapper.order(Order::Panic);
        }
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert!(before.answers().await && after.answers().await);
    }
    assert!(flapper.answers().await);
    assert!(status(&handle, "flapper").await.restarts > 15);
    assert_eq!(actors, [before.slot.actor(), after.slot.actor()]);
    for sibling in ["before", "after"] {
        let told = status(&handle, sibling).await;
        assert_eq!((told.restarts, told.last_exit), (0, None));
        assert_eq!(journal.times_of(&format!("{sibling} starts")), [0]);
        assert!(journal.times_of(&format!("{sibling} stops")).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_child_that_starts_or_stops_slowly_holds_nobody_up() {
    let journal = Journal::open();
    let [slow, quick, added] = ["slow", "quick", "added"].map(|name| Role::new(name, &journal));
    let slow = slow.stop_takes(Duration::from_secs(20));
    let spec = SupervisorSpec::new("root")
        .child(
            slow.spec()
                .shutdown(Shutdown::Stop(Duration::from_secs(30))),
        )
        .child(quick.spec());
    let handle = spec.spawn().await.unwrap().handle;

    slow.starts(Start::Takes(Duration::from_secs(20)));
    slow.order(Order::Panic);
    quick.order(Order::Panic);
    tokio::time::sleep(Duration::from_millis(100) + TICK).await;
    assert!(!is_running(&handle, "slow").await && is_running(&handle, "quick").await);
    handle.add(added.spec()).await.unwrap();
    assert!(!is_running(&handle, "slow").await);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(is_running(&handle, "slow").await);

    let removal = tokio::spawn({
        let handle = handle.clone();
        async move { handle.remove("slow").await }
    });
    quick.obey(Order::Panic).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    handle.remove("added").await.unwrap();
    assert!(is_running(&handle, "quick").await && !removal.is_finished());
    removal.await.unwrap().unwrap();
    assert_eq!(names(&handle).await, ["quick"]);
}
