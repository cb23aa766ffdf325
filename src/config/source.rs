//! Where settings come from, lowest first: defaults, file (or standard input), environment, command line.
//!
//! Each layer is a `config::Source` that validates its lines with the table of directives. A layer replaces what lies
//! below, with two exceptions that are Redis's: the command line continues the lists of the file (`save`, `replicaof`),
//! as if its lines stood at the file's end, and `client-output-buffer-limit` changes only the classes it names.

use std::ffi::OsString;
use std::io::Read;

use config::{Config, ConfigError as LayerError, Map, Source, Value, ValueKind};

use super::cli::Arguments;
use super::directives::{Joining, Kind, Support, find, suggestion};
use super::error::{LoadError, Place};
use super::files;
use super::grammar::{Line, UNBALANCED, quote, split_words};
use super::settings::{Settings, Warning};

/// What the names of environment variables begin with.
pub const ENVIRONMENT_PREFIX: &str = "KEYMESH_";

/// Reads and merges all layers. `environment` is the whole environment; `input` is read only if the arguments say so.
pub fn load(
    arguments: &Arguments,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    input: impl Read,
) -> Result<Settings, LoadError> {
    load_checked(arguments, environment, input, |_| Ok(()))
}

/// The same for one who knows commands and users: `check` is shown the words of each line in order and may refuse it.
pub fn load_checked(
    arguments: &Arguments,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    input: impl Read,
    mut check: impl FnMut(&[&[u8]]) -> Result<(), String>,
) -> Result<Settings, LoadError> {
    let mut lines = match &arguments.config_file {
        Some(path) => files::read_file(path)?,
        None => Vec::new(),
    };
    if arguments.read_standard_input {
        lines.extend(files::read_standard_input(input)?);
    }
    let options = files::resolve_includes(arguments.lines.clone())?;
    let (variables, warnings) = environment_lines(environment)?;
    for line in lines.iter().chain(&variables).chain(&options) {
        let words: Vec<&[u8]> = line.words.iter().map(AsRef::as_ref).collect();
        check(&words).map_err(|reason| line.fatal(reason))?;
    }
    let merged = Config::builder()
        .add_source(Defaults)
        .add_source(Layer::file(lines))
        .add_source(Layer::environment(variables))
        .add_source(Layer::command_line(options))
        .build()
        .and_then(|merged| merged.collect())
        .map_err(load_error)?;
    Settings::new(merged, arguments.config_file.clone(), warnings)
}

fn load_error(error: LayerError) -> LoadError {
    match error {
        LayerError::Foreign(inner) => match inner.downcast::<LoadError>() {
            Ok(ours) => *ours,
            Err(other) => LoadError::Contradiction(other.to_string()),
        },
        other => LoadError::Contradiction(other.to_string()),
    }
}

/// The lowest layer: every directive's default.
#[derive(Debug, Clone)]
pub(super) struct Defaults;

impl Source for Defaults {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, LayerError> {
        let row = |row: &&super::directives::Directive| {
            (row.name.to_owned(), Value::new(None, row.default_value()))
        };
        Ok(super::directives::table().iter().map(row).collect())
    }
}

/// A layer of lines.
#[derive(Debug, Clone)]
pub struct Layer {
    lines: Vec<Line>,
    continues_lists: bool,
}

impl Layer {
    /// The lines of a configuration file.
    #[must_use]
    pub const fn file(lines: Vec<Line>) -> Self {
        Self {
            lines,
            continues_lists: false,
        }
    }

    /// Lines made of environment variables; they replace the lists of the file.
    #[must_use]
    pub const fn environment(lines: Vec<Line>) -> Self {
        Self {
            lines,
            continues_lists: false,
        }
    }

    /// Lines made of command line arguments; they continue the lists of the layers below.
    #[must_use]
    pub const fn command_line(lines: Vec<Line>) -> Self {
        Self {
            lines,
            continues_lists: true,
        }
    }

    /// What this layer says, given what lies below it.
    fn settle(&self, below: &Map<String, Value>) -> Result<Map<String, Value>, LoadError> {
        let mut own: Map<String, Value> = Map::new();
        for line in &self.lines {
            let (name, value) = self.settle_line(line, &own, below)?;
            own.insert(
                name.to_owned(),
                Value::new(Some(&line.place.to_string()), value),
            );
        }
        Ok(own)
    }

