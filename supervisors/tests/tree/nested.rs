//! Supervisors below supervisors.

use crate::support::*;
use keymesh_supervisors::{
    Ended, Intensity, Restart, Root, SupervisorError, SupervisorHandle, SupervisorSpec,
};
use std::time::Duration;

const ONE_A_MINUTE: Intensity = Intensity::Limited {
    max_restarts: 1,
    within: Duration::from_secs(60),
};

/// root: first, middle (inner, deep (deepest)), last.
async fn deep_tree(journal: &Journal) -> Root {
    let role = |name| Role::new(name, journal).stop_takes(Duration::from_secs(3));
    let (deep, _) = SupervisorSpec::new("deep")
        .child(role("deepest").spec())
        .into_child();
    let (middle, _) = SupervisorSpec::new("middle")
        .child(role("inner").spec())
        .child(deep)
        .into_child();
    let spec = SupervisorSpec::new("root")
        .child(role("first").spec())
        .child(middle)
        .child(role("last").spec());
    spec.spawn().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn nested_supervisors_drain_depth_first() {
    let journal = Journal::open();
    let root = deep_tree(&journal).await;
    journal.clear();
    root.handle.shutdown().await;
    let expected = ["last stops", "deepest stops", "inner stops", "first stops"];
    assert_eq!(journal.lines(), expected);
    assert_eq!(root.ended.await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn removing_a_nested_supervisor_drains_it() {
    let journal = Journal::open();
    let root = deep_tree(&journal).await;
    journal.clear();
    root.handle.remove("middle").await.unwrap();
    assert_eq!(journal.lines(), ["deepest stops", "inner stops"]);
    assert_eq!(names(&root.handle).await, ["first", "last"]);
}

/// A root with a sibling and a nested supervisor whose child may be restarted once a minute.
async fn fragile_tree(journal: &Journal) -> (Role, SupervisorHandle, Root) {
    let [sibling, child] = ["sibling", "child"].map(|name| Role::new(name, journal));
    let (nested, inner) = SupervisorSpec::new("nested")
        .child(child.spec().intensity(ONE_A_MINUTE))
        .into_child();
    let spec = SupervisorSpec::new("root")
        .child(sibling.spec())
        .child(nested.intensity(ONE_A_MINUTE));
    (child, inner, spec.spawn().await.unwrap())
}

/// Lets the child fail once more than its intensity allows.
async fn exhaust(child: &Role) {
    for _ in 0..2 {
        child.order(Order::Panic);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_escalation_restarts_the_nested_supervisor_and_not_its_siblings() {
    let journal = Journal::open();
    let (child, inner, root) = fragile_tree(&journal).await;
    let before = inner.supervisor().unwrap();
    exhaust(&child).await;
    let told = status(&root.handle, "nested").await;
    assert_eq!(told.restarts, 1);
    assert!(
        told.last_exit
            .unwrap()
            .contains("child child failed too often")
    );
    assert_eq!(status(&root.handle, "sibling").await.restarts, 0);
    // The handle of before talks to the supervisor of now, whose count begins anew.
    assert_ne!(inner.supervisor().unwrap(), before);
    assert!(is_running(&inner, "child").await && child.answers().await);
    assert_eq!(status(&inner, "child").await.restarts, 0);
}

#[tokio::test(start_paused = true)]
async fn escalations_climb_to_the_root() {
    let journal = Journal::open();
    let (child, _, root) = fragile_tree(&journal).await;
    exhaust(&child).await;
    exhaust(&child).await;
    match root.ended.await.unwrap() {
        Err(Ended::Escalated { child, reason, .. }) => {
            assert_eq!(child.as_str(), "nested");
            assert!(reason.contains("told to panic"), "{reason}");
        }
        ended => panic!("{ended:?}"),
    }
    assert_eq!(journal.lines().last().unwrap(), "sibling stops");
}

#[tokio::test(start_paused = true)]
async fn a_restarted_supervisor_has_the_children_it_had() {
    let journal = Journal::open();
    let (_, inner, root) = fragile_tree(&journal).await;
    let [kept, removed, temporary] =
        ["kept", "removed", "temporary"].map(|name| Role::new(name, &journal));
    inner.add(kept.spec()).await.unwrap();
    inner.add(removed.spec()).await.unwrap();
    let spec = temporary.spec().restart(Restart::Temporary);
    inner.add(spec).await.unwrap();
    inner.remove("removed").await.unwrap();
    inner.supervisor().unwrap().kill();
    settle().await;
    assert_eq!(inner.children().await, Err(SupervisorError::Down));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(names(&inner).await, ["child", "kept"]);
    assert!(kept.answers().await);
    assert_eq!(status(&root.handle, "nested").await.restarts, 1);
}

#[tokio::test(start_paused = true)]
async fn a_first_start_that_fails_deep_down_fails_the_root() {
    let journal = Journal::open();
    let [above, child] = ["above", "child"].map(|name| Role::new(name, &journal));
    child.starts(Start::Panics);
    let (nested, inner) = SupervisorSpec::new("nested")
        .child(child.spec())
        .into_child();
    let spec = SupervisorSpec::new("root")
        .child(above.spec())
        .child(nested);
    let error = spec.spawn().await.unwrap_err().to_string();
    assert!(error.contains("child nested did not start"), "{error}");
    assert!(error.contains("child child did not start"), "{error}");
    assert_eq!(
        journal.lines(),
        ["above starts", "child starts", "above stops"]
    );
    assert!(inner.supervisor().is_none());
}

/// A nested supervisor that is being added and has started the first of its two children.
async fn half_started(journal: &Journal) -> (SupervisorHandle, AddTask) {
    let [quick, slow] = ["quick", "slow"].map(|name| Role::new(name, journal));
    slow.starts(Start::Takes(Duration::from_secs(10)));
    let (nested, _) = SupervisorSpec::new("nested")
        .child(quick.spec())
        .child(slow.spec())
        .into_child();
    let root = SupervisorSpec::new("root").spawn().await.unwrap();
    let adding = tokio::spawn({
        let handle = root.handle.clone();
        async move { handle.add(nested).await }
    });
    settle().await;
    (root.handle, adding)
}

type AddTask = tokio::task::JoinHandle<Result<ractor::ActorCell, SupervisorError>>;

const HALF_STARTED_THEN_STOPPED: [&str; 5] = [
    "quick starts",
    "slow starts",
    "slow took its time",
    "slow stops",
    "quick stops",
];

#[tokio::test(start_paused = true)]
async fn a_nested_supervisor_removed_during_its_start_stops_what_it_started() {
    let journal = Journal::open();
    let (handle, adding) = half_started(&journal).await;
    handle.remove("nested").await.unwrap();
    let refused = SupervisorError::RemovedDuringStart("nested".into());
    assert_eq!(adding.await.unwrap(), Err(refused));
    assert_eq!(journal.lines(), HALF_STARTED_THEN_STOPPED);
}

#[tokio::test(start_paused = true)]
async fn a_drain_during_the_start_of_a_nested_supervisor_stops_what_it_started() {
    let journal = Journal::open();
    let (handle, adding) = half_started(&journal).await;
    handle.shutdown().await;
    assert_eq!(adding.await.unwrap(), Err(SupervisorError::Down));
    assert_eq!(journal.lines(), HALF_STARTED_THEN_STOPPED);
}

#[tokio::test(start_paused = true)]
async fn a_kill_during_the_start_of_a_nested_supervisor_leaves_nobody_behind() {
    let journal = Journal::open();
    let (handle, adding) = half_started(&journal).await;
    handle.supervisor().unwrap().kill();
    assert_eq!(adding.await.unwrap(), Err(SupervisorError::Down));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(journal.lines(), ["quick starts", "slow starts"]);
}
