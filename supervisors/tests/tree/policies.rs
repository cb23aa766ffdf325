//! Which ends are followed by a restart; first starts.

use crate::support::*;
use keymesh_supervisors::{ChildState, Intensity, Restart, SupervisorHandle, SupervisorSpec};
use std::time::Duration;

/// The ways a worker can end.
#[derive(Clone, Copy)]
enum End {
    Panic,
    Fail,
    Quit,
    Killed,
    Drained,
}

const FAILURES: [End; 3] = [End::Panic, End::Fail, End::Killed];
const GOOD_ENDS: [End; 2] = [End::Quit, End::Drained];

async fn one_child(restart: Restart) -> (Role, SupervisorHandle) {
    let role = Role::new("a", &Journal::open());
    let spec = role.spec().restart(restart).intensity(Intensity::Unlimited);
    let root = SupervisorSpec::new("root").child(spec).spawn().await;
    (role, root.unwrap().handle)
}

async fn end(role: &Role, end: End) {
    let actor = role.slot.actor().unwrap();
    match end {
        End::Panic => role.order(Order::Panic),
        End::Fail => role.order(Order::Fail),
        End::Quit => role.order(Order::Quit),
        End::Killed => actor.kill(),
        End::Drained => actor.drain().unwrap(),
    }
    settle().await;
}

/// Whether the child runs again, as another actor, after it ended in that way.
async fn comes_back(role: &Role, handle: &SupervisorHandle, how: End) -> bool {
    let before = handle.child("a").await.unwrap().unwrap();
    end(role, how).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    match handle.child("a").await {
        Ok(Some(after)) => {
            assert_ne!(before, after);
            role.answers().await
        }
        _ => false,
    }
}

#[tokio::test(start_paused = true)]
async fn a_permanent_child_is_restarted_after_every_end() {
    let (role, handle) = one_child(Restart::Permanent).await;
    for (count, how) in (1..).zip([FAILURES.as_slice(), &GOOD_ENDS].concat()) {
        assert!(comes_back(&role, &handle, how).await);
        assert_eq!(status(&handle, "a").await.restarts, count);
    }
}

#[tokio::test(start_paused = true)]
async fn a_transient_child_is_restarted_after_failures_only() {
    for how in FAILURES {
        let (role, handle) = one_child(Restart::Transient).await;
        assert!(comes_back(&role, &handle, how).await);
    }
    for how in GOOD_ENDS {
        let (role, handle) = one_child(Restart::Transient).await;
        assert!(!comes_back(&role, &handle, how).await);
        assert_eq!(status(&handle, "a").await.state, ChildState::Stopped);
        assert_eq!(handle.child("a").await, Ok(None));
    }
}

#[tokio::test(start_paused = true)]
async fn a_temporary_child_is_never_restarted_and_is_forgotten() {
    for how in [FAILURES.as_slice(), &GOOD_ENDS].concat() {
        let (role, handle) = one_child(Restart::Temporary).await;
        assert!(!comes_back(&role, &handle, how).await);
        assert!(names(&handle).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_end_of_a_child_is_told() {
    let (role, handle) = one_child(Restart::Permanent).await;
    assert_eq!(status(&handle, "a").await.last_exit, None);
    let ends = [
        (End::Panic, "told to panic"),
        (End::Fail, "told to fail"),
        (End::Quit, "stopped"),
        (End::Killed, "killed"),
        (End::Drained, "stopped: Drained"),
    ];
    for (how, told) in ends {
        assert!(comes_back(&role, &handle, how).await);
        assert_eq!(status(&handle, "a").await.last_exit.as_deref(), Some(told));
    }
}

#[tokio::test(start_paused = true)]
async fn children_start_in_order() {
    let journal = Journal::open();
    let [a, b, c] = ["a", "b", "c"].map(|name| Role::new(name, &journal));
    b.starts(Start::Takes(Duration::from_secs(1)));
    let spec = SupervisorSpec::new("root")
        .child(a.spec())
        .child(b.spec())
        .child(c.spec());
    let handle = spec.spawn().await.unwrap().handle;
    let expected = ["a starts", "b starts", "b took its time", "c starts"];
    assert_eq!(journal.lines(), expected);
    assert_eq!(journal.times_of("c starts"), [1000]);
    assert_eq!(names(&handle).await, ["a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_first_start_that_fails_fails_the_spawn_and_stops_those_before_it() {
    let starts = [
        (Start::Panics, "told to panic while starting"),
        (Start::Fails, "told to fail while starting"),
        (Start::Takes(Duration::from_secs(31)), "no start within 30s"),
    ];
    for (start, told) in starts {
        let journal = Journal::open();
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| Role::new(name, &journal));
        c.starts(start);
        let spec = [&a, &b, &c, &d]
            .into_iter()
            .fold(SupervisorSpec::new("root"), |spec, role| {
                spec.child(role.spec())
            });
        let error = spec.spawn().await.unwrap_err().to_string();
        assert!(
            error.contains("child c did not start") && error.contains(told),
            "{error}"
        );
        let expected = ["a starts", "b starts", "c starts", "b stops", "a stops"];
        assert_eq!(journal.lines(), expected);
        assert!(a.slot.is_empty() && b.slot.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_starter_that_panics_fails_the_spawn_and_stops_those_before_it() {
    let journal = Journal::open();
    let a = Role::new("a", &journal);
    let broken = keymesh_supervisors::ChildSpec::new("broken", |_| panic!("told to panic"));
    let spec = SupervisorSpec::new("root").child(a.spec()).child(broken);
    let error = spec.spawn().await.unwrap_err().to_string();
    assert!(error.contains("the starter panicked"), "{error}");
    assert_eq!(journal.lines(), ["a starts", "a stops"]);
}

#[tokio::test(start_paused = true)]
async fn two_children_of_one_name_fail_the_spawn() {
    let role = Role::new("a", &Journal::open());
    let spec = SupervisorSpec::new("root")
        .child(role.spec())
        .child(role.spec());
    let error = spec.spawn().await.unwrap_err().to_string();
    assert!(error.contains("child a is already present"), "{error}");
}
