//! PUBLISH: every node has somebody who listens, and hears each message of a life at most once and in order; all of them, where
//! nobody crashed, joined or needed a full sync.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use keymesh::db::{NodeId, Origin};
use keymesh::keyspace::Caller;
use keymesh::pubsub::channels::Subscriptions;
use keymesh::pubsub::{Kind, Mailbox};
use keymesh::replication::node::Node;

use crate::rng::Rng;
use crate::world::World;

const CHANNEL: &[u8] = b"news";

type Life = (NodeId, u32);

fn life(origin: Origin) -> Life {
    (origin.node, origin.incarnation.0)
}

/// Who listens at a process.
#[derive(Debug)]
struct Listener {
    mailbox: Arc<Mailbox>,
    _subscriptions: Subscriptions,
    /// How many of each life were heard.
    heard: BTreeMap<Life, u64>,
}

impl Listener {
    fn of(node: &Node) -> Self {
        let channels = Arc::clone(&node.keyspace.pubsub.channels);
        let mailbox = Arc::new(Mailbox::new(1, Arc::default()));
        let mut subscriptions = Subscriptions::new(channels, Arc::clone(&mailbox));
        subscriptions.subscribe(Kind::Channel, CHANNEL);
        Self {
            mailbox,
            _subscriptions: subscriptions,
            heard: BTreeMap::new(),
        }
    }
}

/// What is published in this run. Drawn apart, so that all other runs stay what they are without it.
#[derive(Debug)]
pub struct Messages {
    rng: Rng,
    is_on: bool,
    listeners: Vec<Listener>,
    published: BTreeMap<Life, u64>,
    faults: Vec<String>,
}

impl Messages {
    pub fn drawn(seed: u64) -> Self {
        // With this constant none of the seeds that rules are noticed by: what they show must stay what it is.
        let mut rng = Rng::new(seed.rotate_left(48) ^ 9);
        let is_on = rng.percent(25);
        Self {
            rng,
            is_on,
            listeners: Vec::new(),
            published: BTreeMap::new(),
            faults: Vec::new(),
        }
    }
}

impl World {
    /// Every process that runs has its listener; a new one of a node that crashed a new one.
    pub(super) fn listen(&mut self) {
        if !self.messages.is_on {
            return;
        }
        let known = self.messages.listeners.len();
        for node in &self.nodes[known..] {
            self.messages.listeners.push(Listener::of(&node.node));
        }
    }

    /// A node is about to crash, or has started again.
    pub(super) fn listen_anew(&mut self, index: usize) {
        if self.messages.is_on && index < self.messages.listeners.len() {
            self.messages.listeners[index] = Listener::of(&self.nodes[index].node);
        }
    }

    /// Perhaps somebody publishes something.
    pub(super) fn publish(&mut self) {
        if !self.messages.is_on || !self.messages.rng.percent(40) {
            return;
        }
        let index = self.messages.rng.below(self.nodes.len());
        if !self.nodes[index].is_live() {
            return;
        }
        let (node, now) = (&self.nodes[index].node, self.nodes[index].time(self.now));
        let of = life(node.origin());
        let number = self.messages.published.entry(of).or_default();
        *number += 1;
        let message = format!("{} {} {number}", of.0.0, of.1);
        let caller = Caller {
            db: 0,
            now,
            trace: None,
        };
        let keyspace = &node.keyspace;
        let (told, _) =
            keyspace.publish_message(Kind::Channel, CHANNEL, message.as_bytes(), true, &caller);
        if told != 1 {
            let fault = format!("a message at node {index} was told {told} times");
            self.messages.faults.push(fault);
        }
        self.coverage.publishes += 1;
    }

    /// Takes what has come, and looks at its order.
    pub(super) fn hear(&mut self) {
        let Messages {
            listeners, faults, ..
        } = &mut self.messages;
        for (index, listener) in listeners.iter_mut().enumerate() {
            let heard = &mut listener.heard;
            listener.mailbox.take(|letter| {
                let text = String::from_utf8_lossy(letter.parts().1).into_owned();
                let message = text.split("\r\n").nth(6).unwrap_or_default();
                let words: Vec<u128> = message.split(' ').flat_map(str::parse).collect();
                let [node, incarnation, number] = words[..] else {
                    faults.push(format!("node {index} heard {text:?}"));
                    return true;
                };
                let last = heard.entry((NodeId(node), incarnation as u32)).or_default();
                if number as u64 <= *last {
                    faults.push(format!(
                        "node {index} heard message {number} of {node} after {last}"
                    ));
                }
                *last = number as u64;
                true
            });
        }
    }

    /// What was wrong with messages.
    pub(super) fn message_faults(&mut self) -> Vec<String> {
        self.hear();
        let mut faults = std::mem::take(&mut self.messages.faults);
        let c = &self.coverage;
        let adopted: u64 = self
            .nodes
            .iter()
            .map(|node| node.node.counters.adoptions.load(Ordering::Relaxed))
            .sum();
        let is_whole = c.crashes + c.joins + c.leaves + c.departures + c.lost_disks + adopted == 0;
        if !self.messages.is_on || !is_whole || self.messages.published.is_empty() {
            return faults;
        }
        for (index, listener) in self.messages.listeners.iter().enumerate() {
            let node = &self.nodes[index];
            // What the journals had dropped came with a full sync, in which there are no messages.
            if node.follows || node.node.counters.merges_done.load(Ordering::Relaxed) > 0 {
                continue;
            }
            self.coverage.heard_all += 1;
            if listener.heard != self.messages.published {
                faults.push(format!(
                    "node {index} heard {:?} of {:?}",
                    listener.heard, self.messages.published
                ));
            }
        }
        faults
    }
}
