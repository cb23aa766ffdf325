//! Who belongs to the mesh, as far as this node knows: a table that only grows, so that tables from anywhere can be joined in
//! any order.
//!
//! A *member* is a node; its *lives* are its origins. A life that was followed by a newer one is *retired*. Every member states how
//! much of a retired life it holds, anew whenever any node has begun a new life: once all statements speak of the same lives, the
//! largest is all that is left of the retired life, and whoever has arrived there need not wait for more.
//!
//! Invariant: a stamp of a member's life comes after the life's floor, and a life's floor after every stamp of the lives before.
//!
//! ```text
//! members varint, each:
//!   node u128 | admission (0, or 1 and floor u64 | by node u128 | by incarnation u32) | forgotten through u32
//!   entries version u64
//!   entries varint, each: address length varint | address | 0 or 1 node u128
//!   lives varint, each:   incarnation u32 | floor u64
//!   statements varint, each: about node u128 | about incarnation u32 | by incarnation u32 | version u64 |
//!     lives u64 | strangers u64 | arrived u64
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::db::varint::{self, Malformed, Reader};
use crate::db::{Hlc, Incarnation, NodeId, Origin};

/// One life of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// All its stamps come after this.
    pub floor: Hlc,
}

/// What a member said of a retired life: how much of it the member holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// The member's own life when it said so.
    pub by: Incarnation,
    /// When: a later statement replaces an earlier one.
    pub version: Hlc,
    /// What the member knew then.
    pub seen: View,
    /// How much.
    pub arrived: Hlc,
}

/// What two tables may agree on, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct View {
    /// The newest life of every member; forgotten ones and those that have not come in count as none.
    pub lives: u64,
    /// Who has not come in, and by whom they were announced.
    pub strangers: u64,
}

/// Where sums of [`mix`] begin.
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;

fn mix(sum: &mut u64, word: u128) {
    for half in [word as u64, (word >> 64) as u64] {
        *sum = (*sum ^ half)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    }
}

/// One `replicaof` entry of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `host:port` as configured.
    pub address: String,
    /// Who answered there.
    pub met: Option<NodeId>,
}

/// What lets a node's stamps into a mesh: a record in the stream of somebody who counts there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Admission {
    /// Nothing of the node that comes before this counts.
    pub floor: Hlc,
    /// In whose stream it was announced.
    pub by: Origin,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// With lives: the admission that the node itself has confirmed, which its lives' floors do not precede; none before that.
    /// Without lives: the earliest admission that was announced.
    pub admission: Option<Admission>,
    /// Lives up to this one were forgotten by an operator; 0 for none.
    pub forgotten: u32,
    /// When its entries were last changed; zero while they are not known.
    pub entries_version: Hlc,
    /// Its `replicaof` entries.
    pub entries: Vec<Entry>,
    /// Its lives.
    pub lives: BTreeMap<Incarnation, Life>,
    /// What it said of retired lives.
    pub statements: BTreeMap<Origin, Statement>,
}

impl Member {
    /// Its newest life.
    pub fn newest(&self) -> Option<(Incarnation, &Life)> {
        self.lives
            .last_key_value()
            .map(|(incarnation, life)| (*incarnation, life))
    }

    /// Announcements give way to a confirmation; of several announcements the earliest counts.
    fn join_admission(&mut self, theirs: &Self) -> bool {
        let admission = match (self.lives.is_empty(), theirs.lives.is_empty()) {
            (true, false) => theirs.admission,
            (true, true) => match (self.admission, theirs.admission) {
                (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
                (ours, theirs) => ours.or(theirs),
            },
            (false, true) => self.admission,
            (false, false) => self.admission.max(theirs.admission),
        };
        std::mem::replace(&mut self.admission, admission) != admission
    }

    /// A life from before the admission that was followed by one after it has been made anew and counts no more.
    fn drop_void_lives(&mut self) {
        let Some(Admission { floor, .. }) = self.admission else {
            return;
        };
        if self.newest().is_some_and(|(_, life)| life.floor >= floor) {
            self.lives.retain(|_, life| life.floor >= floor);
        }
    }

    /// Whether its newest life was forgotten.
    pub fn is_forgotten(&self) -> bool {
        self.forgotten > 0
            && self
                .newest()
                .is_none_or(|(incarnation, _)| incarnation.0 <= self.forgotten)
    }
}

/// See the head of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members {
    /// By node id.
    pub nodes: BTreeMap<NodeId, Member>,
}

