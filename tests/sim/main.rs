//! The seeded simulation: nodes made of the real keyspace, journal, membership and links, in one simulated network with one
//! simulated clock.
//!
//! `KEYMESH_SEEDS=100000 cargo test --features ablation --test sim -- --nocapture` runs as many seeds as one likes,
//! from `KEYMESH_SEED_FROM` on (0); `KEYMESH_ABLATE=GapCheck` runs them with a rule switched off and lists what fails.

mod crossings;
mod network;
mod node;
mod oracle;
mod rng;
mod world;

use keymesh::ablation::{self, Rule};
use world::{Coverage, Profile, Report, run, run_as};

/// Seeds that every run of the tests covers.
const SEEDS: u64 = 300;

/// Seeds beyond them that reach what few do: disks put back from old copies, lost disks, nodes replaced at their address.
const RARE: &[u64] = &[2666, 3943, 7408, 558, 786, 1172, 2210, 2388];

/// Seeds that once failed, each of another fault. The later ones: a life said to be spent while a merge was bringing more of it; a
/// key that was gone by what a merge had settled, and came back; a tie between a settled time and a stamp; nodes that waited for
/// an admission in rings; half-merged snapshots; a node that left a mesh and came back; statements of one version; records that
/// came again behind a full sync, or because nobody said that they were no longer wanted; forgotten nodes that come back, and
/// whom they had let in; disks put back from old copies; a node that began another life before it heard that it was forgotten;
/// elements of one list that two nodes pushed in the same moment under the same name; a newcomer that went on counting whom a
/// forgotten node had let in.
const ONCE_FAILED: &[u64] = &[
    6138, 1783, 29, 66, 111, 127, 8406, 26838, 28609, 37552, 13, 48, 64, 101, 133, 172, 265, 378,
    437, 470, 538, 566, 1445, 1726, 3511, 4062, 5376, 5823, 9568, 27856, 36418, 39953, 46869,
    62250, 87401, 132301, 149524, 137, 4566, 9880, 16041, 57150, 60440, 63771, 72324, 9395, 98633,
    91421, 60024, 99406, 61148, 263028, 76721, 1185, 1523, 98539, 326, 1357, 1854, 2896, 54969,
    1006465, 6064317, 6169644,
];

/// The same with somebody who departs in every run: a newcomer of which only a forgotten node told that there was one; a forgotten
/// node's announcement that had arrived behind another one.
const DEPARTURES_ONCE_FAILED: &[u64] = &[7048851, 7127611];

const RULES: &[(Rule, &str)] = &[
    (Rule::SnapshotInstant, "SnapshotInstant"),
    (Rule::ExpiryByStamp, "ExpiryByStamp"),
    (Rule::ColdStartHold, "ColdStartHold"),
    (Rule::Reservation, "Reservation"),
    (Rule::GapCheck, "GapCheck"),
    (Rule::ClockMerge, "ClockMerge"),
    (Rule::Coverage, "Coverage"),
    (Rule::Watermark, "Watermark"),
    (Rule::NewLife, "NewLife"),
    (Rule::DurableMembership, "DurableMembership"),
    (Rule::SealRetired, "SealRetired"),
    (Rule::Admission, "Admission"),
    (Rule::ForgottenIsHeardNoMore, "ForgottenIsHeardNoMore"),
    (Rule::TypeCut, "TypeCut"),
    (Rule::PoppedNames, "PoppedNames"),
    (Rule::SettledVector, "SettledVector"),
    (Rule::SweptMembers, "SweptMembers"),
];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Runs a seed with rules switched off; a panic counts as a failure of the run.
fn run_without(seed: u64, off: &[Rule]) -> Report {
    ablation::switch_off(off);
    let report = std::panic::catch_unwind(|| run(seed));
    ablation::switch_off(&[]);
    report.unwrap_or_else(|_| Report {
        coverage: Coverage::default(),
        failures: vec!["it panicked".to_owned()],
    })
}

/// Seeds of members that go by themselves that every run of the tests covers.
const TIMED_SEEDS: u64 = 200;

#[test]
fn members_that_go_by_themselves_are_the_same_everywhere_after_full_syncs() {
    let from = number("KEYMESH_SEED_FROM", 0);
    let seeds = number("KEYMESH_TIMED_SEEDS", TIMED_SEEDS);
    let (mut sum, mut failed) = (Coverage::default(), Vec::new());
    for seed in from..from + seeds {
        let report = std::panic::catch_unwind(|| run_as(seed, Profile::Timed));
        let failures = match report {
            Ok(report) => {
                add(&mut sum, &report.coverage);
                report.failures
            }
            Err(_) => vec!["it panicked".to_owned()],
        };
        if !failures.is_empty() {
            println!("seed {seed}: {}", failures.join("\n"));
            failed.push(seed);
        }
    }
    println!("{seeds} seeds from {from}: {sum:?}");
    assert!(failed.is_empty(), "seeds failed: {failed:?}");
    if seeds >= TIMED_SEEDS {
        assert!(sum.merges > seeds, "too few full syncs");
        assert!(sum.swept > seeds, "too few members whose time came");
    }
}

