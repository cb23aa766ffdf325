//! The settings in effect: read as typed [`Options`], shown by `CONFIG GET`, changed by `CONFIG SET`.
//!
//! The values of all directives are the one state; the typed options are made from them at each change. A change is
//! atomic: it is validated as a whole on a copy, which then replaces the state, or nothing happens.

use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use config::{Config, Map, Value, ValueKind};

use super::directives::{Access, Directive, Kind, Support, Visibility, find, table};
use super::error::{ConfigError, LoadError};
use super::options::{Endpoint, Options, Who};
use super::source::Defaults;
use crate::db::glob::glob_match;

pub(super) type Values = Map<String, Value>;

/// Whether the client behind a `CONFIG SET` is on this machine, for `enable-protected-configs local`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// On this machine.
    Local,
    /// Somewhere else.
    Remote,
}

/// Something about the configuration that an operator should know once, at the start or when it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The directive, or the environment variable.
    pub about: String,
    /// Where it was set, if it was.
    pub origin: Option<String>,
    /// What happens instead.
    pub message: String,
}

impl Warning {
    pub(super) fn new(about: &str, origin: Option<&str>, message: String) -> Self {
        Self {
            about: about.to_owned(),
            origin: origin.map(str::to_owned),
            message,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "'{}' {}", self.about, self.message)?;
        match &self.origin {
            Some(origin) => write!(out, " ({origin})"),
            None => Ok(()),
        }
    }
}

/// The settings in effect. Typed fields are read through [`Options`], to which it dereferences.
#[derive(Clone)]
pub struct Settings {
    options: Options,
    values: Values,
    config_file: Option<PathBuf>,
    notes: Vec<Warning>,
}

impl Deref for Settings {
    type Target = Options;

    fn deref(&self) -> &Options {
        &self.options
    }
}

/// The values hold passwords, so only the options are shown.
impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Settings")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Default for Settings {
    fn default() -> Self {
        let values = Config::builder()
            .add_source(Defaults)
            .build()
            .and_then(|merged| config::Source::collect(&merged));
        let settings = values.map_err(|error| LoadError::Contradiction(error.to_string()));
        settings
            .and_then(|values| Self::new(values, None, Vec::new()))
            .expect("the defaults are part of the program and a test loads them")
    }
}