impl Members {
    /// Joins what somebody else knows; says whether anything was new.
    pub fn join(&mut self, other: &Self) -> bool {
        let mut changed = false;
        for (&node, theirs) in &other.nodes {
            let ours = self.nodes.entry(node).or_insert_with(|| {
                changed = true;
                Member::default()
            });
            changed |= ours.join_admission(theirs);
            changed |= raise(&mut ours.forgotten, theirs.forgotten);
            if theirs.entries_version > ours.entries_version {
                ours.entries_version = theirs.entries_version;
                ours.entries.clone_from(&theirs.entries);
                changed = true;
            } else if theirs.entries_version == ours.entries_version {
                for (mine, entry) in ours.entries.iter_mut().zip(&theirs.entries) {
                    if mine.met.is_none() && entry.met.is_some() {
                        mine.met = entry.met;
                        changed = true;
                    }
                }
            }
            for (&incarnation, life) in &theirs.lives {
                let known = ours.lives.entry(incarnation).or_insert_with(|| {
                    changed = true;
                    life.clone()
                });
                // A name that two lives bore belongs to the first.
                if life.floor < known.floor {
                    known.floor = life.floor;
                    changed = true;
                }
            }
            for (&about, &statement) in &theirs.statements {
                let known = ours.statements.entry(about).or_insert_with(|| {
                    changed = true;
                    statement
                });
                changed |= raise(known, statement);
            }
            ours.drop_void_lives();
        }
        changed
    }

    /// Drops announcements by lives that do not count, which nobody can confirm; says whether there were any.
    pub fn drop_void_announcements(&mut self) -> bool {
        let void: Vec<NodeId> = self
            .nodes
            .iter()
            .filter(|(_, member)| member.lives.is_empty() && member.forgotten == 0)
            .filter(|(_, member)| {
                member
                    .admission
                    .is_none_or(|admission| self.life(admission.by).is_none())
            })
            .map(|(node, _)| *node)
            .collect();
        for node in &void {
            self.nodes.remove(node);
        }
        !void.is_empty()
    }

    /// A number that two tables share when they know the same newest life of every member.
    pub fn fingerprint(&self) -> u64 {
        self.view(None).lives
    }

    /// What there is to agree on; `announced` is taken for a node that has not come in yet.
    pub fn view(&self, announced: Option<NodeId>) -> View {
        let (mut lives, mut strangers) = (FNV_BASIS, FNV_BASIS);
        for (node, member) in &self.nodes {
            let newest = member.newest().filter(|_| announced != Some(*node));
            let newest = newest.filter(|_| !member.is_forgotten());
            mix(&mut lives, node.0);
            mix(&mut lives, u128::from(newest.map_or(0, |(life, _)| life.0)));
            if let (None, Some(Admission { by, .. }), false) =
                (newest, member.admission, member.is_forgotten())
            {
                mix(&mut strangers, node.0);
                mix(&mut strangers, by.node.0);
                mix(&mut strangers, u128::from(by.incarnation.0));
            }
        }
        View { lives, strangers }
    }

