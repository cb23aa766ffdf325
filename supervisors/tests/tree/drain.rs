//! Going down in order.

use crate::support::*;
use keymesh_supervisors::{Ended, Root, Shutdown, SupervisorError, SupervisorSpec};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn children_stop_one_by_one_in_reverse_order_and_run_post_stop() {
    let journal = Journal::open();
    let roles = ["a", "b", "c"].map(|name| Role::new(name, &journal).stop_takes(SECOND));
    let spec = roles
        .iter()
        .fold(SupervisorSpec::new("root"), |spec, role| {
            spec.child(role.spec())
        });
    let Root { handle, ended } = spec.spawn().await.unwrap();
    let added = Role::new("added", &journal).stop_takes(SECOND);
    handle.add(added.spec()).await.unwrap();
    journal.clear();
    handle.shutdown().await;
    assert_eq!(
        journal.lines(),
        ["added stops", "c stops", "b stops", "a stops"]
    );
    let first = journal.times_of("added stops")[0];
    let after = journal.times_of("a stops")[0] - first;
    assert!((3000..3020).contains(&after), "{after}");
    assert_eq!(ended.await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn draining_children_handle_what_they_have_and_stopping_ones_do_not() {
    let journal = Journal::open();
    let [drains, stops] = ["drains", "stops"].map(|name| Role::new(name, &journal));
    let spec = SupervisorSpec::new("root")
        .child(drains.spec().shutdown(Shutdown::Drain(10 * SECOND)))
        .child(stops.spec().shutdown(Shutdown::Stop(10 * SECOND)));
    let handle = spec.spawn().await.unwrap().handle;
    for role in [&drains, &stops] {
        for _ in 0..5 {
            role.order(Order::Work(SECOND));
        }
    }
    handle.shutdown().await;
    assert_eq!(journal.times_of("drains worked").len(), 5);
    assert!(journal.times_of("stops worked").len() <= 1);
    assert_eq!(journal.lines().last().unwrap(), "drains stops");
    assert_eq!(journal.times_of("stops stops").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stuck_child_is_killed_in_time_and_the_others_still_drain() {
    let journal = Journal::open();
    let [a, stuck, b] = ["a", "stuck", "b"].map(|name| Role::new(name, &journal));
    let spec = SupervisorSpec::new("root")
        .child(a.spec())
        .child(stuck.spec().shutdown(Shutdown::Drain(3 * SECOND)))
        .child(b.spec());
    let handle = spec.spawn().await.unwrap().handle;
    stuck.obey(Order::Work(3600 * SECOND)).await;
    journal.clear();
    let begun = tokio::time::Instant::now();
    handle.shutdown().await;
    assert_eq!(journal.lines(), ["b stops", "a stops"]);
    let took = begun.elapsed();
    assert!(took >= 3 * SECOND && took < 4 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_child_that_fails_while_it_stops_does_not_hold_the_others_up() {
    let journal = Journal::open();
    let [a, b] = ["a", "b"].map(|name| Role::new(name, &journal));
    let spec = SupervisorSpec::new("root")
        .child(a.spec())
        .child(b.spec().shutdown(Shutdown::Drain(10 * SECOND)));
    let Root { handle, ended } = spec.spawn().await.unwrap();
    b.order(Order::Work(SECOND));
    b.order(Order::Panic);
    settle().await;
    handle.shutdown().await;
    assert_eq!(
        journal.lines(),
        ["a starts", "b starts", "b worked", "a stops"]
    );
    assert_eq!(ended.await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_while_the_supervisor_drains() {
    let journal = Journal::open();
    let [slow, failed, starting] =
        ["slow", "failed", "starting"].map(|name| Role::new(name, &journal));
    let spec = SupervisorSpec::new("root")
        .child(failed.spec())
        .child(starting.spec())
        .child(slow.clone().stop_takes(4 * SECOND).spec());
    let handle = spec.spawn().await.unwrap().handle;
    starting.starts(Start::Takes(2 * SECOND));
    starting.order(Order::Panic);
    tokio::time::sleep(SECOND).await;
    failed.obey(Order::Panic).await;
    assert!(is_backing_off(&handle, "failed").await);
    journal.clear();
    handle.shutdown().await;
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(journal.lines(), ["slow stops"]);
    assert!(starting.slot.is_empty() && failed.slot.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_removal_under_way_ends_well_during_the_drain() {
    let journal = Journal::open();
    let role = Role::new("a", &journal).stop_takes(SECOND);
    let spec = SupervisorSpec::new("root").child(role.spec());
    let handle = spec.spawn().await.unwrap().handle;
    let (removed, ()) = tokio::join!(handle.remove("a"), async {
        settle().await;
        handle.shutdown().await;
    });
    assert_eq!(removed, Ok(()));
    assert_eq!(journal.lines(), ["a starts", "a stops"]);
}

#[tokio::test(start_paused = true)]
async fn requests_during_the_drain_are_answered_down() {
    let role = Role::new("a", &Journal::open()).stop_takes(SECOND);
    let spec = SupervisorSpec::new("root").child(role.spec());
    let handle = spec.spawn().await.unwrap().handle;
    let (asked, ()) = tokio::join!(
        async {
            settle().await;
            handle.children().await
        },
        handle.shutdown()
    );
    assert_eq!(asked, Err(SupervisorError::Down));
}

#[tokio::test(start_paused = true)]
async fn a_killed_root_is_told_as_a_crash() {
    let Root { handle, ended } = SupervisorSpec::new("root").spawn().await.unwrap();
    handle.supervisor().unwrap().kill();
    assert_eq!(ended.await.unwrap(), Err(Ended::Crashed));
}
