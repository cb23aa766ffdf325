//! What goes wrong, a little at each step: clocks, links, crashes, newcomers, other topologies.

use std::sync::Arc;

use keymesh::db::NodeId;

use crate::node::SimNode;
use crate::world::{Topology, World};

impl World {
    pub(super) fn faults(&mut self) {
        let count = self.nodes.len();
        if self.rng.percent(4) {
            let index = self.rng.below(count);
            self.nodes[index].skew_ms += self.rng.pick(&[-500, -60, 60, 500]);
        }
        if self.rng.percent(7) {
            let (a, b) = (self.rng.below(count), self.rng.below(count));
            self.network.cut.insert((a, b));
            if self.rng.percent(50) {
                self.network.cut.insert((b, a));
            }
            self.coverage.cuts += 1;
        }
        if self.rng.percent(8) && !self.network.cut.is_empty() {
            let cuts: Vec<_> = self.network.cut.iter().copied().collect();
            let healed = self.rng.pick(&cuts);
            self.network.cut.remove(&healed);
        }
        if self.rng.percent(4) && self.network.len() > 0 {
            let pairs = self.network.pairs();
            let pair = self.rng.pick(&pairs);
            self.network.disconnect(&self.nodes, pair);
        }
        if self.rng.percent(2) && self.coverage.crashes < 3 {
            let drawn = self.rng.below(count);
            let index = self.copied_disk().unwrap_or(drawn);
            if self.nodes[index].departed {
                return;
            }
            self.network.crash(&self.nodes, index);
            self.gone.push(Arc::clone(&self.nodes[index].node));
            self.restart(index);
            self.coverage.crashes += 1;
            self.tell(&format!(
                "node {index} crashed and began {}",
                self.nodes[index].node.origin()
            ));
        }
        self.copy_disk();
        if !self.in_slow_write {
            self.newcomers();
        }
        let mut masters = self.nodes.iter().filter(|node| !node.follows);
        let settled_mesh = masters.all(|node| node.node.is_established());
        if self.rng.percent(2) && !self.in_slow_write && settled_mesh {
            self.retopologize();
        }
    }

    /// Nodes start that belong to no mesh, alone or as an island of two, and some time later join the others.
    pub(super) fn newcomers(&mut self) {
        let outside = self.outside();
        if self.rng.percent(3) && self.coverage.joins + (outside as u64) < 2 && self.nodes.len() < 6
        {
            let index = self.nodes.len();
            let id = NodeId(u128::from(self.rng.next()) << 64 | index as u128);
            let skew = self.rng.pick(&[0, -400, 50, 400]);
            let bytes = self.nodes[0].journal_bytes;
            self.nodes
                .push(SimNode::start(id, skew, Vec::new(), bytes, self.now));
            self.nodes[index].attached = false;
            self.tell(&format!("node {index} starts"));
            if outside == 1 && self.rng.percent(50) {
                self.nodes[index].set_entries(vec![index - 1]);
                self.nodes[index - 1].set_entries(vec![index]);
                self.tell(&format!("nodes {} and {index} make an island", index - 1));
            }
        }
        let outside = self.outside();
        let formed = self
            .live_attached()
            .iter()
            .all(|index| self.nodes[*index].node.is_established());
        if outside > 0 && formed && self.rng.percent(15) {
            self.attach();
        }
    }

    /// How many nodes have yet to join.
    pub(super) fn outside(&self) -> usize {
        self.nodes.iter().filter(|node| !node.attached).count()
    }

    /// Whoever is outside joins.
    pub(super) fn attach(&mut self) {
        let outside = self.outside();
        self.nodes.iter_mut().for_each(|node| node.attached = true);
        self.coverage.joins += outside as u64;
        self.tell(&format!("{outside} nodes join"));
        self.rewire();
    }

    pub(super) fn retopologize(&mut self) {
        self.topology = self.rng.pick(&[
            Topology::Mesh,
            Topology::Ring,
            Topology::Star,
            Topology::Line,
        ]);
        self.rewire();
        self.coverage.leaves += 1;
    }

    pub(super) fn rewire(&mut self) {
        self.rewire_follower();
        let live = self.live_attached();
        for (place, &index) in live.iter().enumerate() {
            let entries = self.topology.entries(place, live.len());
            let entries: Vec<usize> = entries.into_iter().map(|place| live[place]).collect();
            if entries != self.nodes[index].entries {
                self.nodes[index].set_entries(entries);
            }
        }
    }
}
