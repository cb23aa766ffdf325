//! Links between nodes: what is sent, what is accepted, and by which way.

pub mod control;

pub use control::{AddMaster, LinkState, MasterStatus, ReplicaStatus, ReplicationControl};
