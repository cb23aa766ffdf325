//! A master that goes away: some time later an operator tells one of the others to forget it, and takes it out of their entries.
//! Some have gone for good, some were only out of reach and come back.

use keymesh::db::NodeId;

use crate::rng::Rng;
use crate::world::World;

/// Whether somebody departs in this run, and when. Drawn apart, so that all other runs stay what they are without it.
#[derive(Debug)]
pub struct Departure {
    rng: Rng,
    /// Steps until somebody goes; none where nobody does, or somebody has.
    due: Option<usize>,
    /// Who has gone and is not forgotten yet, and steps until it is.
    gone: Option<(usize, NodeId, usize)>,
    /// Whom operators see to it that nobody lists.
    forgotten: Vec<NodeId>,
    /// Who was forgotten and comes back, and steps until then.
    returns: Option<(usize, NodeId, usize)>,
}

impl Departure {
    /// Somebody departs in so many runs of a hundred.
    pub fn drawn(seed: u64, share: u64) -> Self {
        let mut rng = Rng::new(!seed);
        let due = rng.percent(share).then(|| 20 + rng.below(80));
        Self {
            rng,
            due,
            gone: None,
            forgotten: Vec::new(),
            returns: None,
        }
    }
}

impl World {
    /// The nodes that run.
    pub(super) fn live(&self) -> Vec<usize> {
        let all = 0..self.nodes.len();
        all.filter(|index| self.nodes[*index].is_live()).collect()
    }

    /// Those of them that belong together.
    pub(super) fn live_attached(&self) -> Vec<usize> {
        let mut live = self.live();
        live.retain(|index| self.nodes[*index].attached && !self.nodes[*index].away);
        live
    }

    /// One step of whatever departs.
    pub(super) fn departures(&mut self) {
        if let Some((index, id, steps)) = self.departure.gone {
            match steps.checked_sub(1) {
                Some(left) => self.departure.gone = Some((index, id, left)),
                None => self.forget_departed(),
            }
        }
        if let Some((index, id, steps)) = self.departure.returns {
            match steps.checked_sub(1) {
                Some(left) => self.departure.returns = Some((index, id, left)),
                None => self.come_back(),
            }
        }
        let Some(steps) = self.departure.due else {
            return;
        };
        self.departure.due = Some(steps.saturating_sub(1));
        let candidates = self.live_attached();
        let established = candidates
            .iter()
            .all(|index| self.nodes[*index].node.is_established());
        if steps > 0 || candidates.len() < 3 || !established {
            return;
        }
        let index = candidates[self.departure.rng.below(candidates.len())];
        self.departure.due = None;
        let id = self.nodes[index].node.origin().node;
        self.departure.gone = Some((index, id, self.departure.rng.below(40)));
        self.network.crash(&self.nodes, index);
        let for_good = self.departure.rng.percent(50);
        self.nodes[index].departed = for_good;
        self.nodes[index].away = !for_good;
        self.tell(&format!("node {index} goes, for good: {for_good}"));
    }

    /// Whoever has gone is forgotten now.
    pub(super) fn forget_departed(&mut self) {
        if let Some((index, id, _)) = self.departure.gone.take() {
            self.coverage.departures += 1;
            self.forget(id);
            if self.nodes[index].away {
                self.departure.returns = Some((index, id, self.departure.rng.below(40)));
            }
            self.rewire();
        }
    }

    /// Whoever was out of reach can be reached again, by its old name.
    pub(super) fn come_back(&mut self) {
        if let Some((index, id, _)) = self.departure.returns.take() {
            self.departure.forgotten.retain(|other| *other != id);
            self.nodes[index].away = false;
            self.coverage.returns += 1;
            self.tell(&format!("node {index} comes back"));
            self.rewire();
        }
    }

    /// Operators see to it from now on that nobody lists this node.
    pub(super) fn forget(&mut self, id: NodeId) {
        self.departure.forgotten.push(id);
        self.forget_again();
    }

    /// An operator looks at the members of some node, and forgets whom it still lists.
    pub(super) fn forget_again(&mut self) {
        let live: Vec<usize> = self.live();
        let live: Vec<usize> = live
            .into_iter()
            .filter(|index| !self.nodes[*index].away)
            .collect();
        for id in self.departure.forgotten.clone() {
            let teller = live[self.departure.rng.below(live.len())];
            let node = &self.nodes[teller].node;
            let members = node.members();
            let is_listed = members.nodes.get(&id);
            if is_listed.is_some_and(|member| !member.is_forgotten()) {
                node.forget(id).expect("the simulated disk writes");
                self.tell(&format!("node {teller} forgets node {:x}", id.0 >> 112));
            }
        }
    }
}
