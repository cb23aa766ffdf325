//! The journal's laws, one by one.

use super::*;

const OWN: OriginIndex = OriginIndex(1);
const OTHER: OriginIndex = OriginIndex(2);

fn journal(budget: u64) -> Journal {
    Journal::new(OWN, Hlc::ZERO, budget)
}

fn record(len: usize) -> Record {
    Record {
        count: 1,
        payload: Bytes::from(vec![7; len]),
        trace: None,
    }
}

fn now(ms: i64) -> UnixMillis {
    UnixMillis(crate::db::stamp::EPOCH_MS + ms)
}

fn stamps(journal: &Journal, origin: OriginIndex, after: Hlc) -> Vec<Hlc> {
    let mut out = Vec::new();
    journal.read(origin, after, usize::MAX, &mut out).unwrap();
    out.iter().map(|entry| entry.stamp).collect()
}

#[test]
fn readers_stop_at_the_first_open_reservation() {
    let journal = journal(1 << 20);
    let first = journal.reserve(1, now(1));
    let second = journal.reserve(1, now(1));
    let late = second.publish(record(1));
    assert!(stamps(&journal, OWN, Hlc::ZERO).is_empty());
    let early = first.publish(record(1));
    assert_eq!(
        stamps(&journal, OWN, Hlc::ZERO),
        [early.time(), late.time()]
    );
}

#[test]
fn a_dropped_reservation_leaves_no_record_and_blocks_nobody() {
    let journal = journal(1 << 20);
    drop(journal.reserve(3, now(1)));
    let stamp = journal.reserve(1, now(1)).publish(record(1));
    assert_eq!(stamps(&journal, OWN, Hlc::ZERO), [stamp.time()]);
}

#[test]
fn each_record_names_its_predecessor_so_that_a_gap_shows() {
    let journal = journal(1 << 20);
    let a = journal.reserve(1, now(1)).publish(record(1)).time();
    let b = journal.reserve(1, now(1)).publish(record(1)).time();
    let mut out = Vec::new();
    journal.read(OWN, a, usize::MAX, &mut out).unwrap();
    assert_eq!((out[0].prev, out[0].stamp), (a, b));
    assert_eq!(journal.arrival(OTHER, b, b.plus(1)), Arrival::Gap);
    assert_eq!(journal.arrival(OTHER, Hlc::ZERO, b), Arrival::Next);
    journal.accept(
        OTHER,
        Entry {
            prev: Hlc::ZERO,
            stamp: b,
            record: record(1),
        },
    );
    assert_eq!(journal.arrival(OTHER, Hlc::ZERO, b), Arrival::Duplicate);
    assert_eq!(journal.arrival(OTHER, b, b.plus(1)), Arrival::Next);
}

#[test]
fn the_oldest_records_of_any_origin_go_first_and_reading_behind_them_says_where_the_journal_begins()
{
    let journal = journal(2 * (100 + size_of::<Entry>() as u64));
    let a = journal.reserve(1, now(1)).publish(record(100)).time();
    journal.accept(
        OTHER,
        Entry {
            prev: Hlc::ZERO,
            stamp: a,
            record: record(100),
        },
    );
    let b = journal.reserve(1, now(2)).publish(record(100)).time();
    assert_eq!(
        journal.read(OWN, Hlc::ZERO, usize::MAX, &mut Vec::new()),
        Err(ReadError { base: a })
    );
    assert_eq!(stamps(&journal, OWN, a), [b]);
    assert_eq!(stamps(&journal, OTHER, Hlc::ZERO), [a]);
    assert_eq!(journal.reaches_back_to(), a);
}

#[test]
fn the_trace_of_an_operation_is_found_by_any_time_of_its_record() {
    let journal = Journal::new(OWN, Hlc::ZERO, 1 << 20);
    let trace = Some([7; 26]);
    let untraced = journal.reserve(2, UnixMillis(0));
    let first = untraced.first().time();
    untraced.publish(Record {
        count: 2,
        payload: Bytes::from_static(b"p"),
        trace: None,
    });
    let traced = journal.reserve(3, UnixMillis(0));
    let second = traced.first().time();
    traced.publish(Record {
        count: 3,
        payload: Bytes::from_static(b"p"),
        trace,
    });
    assert_eq!(journal.trace_of(OWN, first), None);
    for nth in 0..3 {
        assert_eq!(journal.trace_of(OWN, second.plus(nth)), trace);
    }
    assert_eq!(journal.trace_of(OWN, second.plus(3)), None);
}

#[test]
fn a_pin_keeps_records_over_the_budget_until_they_are_twice_as_much() {
    let size = 100 + size_of::<Entry>() as u64;
    let journal = journal(2 * size);
    let (pin, vector) = journal.pin().unwrap();
    let start = vector[usize::from(OWN.0)].arrived;
    for _ in 0..4 {
        journal.reserve(1, now(1)).publish(record(100));
    }
    assert_eq!(stamps(&journal, OWN, start).len(), 4);
    assert!(!pin.is_broken());
    journal.reserve(1, now(1)).publish(record(100));
    assert!(pin.is_broken());
    assert!(
        journal
            .read(OWN, start, usize::MAX, &mut Vec::new())
            .is_err()
    );
}

#[test]
fn stamps_come_after_everything_observed_and_never_repeat_when_the_clock_steps_back() {
    let journal = journal(1 << 20);
    let seen = Hlc::at(now(5_000));
    journal.observe(seen);
    let a = journal
        .reserve(2, now(10))
        .publish(Record {
            count: 2,
            ..record(1)
        })
        .time();
    assert_eq!(a, seen.plus(2));
    let b = journal.reserve(1, now(1)).publish(record(1)).time();
    assert!(b > a);
}

#[test]
fn a_promise_is_kept() {
    let journal = journal(1 << 20);
    let promise = journal.promise(now(50));
    assert!(journal.reserve(1, now(50)).publish(record(1)).time() > promise);
    let open = journal.reserve(1, now(60));
    let before = journal.position(OWN).arrived;
    assert_eq!(journal.promise(now(90)), before);
    drop(open);
    assert!(journal.promise(now(90)) > before);
}

#[test]
fn a_reservation_grows_until_somebody_else_has_taken_stamps_and_gives_back_what_it_did_not_use() {
    let journal = journal(1 << 20);
    let mut long = journal.reserve(2, now(1));
    let first = long.first().time();
    assert!(long.extend(3));
    // What others say meanwhile takes no stamps of this node.
    journal.observe(first.plus(100));
    assert!(long.extend(1));
    assert_eq!(long.stamps(), 6);
    let other = journal.reserve(1, now(1));
    assert!(other.first().time() > first.plus(100));
    assert!(!long.extend(1));
    drop(other);
    let published = long.publish(Record {
        count: 6,
        ..record(1)
    });
    assert_eq!(published.time(), first.plus(5));

    let mut long = journal.reserve(1000, now(1));
    let first = long.first().time();
    long.give_back(2);
    let next = journal.reserve(1, now(1));
    assert_eq!(next.first().time(), first.plus(2));
    long.give_back(1);
    assert!(!long.extend(1));
    drop(next);
    // The clock does not fall below what was heard.
    let mut long = journal.reserve(1000, now(1));
    let heard = long.first().time().plus(10);
    journal.observe(heard);
    long.give_back(1);
    assert!(journal.clock() >= heard);
    drop(long);
    assert!(journal.reserve(1, now(1)).first().time() > heard);
}
