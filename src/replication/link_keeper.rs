//! Runs one link for each `replicaof` entry.
//!
//! What is wanted is a list, what runs is brought to it: a change of the list waits for nobody, and none is lost while the
//! supervisor of links is down. Invariant: a link that is not in the list runs only until it has been told to end.

use std::sync::Arc;
use std::time::Duration;

use keymesh_supervisors::{ChildSpec, Intensity, Restart, SupervisorError, SupervisorHandle};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::replication::master_link::{self, LinkSetting, LinkShared, LinkTemplate};

/// Between two attempts where the supervisor could not be asked.
const RETRY: Duration = Duration::from_millis(20);

/// See the head of the file.
pub struct LinkKeeper {
    wanted: Arc<Mutex<Vec<Arc<LinkShared>>>>,
    /// Outlives the keeper's worker: what has been started and not been ended.
    started: Mutex<Vec<Arc<LinkShared>>>,
    changed: Notify,
    supervisor: SupervisorHandle,
    template: LinkTemplate,
}

impl LinkKeeper {
    /// Links become children of `supervisor`, made from `template`.
    pub fn new(
        wanted: Arc<Mutex<Vec<Arc<LinkShared>>>>,
        supervisor: SupervisorHandle,
        template: LinkTemplate,
    ) -> Self {
        Self {
            wanted,
            started: Mutex::default(),
            changed: Notify::new(),
            supervisor,
            template,
        }
    }

    /// The list has changed.
    pub fn changed(&self) {
        self.changed.notify_one();
    }

    /// A worker's future, of which one runs at a time: it never ends.
    pub async fn keep(&self) {
        loop {
            match self.reconcile().await {
                Ok(()) => self.changed.notified().await,
                Err(error) => {
                    if error != SupervisorError::Down {
                        tracing::error!(%error, "links to masters could not be started or ended");
                    }
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    async fn reconcile(&self) -> Result<(), SupervisorError> {
        let wanted = self.wanted.lock().clone();
        let started = self.started.lock().clone();
        for link in started.iter().filter(|link| !contains(&wanted, link)) {
            match self.supervisor.remove(name(link).as_str()).await {
                Ok(()) | Err(SupervisorError::Unknown(_)) => {}
                Err(error) => return Err(error),
            }
            self.started
                .lock()
                .retain(|other| !Arc::ptr_eq(other, link));
        }
        for link in wanted.iter().filter(|link| !contains(&started, link)) {
            match self.supervisor.add(self.spec(link)).await {
                // Present: the one who asked before was ended ahead of the answer.
                Ok(_) | Err(SupervisorError::AlreadyPresent(_)) => {}
                Err(error) => return Err(error),
            }
            self.started.lock().push(Arc::clone(link));
        }
        Ok(())
    }

    fn spec(&self, link: &Arc<LinkShared>) -> ChildSpec {
        let backoff = self.template.backoff;
        let setting = LinkSetting {
            shared: Arc::clone(link),
            template: self.template.clone(),
        };
        ChildSpec::worker(
            name(link).as_str(),
            Arc::new(move || Box::pin(master_link::run(setting.clone()))),
        )
        .restart(Restart::Permanent)
        .backoff(backoff)
        .intensity(Intensity::Unlimited)
    }
}

/// The name of a link's actor.
pub fn name(link: &LinkShared) -> String {
    format!("master-link {} {}", link.host, link.port)
}

fn contains(links: &[Arc<LinkShared>], link: &Arc<LinkShared>) -> bool {
    links.iter().any(|other| Arc::ptr_eq(other, link))
}