/// Why values do not go together: the directive to blame, and the reason.
struct Contradiction(&'static str, String);

impl Settings {
    pub(super) fn new(
        mut values: Values,
        config_file: Option<PathBuf>,
        mut notes: Vec<Warning>,
    ) -> Result<Self, LoadError> {
        if flag(&values, "active-replica") && flag(&values, "replica-read-only") {
            // As in KeyDB: an active replica takes writes, whatever the file says.
            let origin = origin(&values, "replica-read-only").map(str::to_owned);
            if let Some(origin) = &origin {
                let why = "has no effect: active-replica implies replica-read-only no".to_owned();
                notes.push(Warning::new("replica-read-only", Some(origin), why));
            }
            values.insert(
                "replica-read-only".to_owned(),
                Value::new(origin.as_ref(), false),
            );
        }
        let options = settle(&mut values).map_err(|Contradiction(directive, reason)| {
            let place =
                origin(&values, directive).map_or_else(String::new, |place| format!(" ({place})"));
            LoadError::Contradiction(format!("{reason}{place}"))
        })?;
        Ok(Self {
            options,
            values,
            config_file,
            notes,
        })
    }

    /// The typed options.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The configuration file the server was started with.
    #[must_use]
    pub fn config_file(&self) -> Option<&Path> {
        self.config_file.as_deref()
    }

    /// What to tell the operator: directives that are set but not applied, and variables that mean nothing.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        self.notes.iter().cloned().chain(self.ignored()).collect()
    }

    /// What is set here, but not applied, and was not set like this before.
    #[must_use]
    pub fn newly_ignored(&self, before: &Self) -> Vec<Warning> {
        let value = |settings: &Self, name: &str| Some(settings.values.get(name)?.kind.clone());
        self.ignored()
            .filter(|warning| value(self, &warning.about) != value(before, &warning.about))
            .collect()
    }

    fn ignored(&self) -> impl Iterator<Item = Warning> + '_ {
        table().iter().filter_map(|directive| {
            let Support::Ignored(instead) = directive.support else {
                return None;
            };
            let value = self.values.get(directive.name)?;
            (value.kind != directive.default_value()).then(|| {
                Warning::new(
                    directive.name,
                    value.origin(),
                    format!("is accepted but not applied: {instead}"),
                )
            })
        })
    }

    /// The lines kept for a directive that only stands in files (`user`, `loadmodule`, `rename-command`).
    #[must_use]
    pub fn lines(&self, name: &str) -> Vec<Vec<String>> {
        let Some(ValueKind::Array(lines)) = self.values.get(name).map(|value| &value.kind) else {
            return Vec::new();
        };
        let words = |line: &Value| {
            line.clone()
                .into_array()
                .ok()
                .map(|words| words.iter().map(Value::to_string).collect())
        };
        lines.iter().filter_map(words).collect()
    }

    /// `CONFIG GET`: the directives whose name or alias matches one of the patterns, each name once, in the table's
    /// order. Several masters give several pairs of the same name, as in KeyDB.
    #[must_use]
    pub fn get<P: AsRef<[u8]>>(&self, patterns: &[P]) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for directive in table() {
            for name in directive.names() {
                let mut matches = patterns
                    .iter()
                    .filter_map(|pattern| matching(directive, name, pattern.as_ref()));
                let (Some(shown), Some(value)) = (matches.next(), self.values.get(directive.name))
                else {
                    continue;
                };
                let texts = directive.kind.show(&value.kind);
                found.extend(texts.into_iter().map(|text| (shown.clone(), text)));
            }
        }
        found
    }

    /// `CONFIG SET` by a client that is not on this machine: all pairs, or none and an error.
    pub fn set<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        &mut self,
        pairs: &[(N, V)],
    ) -> Result<(), ConfigError> {
        self.set_by(Client::Remote, pairs)
    }

    /// `CONFIG SET`: all pairs, or none and an error.
    pub fn set_by<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        &mut self,
        client: Client,
        pairs: &[(N, V)],
    ) -> Result<(), ConfigError> {
        let protected = self.options.enable_protected_configs;
        let directives = checked(pairs, protected, client)?;
        let mut values = self.values.clone();
        for ((name, text), directive) in pairs.iter().zip(&directives) {
            let failed =
                |reason: String| failed(&printable(name.as_ref()).to_ascii_lowercase(), reason);
            let text = text.as_ref();
            // A list is replaced as a whole; the classes of client-output-buffer-limit change one by one.
            let before = match directive.kind {
                Kind::OutputBufferLimits => values.get(directive.name).map(|value| &value.kind),
                _ => None,
            };
            // What is no text is no number or word of a list either, and the error says so.
            let value = directive
                .kind
                .parse(&[&String::from_utf8_lossy(text)], before);
            let value = value.and_then(|value| match std::str::from_utf8(text) {
                Ok(_) => Ok(value),
                Err(_) => Err(super::NOT_UTF8.to_owned()),
            });
            let value = value.map_err(failed)?;
            let origin = "CONFIG SET".to_owned();
            values.insert(directive.name.to_owned(), Value::new(Some(&origin), value));
        }
        let options = settle(&mut values)
            .map_err(|Contradiction(directive, reason)| failed(directive, reason))?;
        (self.options, self.values) = (options, values);
        Ok(())
    }

    /// `CONFIG REWRITE`: writes what is in effect into the configuration file, which keeps its comments and its order.
    pub fn rewrite(&self) -> std::io::Result<()> {
        match &self.config_file {
            Some(path) => super::rewrite::rewrite(path, &self.values, None),
            None => Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
        }
    }

    /// The same, with these lines instead of the file's `user` lines.
    pub fn rewrite_with_users(&self, users: &[Vec<u8>]) -> std::io::Result<()> {
        match &self.config_file {
            Some(path) => super::rewrite::rewrite(path, &self.values, Some(users)),
            None => Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
        }
    }

    /// Replaces the masters, as `REPLICAOF` does at run time.
    pub fn replace_masters(&mut self, masters: Vec<Endpoint>) {
        let shown = masters
            .iter()
            .map(|master| vec![master.host.clone(), master.port.to_string()]);
        let origin = "REPLICAOF".to_owned();
        let value = Value::new(Some(&origin), shown.collect::<Vec<_>>());
        self.values.insert("replicaof".to_owned(), value);
        self.options.replicaof = masters;
    }
}

