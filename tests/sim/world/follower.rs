//! A plain replica of one of the masters: in the end it holds what its master holds.

use keymesh::db::{NodeId, UnixMillis};

use crate::node::SimNode;
use crate::rng::Rng;
use crate::world::World;

impl World {
    /// In some runs there is one. Drawn apart, so that all other runs stay what they are without it.
    pub(super) fn add_follower(&mut self, seed: u64) {
        let mut rng = Rng::new(seed.rotate_left(16) ^ u64::MAX);
        if !rng.percent(15) {
            return;
        }
        let index = self.nodes.len();
        let id = NodeId(u128::from(rng.next()) << 64 | index as u128);
        let (skew, bytes) = (rng.pick(&[0, -50, 300]), self.nodes[0].journal_bytes);
        let mut node = SimNode::start(id, skew, vec![rng.below(index)], bytes, self.now);
        node.follow(true);
        self.coverage.followers += 1;
        self.tell(&format!("node {index} follows {:?}", node.entries));
        self.nodes.push(node);
    }

    fn follower(&self) -> Option<usize> {
        self.nodes.iter().position(|node| node.follows)
    }

    /// Whose master has gone for good follows another one.
    pub(super) fn rewire_follower(&mut self) {
        let Some(index) = self.follower() else { return };
        let master = self.nodes[index].entries[0];
        if self.nodes[master].departed {
            let live = self.live_attached();
            self.nodes[index].set_entries(vec![live[0]]);
        }
    }

    /// Everything its master has is there and settled.
    pub(super) fn follower_is_at_rest(&self, after: u64) -> bool {
        self.follower().is_none_or(|index| {
            let keyspace = &self.nodes[index].node.keyspace;
            keyspace.settled().raw() > after && keyspace.pending() == (0, 0)
        })
    }

    /// How it differs from its master, if it does.
    pub(super) fn follower_fault(&self) -> Option<String> {
        let index = self.follower()?;
        let master = self.nodes[index].entries[0];
        // Behind what clocks may differ by, as between masters.
        let now = UnixMillis(self.now + 10_000);
        let (ours, theirs) = (self.nodes[index].data(now), self.nodes[master].data(now));
        let differs = ours != theirs;
        differs.then(|| {
            format!("follower {index} differs from its master {master}: {ours:?} / {theirs:?}")
        })
    }
}
