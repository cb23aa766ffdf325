//! What the rest of the server may ask of replication: the doors for REPLICAOF, ROLE, INFO, WAIT, MESH and for a client
//! connection that turns out to be a replica.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use crate::db::{Hlc, NodeId, Origin};
use crate::replication::figures::MeshFigures;
use crate::replication::owner_link::Positions;
use crate::resp::{Args, Reply};

/// Where a link to a master stands. The words are those of ROLE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// To be connected, or waiting to try again.
    Connect,
    /// The socket is being connected.
    Connecting,
    /// Introductions.
    Handshake,
    /// A full sync is under way, or the master does not count here yet.
    Sync,
    /// Records stream. So stands an entry that names this node itself: nothing is missing.
    Connected,
}

impl LinkState {
    /// As ROLE says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Connecting => "connecting",
            Self::Handshake => "handshake",
            Self::Sync => "sync",
            Self::Connected => "connected",
        }
    }
}

/// One `replicaof` entry and its link.
#[derive(Debug, Clone)]
pub struct MasterStatus {
    /// As configured.
    pub host: String,
    /// As configured.
    pub port: u16,
    /// Where the link stands.
    pub state: LinkState,
    /// Who answered there last.
    pub node: Option<NodeId>,
    /// Milliseconds since the last byte, none before the first.
    pub last_io_ms: Option<u64>,
    /// Milliseconds since the link went down, none while it is up or has never been.
    pub down_ms: Option<u64>,
    /// Bytes received over all its connections.
    pub offset: u64,
}

/// One attached replica or peer that reads from this node.
#[derive(Debug, Clone)]
pub struct ReplicaStatus {
    /// Its connection's number.
    pub id: u64,
    /// The connection's other end.
    pub peer: SocketAddr,
    /// Its address.
    pub ip: String,
    /// The port it listens on, 0 where it did not say.
    pub port: u16,
    /// Whether records stream (else a full sync is under way).
    pub online: bool,
    /// Bytes sent.
    pub offset: u64,
    /// Milliseconds since its last acknowledgement.
    pub lag_ms: u64,
    /// How much of this node's own writes it has.
    pub acknowledged: Hlc,
    /// Memory of the connection's buffers.
    pub buffer_bytes: u64,
    /// Who it is.
    pub node: Option<NodeId>,
}

/// What all links have done since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// Full syncs served.
    pub full: u64,
    /// Partial resyncs accepted.
    pub partial: u64,
    /// Partial resyncs refused.
    pub refused: u64,
    /// Bytes read from masters and replicas.
    pub input_bytes: u64,
    /// Bytes written to masters and replicas.
    pub output_bytes: u64,
}

/// What became of a new entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddMaster {
    /// A link was started.
    Added,
    /// There is one already.
    Already,
}

/// See the head of the file.
pub trait ReplicationControl: Send + Sync + 'static {
    /// This node and its present life.
    fn origin(&self) -> Origin;
    /// Adds a `replicaof` entry.
    fn add_master(&self, host: &str, port: u16) -> AddMaster;
    /// Makes this the only entry.
    fn replace_masters(&self, host: &str, port: u16) -> AddMaster;
    /// Removes an entry; false where there is none.
    fn remove_master(&self, host: &str, port: u16) -> bool;
    /// Removes all entries.
    fn clear_masters(&self);
    /// The entries in their order.
    fn masters(&self) -> Vec<MasterStatus>;
    /// Who reads from this node.
    fn replicas(&self) -> Vec<ReplicaStatus>;
    /// How many replicas or peers have acknowledged this node's own writes up to `time`.
    fn acknowledged(&self, time: Hlc) -> usize;
    /// Completes at the next acknowledgement after the call.
    fn acknowledgement(&self) -> tokio::sync::futures::Notified<'_>;
    /// What links have done and carried.
    fn link_counts(&self) -> LinkCounts;
    /// All that is counted and measured of the mesh.
    fn figures(&self) -> MeshFigures;
    /// Drops the connections of all links to masters (`CLIENT KILL TYPE master`) or of the one at this address
    /// (`CLIENT KILL host:port`); they reconnect at once. Says how many.
    fn kill_masters(&self, address: Option<&str>) -> usize;
    /// Ends the connections of all replicas and peers that read from here (`CLIENT KILL TYPE replica`), or the one from this
    /// address. Says how many.
    fn kill_replicas(&self, address: Option<&str>) -> usize;
    /// How far each life that is not over has come here: its last record.
    fn positions(&self) -> Positions {
        Vec::new()
    }
    /// Whether everything up to there has arrived here.
    fn has_arrived(&self, _: &[(Origin, Hlc)]) -> bool {
        true
    }
    /// Whether somebody in the mesh has met this node at that address.
    fn was_met_at(&self, _: &str) -> bool {
        false
    }
    /// The other nodes of the mesh, each once, at a host and port where it was met: by this node, or else by another one.
    fn others(&self) -> Vec<(String, u16)> {
        Vec::new()
    }
    /// Whether this node does what is to be done once in the mesh, on behalf of a node: that is itself, or one that is no member.
    /// Of several that could do it for the latter, all agree on one.
    fn stands_in_for(&self, _: NodeId) -> bool {
        true
    }
    /// `MESH ...`: STATUS, MEMBERS, ROUTES, DIGEST, EXPLAIN, FORGET, HELP. Writes exactly one reply.
    fn mesh(&self, args: Args<'_>, db: u32, reply: &mut Reply);
    /// Lines for INFO's replication section beside Redis's own, each with its CRLF.
    fn info(&self, out: &mut String);
    /// A client connection has sent `KEYMESH.LINK ...`, PSYNC or SYNC: it is a peer's link, or a replica's, from now on. `greeting` are
    /// the arguments of that command and the port that it has named, if any, `unread` what was read beyond it.
    fn attach(&self, stream: TcpStream, peer: SocketAddr, greeting: Vec<Vec<u8>>, unread: Vec<u8>);
    /// For tests: panics the link or feed of this name (`master-link host port`, `replica-feed id`); false where there is none.
    fn panic_actor(&self, name: &str) -> bool;
}