    /// A number that only tables of the same nodes share.
    pub fn founders(&self) -> u64 {
        let ids = self
            .nodes
            .iter()
            .filter(|(_, member)| !member.lives.is_empty());
        let low = ids.fold(0xcbf2_9ce4_8422_2325u64, |sum, (node, _)| {
            let mixed = (sum ^ node.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (mixed.rotate_left(29) ^ (node.0 >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        low.max(1)
    }

    /// A member's newest life.
    pub fn newest(&self, node: NodeId) -> Option<Incarnation> {
        self.nodes
            .get(&node)?
            .newest()
            .map(|(incarnation, _)| incarnation)
    }

    /// Whether a newer life of the same node is known, or it was forgotten.
    pub fn is_retired(&self, origin: Origin) -> bool {
        let member = self.nodes.get(&origin.node);
        member.is_some_and(|member| {
            let newest = member.newest().map(|(incarnation, _)| incarnation);
            newest > Some(origin.incarnation) || origin.incarnation.0 <= member.forgotten
        })
    }

    /// A life, if it is known.
    pub fn life(&self, origin: Origin) -> Option<&Life> {
        self.nodes.get(&origin.node)?.lives.get(&origin.incarnation)
    }

    /// Every life of every member. What a forgotten one has written and somebody holds still has to reach everybody.
    pub fn lives(&self) -> impl Iterator<Item = (Origin, &Life)> {
        self.nodes.iter().flat_map(|(&node, member)| {
            let lives = member.lives.iter();
            lives.map(move |(&incarnation, life)| (Origin { node, incarnation }, life))
        })
    }

    /// In whose name members state that they do not count a node which was forgotten before it had come in.
    pub fn unborn(node: NodeId) -> Origin {
        Origin {
            node,
            incarnation: Incarnation(0),
        }
    }

    /// Those of them that there are.
    pub fn forgotten_unborn(&self) -> impl Iterator<Item = Origin> {
        let unborn =
            |(_, member): &(&NodeId, &Member)| member.lives.is_empty() && member.is_forgotten();
        self.nodes
            .iter()
            .filter(unborn)
            .map(|(node, _)| Self::unborn(*node))
    }

    /// Whether every `replicaof` entry of every member was met.
    pub fn all_met(&self) -> bool {
        self.nodes
            .values()
            .filter(|member| !member.is_forgotten())
            .all(|member| {
                member.entries_version > Hlc::ZERO
                    && member
                        .entries
                        .iter()
                        .all(|entry| entry.met.is_some_and(|node| self.nodes.contains_key(&node)))
            })
    }

    /// All that is left of a retired life: the most that anybody holds, once all have said so of the same lives. Whoever is
    /// announced may have come in already and hold more.
    pub fn most_held(&self, origin: Origin) -> Option<Hlc> {
        let mut nodes = self.nodes.values();
        let all_in = nodes.all(|member| !member.lives.is_empty() || member.is_forgotten());
        all_in.then(|| self.held_by_counted(origin, None)).flatten()
    }

    /// The most that those hold who count here, but for one, once all of them have said so of the same lives.
    pub fn held_by_counted(&self, origin: Origin, but: Option<NodeId>) -> Option<Hlc> {
        let seen = self.fingerprint();
        let mut most = Hlc::ZERO;
        let stating = self
            .nodes
            .iter()
            .filter(|(node, member)| !member.is_forgotten() && but != Some(**node))
            .filter_map(|(_, member)| Some((member, member.newest()?.0)));
        for (member, newest) in stating {
            let statement = member.statements.get(&origin)?;
            if statement.by != newest || statement.seen.lives != seen {
                return None;
            }
            most = most.max(statement.arrived);
        }
        Some(most)
    }

    /// That of every retired life, once it is known of all of them.
    pub fn all_held_by_counted(&self, but: NodeId) -> Option<Vec<(Origin, Hlc)>> {
        self.lives()
            .map(|(origin, _)| origin)
            .filter(|origin| self.is_retired(*origin))
            .map(|origin| Some((origin, self.held_by_counted(origin, Some(but))?)))
            .collect()
    }

    /// Drops statements about lives that nobody lists any more.
    pub fn prune_statements(&mut self) {
        let lives = self.lives().map(|(origin, _)| origin);
        let known: BTreeSet<Origin> = lives.chain(self.forgotten_unborn()).collect();
        for member in self.nodes.values_mut() {
            member.statements.retain(|about, _| known.contains(about));
        }
    }

    /// Appends the bytes of the head comment.
    pub fn encode(&self, out: &mut Vec<u8>) {
        varint::put(out, self.nodes.len() as u64);
        for (node, member) in &self.nodes {
            out.extend_from_slice(&node.0.to_le_bytes());
            match member.admission {
                None => out.push(0),
                Some(Admission { floor, by }) => {
                    out.push(1);
                    out.extend_from_slice(&floor.raw().to_le_bytes());
                    out.extend_from_slice(&by.node.0.to_le_bytes());
                    out.extend_from_slice(&by.incarnation.0.to_le_bytes());
                }
            }
            out.extend_from_slice(&member.forgotten.to_le_bytes());
            out.extend_from_slice(&member.entries_version.raw().to_le_bytes());
            varint::put(out, member.entries.len() as u64);
            for entry in &member.entries {
                varint::put_bytes(out, entry.address.as_bytes());
                match entry.met {
                    None => out.push(0),
                    Some(node) => {
                        out.push(1);
                        out.extend_from_slice(&node.0.to_le_bytes());
                    }
                }
            }
            varint::put(out, member.lives.len() as u64);
            for (incarnation, life) in &member.lives {
                out.extend_from_slice(&incarnation.0.to_le_bytes());
                out.extend_from_slice(&life.floor.raw().to_le_bytes());
            }
            varint::put(out, member.statements.len() as u64);
            for (about, statement) in &member.statements {
                out.extend_from_slice(&about.node.0.to_le_bytes());
                out.extend_from_slice(&about.incarnation.0.to_le_bytes());
                out.extend_from_slice(&statement.by.0.to_le_bytes());
                out.extend_from_slice(&statement.version.raw().to_le_bytes());
                out.extend_from_slice(&statement.seen.lives.to_le_bytes());
                out.extend_from_slice(&statement.seen.strangers.to_le_bytes());
                out.extend_from_slice(&statement.arrived.raw().to_le_bytes());
            }
        }
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut members = Self::default();
        for _ in 0..reader.varint()? {
            let node = NodeId(reader.u128()?);
            let mut member = Member {
                admission: match reader.u8()? {
                    0 => None,
                    _ => Some(Admission {
                        floor: Hlc::from_raw(reader.u64()?),
                        by: Origin {
                            node: NodeId(reader.u128()?),
                            incarnation: Incarnation(reader.u32()?),
                        },
                    }),
                },
                forgotten: reader.u32()?,
                entries_version: Hlc::from_raw(reader.u64()?),
                ..Member::default()
            };
            for _ in 0..reader.varint()? {
                let address = std::str::from_utf8(reader.bytes()?)
                    .map_err(|_| Malformed("address is not text"))?;
                let met = match reader.u8()? {
                    0 => None,
                    _ => Some(NodeId(reader.u128()?)),
                };
                member.entries.push(Entry {
                    address: address.to_owned(),
                    met,
                });
            }
            for _ in 0..reader.varint()? {
                let incarnation = Incarnation(reader.u32()?);
                let floor = Hlc::from_raw(reader.u64()?);
                member.lives.insert(incarnation, Life { floor });
            }
            for _ in 0..reader.varint()? {
                let about = Origin {
                    node: NodeId(reader.u128()?),
                    incarnation: Incarnation(reader.u32()?),
                };
                let by = Incarnation(reader.u32()?);
                let version = Hlc::from_raw(reader.u64()?);
                let seen = View {
                    lives: reader.u64()?,
                    strangers: reader.u64()?,
                };
                let arrived = Hlc::from_raw(reader.u64()?);
                member.statements.insert(
                    about,
                    Statement {
                        by,
                        version,
                        seen,
                        arrived,
                    },
                );
            }
            members.nodes.insert(node, member);
        }
        Ok(members)
    }
}

fn raise<T: PartialOrd>(known: &mut T, new: T) -> bool {
    let higher = new > *known;
    if higher {
        *known = new;
    }
    higher
}

#[cfg(test)]
mod tests;
