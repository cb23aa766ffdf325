//! When restarts happen.

use crate::support::*;
use keymesh_supervisors::{
    Backoff, ChildSpec, ChildState, Intensity, Restart, SupervisorHandle, SupervisorSpec,
};
use std::time::Duration;
use tokio::time::Instant;

fn flapping(role: &Role) -> ChildSpec {
    role.spec().intensity(Intensity::Unlimited)
}

async fn tree(spec: ChildSpec) -> SupervisorHandle {
    let root = SupervisorSpec::new("root").child(spec).spawn().await;
    root.unwrap().handle
}

/// The starts that follow when `role` panics once and all its restarts do `start`.
async fn starts_within(seconds: u64, start: Start) -> Vec<u64> {
    let journal = Journal::open();
    let role = Role::new("a", &journal);
    let _handle = tree(flapping(&role)).await;
    role.starts(start).order(Order::Panic);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    journal.times_of("a starts")
}

#[tokio::test(start_paused = true)]
async fn delays_double_from_100_ms_to_30_s() {
    // The first entry is the first start. Timers round up to a millisecond.
    let expected = [
        0, 100, 300, 700, 1500, 3100, 6300, 12_700, 25_500, 51_100, 81_100, 111_100,
    ];
    for start in [Start::PanicsAfterwards, Start::Panics, Start::Fails] {
        let starts = starts_within(120, start).await;
        assert_eq!(starts.len(), expected.len(), "{starts:?}");
        for (start, expected) in starts.into_iter().zip(expected) {
            assert!(
                (expected..=expected + 15).contains(&start),
                "{start} for {expected}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_pre_start_during_a_restart_backs_off_again() {
    let role = Role::new("a", &Journal::open());
    let handle = tree(flapping(&role)).await;
    role.starts(Start::Panics).order(Order::Panic);
    tokio::time::sleep(Duration::from_millis(100) + TICK).await;
    let told = status(&handle, "a").await;
    assert!(matches!(told.state, ChildState::BackingOff { .. }));
    assert_eq!(told.restarts, 1);
    assert!(told.last_exit.unwrap().contains("while starting"));
    role.starts(Start::Works);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(is_running(&handle, "a").await && role.answers().await);
    assert_eq!(status(&handle, "a").await.restarts, 2);
}

#[tokio::test(start_paused = true)]
async fn a_transient_child_whose_restart_fails_backs_off_again() {
    let role = Role::new("a", &Journal::open());
    let handle = tree(flapping(&role).restart(Restart::Transient)).await;
    role.starts(Start::Fails).order(Order::Panic);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(is_backing_off(&handle, "a").await);
    role.starts(Start::Works);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(is_running(&handle, "a").await);
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_hangs_counts_as_a_failure() {
    let role = Role::new("a", &Journal::open());
    let handle = tree(flapping(&role).start_timeout(Duration::from_secs(2))).await;
    role.starts(Start::Takes(Duration::from_secs(3600)));
    role.order(Order::Panic);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(status(&handle, "a").await.state, ChildState::Starting);
    tokio::time::sleep(Duration::from_millis(1150)).await;
    assert!(is_backing_off(&handle, "a").await);
    role.starts(Start::Works);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(is_running(&handle, "a").await);
}

#[tokio::test(start_paused = true)]
async fn a_long_life_resets_the_delay_and_a_shorter_one_does_not() {
    let role = Role::new("a", &Journal::open());
    let backoff = Backoff::default()
        .with_jitter_percent(0)
        .unwrap()
        .with_reset_after(Duration::from_secs(10));
    let handle = tree(flapping(&role).backoff(backoff)).await;
    let lives_and_delays_ms = [
        (0, 100),
        (0, 200),
        (9000, 400),
        (0, 800),
        (10_000, 100),
        (0, 200),
        (60_000, 100),
    ];
    for (life_ms, delay_ms) in lives_and_delays_ms {
        tokio::time::sleep(Duration::from_millis(life_ms)).await;
        let failed = Instant::now();
        role.obey(Order::Panic).await;
        let until = failed + Duration::from_millis(delay_ms);
        let state = status(&handle, "a").await.state;
        assert_eq!(state, ChildState::BackingOff { until });
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        assert!(is_running(&handle, "a").await);
    }
}

#[tokio::test(start_paused = true)]
async fn jitter_shortens_delays_and_a_seed_fixes_them() {
    async fn first_delay(seed: u64) -> Duration {
        let role = Role::new("a", &Journal::open());
        let backoff = Backoff::new(Duration::from_secs(10), Duration::from_secs(10)).unwrap();
        let child = flapping(&role).backoff(backoff.with_jitter_percent(50).unwrap());
        let spec = SupervisorSpec::new("root").child(child).jitter_seed(seed);
        let handle = spec.spawn().await.unwrap().handle;
        let failed = Instant::now();
        role.obey(Order::Panic).await;
        match status(&handle, "a").await.state {
            ChildState::BackingOff { until } => until - failed,
            state => panic!("{state:?}"),
        }
    }
    let mut delays = Vec::new();
    for seed in 0..8 {
        let delay = first_delay(seed).await;
        assert!((Duration::from_secs(5)..=Duration::from_secs(10)).contains(&delay));
        assert_eq!(delay, first_delay(seed).await);
        delays.push(delay);
    }
    delays.dedup();
    assert!(delays.len() > 4, "{delays:?}");
}

/// A supervision event may overtake the report of the start it belongs to. With several threads
/// every order occurs; in none may the child be lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_fails_right_after_its_start_is_never_lost() {
    const CHILDREN: usize = 16;
    const RESTARTS: u64 = 10;
    let millisecond = Duration::from_millis(1);
    let role = Role::new("flapper", &Journal::open());
    let handle = SupervisorSpec::new("root").spawn().await.unwrap().handle;
    role.starts(Start::PanicsAfterwards);
    for number in 0..CHILDREN {
        let role = role.clone();
        let spec = ChildSpec::actor(format!("{number}"), move || (Worker, role.clone()))
            .intensity(Intensity::Unlimited)
            .backoff(Backoff::new(millisecond, millisecond).unwrap());
        handle.add(spec).await.unwrap();
    }
    let all_flapped = async {
        let flapped = |children: Vec<keymesh_supervisors::ChildStatus>| {
            children.iter().all(|child| child.restarts >= RESTARTS)
        };
        while !flapped(handle.children().await.unwrap()) {
            tokio::time::sleep(millisecond).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), all_flapped).await;
    in_time.expect("a child was lost");
    handle.shutdown().await;
}