/// The name under which `CONFIG GET pattern` shows a directive: as asked for, if it was named exactly.
fn matching(directive: &Directive, name: &str, pattern: &[u8]) -> Option<String> {
    let is_glob = pattern
        .iter()
        .any(|byte| matches!(byte, b'*' | b'?' | b'['));
    match (directive.visibility, is_glob) {
        (Visibility::Shown, true) => {
            glob_match(pattern, name.as_bytes(), true).then(|| name.to_owned())
        }
        (Visibility::Shown | Visibility::Hidden, false) => pattern
            .eq_ignore_ascii_case(name.as_bytes())
            .then(|| printable(pattern)),
        _ => None,
    }
}

/// The directives that the pairs name, if all may be set; the first fault wins, as in Redis.
fn checked<N: AsRef<[u8]>, V>(
    pairs: &[(N, V)],
    protected: Who,
    client: Client,
) -> Result<Vec<&'static Directive>, ConfigError> {
    let mut seen = HashSet::new();
    let mut directives = Vec::with_capacity(pairs.len());
    for (name, _) in pairs {
        let name = printable(name.as_ref());
        let known = find(&name).filter(|directive| directive.visibility != Visibility::FileOnly);
        let Some(directive) = known else {
            // Redis repeats it as a string of C, which a zero ends.
            let shown = name.split('\0').next().unwrap_or_default();
            return Err(ConfigError::UnknownOption(shown.to_owned()));
        };
        let refusal = match directive.access {
            Access::Immutable => Some("can't set immutable config"),
            Access::Protected if !protected.allows(client == Client::Local) => {
                Some("can't set protected config")
            }
            _ => (!seen.insert(name.to_ascii_lowercase())).then_some("duplicate parameter"),
        };
        if let Some(reason) = refusal {
            return Err(failed(&name, reason.to_owned()));
        }
        directives.push(directive);
    }
    Ok(directives)
}

fn failed(argument: &str, reason: String) -> ConfigError {
    ConfigError::Failed {
        argument: argument.to_owned(),
        reason,
    }
}

/// Bytes from a client as text that fits into one line of an error reply.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace(['\r', '\n'], " ")
}

fn flag(values: &Values, name: &str) -> bool {
    matches!(
        values.get(name).map(|value| &value.kind),
        Some(ValueKind::Boolean(true))
    )
}

fn origin<'a>(values: &'a Values, name: &str) -> Option<&'a str> {
    values.get(name).and_then(Value::origin)
}

/// Checks what no single directive can know, and makes the typed options.
fn settle(values: &mut Values) -> Result<Options, Contradiction> {
    if flag(values, "multi-master") && !flag(values, "active-replica") {
        let reason = "Multi Master requires active replication to be enabled";
        return Err(Contradiction("multi-master", reason.to_owned()));
    }
    if !flag(values, "multi-master")
        && let Some(ValueKind::Array(masters)) =
            values.get_mut("replicaof").map(|value| &mut value.kind)
    {
        // Without multi-master a later replicaof replaces an earlier one, wherever multi-master stands.
        let surplus = masters.len().saturating_sub(1);
        masters.drain(..surplus);
    }
    let all = Value::new(None, ValueKind::Table(values.clone()));
    let options: Options = all
        .try_deserialize()
        .map_err(|error| Contradiction("the settings", error.to_string()))?;
    if options.link_backoff_initial > options.link_backoff_max {
        let reason = "link-backoff-initial-ms must not be greater than link-backoff-max-ms";
        return Err(Contradiction("link-backoff-initial-ms", reason.to_owned()));
    }
    Ok(options)
}
