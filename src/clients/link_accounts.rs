//! Which users came in on the connections that are links now, so that a link ends with its user.
//!
//! Invariant: no link outlives its user; entries of links that have ended go when others are added.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::acl::Account;
use crate::replication::ReplicationControl;

/// A link that is younger may not be listed among the replicas yet.
const GREETING_MAX: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Entry {
    peer: SocketAddr,
    account: Arc<Account>,
    since: Instant,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct LinkAccounts(Mutex<Vec<Entry>>);

impl LinkAccounts {
    /// A connection has become a link.
    pub fn add(&self, peer: SocketAddr, account: &Arc<Account>, links: &dyn ReplicationControl) {
        let replicas = links.replicas();
        let stands = |entry: &Entry| {
            let mut replicas = replicas.iter();
            entry.since.elapsed() < GREETING_MAX
                || replicas.any(|replica| replica.peer == entry.peer)
        };
        let since = Instant::now();
        {
            let mut list = self.0.lock();
            list.retain(stands);
            list.push(Entry {
                peer,
                account: Arc::clone(account),
                since,
            });
        }
        // It may have gone just before the link was known here.
        if account.is_gone() {
            self.end_gone(links);
        }
    }

    /// Ends the links of users that are gone.
    pub fn end_gone(&self, links: &dyn ReplicationControl) {
        self.0.lock().retain(|entry| {
            if entry.account.is_gone() {
                links.kill_replicas(Some(&entry.peer.to_string()));
            }
            !entry.account.is_gone()
        });
    }
}
