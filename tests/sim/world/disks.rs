//! Disks that fail: at a crash a node's disk may be lost, so that a new node starts in its place, or be put back from an old copy,
//! so that the node knows nothing of its later lives.

use keymesh::db::NodeId;
use keymesh::replication::members::Member;

use crate::node::DiskCopy;
use crate::rng::Rng;
use crate::world::World;

/// What happens to disks in this run. Drawn apart, so that all other runs stay what they are without it.
#[derive(Debug)]
pub struct Disks {
    rng: Rng,
    /// Whether a disk still is to be lost or put back.
    is_due: bool,
    copy: Option<(usize, DiskCopy)>,
    /// Whose disk is lost.
    lost: Option<NodeId>,
}

impl Disks {
    pub fn drawn(seed: u64) -> Self {
        let mut rng = Rng::new(!seed.rotate_left(32));
        let is_due = rng.percent(25);
        Self {
            rng,
            is_due,
            copy: None,
            lost: None,
        }
    }
}

impl World {
    /// Somebody copies a disk.
    pub(super) fn copy_disk(&mut self) {
        if self.disks.is_due && self.disks.copy.is_none() && self.disks.rng.percent(10) {
            let index = self.disks.rng.below(self.nodes.len());
            self.disks.copy = Some((index, self.nodes[index].copy_disk()));
        }
    }

    /// Whose disk was copied: it crashes before others do.
    pub(super) fn copied_disk(&self) -> Option<usize> {
        self.disks.copy.as_ref().map(|(index, _)| *index)
    }

    /// A node starts after a crash, with the disk that it finds.
    pub(super) fn restart(&mut self, index: usize) {
        let formed = self
            .live_attached()
            .iter()
            .all(|index| self.nodes[*index].node.is_established());
        let node = &self.nodes[index];
        if self.disks.is_due && node.attached && !node.follows && formed {
            self.lose_disk(index);
        }
        self.hear();
        self.nodes[index].restart(self.now);
        self.listen_anew(index);
    }

    fn lose_disk(&mut self, index: usize) {
        // A copy of the life that has just ended is what the disk holds anyway, mostly.
        let node = &self.nodes[index];
        let present = node.copy_disk().incarnation();
        let rng = &mut self.disks.rng;
        let copied = self.disks.copy.take_if(|(copied, copy)| {
            *copied == index && (copy.incarnation() < present || rng.percent(20))
        });
        if copied.is_none() && self.disks.copy.is_some() {
            return;
        }
        let last = self.last_stamp_of(index);
        let copied = copied.filter(|(_, copy)| {
            // Its clock has gone on since, and nobody depends on what it announced since.
            let node = &self.nodes[index];
            node.would_begin_at(copy, self.now) > last && node.is_known_to(copy)
        });
        match copied {
            Some((_, copy)) => {
                self.disks.is_due = false;
                self.coverage.old_disks += 1;
                self.nodes[index].put_back(copy);
                self.tell(&format!("node {index} finds an old disk"));
            }
            _ if self.disks.rng.percent(30) => {
                self.disks.is_due = false;
                self.coverage.lost_disks += 1;
                self.disks.lost = Some(self.nodes[index].node.origin().node);
                let id = u128::from(self.disks.rng.next()) << 64 | index as u128;
                self.nodes[index].replace_disk(NodeId(id));
                self.tell(&format!("node {index} finds an empty disk"));
            }
            _ => {}
        }
    }

    /// Whoever lost its disk is gone for good: where nobody reads its address any more, an operator says so.
    pub(super) fn forget_lost(&mut self) {
        if let Some(id) = self.disks.lost.take() {
            self.forget(id);
        }
    }

    /// Whether whoever lost its disk was forgotten without anybody's help.
    pub(super) fn is_replaced(&self) -> bool {
        let members = self.nodes[self.live()[0]].node.members();
        let lost = self.disks.lost.and_then(|id| members.nodes.get(&id));
        lost.is_some_and(Member::is_forgotten)
    }

    /// The last time that a node has given out.
    fn last_stamp_of(&self, index: usize) -> u64 {
        self.nodes[index].node.keyspace.journal.clock().raw()
    }
}
