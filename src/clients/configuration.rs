//! The settings in effect, shared: sessions keep a snapshot and notice a change by one atomic load; `CONFIG SET` and `REPLICAOF`
//! change them; other rooms subscribe.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::config::{Client, ConfigError, Endpoint, Options, Settings};

/// What a running server cannot take over, in Redis's words where Redis may fail at it, too.
fn needs_restart(before: &Options, after: &Options) -> Option<(&'static str, &'static str)> {
    let changed = [
        (
            before.port != after.port,
            "port",
            "Unable to listen on this port. Check server logs.",
        ),
        (
            before.bind != after.bind,
            "bind",
            "Failed to bind to specified addresses.",
        ),
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
}

impl Configuration {
    /// Shares settings.
    pub fn new(settings: Settings) -> Self {
        let (options, _) = watch::channel(Arc::new(settings.options().clone()));
        Self {
            settings: Mutex::new(settings),
            options,
        }
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
        if let Some((name, reason)) = needs_restart(settings.options(), changed.options()) {
            let (argument, reason) = (name.to_owned(), reason.to_owned());
            return Err(ConfigError::Failed { argument, reason });
        }
        *settings = changed;
        self.publish(&settings);
        Ok(())
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
