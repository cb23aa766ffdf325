//! REPLICAOF, ROLE, REPLCONF: KeyDB's forms and replies.

use crate::clients::conversation::Conversation;
use crate::clients::errors;
use crate::clients::registry::signal;
use crate::config::Endpoint;
use crate::replication::{AddMaster, LinkState, MasterStatus};
use crate::resp::{Args, Reply, parse_i64};

impl Conversation {
    pub(super) fn replicaof(&mut self, args: Args<'_>, reply: &mut Reply) {
        let is = |index: usize, word: &[u8]| args.get(index).eq_ignore_ascii_case(word);
        match args.len() {
            3 if is(1, b"no") && is(2, b"one") => {
                self.context.replication.clear_masters();
                self.context.configuration.change_masters(Vec::clear);
                reply.ok();
            }
            3 => self.follow(args.get(1), args.get(2), self.options.multi_master, reply),
            4 if is(1, b"remove") => self.unfollow(args.get(2), args.get(3), reply),
            4 if is(1, b"add") => self.follow(args.get(2), args.get(3), true, reply),
            4 => reply.error(errors::SYNTAX),
            _ => reply.error("ERR Invalid arguments"),
        }
        self.refresh_options();
    }

    fn follow(&mut self, host: &[u8], port: &[u8], is_added: bool, reply: &mut Reply) {
        let Some((host, port)) = endpoint(host, port, reply) else {
            return;
        };
        let added = if is_added && self.options.multi_master {
            self.context.replication.add_master(&host, port)
        } else {
            self.context.replication.replace_masters(&host, port)
        };
        if added == AddMaster::Already {
            return reply.simple("OK Already connected to specified master");
        }
        let is_only = !(is_added && self.options.multi_master);
        self.context.configuration.change_masters(|masters| {
            if is_only {
                masters.clear();
            }
            masters.push(Endpoint { host, port });
        });
        if !self.options.active_replica {
            // What they wait for is written by the master from now on, and not for them.
            self.context.clients.signal_blocked(signal::NO_MASTER);
        }
        reply.ok();
    }

    fn unfollow(&mut self, host: &[u8], port: &[u8], reply: &mut Reply) {
        let Some((host, port)) = endpoint(host, port, reply) else {
            return;
        };
        if !self.context.replication.remove_master(&host, port) {
            return reply.error("ERR Master not found");
        }
        self.context.configuration.change_masters(|masters| {
            masters.retain(|master| master.host != host || master.port != port);
        });
        reply.ok();
    }

    /// What ROLE and INFO call this node.
    pub(super) fn role_name(&self, masters: &[MasterStatus]) -> &'static str {
        match (masters.is_empty(), self.options.active_replica) {
            (true, _) => "master",
            (false, true) => "active-replica",
            (false, false) => "slave",
        }
    }

    pub(super) fn role(&self, reply: &mut Reply) {
        let masters = self.context.replication.masters();
        let name = self.role_name(&masters);
        let one = |master: &MasterStatus, reply: &mut Reply| {
            reply.array(5);
            reply.bulk(name.as_bytes());
            reply.bulk(master.host.as_bytes());
            reply.integer(i64::from(master.port));
            reply.bulk(master.state.as_str().as_bytes());
            let is_connected = master.state == LinkState::Connected;
            reply.integer(if is_connected {
                master.offset as i64
            } else {
                -1
            });
        };
        match masters.as_slice() {
            [] => {
                let replicas = self.context.replication.replicas();
                let offset = replicas.iter().map(|replica| replica.offset).max();
                reply.array(3);
                reply.bulk(b"master");
                reply.integer(offset.unwrap_or(0) as i64);
                reply.array(replicas.len());
                for replica in replicas {
                    reply.array(3);
                    reply.bulk(replica.ip.as_bytes());
                    reply.bulk(replica.port.to_string().as_bytes());
                    reply.bulk(replica.offset.to_string().as_bytes());
                }
            }
            [master] => one(master, reply),
            several => {
                reply.array(several.len());
                for master in several {
                    one(master, reply);
                }
            }
        }
    }

    pub(super) fn replconf(&mut self, args: Args<'_>, reply: &mut Reply) {
        if args.len().is_multiple_of(2) {
            return reply.error(errors::SYNTAX);
        }
        let (mut is_capa, mut is_uuid) = (false, false);
        let mut index = 1;
        while index < args.len() {
            let value = args.get(index + 1);
            match args.get(index).to_ascii_lowercase().as_slice() {
                b"listening-port" => {
                    let Some(port) = parse_i64(value) else {
                        return reply.error(errors::NOT_AN_INTEGER);
                    };
                    self.announced_port = u16::try_from(port).unwrap_or(0);
                }
                // Between a master and its replica; from anybody else Redis takes them without a word.
                b"ack" | b"getack" => return,
                b"ip-address" | b"license" => {}
                // Whoever wants the file alone closes behind it.
                b"rdb-only" => match parse_i64(value) {
                    Some(0 | 1) => {}
                    Some(_) => {
                        return reply
                            .error("ERR value is out of range, value must between 0 and 1");
                    }
                    None => return reply.error(errors::NOT_AN_INTEGER),
                },
                b"capa" => is_capa = true,
                b"uuid" if parse_uuid(value).is_some() => is_uuid = true,
                b"uuid" => return reply.error("ERR Invalid UUID"),
                _ => {
                    let option = args.get(index);
                    let text = [b"ERR Unrecognized REPLCONF option: ", option].concat();
                    return reply.error_bytes(&text);
                }
            }
            index += 2;
        }
        if is_uuid {
            reply.simple(&uuid_text(self.context.replication.origin().node.0));
        } else if is_capa && self.options.active_replica {
            reply.simple("OK active-replica");
        } else {
            reply.ok();
        }
    }
}

fn endpoint(host: &[u8], port: &[u8], reply: &mut Reply) -> Option<(String, u16)> {
    let parsed = parse_i64(port).and_then(|port| u16::try_from(port).ok());
    let (Some(port), Ok(host)) = (parsed, std::str::from_utf8(host)) else {
        reply.error("ERR Invalid master port");
        return None;
    };
    Some((host.to_owned(), port))
}

/// A node id of that form.
pub(super) fn parse_uuid(text: &[u8]) -> Option<u128> {
    if text.len() != 36 {
        return None;
    }
    text.iter()
        .enumerate()
        .try_fold(0_u128, |id, (at, byte)| match at {
            8 | 13 | 18 | 23 => (*byte == b'-').then_some(id),
            _ => Some(id << 4 | u128::from(char::from(*byte).to_digit(16)?)),
        })
}

/// A node id in the form that KeyDB writes.
fn uuid_text(id: u128) -> String {
    let hex = format!("{id:032x}");
    let (a, b, c, d, e) = (
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    );
    format!("{a}-{b}-{c}-{d}-{e}")
}