/// Seeds of each of the profiles below that every run of the tests covers.
const PROFILE_SEEDS: u64 = 100;

/// So many seeds of a profile, or as many as the variable says, without a failure.
fn all_hold(profile: Profile, variable: &str) {
    let from = number("KEYMESH_SEED_FROM", 0);
    let seeds = number(variable, PROFILE_SEEDS);
    let mut failed = Vec::new();
    for seed in from..from + seeds {
        let report = std::panic::catch_unwind(|| run_as(seed, profile));
        let failures = report.map_or(vec!["it panicked".to_owned()], |report| report.failures);
        if !failures.is_empty() {
            let shown: String = failures.join("\n").chars().take(3_000).collect();
            failed.push(format!("seed {seed}: {shown}"));
        }
    }
    assert!(
        failed.is_empty(),
        "{} seeds failed: {}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn sketches_are_the_same_everywhere_to_the_byte() {
    all_hold(Profile::Sketches, "KEYMESH_SKETCH_SEEDS");
}

#[test]
fn jobs_are_the_same_everywhere() {
    all_hold(Profile::Jobs, "KEYMESH_JOB_SEEDS");
}

#[test]
fn whoever_departs_and_perhaps_comes_back_parts_nobody() {
    for &seed in DEPARTURES_ONCE_FAILED {
        let failures = run_as(seed, Profile::Departures).failures;
        assert!(failures.is_empty(), "seed {seed}: {}", failures.join("\n"));
    }
    all_hold(Profile::Departures, "KEYMESH_DEPARTURE_SEEDS");
}

/// Of streams: a group that had been given an entry of a stream that was deleted meanwhile, so that what came next under lower ids was
/// not new to it.
const STREAMS_ONCE_FAILED: &[u64] = &[7300607];

#[test]
fn streams_are_the_same_everywhere_with_every_entry_once() {
    for &seed in STREAMS_ONCE_FAILED {
        let failures = run_as(seed, Profile::Streams).failures;
        assert!(failures.is_empty(), "seed {seed}: {}", failures.join("\n"));
    }
    all_hold(Profile::Streams, "KEYMESH_STREAM_SEEDS");
}

fn add(sum: &mut Coverage, more: &Coverage) {
    sum.writes += more.writes;
    sum.merges += more.merges;
    sum.merges_aborted += more.merges_aborted;
    sum.reroutes += more.reroutes;
    sum.purges += more.purges;
    sum.swept += more.swept;
    sum.superseded += more.superseded;
    sum.crashes += more.crashes;
    sum.joins += more.joins;
    sum.leaves += more.leaves;
    sum.cuts += more.cuts;
    sum.cold_starts += more.cold_starts;
    sum.adoptions += more.adoptions;
    sum.departures += more.departures;
    sum.returns += more.returns;
    sum.lost_disks += more.lost_disks;
    sum.old_disks += more.old_disks;
    sum.replaced += more.replaced;
    sum.followers += more.followers;
    sum.clock_alarms += more.clock_alarms;
    sum.stamps_ahead += more.stamps_ahead;
    sum.sealed += more.sealed;
    sum.slow_writes += more.slow_writes;
    sum.crashed_writes += more.crashed_writes;
    sum.transactions += more.transactions;
    sum.duplicates += more.duplicates;
    sum.under_way += more.under_way;
    sum.publishes += more.publishes;
    sum.heard_all += more.heard_all;
}

#[test]
fn seeds_that_once_failed_do_not_fail_again() {
    for &seed in ONCE_FAILED {
        let report = run_without(seed, &[]);
        assert!(
            report.failures.is_empty(),
            "seed {seed}: {}",
            report.failures.join("\n")
        );
    }
}

/// For each rule the smallest seed whose run goes wrong without it; the last wants a node that comes back in just the wrong moment.
const NOTICED: &[(Rule, u64)] = &[
    (Rule::SnapshotInstant, 125),
    (Rule::ExpiryByStamp, 5),
    (Rule::ColdStartHold, 4),
    (Rule::Reservation, 0),
    (Rule::GapCheck, 61),
    (Rule::ClockMerge, 57),
    (Rule::Coverage, 14),
    (Rule::Watermark, 0),
    (Rule::NewLife, 3),
    (Rule::DurableMembership, 3),
    (Rule::SealRetired, 9),
    (Rule::Admission, 0),
    (Rule::TypeCut, 0),
    (Rule::PoppedNames, 384),
    (Rule::SettledVector, 9),
    (Rule::SweptMembers, 7),
    (Rule::ForgottenIsHeardNoMore, 11_888),
];

#[test]
fn every_rule_that_is_switched_off_is_noticed() {
    assert_eq!(NOTICED.len(), RULES.len(), "every rule has its seed");
    for &(rule, seed) in NOTICED {
        assert!(
            run_without(seed, &[]).failures.is_empty(),
            "seed {seed} fails with all rules on"
        );
        assert!(
            !run_without(seed, &[rule]).failures.is_empty(),
            "nobody notices that {rule:?} is off with seed {seed}"
        );
    }
}

#[test]
fn all_masters_equal_each_other_and_the_oracle_after_everything_that_can_go_wrong() {
    let (from, seeds) = (
        number("KEYMESH_SEED_FROM", 0),
        number("KEYMESH_SEEDS", SEEDS),
    );
    let asked = std::env::var("KEYMESH_ABLATE").unwrap_or_default();
    let off: Vec<Rule> = RULES
        .iter()
        .filter(|(_, name)| *name == asked)
        .map(|(rule, _)| *rule)
        .collect();
    assert!(
        asked.is_empty() || !off.is_empty(),
        "no rule of that name: {RULES:?}"
    );
    let (mut sum, mut failed) = (Coverage::default(), Vec::new());
    let started = std::time::Instant::now();
    let rare = RARE.iter().copied().filter(|_| seeds == SEEDS);
    for seed in (from..from + seeds).chain(rare) {
        let report = run_without(seed, &off);
        add(&mut sum, &report.coverage);
        if !report.failures.is_empty() {
            let c = &report.coverage;
            println!(
                "FAIL {seed} crashes {} joins {} leaves {} adoptions {} cold {} merges {} | {}",
                c.crashes,
                c.joins,
                c.leaves,
                c.adoptions,
                c.cold_starts,
                c.merges,
                report
                    .failures
                    .iter()
                    .map(|f| f.chars().take(40).collect::<String>())
                    .collect::<Vec<_>>()
                    .join(" | ")
            );
            failed.push(seed);
            if failed.len() <= 3 {
                println!(
                    "seed {seed}: {}\n{:?}",
                    report.failures.join("\n"),
                    report.coverage
                );
            }
        }
    }
    println!(
        "{seeds} seeds from {from} in {:?}: {} failed {:?}",
        started.elapsed(),
        failed.len(),
        &failed[..failed.len().min(20)]
    );
    println!("{sum:?}");
    assert!(
        failed.is_empty() || !off.is_empty(),
        "seeds failed: {failed:?}"
    );
    if off.is_empty() && seeds >= SEEDS {
        let Coverage {
            merges,
            merges_aborted,
            slow_writes,
            crashed_writes,
            transactions,
            reroutes,
            purges,
            swept,
            superseded,
            crashes,
            joins,
            cuts,
            cold_starts,
            sealed,
            adoptions,
            clock_alarms,
            departures,
            returns,
            lost_disks,
            old_disks,
            replaced,
            followers,
            stamps_ahead,
            duplicates,
            under_way,
            publishes,
            heard_all,
            ..
        } = sum;
        for (count, what) in [
            (merges, "merges"),
            (merges_aborted, "merges given up"),
            (slow_writes, "writes that take long"),
            (crashed_writes, "writes that a crash ends"),
            (transactions, "transactions"),
            (reroutes, "reroutes"),
            (purges, "purges"),
            (swept, "members whose time came"),
            (superseded, "superseded"),
            (crashes, "crashes"),
            (joins, "joins"),
            (cuts, "cuts"),
            (cold_starts, "cold starts"),
            (sealed, "sealed lives"),
            (adoptions, "adoptions"),
            (departures, "departures"),
            (returns, "returns"),
            (lost_disks, "lost disks"),
            (old_disks, "old disks"),
            (replaced, "nodes replaced at their address"),
            (followers, "plain replicas"),
            (clock_alarms, "clocks found ahead"),
            (stamps_ahead, "stamps from the future"),
            (duplicates, "records that come twice"),
            (under_way, "records under way when a way changes"),
            (publishes, "messages"),
            (heard_all, "nodes that hear all messages"),
        ] {
            assert!(
                count > 0,
                "no {what} in {seeds} seeds: the simulation does not test them"
            );
        }
    }
}
