//! Children that come and go.

use crate::support::*;
use keymesh_supervisors::{
    ChildState, Restart, Root, Shutdown, SupervisorError, SupervisorHandle, SupervisorSpec,
};
use std::time::Duration;

async fn empty() -> SupervisorHandle {
    SupervisorSpec::new("root").spawn().await.unwrap().handle
}

#[tokio::test(start_paused = true)]
async fn a_child_is_added_found_and_removed() {
    let journal = Journal::open();
    let [a, b] = ["a", "b"].map(|name| Role::new(name, &journal));
    let handle = empty().await;
    let actor = handle.add(a.spec()).await.unwrap();
    handle.add(b.spec()).await.unwrap();
    assert_eq!(handle.child("a").await, Ok(Some(actor)));
    assert_eq!(names(&handle).await, ["a", "b"]);
    handle.remove("a").await.unwrap();
    assert_eq!(journal.lines(), ["a starts", "b starts", "a stops"]);
    let unknown = SupervisorError::Unknown("a".into());
    assert_eq!(handle.child("a").await, Err(unknown.clone()));
    assert_eq!(handle.remove("a").await, Err(unknown));
    assert_eq!(names(&handle).await, ["b"]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(journal.times_of("a starts").len(), 1);
    handle.add(a.spec()).await.unwrap();
    assert!(a.answers().await);
}

#[tokio::test(start_paused = true)]
async fn an_added_child_is_restarted_like_any_other() {
    let role = Role::new("a", &Journal::open());
    let handle = empty().await;
    handle.add(role.spec()).await.unwrap();
    role.obey(Order::Panic).await;
    assert!(is_backing_off(&handle, "a").await);
    assert_eq!(handle.child("a").await, Ok(None));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(is_running(&handle, "a").await && role.answers().await);
}

#[tokio::test(start_paused = true)]
async fn a_removed_child_stays_down_during_backoff() {
    let journal = Journal::open();
    let role = Role::new("a", &journal);
    let handle = empty().await;
    handle.add(role.spec()).await.unwrap();
    role.obey(Order::Panic).await;
    assert!(is_backing_off(&handle, "a").await);
    handle.remove("a").await.unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(names(&handle).await.is_empty());
    assert_eq!(journal.times_of("a starts"), [0]);
    assert!(role.slot.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_removed_child_stays_down_during_a_restart() {
    let journal = Journal::open();
    let role = Role::new("a", &journal);
    let handle = empty().await;
    handle.add(role.spec()).await.unwrap();
    role.starts(Start::Takes(Duration::from_secs(10)));
    role.order(Order::Panic);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(status(&handle, "a").await.state, ChildState::Starting);
    handle.remove("a").await.unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(names(&handle).await.is_empty() && role.slot.is_empty());
    assert_eq!(journal.times_of("a starts").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_child_removed_while_it_is_added_is_refused_to_who_adds_it() {
    let role = Role::new("a", &Journal::open());
    role.starts(Start::Takes(Duration::from_secs(10)));
    let handle = empty().await;
    let adding = tokio::spawn({
        let (handle, spec) = (handle.clone(), role.spec());
        async move { handle.add(spec).await }
    });
    settle().await;
    handle.remove("a").await.unwrap();
    let refused = SupervisorError::RemovedDuringStart("a".into());
    assert_eq!(adding.await.unwrap(), Err(refused));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(names(&handle).await.is_empty() && role.slot.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stopped_child_can_be_removed() {
    let role = Role::new("a", &Journal::open());
    let handle = empty().await;
    let spec = role.spec().restart(Restart::Transient);
    handle.add(spec).await.unwrap();
    role.obey(Order::Quit).await;
    assert_eq!(status(&handle, "a").await.state, ChildState::Stopped);
    handle.remove("a").await.unwrap();
    assert!(names(&handle).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn removal_uses_the_shutdown_of_the_child() {
    let second = Duration::from_secs(1);
    let cases: [(Shutdown, &[&str]); 4] = [
        (
            Shutdown::Drain(5 * second),
            &["a worked", "a worked", "a stops"],
        ),
        (Shutdown::Stop(5 * second), &["a worked", "a stops"]),
        (Shutdown::Stop(second / 2), &[]),
        (Shutdown::Kill, &[]),
    ];
    for (shutdown, expected) in cases {
        let journal = Journal::open();
        let role = Role::new("a", &journal);
        let handle = empty().await;
        handle.add(role.spec().shutdown(shutdown)).await.unwrap();
        role.order(Order::Work(second));
        role.order(Order::Work(second));
        settle().await;
        journal.clear();
        handle.remove("a").await.unwrap();
        assert_eq!(journal.lines(), expected, "{shutdown:?}");
        assert!(names(&handle).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn everyone_who_removes_a_child_learns_that_it_is_down() {
    let journal = Journal::open();
    let role = Role::new("a", &journal).stop_takes(Duration::from_secs(1));
    let handle = empty().await;
    handle.add(role.spec()).await.unwrap();
    let (one, other) = tokio::join!(handle.remove("a"), handle.remove("a"));
    assert_eq!((one, other), (Ok(()), Ok(())));
    assert_eq!(journal.lines(), ["a starts", "a stops"]);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_does_not_start_is_not_kept() {
    let role = Role::new("a", &Journal::open());
    let handle = empty().await;
    for start in [
        Start::Panics,
        Start::Fails,
        Start::Takes(Duration::from_secs(60)),
    ] {
        role.starts(start);
        let refused = handle.add(role.spec()).await.unwrap_err();
        assert!(
            matches!(refused, SupervisorError::StartFailed { .. }),
            "{refused}"
        );
        assert!(names(&handle).await.is_empty());
    }
    role.starts(Start::Works);
    handle.add(role.spec()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_name_is_taken_once() {
    let role = Role::new("a", &Journal::open()).stop_takes(Duration::from_secs(1));
    let handle = empty().await;
    handle.add(role.spec()).await.unwrap();
    let taken = Err(SupervisorError::AlreadyPresent("a".into()));
    assert_eq!(handle.add(role.spec()).await, taken);
    let (added, removed) = tokio::join!(
        async {
            settle().await;
            handle.add(role.spec()).await
        },
        handle.remove("a")
    );
    assert_eq!((added, removed), (taken, Ok(())));
    handle.add(role.spec()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_full_supervisor_refuses_more_children() {
    let journal = Journal::open();
    let [a, b] = ["a", "b"].map(|name| Role::new(name, &journal));
    let spec = SupervisorSpec::new("root").max_children(1);
    let handle = spec.spawn().await.unwrap().handle;
    handle.add(a.spec()).await.unwrap();
    let full = Err(SupervisorError::TooManyChildren { limit: 1 });
    assert_eq!(handle.add(b.spec()).await, full);
    handle.remove("a").await.unwrap();
    handle.add(b.spec()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_ended_answers_down() {
    let role = Role::new("a", &Journal::open());
    let spec = SupervisorSpec::new("root").child(role.spec());
    let Root { handle, ended } = spec.spawn().await.unwrap();
    handle.shutdown().await;
    assert_eq!(ended.await.unwrap(), Ok(()));
    assert_eq!(handle.add(role.spec()).await, Err(SupervisorError::Down));
    assert_eq!(handle.remove("a").await, Err(SupervisorError::Down));
    assert_eq!(handle.child("a").await, Err(SupervisorError::Down));
    handle.shutdown().await;
}
