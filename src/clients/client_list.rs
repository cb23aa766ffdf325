//! The lines of CLIENT LIST and CLIENT INFO: Redis 7.2's fields in their order.

use std::io::Write as _;
use std::sync::atomic::Ordering;

use crate::clients::client_command::idle_ms;
use crate::clients::registry::Client;
use crate::db::UnixMillis;
use crate::pubsub::Kind;
use crate::replication::{LinkState, MasterStatus, ReplicaStatus};

/// One client as one line.
pub(super) fn describe(client: &Client, now: UnixMillis) -> Vec<u8> {
    let shown = client.shown.lock();
    let mut flags = String::new();
    let mailbox = &client.mailbox;
    if shown.is_monitor {
        flags.push('O');
    }
    if shown.is_forced_master {
        flags.push('M');
    }
    if mailbox.is_pubsub() {
        flags.push('P');
    }
    if shown.multi.is_some() {
        flags.push('x');
    }
    if shown.blocked || shown.paused {
        flags.push('b');
    }
    if let Some(tracking) = &shown.tracking {
        flags.push('t');
        if tracking.is_broken.load(Ordering::Relaxed) {
            flags.push('R');
        }
        if tracking.broadcast {
            flags.push('B');
        }
    }
    if client.peer.is_none() {
        flags.push('U');
    }
    if shown.no_evict {
        flags.push('e');
    }
    if shown.no_touch {
        flags.push('T');
    }
    if flags.is_empty() {
        flags.push('N');
    }
    let mut line = Vec::with_capacity(400);
    // Writing into a vector cannot fail.
    let _ = write!(
        line,
        "id={} addr={} laddr={} fd={} name=",
        client.id.0, client.address, client.local_address, client.fd
    );
    line.extend_from_slice(&shown.name);
    let _ = write!(
        line,
        " age={} idle={} flags={flags} db={} sub={} psub={} ssub={} multi={} qbuf={} qbuf-free={} argv-mem={} multi-mem={} rbs={} rbp={} obl=0 oll={} omem={} tot-mem={} events={} cmd={} user=",
        (now.0 - client.created.0).max(0) / 1000,
        idle_ms(client, now) / 1000,
        shown.db,
        mailbox.count(Kind::Channel),
        mailbox.count(Kind::Pattern),
        mailbox.count(Kind::Shard),
        shown.multi.map_or(-1, |queued| queued as i64),
        shown.query_len,
        shown.query_free,
        shown.arguments_len,
        shown.multi_len,
        shown.reply_capacity,
        shown.reply_peak,
        usize::from(shown.unsent > 0) + mailbox.len(),
        shown.unsent + mailbox.len_bytes(),
        shown.len_bytes() + mailbox.len_bytes(),
        if shown.unsent > 0 { "rw" } else { "r" },
        shown.command,
    );
    let account = shown.account.as_ref();
    line.extend_from_slice(account.map_or(b"(superuser)", |account| account.name()));
    let _ = write!(
        line,
        " redir={} resp={} lib-name=",
        shown
            .tracking
            .as_ref()
            .map_or(-1, |tracking| tracking.redirect as i64),
        shown.resp,
    );
    line.extend_from_slice(&shown.lib_name);
    line.extend_from_slice(b" lib-ver=");
    line.extend_from_slice(&shown.lib_ver);
    line.push(b'\n');
    line
}

/// Links have numbers that no client gets, and that a double holds.
pub(super) const LINKS_FROM: u64 = 1 << 52;
pub(super) const FEEDS_FROM: u64 = 1 << 51;

/// Who reads from this node, with the address that its connection comes from.
pub(super) fn describe_replicas(replicas: &[ReplicaStatus], text: &mut Vec<u8>) {
    for replica in replicas {
        let _ = writeln!(
            text,
            "id={} addr={} laddr=?:0 fd=-1 name= age=0 idle={} flags=S db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd=keymesh.link user=default redir=-1 resp=2 lib-name= lib-ver=",
            FEEDS_FROM + replica.id,
            replica.peer,
            replica.lag_ms / 1000,
        );
    }
}

/// Links to masters show as clients with the master's address, so that CLIENT KILL finds them.
pub(super) fn describe_masters(masters: &[MasterStatus], text: &mut Vec<u8>) {
    for (index, master) in masters.iter().enumerate() {
        let is_open = matches!(master.state, LinkState::Connected | LinkState::Sync);
        // Nobody is at the other end of an entry that names this node itself.
        if !is_open || master.node.is_none() {
            continue;
        }
        let idle = master.last_io_ms.unwrap_or(0) / 1000;
        let _ = writeln!(
            text,
            "id={} addr={}:{} laddr=?:0 fd=-1 name= age=0 idle={idle} flags=M db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd=keymesh.link user=(superuser) redir=-1 resp=2 lib-name= lib-ver=",
            LINKS_FROM + index as u64,
            master.host,
            master.port,
        );
    }
}
