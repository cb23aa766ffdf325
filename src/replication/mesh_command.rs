//! MESH: what an operator asks about the mesh.

use std::sync::atomic::Ordering;

use crate::commands::help::help_reply;
use crate::commands::registry;
use crate::db::{Hlc, NodeId, Origin};
use crate::replication::clock;
use crate::replication::control::ReplicationControl;
use crate::replication::manager::Replication;
use crate::replication::node::Node;
use crate::resp::{Args, Reply};

/// Runs the command; writes one reply.
pub fn run(replication: &Replication, args: Args<'_>, db: u32, reply: &mut Reply) {
    let subcommand = args.try_get(1).unwrap_or_default().to_ascii_lowercase();
    match (&subcommand[..], args.len()) {
        (b"status", 2) => status(replication, reply),
        (b"members", 2) => members(replication, reply),
        (b"routes", 2) => routes(replication, reply),
        (b"digest", 2) => {
            let digest = replication.node().keyspace.digest(clock::now());
            reply.bulk(format!("{digest:032x}").as_bytes());
        }
        (b"explain", 3) => explain(replication, args.get(2), db, reply),
        (b"forget", 3) => forget(replication, args.get(2), reply),
        (b"help", 2) => {
            if let Some(row) = registry::lookup_built_in(b"mesh") {
                help_reply(row, args.name(), reply);
            }
        }
        // The table of commands lets nothing else through.
        _ => reply.error("ERR syntax error"),
    }
}

fn field(reply: &mut Reply, name: &str, value: &str) {
    reply.bulk(name.as_bytes());
    reply.bulk(value.as_bytes());
}

fn number(reply: &mut Reply, name: &str, value: i64) {
    reply.bulk(name.as_bytes());
    reply.integer(value);
}

fn status(replication: &Replication, reply: &mut Reply) {
    let node = replication.node();
    let keyspace = &node.keyspace;
    let origin = node.origin();
    let (unsettled, tombstones) = keyspace.pending();
    reply.map(14);
    field(reply, "node", &origin.node.to_string());
    number(reply, "incarnation", i64::from(origin.incarnation.0));
    number(reply, "established", i64::from(node.is_established()));
    number(reply, "members", node.members().nodes.len() as i64);
    number(reply, "settled_age_ms", settled_age_ms(node));
    let laggard = node
        .laggard()
        .map_or_else(String::new, |(origin, _)| origin.to_string());
    field(reply, "held_back_by", &laggard);
    number(reply, "unsettled_keys", unsettled as i64);
    number(reply, "tombstones", tombstones as i64);
    number(reply, "pending_bytes", keyspace.pending_bytes() as i64);
    number(reply, "clock_excess_ms", keyspace.clock_excess_ms());
    field(reply, "alarms", &node.alarms());
    number(reply, "journal_bytes", keyspace.journal.len_bytes() as i64);
    number(
        reply,
        "merges",
        node.counters.merges_done.load(Ordering::Relaxed) as i64,
    );
    number(
        reply,
        "reroutes",
        node.counters.reroutes.load(Ordering::Relaxed) as i64,
    );
}

/// How long ago the settled time was, -1 where nothing has settled yet.
fn settled_age_ms(node: &Node) -> i64 {
    match node.keyspace.settled() {
        Hlc::ZERO => -1,
        settled => clock::now().0 - settled.millis().0,
    }
}

fn members(replication: &Replication, reply: &mut Reply) {
    let node = replication.node();
    let members = node.members();
    let own = node.origin().node;
    reply.array(members.nodes.len());
    for (id, member) in &members.nodes {
        reply.map(5);
        field(reply, "node", &id.to_string());
        number(reply, "myself", i64::from(*id == own));
        number(reply, "forgotten", i64::from(member.is_forgotten()));
        reply.bulk(b"entries");
        reply.array(member.entries.len());
        for entry in &member.entries {
            let met = entry
                .met
                .map_or_else(|| "not met".to_owned(), |met| met.to_string());
            reply.bulk(format!("{} {met}", entry.address).as_bytes());
        }
        reply.bulk(b"lives");
        reply.array(member.lives.len());
        for (incarnation, life) in &member.lives {
            let origin = Origin {
                node: *id,
                incarnation: *incarnation,
            };
            let index = node.keyspace.origins.find(origin).unwrap_or_default();
            let arrived = node.keyspace.journal.position(index).arrived;
            let state = if members.is_retired(origin) {
                "retired"
            } else {
                "live"
            };
            let floor = life.floor.raw();
            reply.bulk(
                format!(
                    "{} {state} floor {floor} arrived {}",
                    incarnation.0,
                    arrived.raw()
                )
                .as_bytes(),
            );
        }
    }
}

fn routes(replication: &Replication, reply: &mut Reply) {
    let routes = replication.node().routes();
    reply.array(routes.len());
    for (origin, address, direct) in routes {
        reply.map(3);
        field(reply, "origin", &origin.to_string());
        field(reply, "link", &address);
        number(reply, "direct", i64::from(direct));
    }
}

fn explain(replication: &Replication, key: &[u8], db: u32, reply: &mut Reply) {
    let keyspace = &replication.node().keyspace;
    let hash = keyspace.hash(key);
    let mut guard = keyspace.lock_hash(hash);
    guard.catch_up_all();
    let Some(record) = guard.table(db).get(key, hash) else {
        return reply.null();
    };
    let stamp = record.stamp().unwrap_or_default();
    let origin = keyspace.origins.get(stamp.origin());
    let unsettled = guard.unsettled(db, key);
    let trace = keyspace
        .journal
        .trace_of(stamp.origin(), stamp.time())
        .and_then(|bytes| keymesh_observability::TraceContext::decode(&bytes).ok())
        .map_or_else(String::new, |context| {
            format!("{:032x}", context.trace_id.value())
        });
    reply.map(7);
    field(
        reply,
        "origin",
        &origin.map_or_else(|| "none".to_owned(), |origin| origin.to_string()),
    );
    number(reply, "stamp", stamp.time().raw() as i64);
    number(reply, "age_ms", clock::now().0 - stamp.time().millis().0);
    number(reply, "deleted", i64::from(record.is_tombstone()));
    number(
        reply,
        "settled",
        i64::from(stamp.time() <= keyspace.settled()),
    );
    number(
        reply,
        "operations_pending",
        unsettled.map_or(0, |unsettled| unsettled.ops().len()) as i64,
    );
    field(reply, "trace", &trace);
}

fn forget(replication: &Replication, id: &[u8], reply: &mut Reply) {
    let parsed = std::str::from_utf8(id)
        .ok()
        .and_then(|text| u128::from_str_radix(text, 16).ok());
    let Some(id) = parsed else {
        return reply.error("ERR invalid node id");
    };
    if NodeId(id) == replication.origin().node {
        return reply.error("ERR a node cannot forget itself");
    }
    match replication.node().forget(NodeId(id)) {
        Ok(true) => reply.ok(),
        Ok(false) => reply.error("ERR no such node"),
        Err(error) => reply.error(&format!("ERR {error}")),
    }
}
