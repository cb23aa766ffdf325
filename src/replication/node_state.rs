//! `node.state`: what a node must never forget, written whole and synced before it counts.
//!
//! ```text
//! "KMNS" | version u16 = 1 | node u128 | incarnation u32 | lease u64 | flags u8 (1 established)
//! sponsors varint, each: node u128 | incarnation u32
//! table (see table) | crc32 u32
//! ```
//! All integers little endian; the checksum is that of everything before it. A file that does not check is refused:
//! guessing an identity would make two nodes of one.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::db::varint::{self, Malformed, Reader};
use crate::db::{Hlc, Incarnation, NodeId, Origin};
use crate::replication::table::Table;

const MAGIC: &[u8; 4] = b"KMNS";
const VERSION: u16 = 1;

/// See the head of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeState {
    /// The node's id.
    pub node: NodeId,
    /// Its present life.
    pub incarnation: Incarnation,
    /// No stamp of this life comes after this.
    pub lease: Hlc,
    /// Every configured master was met once.
    pub established: bool,
    /// Who announced the node's confirmed admission, who had announced them, and so on.
    pub sponsors: Vec<Origin>,
    /// The mesh as known.
    pub table: Table,
}

impl NodeState {
    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.node.0.to_le_bytes());
        out.extend_from_slice(&self.incarnation.0.to_le_bytes());
        out.extend_from_slice(&self.lease.raw().to_le_bytes());
        out.push(u8::from(self.established));
        varint::put(&mut out, self.sponsors.len() as u64);
        for sponsor in &self.sponsors {
            out.extend_from_slice(&sponsor.node.0.to_le_bytes());
            out.extend_from_slice(&sponsor.incarnation.0.to_le_bytes());
        }
        self.table.encode(&mut out);
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a file's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let (body, crc) = bytes
            .split_last_chunk::<4>()
            .ok_or(Malformed("node.state is too short"))?;
        if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
            return Err(Malformed("node.state has a wrong checksum"));
        }
        let mut reader = Reader::new(body);
        if reader.take(4)? != MAGIC {
            return Err(Malformed("not a node.state file"));
        }
        if reader.take(2)? != VERSION.to_le_bytes() {
            return Err(Malformed("node.state was written by a newer version"));
        }
        let node = NodeId(reader.u128()?);
        let incarnation = Incarnation(reader.u32()?);
        let lease = Hlc::from_raw(reader.u64()?);
        let flags = reader.u8()?;
        let mut sponsors = Vec::new();
        for _ in 0..reader.varint()? {
            sponsors.push(Origin {
                node: NodeId(reader.u128()?),
                incarnation: Incarnation(reader.u32()?),
            });
        }
        Ok(Self {
            node,
            incarnation,
            lease,
            established: flags & 1 != 0,
            sponsors,
            table: Table::decode(&mut reader)?,
        })
    }
}

/// Where a node's state is kept.
pub trait StateStore: Send + Sync {
    /// Writes it; when this returns, it is on disk.
    fn save(&self, state: &NodeState) -> io::Result<()>;
}

/// The state in a file, which is nobody else's while this lives: two servers with one identity would be taken for one.
#[derive(Debug)]
pub struct FileStore {
    path: PathBuf,
    /// Locked. The state itself is replaced by each write.
    _lock: File,
}

impl FileStore {
    /// Kept at this path; none where another server has it.
    pub fn open(path: PathBuf) -> io::Result<Option<Self>> {
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.with_extension("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { path, _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// What is there; none where there is no file.
    pub fn load(&self) -> io::Result<Option<NodeState>> {
        match fs::read(&self.path) {
            Ok(bytes) => NodeState::decode(&bytes).map(Some).map_err(|error| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("{}: {error}", self.path.display()),
                )
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl StateStore for FileStore {
    fn save(&self, state: &NodeState) -> io::Result<()> {
        let temporary = self.path.with_extension("tmp");
        let mut file = File::create(&temporary)?;
        file.write_all(&state.encode())?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        let dir = self
            .path
            .parent()
            .filter(|dir| !dir.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        File::open(dir)?.sync_all()
    }
}

/// No state at all: the node is a new one at every start.
#[derive(Debug)]
pub struct Forgetful;

impl StateStore for Forgetful {
    fn save(&self, _: &NodeState) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::members::Members;
    use crate::replication::table::MeshId;

    fn state() -> NodeState {
        NodeState {
            node: NodeId(0x0102),
            incarnation: Incarnation(3),
            lease: Hlc::from_raw(0x55),
            established: true,
            sponsors: vec![Origin {
                node: NodeId(7),
                incarnation: Incarnation(1),
            }],
            table: Table {
                mesh: MeshId {
                    born: Hlc::from_raw(9),
                    founder: NodeId(8),
                    founders: 5,
                },
                formed: false,
                members: Members::default(),
            },
        }
    }

    #[test]
    fn node_state_has_these_bytes() {
        let mut golden = b"KMNS\x01\x00".to_vec();
        golden.extend_from_slice(&[0x02, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        golden.extend_from_slice(&[3, 0, 0, 0, 0x55, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        golden.extend_from_slice(&[7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
        golden.extend_from_slice(&[9, 0, 0, 0, 0, 0, 0, 0]);
        golden.extend_from_slice(&[8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        golden.extend_from_slice(&[5, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let crc = crc32fast::hash(&golden);
        golden.extend_from_slice(&crc.to_le_bytes());
        assert_eq!(state().encode(), golden);
        assert_eq!(NodeState::decode(&golden), Ok(state()));
    }

    #[test]
    fn any_flipped_bit_and_any_cut_is_refused() {
        let bytes = state().encode();
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 4;
            assert!(NodeState::decode(&broken).is_err());
            assert!(NodeState::decode(&bytes[..at]).is_err());
        }
    }
}
