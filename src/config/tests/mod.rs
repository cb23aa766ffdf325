//! Tests of the configuration room by behaviour. The expected texts were compared with redis-server 7.0.15.

mod documents;
mod files;
mod grammar;
mod layers;
mod owners;
mod rewrite;
mod runtime;
mod table;

use std::ffi::OsString;
use std::path::PathBuf;

use super::{LoadError, Settings, cli, load};

/// A directory that is removed with its files when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("keymesh-config-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file and returns its path.
    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn arguments(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// Loads settings from standard input, environment and command line.
fn load_all(
    file: &str,
    environment: &[(&str, &str)],
    words: &[&str],
) -> Result<Settings, LoadError> {
    let cli::Invocation::Run(mut run) = cli::parse(arguments(words))? else {
        panic!("{words:?} do not run the server");
    };
    run.read_standard_input = true;
    let environment = environment
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
    load(&run, environment, file.as_bytes())
}

fn load_text(file: &str) -> Result<Settings, LoadError> {
    load_all(file, &[], &[])
}

/// What `CONFIG GET name` shows: the values, joined by `|`.
fn shown(settings: &Settings, name: &str) -> String {
    settings
        .get(&[name])
        .into_iter()
        .map(|(_, value)| value)
        .collect::<Vec<_>>()
        .join("|")
}

/// The last lines of an error, behind the header and the place.
fn reason(error: &LoadError) -> String {
    match error {
        LoadError::Fatal { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}
