//! The settings in effect, shared: sessions keep a snapshot and notice a change by one atomic load; `CONFIG SET` and `REPLICAOF`
//! change them; other rooms subscribe.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::clients::files_limit;
use crate::clients::listener::Listeners;
use crate::config::{Client, ConfigError, Endpoint, Options, Settings};

/// What a running server cannot take over.
fn needs_restart(before: &Options, after: &Options) -> Option<(&'static str, &'static str)> {
    let changed = [
        (
            before.link_backoff_initial != after.link_backoff_initial,
            "link-backoff-initial-ms",
            "it is read at the start only",
        ),
        (
            before.link_backoff_max != after.link_backoff_max,
            "link-backoff-max-ms",
            "it is read at the start only",
        ),
    ];
    let changed = changed.into_iter().find(|(is_changed, ..)| *is_changed);
    changed.map(|(_, name, reason)| (name, reason))
}

/// See the head of the file.
#[derive(Debug)]
pub struct Configuration {
    settings: Mutex<Settings>,
    options: watch::Sender<Arc<Options>>,
    listeners: OnceLock<Arc<Listeners>>,
}

impl Configuration {
    /// Shares settings.
    pub fn new(settings: Settings) -> Self {
        let (options, _) = watch::channel(Arc::new(settings.options().clone()));
        Self {
            settings: Mutex::new(settings),
            options,
            listeners: OnceLock::new(),
        }
    }

    /// From now on `port` and `bind` may be changed: these are the sockets.
    pub fn set_listeners(&self, listeners: Arc<Listeners>) {
        // A server has one set of sockets.
        let _ = self.listeners.set(listeners);
    }

    /// The options now, and word of every change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Options>> {
        self.options.subscribe()
    }

    /// The options now.
    pub fn options(&self) -> Arc<Options> {
        Arc::clone(&self.options.borrow())
    }

    /// `CONFIG GET`.
    pub fn get(&self, patterns: &[&[u8]]) -> Vec<(String, String)> {
        self.settings.lock().get(patterns)
    }

    /// `CONFIG SET`: all pairs or none.
    pub fn set(&self, client: Client, pairs: &[(&[u8], &[u8])]) -> Result<(), ConfigError> {
        let mut settings = self.settings.lock();
        let mut changed = settings.clone();
        changed.set_by(client, pairs)?;
        let (before, after) = (settings.options(), changed.options());
        let failed = |name: &str, reason: &str| {
            let (argument, reason) = (name.to_owned(), reason.to_owned());
            ConfigError::Failed { argument, reason }
        };
        if let Some((name, reason)) = needs_restart(before, after) {
            return Err(failed(name, reason));
        }
        if before.maxclients != after.maxclients
            && let possible = files_limit::raise(after.maxclients)
            && possible < after.maxclients
        {
            let reason = format!(
                "The operating system is not able to handle the specified number of clients, try with {possible}"
            );
            return Err(failed("maxclients", &reason));
        }
        if (before.port, &before.bind) != (after.port, &after.bind) {
            self.rebind(before, after)
                .map_err(|(name, reason)| failed(name, reason))?;
        }
        for warning in changed.newly_ignored(&settings) {
            tracing::warn!("{warning}");
        }
        *settings = changed;
        self.publish(&settings);
        Ok(())
    }

    fn rebind(
        &self,
        before: &Options,
        after: &Options,
    ) -> Result<(), (&'static str, &'static str)> {
        let is_bound = match self.listeners.get().map(|all| all.rebind(before, after)) {
            Some(Ok(())) => true,
            Some(Err(error)) => {
                tracing::warn!("{error}");
                false
            }
            None => false,
        };
        match (is_bound, before.port == after.port) {
            (true, _) => Ok(()),
            (false, true) => Err(("bind", "Failed to bind to specified addresses.")),
            (false, false) => Err(("port", "Unable to listen on this port. Check server logs.")),
        }
    }

    /// `CONFIG REWRITE`, with these lines of users.
    pub fn rewrite(&self, users: &[Vec<u8>]) -> std::io::Result<()> {
        self.settings.lock().rewrite_with_users(users)
    }

    /// Changes the list of masters.
    pub fn change_masters(&self, change: impl FnOnce(&mut Vec<Endpoint>)) {
        let mut settings = self.settings.lock();
        let mut masters = settings.replicaof.clone();
        change(&mut masters);
        settings.replace_masters(masters);
        self.publish(&settings);
    }

    /// The file the server was started with.
    pub fn config_file(&self) -> Option<std::path::PathBuf> {
        self.settings.lock().config_file().map(Into::into)
    }

    /// Told under the settings' lock, so that subscribers see changes in their order.
    fn publish(&self, settings: &Settings) {
        self.options
            .send_replace(Arc::new(settings.options().clone()));
    }
}
