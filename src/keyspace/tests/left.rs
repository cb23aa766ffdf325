//! Calls of which something is left: whoever does it, and whether anybody waits for it, nobody else notices.

use super::ahead::{SOURCES, STORES, listening, news, watchers};
use super::*;
use crate::ablation::set_large_from;
use crate::keyspace::Job;

const READS: &[&str] = &[
    "SMEMBERS s",
    "SUNION s t",
    "SINTER s ints",
    "SDIFF s t",
    "ZRANGE z 0 -1 WITHSCORES",
    "ZUNION 2 z y",
    "LRANGE l 0 -1",
    "HGETALL h",
    "SORT l",
    "SORT s",
    "XRANGE x - +",
    "XREVRANGE x + 2-0 COUNT 5",
];

const COPIES: &[&str] = &[
    "COPY s d REPLACE",
    "COPY h new REPLACE",
    "COPY z new:2 REPLACE",
];

impl Node {
    /// Begins a call; what is left of it, or its reply.
    fn leave(&mut self, line: &str) -> Result<Job, (String, Ran)> {
        self.scratch.may_leave = true;
        let done = self.execute(line);
        self.scratch.may_leave = false;
        let Some(left) = self.scratch.left.take() else {
            return Err(done);
        };
        let scratch = std::mem::take(&mut self.scratch);
        let mut said = Reply::new(Protocol::Resp2);
        said.raw(done.0.as_bytes());
        Ok(Job::new(Arc::clone(&self.keyspace), left, scratch, said))
    }

    /// Carries a call out, and says whether something was left of it.
    fn execute_leaving(&mut self, line: &str) -> (String, Ran, bool) {
        match self.leave(line) {
            Err((reply, ran)) => (reply, ran, false),
            Ok(mut job) => {
                let ran = job.run();
                self.scratch = job.take_scratch();
                let reply = String::from_utf8_lossy(job.reply.as_bytes()).into_owned();
                (reply, ran, true)
            }
        }
    }

    fn fill(&mut self) {
        self.run("DEL s z l d");
        SOURCES.iter().for_each(|line| {
            self.run(line);
        });
        self.run("HSET h f 1 g 2");
        self.run("DEL x");
        for entry in 1..=3 {
            self.run(&format!("XADD x {entry}-1 f v"));
        }
    }
}

#[test]
fn what_is_left_comes_to_the_same_as_what_is_not() {
    for make in [Node::stamped, Node::plain] {
        let (mut node, mut usual) = (listening(make()), listening(make()));
        let mut left = Vec::new();
        for line in STORES.iter().chain(READS).chain(COPIES) {
            node.fill();
            usual.fill();
            news(&node);
            news(&usual);
            let expected = usual.execute(line);
            let _large = set_large_from(0);
            let (reply, ran, was_left) = node.execute_leaving(line);
            // Where nothing is stored one of them may have reserved a stamp.
            let (said, usually) = expected;
            assert_eq!(reply, said, "{line}");
            assert_eq!(ran.stamp.is_some(), usually.stamp.is_some(), "{line}");
            assert_eq!(news(&node), news(&usual), "{line}");
            assert_eq!(node.digest(), usual.digest(), "{line}");
            if was_left {
                left.push(*line);
            }
        }
        let are_left = |lines: &[&str]| lines.iter().filter(|line| left.contains(line)).count();
        assert!(are_left(STORES) > STORES.len() / 2, "{left:?}");
        assert_eq!(are_left(READS), READS.len(), "{left:?}");
        // Without a record there is nothing to make of a copy.
        let late = if node.keyspace.is_stamped() {
            COPIES.len()
        } else {
            0
        };
        assert_eq!(are_left(COPIES), late, "{left:?}");
        if node.keyspace.is_stamped() {
            assert_eq!(replay(&node).digest(), node.digest());
        }
    }
}

#[test]
fn little_is_never_left() {
    let mut node = Node::stamped();
    node.fill();
    for line in READS.iter().chain(STORES) {
        assert!(node.leave(line).is_err(), "{line}");
    }
}

#[test]
fn a_change_that_nobody_waits_for_any_more_is_published() {
    let mut node = Node::stamped();
    node.fill();
    let before = node.records().len();
    let job = {
        let _large = set_large_from(0);
        node.leave("COPY s new").ok()
    };
    // Whoever reads the journal waits for it.
    node.run("SET after 1");
    assert_eq!(node.records().len(), before);
    drop(job.unwrap());
    assert_eq!(node.records().len(), before + 2);
    assert_eq!(replay(&node).digest(), node.digest());
}

#[test]
fn what_is_given_up_stores_nothing_and_watches_nothing() {
    for make in [Node::stamped, Node::plain] {
        let mut node = make();
        node.fill();
        let digest = node.digest();
        let job = {
            let _large = set_large_from(0);
            node.leave("SUNIONSTORE d s t").ok()
        };
        assert!(watchers(&node) > 0);
        drop(job.unwrap());
        assert_eq!((watchers(&node), node.digest()), (0, digest));
        let _large = set_large_from(0);
        drop(node.leave("SMEMBERS s").ok().unwrap());
        assert_eq!(node.digest(), digest);
    }
}
