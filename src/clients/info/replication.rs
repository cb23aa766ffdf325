//! INFO replication: Redis's lines, and KeyDB's where there are several masters.

use std::fmt::Write as _;

use crate::clients::conversation::Conversation;
use crate::clients::info::{line, title};
use crate::replication::{LinkState, MasterStatus};

impl Conversation {
    pub(super) fn replication_section(&self, out: &mut String) {
        let replication = &self.context.replication;
        let masters = replication.masters();
        title(out, "Replication");
        line(out, "role", self.role_name(&masters));
        if !masters.is_empty() {
            self.masters_lines(&masters, out);
        }
        let replicas = replication.replicas();
        line(out, "connected_slaves", replicas.len());
        for (index, replica) in replicas.iter().enumerate() {
            let _ = write!(
                out,
                "slave{index}:ip={},port={},state={},offset={},lag={}\r\n",
                replica.ip,
                replica.port,
                if replica.online {
                    "online"
                } else {
                    "send_bulk"
                },
                replica.offset,
                replica.lag_ms / 1000,
            );
        }
        let offset = replicas
            .iter()
            .map(|replica| replica.offset)
            .max()
            .unwrap_or(0);
        let held = self.context.keyspace.journal.len_bytes();
        line(out, "master_failover_state", "no-failover");
        // 40 digits, as programs expect: the node's id, then its life.
        let origin = replication.origin();
        line(
            out,
            "master_replid",
            format!("{}{:08x}", origin.node, origin.incarnation.0),
        );
        line(out, "master_replid2", "0".repeat(40));
        line(out, "master_repl_offset", offset);
        line(out, "second_repl_offset", -1);
        let is_recording = self.context.keyspace.is_recording();
        line(out, "repl_backlog_active", u8::from(is_recording));
        line(out, "repl_backlog_size", self.options.repl_backlog_size);
        // As Redis counts: the offset is that of the last byte held.
        let first = (offset as i64 - held as i64 + 1).max(0);
        line(
            out,
            "repl_backlog_first_byte_offset",
            if is_recording { first } else { 0 },
        );
        line(out, "repl_backlog_histlen", held);
        replication.info(out);
        for (name, count) in self.context.owners.counts() {
            line(out, &format!("mesh_owner_{name}"), count);
        }
    }

    /// KeyDB's lines: the first master's names are Redis's, those of others are numbered.
    fn masters_lines(&self, masters: &[MasterStatus], out: &mut String) {
        let is_up = |master: &&MasterStatus| master.state == LinkState::Connected;
        let connected = masters.iter().filter(is_up).count();
        let is_all_up = connected == masters.len();
        line(
            out,
            "master_global_link_status",
            if is_all_up { "up" } else { "down" },
        );
        line(out, "connected_masters", connected);
        for (index, master) in masters.iter().enumerate() {
            let prefix = match index {
                0 => "master".to_owned(),
                _ => format!("master_{index}"),
            };
            let up = is_up(&master);
            let last_io = master.last_io_ms.map_or(-1, |ms| (ms / 1000) as i64);
            line(out, &format!("{prefix}_host"), &master.host);
            line(out, &format!("{prefix}_port"), master.port);
            line(
                out,
                &format!("{prefix}_link_status"),
                if up { "up" } else { "down" },
            );
            line(out, &format!("{prefix}_last_io_seconds_ago"), last_io);
            let is_syncing = u8::from(master.state == LinkState::Sync);
            line(out, &format!("{prefix}_sync_in_progress"), is_syncing);
            line(out, "slave_read_repl_offset", master.offset);
            line(out, "slave_repl_offset", master.offset);
            if !up {
                let seconds = master.down_ms.map_or(-1, |ms| (ms / 1000) as i64);
                line(out, &format!("{prefix}_link_down_since_seconds"), seconds);
            }
        }
        line(out, "slave_priority", 100);
        line(
            out,
            "slave_read_only",
            u8::from(self.options.replica_read_only),
        );
        line(out, "replica_announced", 1);
    }
}