    fn settle_line(
        &self,
        line: &Line,
        own: &Map<String, Value>,
        below: &Map<String, Value>,
    ) -> Result<(&'static str, ValueKind), LoadError> {
        // The words of users are any bytes: they are kept in quotes.
        let is_user =
            |name: &Vec<u8>| name.eq_ignore_ascii_case(super::directives::USER.as_bytes());
        let quoted: Vec<String> = match line.words.split_first() {
            Some((name, words)) if is_user(name) => words.iter().map(|word| quote(word)).collect(),
            _ => Vec::new(),
        };
        let mut words = Vec::with_capacity(line.words.len());
        for (nth, word) in line.words.iter().enumerate() {
            words.push(match nth.checked_sub(1).and_then(|nth| quoted.get(nth)) {
                Some(quoted) => quoted,
                None => std::str::from_utf8(word).map_err(|_| line.fatal(super::NOT_UTF8))?,
            });
        }
        let Some((name, values)) = words.split_first() else {
            return Err(line.fatal(super::BAD_DIRECTIVE));
        };
        let Some(directive) = find(name) else {
            return Err(LoadError::Fatal {
                place: line.place.clone(),
                text: line.text.clone(),
                reason: super::BAD_DIRECTIVE.to_owned(),
                suggestion: suggestion(name).map(str::to_owned),
            });
        };
        if let Support::Refused(why) = directive.support {
            return Err(line.fatal(why));
        }
        let inherited = below
            .get(directive.name)
            .filter(|value| match directive.kind.joining() {
                Joining::Merges => true,
                // A default is no beginning of a list.
                Joining::Appends => self.continues_lists && value.origin().is_some(),
                Joining::Replaces => false,
            });
        let before = own
            .get(directive.name)
            .or(inherited)
            .map(|value| &value.kind);
        let value = directive
            .kind
            .parse(values, before)
            .map_err(|reason| line.fatal(reason))?;
        Ok((directive.name, value))
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, LayerError> {
        self.settle(&Map::new())
            .map_err(|error| LayerError::Foreign(Box::new(error)))
    }

    fn collect_to(&self, cache: &mut Value) -> Result<(), LayerError> {
        let ValueKind::Table(below) = &mut cache.kind else {
            return Err(LayerError::Message("settings are a table".to_owned()));
        };
        let own = self
            .settle(below)
            .map_err(|error| LayerError::Foreign(Box::new(error)))?;
        below.extend(own);
        Ok(())
    }
}

/// The lines that environment variables stand for: `KEYMESH_TCP_BACKLOG=5` is `tcp-backlog 5`.
///
/// A variable that names no directive brings a warning, not an end: in a cluster of containers, a service called
/// `keymesh` makes variables such as `KEYMESH_SERVICE_HOST` and `KEYMESH_PORT=tcp://10.0.0.1:6379` appear.
pub(super) fn environment_lines(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(Vec<Line>, Vec<Warning>), LoadError> {
    let mut named = Vec::new();
    for (variable, value) in environment {
        let Some(name) = variable
            .to_str()
            .and_then(|name| name.strip_prefix(ENVIRONMENT_PREFIX))
        else {
            continue;
        };
        named.push((name.to_owned(), value));
    }
    // The order of an environment means nothing; sorting makes errors and warnings repeatable.
    named.sort();
    let (mut lines, mut warnings) = (Vec::new(), Vec::new());
    for (name, value) in named {
        let variable = format!("{ENVIRONMENT_PREFIX}{name}");
        let dashed = name.to_ascii_lowercase().replace('_', "-");
        let Some(directive) = find(&dashed).or_else(|| find(&name)) else {
            let hint = suggestion(&dashed)
                .map_or(String::new(), |known| format!(" (did you mean '{known}'?)"));
            warnings.push(Warning::new(
                &variable,
                None,
                format!("names no directive and is ignored{hint}"),
            ));
            continue;
        };
        let place = Place::Environment {
            variable: variable.clone(),
        };
        let text = format!("{variable}={}", value.to_string_lossy());
        let Some(value) = value.to_str() else {
            return Err(LoadError::fatal(place, &text, super::NOT_UTF8));
        };
        if directive.name == "port" && value.starts_with("tcp://") {
            let why = "is the address of a service, not a port, and is ignored".to_owned();
            warnings.push(Warning::new(&variable, None, why));
            continue;
        }
        let arguments = arguments_of(directive.kind, value);
        for values in arguments.map_err(|reason| LoadError::fatal(place.clone(), &text, reason))? {
            let name = directive.name.as_bytes().to_vec();
            let words = std::iter::once(name).chain(values).collect();
            lines.push(Line {
                place: place.clone(),
                text: text.clone(),
                words,
            });
        }
    }
    Ok((lines, warnings))
}

/// The arguments, line by line, that one variable holds.
fn arguments_of(kind: Kind, value: &str) -> Result<Vec<Vec<Vec<u8>>>, &'static str> {
    if !kind.takes_words() {
        return Ok(vec![vec![value.as_bytes().to_vec()]]);
    }
    let spaced = if kind == Kind::Masters {
        value.replace(',', " ")
    } else {
        value.to_owned()
    };
    let words = split_words(spaced.as_bytes()).map_err(|_| UNBALANCED)?;
    Ok(match kind {
        _ if words.is_empty() => vec![vec![Vec::new()]],
        Kind::Masters => words.chunks(2).map(<[Vec<u8>]>::to_vec).collect(),
        _ => vec![words],
    })
}
