//! What a node tells others of its mesh: which mesh that is, and whom it counts as members.
//!
//! A *mesh* is named by its oldest founder and by all its founders together. Of two meshes that meet the older one stays; the
//! nodes of the younger join it one by one.
//!
//! ```text
//! table = born u64 | founder u128 | founders u64 | flags u8 (1 formed) | members (see members)
//! ```

use crate::db::varint::{Malformed, Reader};
use crate::db::{Hlc, NodeId, Origin};
use crate::replication::members::{Member, Members};

/// The name of a mesh: when its oldest founder's first life began, and who that is. The older mesh is the lesser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MeshId {
    /// The floor of the founder's first life.
    pub born: Hlc,
    /// The founder.
    pub founder: NodeId,
    /// A number that only the same founders have; 0 before the mesh has formed.
    pub founders: u64,
}

impl MeshId {
    /// Appends 32 bytes.
    pub fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.born.raw().to_le_bytes());
        out.extend_from_slice(&self.founder.0.to_le_bytes());
        out.extend_from_slice(&self.founders.to_le_bytes());
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            born: Hlc::from_raw(reader.u64()?),
            founder: NodeId(reader.u128()?),
            founders: reader.u64()?,
        })
    }
}

/// See the head of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The teller's mesh.
    pub mesh: MeshId,
    /// The mesh is formed: what is settled in it may not be known to strangers, who need an admission.
    pub formed: bool,
    /// Whom the teller counts.
    pub members: Members,
}

impl Table {
    /// Whether a life counts for the teller: not its own while it waits for its admission.
    pub fn counts(&self, life: Origin) -> bool {
        let member = self.members.nodes.get(&life.node);
        member.is_some_and(|member| {
            let confirmed = member.admission.is_some() || !self.formed;
            confirmed && member.lives.contains_key(&life.incarnation)
        })
    }

    /// Whether `me` does what is to be done once in the mesh, on behalf of `node`: that is itself, or, where the node is no member any
    /// more, the member with the least id. Who reads the same table comes to the same member.
    pub fn stands_in(&self, me: NodeId, node: NodeId) -> bool {
        if me == node {
            return true;
        }
        let is_member = |member: &Member| {
            let confirmed = member.admission.is_some() || !self.formed;
            confirmed && !member.lives.is_empty() && !member.is_forgotten()
        };
        let nodes = &self.members.nodes;
        if nodes.get(&node).is_some_and(is_member) {
            return false;
        }
        let mut members = nodes.iter().filter(|(_, member)| is_member(member));
        members.next().is_some_and(|(least, _)| *least == me)
    }

    /// Appends the bytes of the head comment.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.mesh.encode(out);
        out.push(u8::from(self.formed));
        self.members.encode(out);
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mesh = MeshId::decode(reader)?;
        let formed = match reader.u8()? {
            0 => false,
            1 => true,
            _ => {
                return Err(Malformed(
                    "unknown mesh flags: this node is older than its peer",
                ));
            }
        };
        Ok(Self {
            mesh,
            formed,
            members: Members::decode(reader)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Incarnation;
    use crate::replication::members::Life;

    #[test]
    fn a_mesh_table_has_these_bytes_and_comes_back() {
        let table = Table {
            mesh: MeshId {
                born: Hlc::from_raw(0x0102),
                founder: NodeId(0x33),
                founders: 0x44,
            },
            formed: true,
            members: Members::default(),
        };
        let mut golden = vec![2, 1, 0, 0, 0, 0, 0, 0, 0x33];
        golden.extend_from_slice(&[0; 15]);
        golden.extend_from_slice(&[0x44, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
        let mut out = Vec::new();
        table.encode(&mut out);
        assert_eq!(out, golden);
        assert_eq!(Table::decode(&mut Reader::new(&golden)), Ok(table));
        for len in 0..golden.len() {
            assert!(Table::decode(&mut Reader::new(&golden[..len])).is_err());
        }
        golden[32] = 2;
        assert!(Table::decode(&mut Reader::new(&golden)).is_err());
    }

    #[test]
    fn a_node_stands_in_for_itself_and_the_least_member_for_who_is_none() {
        let member = |lives: u32, forgotten: u32| Member {
            lives: (1..=lives)
                .map(|life| (Incarnation(life), Life { floor: Hlc::ZERO }))
                .collect(),
            forgotten,
            ..Member::default()
        };
        let mut table = Table {
            mesh: MeshId {
                born: Hlc::ZERO,
                founder: NodeId(2),
                founders: 0,
            },
            formed: false,
            members: Members::default(),
        };
        let nodes = &mut table.members.nodes;
        for (node, member) in [
            (1, member(0, 0)),
            (2, member(1, 1)),
            (3, member(2, 1)),
            (4, member(1, 0)),
        ] {
            nodes.insert(NodeId(node), member);
        }
        let who = |table: &Table, node: u128| -> Vec<u128> {
            let all = 1..=5;
            all.filter(|me| table.stands_in(NodeId(*me), NodeId(node)))
                .collect()
        };
        // Whoever asks on his own behalf; nobody else for 3 and 4, and 3 for who has not come in, was forgotten, or is unknown.
        for (node, expected) in [
            (1, vec![1, 3]),
            (2, vec![2, 3]),
            (3, vec![3]),
            (4, vec![4]),
            (9, vec![3]),
        ] {
            assert_eq!(who(&table, node), expected, "{node}");
        }
        // Where the mesh has formed, only who was admitted counts.
        table.formed = true;
        assert_eq!(who(&table, 9), Vec::<u128>::new());
    }

    #[test]
    fn the_older_mesh_is_the_lesser() {
        let mesh = |born, founder| MeshId {
            born: Hlc::from_raw(born),
            founder: NodeId(founder),
            founders: 0,
        };
        assert!(mesh(1, 9) < mesh(2, 1));
        assert!(mesh(1, 1) < mesh(1, 2));
    }
}
