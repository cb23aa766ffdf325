//! A node without links: what the rest of the server may ask of replication, answered for a node that follows nobody.

use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::db::{Hlc, Incarnation, NodeId, Origin};
use crate::replication::{
    AddMaster, LinkCounts, MasterStatus, MeshFigures, ReplicaStatus, ReplicationControl,
};
use crate::resp::{Args, Reply};

/// See the head of the file.
#[derive(Debug)]
pub struct Alone {
    node: NodeId,
    never: Notify,
}

impl Alone {
    /// A node of this id.
    pub fn new(node: NodeId) -> Self {
        Self {
            node,
            never: Notify::new(),
        }
    }
}

impl ReplicationControl for Alone {
    fn origin(&self) -> Origin {
        Origin {
            node: self.node,
            incarnation: Incarnation(1),
        }
    }

    fn add_master(&self, _: &str, _: u16) -> AddMaster {
        AddMaster::Added
    }

    fn replace_masters(&self, _: &str, _: u16) -> AddMaster {
        AddMaster::Added
    }

    fn remove_master(&self, _: &str, _: u16) -> bool {
        false
    }

    fn clear_masters(&self) {}

    fn masters(&self) -> Vec<MasterStatus> {
        Vec::new()
    }

    fn replicas(&self) -> Vec<ReplicaStatus> {
        Vec::new()
    }

    fn acknowledged(&self, _: Hlc) -> usize {
        0
    }

    fn acknowledgement(&self) -> Notified<'_> {
        self.never.notified()
    }

    fn link_counts(&self) -> LinkCounts {
        LinkCounts::default()
    }

    fn figures(&self) -> MeshFigures {
        MeshFigures::default()
    }

    fn kill_masters(&self, _: Option<&str>) -> usize {
        0
    }

    fn kill_replicas(&self, _: Option<&str>) -> usize {
        0
    }

    fn mesh(&self, _: Args<'_>, _: u32, reply: &mut Reply) {
        reply.error("ERR this node has no links");
    }

    fn info(&self, _: &mut String) {}

    fn attach(&self, _: TcpStream, _: SocketAddr, _: Vec<Vec<u8>>, _: Vec<u8>) {}

    fn panic_actor(&self, _: &str) -> bool {
        false
    }
}
