//! Links between nodes: what is sent, what is accepted, and by which way.
//!
//! - [`node`]: a node as a member of the mesh; [`settling`]: what it concludes from what has arrived; [`members`], [`table`]: whom it knows; [`node_state`]: what it must never forget.
//! - [`frame`]: the language of links; [`feed`] and [`link`]: the two sides of one, without their sockets.
//! - [`routes`]: which origin comes over which link; [`merging`]: full sync at its receiver; [`following`]: plain replicas.
//! - [`forming`]: meshes form and meet; [`admission`]: who counts, and who lets strangers in; [`adoption`]: what a stranger does to come in; [`identity`]: who a node is.
//! - [`master_link`] and [`replica_feed`]: the workers around them; [`redis_feed`]: one for replicas that speak Redis's language; [`manager`]: who starts and finds these; [`mod@tracing`]: spans; [`meters`]: what is measured.
//! - [`mod@aside`]: what takes long, done by another thread.
//! - [`dial`]: how nodes introduce themselves; [`owner_link`]: commands that another node carries out for this one.
//! - [`control`]: the doors for the rest of the server.

mod admission;
mod adoption;
mod alarms;
pub mod aside;
pub mod clock;
pub mod control;
pub mod dial;
pub mod feed;
pub mod figures;
mod following;
mod forming;
pub mod frame;
mod identity;
pub mod life;
pub mod link;
pub mod link_keeper;
pub mod manager;
pub mod master_link;
pub mod members;
mod merging;
mod mesh_command;
mod mesh_info;
pub mod meters;
pub mod node;
pub mod node_state;
pub mod owner_link;
pub mod redis_feed;
pub mod replica_feed;
pub mod routes;
mod settling;
mod spool;
pub mod table;
pub mod tracing;

pub use control::{
    AddMaster, LinkCounts, LinkState, MasterStatus, ReplicaStatus, ReplicationControl,
};
pub use figures::{MeshFigures, NodeFigures};
