//! `queue-owner`: which node hands out what a key holds, and the connections to those nodes.
//!
//! Invariant: a connection is used by one command at a time; of idle ones only [`IDLE_MAX`] are kept for each owner.

use std::collections::HashMap;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::clients::context::Context;
use crate::config::{Endpoint, Options, QueueOwner, Secret};
use crate::db::glob::glob_match;
use crate::db::{Hlc, Origin};
use crate::replication::dial::Credentials;
use crate::replication::owner_link::{Answer, AskError, OwnerLink};
use crate::resp::Protocol;

/// Idle connections kept for each owner.
const IDLE_MAX: usize = 64;
/// How long nobody tries again where somebody has just waited in vain.
const SPARED: Duration = Duration::from_millis(500);
/// How often it is looked whether an owner that has not answered yet is there at all.
const PROBED: Duration = Duration::from_secs(2);
/// What took this long was no refusal by the other machine's system, but silence.
const SILENCE: Duration = Duration::from_secs(1);

/// Another node that owns keys, or this one.
#[derive(Debug)]
pub struct Owner {
    /// As configured.
    pub endpoint: Endpoint,
    is_itself: AtomicBool,
    /// Another node has answered there: nothing is looked up any more.
    is_other: AtomicBool,
    idle: Mutex<Vec<OwnerLink>>,
    silent: Mutex<Option<Instant>>,
}

/// All of them, and what was counted.
#[derive(Debug, Default)]
pub struct Owners {
    known: Mutex<HashMap<Endpoint, Arc<Owner>>>,
    /// Commands that an owner carried out for this node.
    pub forwarded: AtomicU64,
    /// Commands that were given up because the owner could not be reached.
    pub failed: AtomicU64,
    /// Commands that were carried out here for that reason.
    pub local: AtomicU64,
    /// Commands that this node carried out as an owner for others.
    pub served: AtomicU64,
}

/// The last write that an owner made for a connection.
#[derive(Debug, Clone)]
pub struct OwnerWrite {
    /// Who.
    pub owner: Arc<Owner>,
    /// In which life of his, and when.
    pub write: (Origin, Hlc),
}

impl OwnerWrite {
    /// Takes up what an owner has written.
    pub fn note(writes: &mut Vec<Self>, owner: &Arc<Owner>, made: &[(Origin, Hlc)]) {
        for &write in made {
            let mut known = writes.iter_mut();
            match known.find(|known| Arc::ptr_eq(&known.owner, owner)) {
                Some(known) => known.write = write,
                None => writes.push(Self {
                    owner: Arc::clone(owner),
                    write,
                }),
            }
        }
    }
}

impl Owners {
    /// The owner that a line names.
    pub fn of(&self, line: &QueueOwner) -> Arc<Owner> {
        self.at(Endpoint {
            host: line.host.clone(),
            port: line.port,
        })
    }

    /// The node at this address.
    pub fn at(&self, endpoint: Endpoint) -> Arc<Owner> {
        let mut known = self.known.lock();
        let owner = known.entry(endpoint).or_insert_with_key(|endpoint| {
            Arc::new(Owner {
                endpoint: endpoint.clone(),
                is_itself: AtomicBool::new(false),
                is_other: AtomicBool::new(false),
                idle: Mutex::default(),
                silent: Mutex::default(),
            })
        });
        Arc::clone(owner)
    }

    /// Forgets what was found out: settings have changed.
    pub fn forget(&self) {
        self.known.lock().clear();
    }

    /// Of commands, since the start: those forwarded, failed, carried out here, carried out for others.
    pub fn counts(&self) -> [(&'static str, u64); 4] {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("forwarded", get(&self.forwarded)),
            ("failed", get(&self.failed)),
            ("local", get(&self.local)),
            ("served", get(&self.served)),
        ]
    }
}

impl Owner {
    /// Whether it is this node.
    pub fn is_itself(&self, context: &Context, options: &Options) -> bool {
        if self.is_itself.load(Ordering::Relaxed) {
            return true;
        }
        if self.is_other.load(Ordering::Relaxed) {
            return false;
        }
        let found = names_this_node(
            &self.endpoint,
            options,
            context.port.load(Ordering::Relaxed),
        ) || context.replication.was_met_at(&self.endpoint.to_string());
        if found {
            self.found_itself();
        }
        found
    }

    /// It is this node, as has turned out.
    pub fn found_itself(&self) {
        self.is_itself.store(true, Ordering::Relaxed);
    }

