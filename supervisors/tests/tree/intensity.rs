//! Too many restarts are the supervisor's failure.

use crate::support::*;
use keymesh_supervisors::{Backoff, Ended, Intensity, Root, SupervisorError, SupervisorSpec};
use std::time::Duration;

const TWO_IN_TEN_SECONDS: Intensity = Intensity::Limited {
    max_restarts: 2,
    within: Duration::from_secs(10),
};

async fn tree(journal: &Journal) -> (Role, Root) {
    let [a, b, c] = ["a", "b", "c"].map(|name| Role::new(name, journal));
    let backoff = Backoff::default().with_jitter_percent(0).unwrap();
    let spec = SupervisorSpec::new("root")
        .child(a.spec())
        .child(
            b.spec()
                .intensity(TWO_IN_TEN_SECONDS)
                .backoff(backoff.with_reset_after(Duration::from_secs(5))),
        )
        .child(c.spec());
    (b, spec.spawn().await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn exceeded_intensity_stops_the_siblings_in_order_and_fails_the_supervisor() {
    let journal = Journal::open();
    let (b, Root { handle, ended }) = tree(&journal).await;
    for _ in 0..2 {
        b.order(Order::Panic);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(status(&handle, "b").await.restarts, 2);
    journal.clear();
    b.obey(Order::Panic).await;
    assert_eq!(journal.lines(), ["c stops", "a stops"]);
    let escalated = Ended::Escalated {
        supervisor: "root".into(),
        child: "b".into(),
        reason: "told to panic".into(),
    };
    assert_eq!(ended.await.unwrap(), Err(escalated));
    assert_eq!(handle.children().await, Err(SupervisorError::Down));
}

#[tokio::test(start_paused = true)]
async fn restarts_spread_over_time_do_not_escalate() {
    let journal = Journal::open();
    let (b, Root { handle, ended }) = tree(&journal).await;
    for _ in 0..20 {
        b.order(Order::Panic);
        tokio::time::sleep(Duration::from_secs(6)).await;
    }
    assert_eq!(status(&handle, "b").await.restarts, 20);
    assert!(!ended.is_finished());
}

#[tokio::test(start_paused = true)]
async fn restarts_that_fail_to_start_count_too() {
    let journal = Journal::open();
    let (b, Root { ended, .. }) = tree(&journal).await;
    b.starts(Start::Panics).order(Order::Panic);
    let ended = ended.await.unwrap();
    assert!(matches!(ended, Err(Ended::Escalated { child, .. }) if child.as_str() == "b"));
    assert_eq!(journal.times_of("b starts").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn siblings_have_intensities_of_their_own() {
    let journal = Journal::open();
    let [a, b] = ["a", "b"].map(|name| Role::new(name, &journal));
    let spec = SupervisorSpec::new("root")
        .child(a.spec().intensity(TWO_IN_TEN_SECONDS))
        .child(b.spec().intensity(TWO_IN_TEN_SECONDS));
    let Root { handle, ended } = spec.spawn().await.unwrap();
    for _ in 0..2 {
        a.order(Order::Panic);
        b.order(Order::Panic);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(is_running(&handle, "a").await && is_running(&handle, "b").await);
    assert!(!ended.is_finished());
}
