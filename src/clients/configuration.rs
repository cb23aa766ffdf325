//! The settings in effect, shared: sessions keep a snapshot and notice a change by one atomic load; `CONFIG SET` and `REPLICAOF`
//! change them; other rooms subscribe.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::config::{Client, ConfigError, Endpoint, Options, Settings};

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
        settings.set_by(client, pairs)?;
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
