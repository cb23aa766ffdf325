//! Who belongs to the mesh, as far as this node knows: a table that only grows, so that tables from anywhere can be joined in
//! any order.
//!
//! A *member* is a node; its *lives* are its origins. A life that was followed by a newer one is *retired*; once every member has
//! said how much of a retired life it holds, the life is *sealed* at the largest of these, and whoever has arrived there
//! need not wait for more.
//!
//! Invariant: a stamp of a member's life comes after the life's floor, and a life's floor after every stamp of the lives before.
//!
//! ```text
//! members varint, each:
//!   node u128 | admitted u64 | forgotten through u32 | entries version u64
//!   entries varint, each: address length varint | address | 0 or 1 node u128
//!   lives varint, each:   incarnation u32 | floor u64 | 0 or 1 sealed u64
//!   statements varint, each: about node u128 | about incarnation u32 | by incarnation u32 | arrived u64
//! ```

use std::collections::BTreeMap;

use crate::db::varint::{self, Malformed, Reader};
use crate::db::{Hlc, Incarnation, NodeId, Origin};

/// One life of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// All its stamps come after this.
    pub floor: Hlc,
    /// Nobody holds more of it than this, and it is over.
    pub sealed: Option<Hlc>,
}

/// What a member said of a retired life: how much of it the member holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// The member's own life when it said so.
    pub by: Incarnation,
    /// How much.
    pub arrived: Hlc,
}

