//! Which jobs are due: what is remembered of those that were seen. Pure.
//!
//! Invariant: of a job that was not changed, moments are given out in ascending order, each once, wherever it is moved; those that
//! have passed while it was not looked at count as one.

use std::collections::{HashMap, HashSet};

use crate::db::job::Job;
use crate::db::{NodeId, UnixMillis};
use crate::keyspace::Placed;

/// A job that is new since the last look may say that it was made so long before it: commands have the time of their batch.
const BATCH_MS: i64 = 1_000;

/// How long it may be unknown that a job has gone, or that this node is to run another one's.
const LOOK_MS: i64 = 1_000;

/// What is known of a job.
#[derive(Debug, Clone, Copy)]
struct Known {
    next: UnixMillis,
    /// It was there at the last look.
    is_there: bool,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Schedule {
    /// By job, with its place and all it says.
    known: HashMap<Placed, Known>,
    /// Nodes whose jobs others run.
    others: HashSet<NodeId>,
    /// When it was looked last; at first, since when jobs run here at all.
    looked: UnixMillis,
    /// A job that was not there then was made after this.
    made_after: UnixMillis,
    /// What the keyspace said of its jobs then.
    changes: Option<u64>,
}

impl Schedule {
    /// Nothing is known; what was to be done before now is over.
    pub fn new(now: UnixMillis) -> Self {
        Self {
            known: HashMap::new(),
            others: HashSet::new(),
            looked: now,
            made_after: UnixMillis(now.0.saturating_sub(1)),
            changes: None,
        }
    }

    /// Whether all jobs are to be looked at: there are others than at the last look, or that was some time ago. Between two looks
    /// it is not known which have gone, and whose jobs this node runs.
    pub fn is_to_look(&self, changes: u64, now: UnixMillis) -> bool {
        let since = now.0.saturating_sub(self.looked.0);
        self.changes != Some(changes) || !(0..LOOK_MS).contains(&since)
    }

    /// Those of the last look that are due by now, the one that waits longest first.
    pub fn due(&mut self, now: UnixMillis) -> Vec<Placed> {
        let mut due = Vec::new();
        self.known.retain(|placed, known| {
            if known.next > now {
                return true;
            }
            due.push((known.next, placed.clone()));
            let next = Job::read(&placed.bytes).ok().and_then(|job| job.next(now));
            known.next = next.unwrap_or(known.next);
            next.is_some()
        });
        in_order(due)
    }

    /// Looks at all jobs that there are: those that are due, the one that waits longest first.
    pub fn look(
        &mut self,
        jobs: Vec<Placed>,
        changes: u64,
        now: UnixMillis,
        is_mine: impl Fn(NodeId) -> bool,
    ) -> Vec<Placed> {
        for known in self.known.values_mut() {
            known.is_there = false;
        }
        for placed in &jobs {
            if let Some(known) = self.known.get_mut(placed) {
                known.is_there = true;
            }
        }
        // By what they say: those that are no more where they were.
        let gone = self.known.iter().filter(|(_, known)| !known.is_there);
        let moved: HashMap<Vec<u8>, UnixMillis> = gone
            .map(|(placed, known)| (placed.bytes.clone(), known.next))
            .collect();
        let mut due = Vec::new();
        // By node: whether its jobs are run here, and from now on only.
        let mut nodes: HashMap<NodeId, (bool, bool)> = HashMap::new();
        for placed in jobs {
            let Ok(job) = Job::read(&placed.bytes) else {
                continue;
            };
            let others = &mut self.others;
            let (is_mine, is_inherited) = *nodes.entry(job.node).or_insert_with(|| {
                let is_mine = is_mine(job.node);
                let was_others = if is_mine {
                    others.remove(&job.node)
                } else {
                    !others.insert(job.node)
                };
                (is_mine, was_others)
            });
            if !is_mine {
                self.known.remove(&placed);
                continue;
            }
            let known = self.known.get(&placed).map(|known| known.next);
            let next = match known.or_else(|| moved.get(&placed.bytes).copied()) {
                Some(next) => next,
                // It has not run, or it would not be there.
                None if job.is_once => job.first,
                None if is_inherited => not_before(&job, now),
                None if job.first > self.made_after => job.first,
                None => not_before(&job, self.looked),
            };
            let is_due = next <= now;
            let later = if is_due { job.next(now) } else { Some(next) };
            if is_due {
                due.push((next, placed.clone()));
            }
            if let Some(next) = later {
                let is_there = true;
                self.known.insert(placed, Known { next, is_there });
            }
        }
        self.known.retain(|_, known| known.is_there);
        self.changes = Some(changes);
        self.looked = now;
        self.made_after = UnixMillis(now.0.saturating_sub(BATCH_MS));
        in_order(due)
    }