    /// Has one command carried out there, within a time, and for as long as anybody listens there.
    pub async fn ask(
        &self,
        context: &Context,
        request: &[u8],
        protocol: Protocol,
        limit: Duration,
        cancel: &Notify,
    ) -> Result<Answer, AskError> {
        let mut link = self.connect(context).await?;
        let asking = link.ask(request, protocol, limit, cancel);
        let answer = tokio::select! {
            biased;
            answer = asking => answer,
            () = self.vanished() => Err(AskError::Broken),
        };
        if answer.is_ok() {
            self.is_other.store(true, Ordering::Relaxed);
        }
        if !matches!(answer, Err(AskError::Broken)) && link.is_usable() {
            let mut idle = self.idle.lock();
            if idle.len() < IDLE_MAX {
                idle.push(link);
            }
        }
        answer
    }

    /// Comes back once nobody listens there: a connection over which nothing comes does not tell of a machine that is gone.
    async fn vanished(&self) {
        let Endpoint { host, port } = &self.endpoint;
        loop {
            tokio::time::sleep(PROBED).await;
            if !OwnerLink::is_heard(host, *port).await {
                return;
            }
        }
    }

    async fn connect(&self, context: &Context) -> Result<OwnerLink, AskError> {
        loop {
            let kept = self.idle.lock().pop();
            match kept {
                Some(link) if link.is_usable() => return Ok(link),
                Some(_) => {}
                None => break,
            }
        }
        let silent = *self.silent.lock();
        if silent.is_some_and(|since| since.elapsed() < SPARED) {
            return Err(AskError::Unreachable("it is silent".to_owned()));
        }
        let credentials = {
            let options = context.configuration.options();
            Credentials {
                user: options.masteruser.clone(),
                password: options
                    .masterauth
                    .as_ref()
                    .map(|secret: &Secret| secret.expose().to_owned()),
            }
        };
        let started = Instant::now();
        let dialled = OwnerLink::dial(&self.endpoint.host, self.endpoint.port, &credentials).await;
        if dialled.is_err() && started.elapsed() > SILENCE {
            *self.silent.lock() = Some(Instant::now());
        }
        dialled
    }
}

/// The first line whose pattern matches.
pub fn line_of<'o>(lines: &'o [QueueOwner], key: &[u8]) -> Option<&'o QueueOwner> {
    let mut lines = lines.iter();
    lines.find(|line| glob_match(line.pattern.as_bytes(), key, false))
}

/// Whether an address is plainly this node's: announced, or its port at an address of this machine.
fn names_this_node(endpoint: &Endpoint, options: &Options, port: u16) -> bool {
    let host = endpoint.host.as_str();
    let announced = match options.replica_announce_port {
        0 => port,
        announced => announced,
    };
    let is_announced = options.replica_announce_ip.as_deref() == Some(host);
    if is_announced && endpoint.port == announced {
        return true;
    }
    if endpoint.port != port {
        return false;
    }
    host.eq_ignore_ascii_case("localhost")
        || options.bind.iter().any(|bind| bind.address == host)
        // An address that a socket can be bound to is one of this machine's.
        || host
            .parse::<IpAddr>()
            .is_ok_and(|ip| UdpSocket::bind((ip, 0)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(pattern: &str, host: &str) -> QueueOwner {
        QueueOwner {
            pattern: pattern.to_owned(),
            host: host.to_owned(),
            port: 7,
        }
    }

    #[test]
    fn the_first_line_that_matches_counts() {
        let lines = [line("jobs:[ab]*", "one"), line("jobs:*", "two")];
        let host = |key: &str| line_of(&lines, key.as_bytes()).map(|line| line.host.as_str());
        assert_eq!(host("jobs:a1"), Some("one"));
        assert_eq!(host("jobs:c"), Some("two"));
        assert_eq!(host("JOBS:c"), None);
        assert_eq!(host("other"), None);
    }

    #[test]
    fn an_address_of_this_machine_with_the_own_port_is_this_node() {
        let options = crate::config::Settings::default().options().clone();
        let names = |host: &str, port| {
            let host = host.to_owned();
            names_this_node(&Endpoint { host, port }, &options, 7)
        };
        assert!(names("127.0.0.1", 7));
        assert!(names("localhost", 7));
        assert!(!names("127.0.0.1", 8));
        assert!(!names("203.0.113.1", 7));
        assert!(!names("no-such-name.invalid", 7));
    }

    #[test]
    fn what_is_announced_is_this_node() {
        let mut options = crate::config::Settings::default().options().clone();
        options.replica_announce_ip = Some("203.0.113.1".to_owned());
        options.replica_announce_port = 70;
        let names = |port| {
            let host = "203.0.113.1".to_owned();
            names_this_node(&Endpoint { host, port }, &options, 7)
        };
        assert!(names(70));
        assert!(!names(7));
    }
}