/// One `replicaof` entry of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `host:port` as configured.
    pub address: String,
    /// Who answered there.
    pub met: Option<NodeId>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// None of its stamps that count come at or before this.
    pub admitted: Hlc,
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
            changed |= raise(&mut ours.admitted, theirs.admitted);
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
                match ours.lives.get_mut(&incarnation) {
                    None => {
                        ours.lives.insert(incarnation, life.clone());
                        changed = true;
                    }
                    Some(known) if life.sealed > known.sealed => {
                        known.sealed = life.sealed;
                        changed = true;
                    }
                    Some(_) => {}
                }
            }
            for (&about, &statement) in &theirs.statements {
                let known = ours.statements.entry(about).or_insert_with(|| {
                    changed = true;
                    statement
                });
                changed |= raise(known, statement);
            }
        }
        changed
    }

    /// A member's newest life.
    pub fn newest(&self, node: NodeId) -> Option<Incarnation> {
        self.nodes
            .get(&node)?
            .newest()
            .map(|(incarnation, _)| incarnation)
    }

    /// Whether a newer life of the same node is known.
    pub fn is_retired(&self, origin: Origin) -> bool {
        self.newest(origin.node)
            .is_some_and(|newest| newest > origin.incarnation)
    }

    /// A life, if it is known.
    pub fn life(&self, origin: Origin) -> Option<&Life> {
        self.nodes.get(&origin.node)?.lives.get(&origin.incarnation)
    }

    /// Every life of every member that was not forgotten.
    pub fn lives(&self) -> impl Iterator<Item = (Origin, &Life)> {
        self.nodes.iter().flat_map(|(&node, member)| {
            let forgotten = member.forgotten;
            member
                .lives
                .iter()
                .filter(move |(incarnation, _)| incarnation.0 > forgotten)
                .map(move |(&incarnation, life)| (Origin { node, incarnation }, life))
        })
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

    /// Where a retired life can be sealed: the most that anybody holds, once all have said.
    pub fn seal_of(&self, origin: Origin) -> Option<Hlc> {
        let mut most = Hlc::ZERO;
        for member in self.nodes.values().filter(|member| !member.is_forgotten()) {
            let (newest, _) = member.newest()?;
            let statement = member
                .statements
                .get(&origin)
                .filter(|statement| statement.by == newest)?;
            most = most.max(statement.arrived);
        }
        Some(most)
    }

    /// Drops statements about lives that are sealed.
    pub fn prune_statements(&mut self) {
        let sealed: Vec<Origin> = self
            .lives()
            .filter(|(_, life)| life.sealed.is_some())
            .map(|(origin, _)| origin)
            .collect();
        for member in self.nodes.values_mut() {
            member.statements.retain(|about, _| !sealed.contains(about));
        }
    }

    /// Appends the bytes of the head comment.
    pub fn encode(&self, out: &mut Vec<u8>) {
        varint::put(out, self.nodes.len() as u64);
        for (node, member) in &self.nodes {
            out.extend_from_slice(&node.0.to_le_bytes());
            out.extend_from_slice(&member.admitted.raw().to_le_bytes());
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
                match life.sealed {
                    None => out.push(0),
                    Some(sealed) => {
                        out.push(1);
                        out.extend_from_slice(&sealed.raw().to_le_bytes());
                    }
                }
            }
            varint::put(out, member.statements.len() as u64);
            for (about, statement) in &member.statements {
                out.extend_from_slice(&about.node.0.to_le_bytes());
                out.extend_from_slice(&about.incarnation.0.to_le_bytes());
                out.extend_from_slice(&statement.by.0.to_le_bytes());
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
                admitted: Hlc::from_raw(reader.u64()?),
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
                let sealed = match reader.u8()? {
                    0 => None,
                    _ => Some(Hlc::from_raw(reader.u64()?)),
                };
                member.lives.insert(incarnation, Life { floor, sealed });
            }
            for _ in 0..reader.varint()? {
                let about = Origin {
                    node: NodeId(reader.u128()?),
                    incarnation: Incarnation(reader.u32()?),
                };
                let by = Incarnation(reader.u32()?);
                member.statements.insert(
                    about,
                    Statement {
                        by,
                        arrived: Hlc::from_raw(reader.u64()?),
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
mod tests {
    use super::*;

    fn sample() -> Members {
        let mut members = Members::default();
        let member = members.nodes.entry(NodeId(5)).or_default();
        member.entries_version = Hlc::from_raw(9);
        member.entries = vec![Entry {
            address: "a:1".to_owned(),
            met: Some(NodeId(6)),
        }];
        member.lives.insert(
            Incarnation(1),
            Life {
                floor: Hlc::from_raw(3),
                sealed: Some(Hlc::from_raw(8)),
            },
        );
        member.lives.insert(
            Incarnation(2),
            Life {
                floor: Hlc::from_raw(9),
                sealed: None,
            },
        );
        let about = Origin {
            node: NodeId(6),
            incarnation: Incarnation(1),
        };
        member.statements.insert(
            about,
            Statement {
                by: Incarnation(2),
                arrived: Hlc::from_raw(4),
            },
        );
        members
    }

    #[test]
    fn a_table_comes_back_from_its_bytes_and_cut_bytes_are_refused() {
        let mut bytes = Vec::new();
        sample().encode(&mut bytes);
        assert_eq!(Members::decode(&mut Reader::new(&bytes)), Ok(sample()));
        for len in 0..bytes.len() {
            assert!(Members::decode(&mut Reader::new(&bytes[..len])).is_err());
        }
    }

    #[test]
    fn joining_tables_is_the_same_in_any_order_and_joining_twice_changes_nothing() {
        let mut other = Members::default();
        let member = other.nodes.entry(NodeId(5)).or_default();
        member.entries_version = Hlc::from_raw(10);
        member.lives.insert(
            Incarnation(3),
            Life {
                floor: Hlc::from_raw(20),
                sealed: None,
            },
        );
        other.nodes.entry(NodeId(6)).or_default();
        let (mut a, mut b) = (sample(), other.clone());
        assert!(a.join(&other));
        assert!(b.join(&sample()));
        assert_eq!(a, b);
        assert!(!a.join(&other));
        assert!(a.is_retired(Origin {
            node: NodeId(5),
            incarnation: Incarnation(2)
        }));
    }

    #[test]
    fn a_retired_life_is_sealed_at_the_most_that_anybody_holds_once_all_have_said() {
        let mut members = sample();
        let about = Origin {
            node: NodeId(6),
            incarnation: Incarnation(1),
        };
        let six = members.nodes.entry(NodeId(6)).or_default();
        six.lives.insert(
            Incarnation(1),
            Life {
                floor: Hlc::ZERO,
                sealed: None,
            },
        );
        six.lives.insert(
            Incarnation(2),
            Life {
                floor: Hlc::from_raw(30),
                sealed: None,
            },
        );
        assert_eq!(members.seal_of(about), None);
        let statement = Statement {
            by: Incarnation(2),
            arrived: Hlc::from_raw(2),
        };
        members
            .nodes
            .get_mut(&NodeId(6))
            .unwrap()
            .statements
            .insert(about, statement);
        assert_eq!(members.seal_of(about), Some(Hlc::from_raw(4)));
    }
}