    /// When the next job is due, of those that there were at the last look.
    pub fn next(&self) -> Option<UnixMillis> {
        self.known.values().map(|known| known.next).min()
    }
}

fn in_order(mut due: Vec<(UnixMillis, Placed)>) -> Vec<Placed> {
    due.sort_by(|one, other| (one.0, &one.1.key).cmp(&(other.0, &other.1.key)));
    due.into_iter().map(|(_, placed)| placed).collect()
}

/// The first moment that is not before a time.
fn not_before(job: &Job<'_>, time: UnixMillis) -> UnixMillis {
    let before = UnixMillis(time.0.saturating_sub(1));
    job.next(before).unwrap_or(job.first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: NodeId = NodeId(1);
    const OTHER: NodeId = NodeId(2);

    fn placed(key: &str, is_once: bool, node: NodeId, first: i64, interval: i64) -> Placed {
        let job = Job {
            is_once,
            node,
            first: UnixMillis(first),
            anchor: UnixMillis(first),
            interval,
            script: b"return 1",
            keys: Vec::new(),
            arguments: Vec::new(),
        };
        let mut bytes = Vec::new();
        job.encode(&mut bytes);
        Placed {
            db: 0,
            key: key.as_bytes().to_vec(),
            bytes,
        }
    }

    fn due(schedule: &mut Schedule, jobs: &[&Placed], now: i64) -> Vec<String> {
        let jobs = jobs.iter().map(|job| (*job).clone()).collect();
        let due = schedule.look(jobs, 0, UnixMillis(now), |node| node == ME);
        let name = |placed: Placed| String::from_utf8(placed.key).unwrap();
        due.into_iter().map(name).collect()
    }

    #[test]
    fn a_job_is_due_at_each_of_its_moments_once_and_late_ones_count_as_one() {
        let mut schedule = Schedule::new(UnixMillis(10_000));
        let job = placed("a", false, ME, 10_050, 100);
        let jobs = [&job];
        assert!(due(&mut schedule, &jobs, 10_049).is_empty());
        assert_eq!(schedule.next(), Some(UnixMillis(10_050)));
        assert_eq!(due(&mut schedule, &jobs, 10_060), ["a"]);
        assert!(due(&mut schedule, &jobs, 10_061).is_empty());
        assert_eq!(due(&mut schedule, &jobs, 10_150), ["a"]);
        assert_eq!(due(&mut schedule, &jobs, 10_777), ["a"]);
        assert!(due(&mut schedule, &jobs, 10_849).is_empty());
        assert_eq!(due(&mut schedule, &jobs, 10_850), ["a"]);
        // The clock went back.
        assert!(due(&mut schedule, &jobs, 10_100).is_empty());
        assert!(due(&mut schedule, &[], 10_950).is_empty());
        assert_eq!(schedule.next(), None);
    }

    #[test]
    fn what_waits_longest_comes_first_and_what_runs_once_is_due_until_it_is_gone() {
        let mut schedule = Schedule::new(UnixMillis(10_000));
        let (one, two) = (
            placed("one", true, ME, 9_000, 1),
            placed("two", false, ME, 10_010, 100),
        );
        assert_eq!(due(&mut schedule, &[&two, &one], 10_020), ["one", "two"]);
        assert_eq!(due(&mut schedule, &[&two, &one], 10_030), ["one"]);
        assert!(due(&mut schedule, &[&two], 10_040).is_empty());
    }

    #[test]
    fn between_two_looks_what_is_known_is_due_at_its_moments() {
        let mut schedule = Schedule::new(UnixMillis(10_000));
        let at = UnixMillis;
        assert!(schedule.is_to_look(0, at(10_000)));
        let (one, two) = (
            placed("one", true, ME, 10_050, 1),
            placed("two", false, ME, 10_010, 100),
        );
        assert!(due(&mut schedule, &[&two, &one], 10_001).is_empty());
        assert!(!schedule.is_to_look(0, at(10_900)));
        assert!(schedule.is_to_look(1, at(10_900)));
        assert!(schedule.is_to_look(0, at(11_001)));
        assert!(schedule.is_to_look(0, at(9_000)), "the clock went back");
        let mut known = |now: i64| -> Vec<Vec<u8>> {
            let due = schedule.due(at(now));
            due.into_iter().map(|placed| placed.key).collect()
        };
        assert!(known(10_009).is_empty());
        assert_eq!(known(10_060), [b"two", b"one"]);
        assert!(known(10_061).is_empty());
        assert_eq!(known(10_110), [b"two"]);
        assert_eq!(known(10_999), [b"two"]);
        // One that could not be run is still there at the next look.
        assert_eq!(due(&mut schedule, &[&two, &one], 11_001), ["one"]);
        assert_eq!(due(&mut schedule, &[&two], 11_010), ["two"]);
    }

    #[test]
    fn moments_from_before_the_start_are_over() {
        let mut schedule = Schedule::new(UnixMillis(10_000));
        let job = placed("a", false, ME, 1_000, 700);
        assert!(due(&mut schedule, &[&job], 10_099).is_empty());
        assert_eq!(due(&mut schedule, &[&job], 10_100), ["a"]);
    }

    #[test]
    fn a_job_that_moves_goes_on_and_one_that_is_written_anew_begins_anew() {
        let mut schedule = Schedule::new(UnixMillis(10_000));
        let job = placed("a", false, ME, 10_050, 1_000);
        assert_eq!(due(&mut schedule, &[&job], 10_060), ["a"]);
        let moved = placed("b", false, ME, 10_050, 1_000);
        assert!(due(&mut schedule, &[&moved], 10_070).is_empty());
        assert_eq!(due(&mut schedule, &[&moved], 11_050), ["b"]);
        let anew = placed("b", false, ME, 11_100, 1_000);
        assert_eq!(due(&mut schedule, &[&anew], 11_100), ["b"]);
        // From somewhere else, long after it was made.
        let old = placed("c", false, ME, 1_000, 900);
        assert!(due(&mut schedule, &[&anew, &old], 11_200).is_empty());
        assert_eq!(due(&mut schedule, &[&anew, &old], 11_800), ["c"]);
    }

    #[test]
    fn another_nodes_jobs_are_run_from_the_moment_that_this_one_stands_in() {
        let mut schedule = Schedule::new(UnixMillis(10_000));
        let (often, once) = (
            placed("often", false, OTHER, 10_050, 100),
            placed("once", true, OTHER, 10_050, 100),
        );
        let jobs = || vec![often.clone(), once.clone()];
        for now in [10_040, 10_060, 10_160] {
            assert!(due(&mut schedule, &[&often, &once], now).is_empty());
        }
        let all = |schedule: &mut Schedule, now: i64| {
            let due = schedule.look(jobs(), 0, UnixMillis(now), |_| true);
            due.into_iter().map(|placed| placed.key).collect::<Vec<_>>()
        };
        assert_eq!(all(&mut schedule, 10_170), [b"once"]);
        assert_eq!(all(&mut schedule, 10_250), [&b"once"[..], b"often"]);
        // And back.
        assert!(due(&mut schedule, &[&often, &once], 10_260).is_empty());
        assert_eq!(schedule.next(), None);
    }
}
