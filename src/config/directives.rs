//! The one table of directives: every name the server knows, with type, default, mutability and meaning.
//!
//! `CONFIG GET`, `CONFIG SET`, the file, the environment and the command line all go through it. The rows live in one
//! file per family; [`table`] is their union. Each name and alias occurs once and each default parses (tests check).

use std::collections::HashMap;
use std::sync::LazyLock;

use config::ValueKind;

pub use super::kind::{Joining, Kind};

mod elsewhere;
mod keydb;
mod keymesh;
mod memory;
mod network;
mod persistence;
mod replication;
mod server;

/// Who may change a directive while the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone who may use `CONFIG SET`.
    Mutable,
    /// Nobody.
    Immutable,
    /// As `enable-protected-configs` says.
    Protected,
}

/// Where `CONFIG GET` and `CONFIG SET` know a directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// By name and by pattern.
    Shown,
    /// By its exact name only.
    Hidden,
    /// Not at all: it may only stand in a file or on the command line.
    FileOnly,
}

/// What the server does with a directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// What it says.
    Applied,
    /// Accepts it; a value other than the default brings one warning with this text, saying what happens instead.
    Ignored(&'static str),
    /// Refuses to start, with this text.
    Refused(&'static str),
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Directive {
    /// The name that is stored and that settings are read by.
    pub name: &'static str,
    /// Other names for the same value.
    pub aliases: &'static [&'static str],
    /// The type.
    pub kind: Kind,
    /// The default, as one argument would say it.
    pub default: &'static str,
    /// Who may change it at run time.
    pub access: Access,
    /// Where `CONFIG` knows it.
    pub visibility: Visibility,
    /// What the server does with it.
    pub support: Support,
    /// What it means, in one line.
    pub doc: &'static str,
}

/// The largest value of C's `int`.
const INT: i64 = i32::MAX as i64;
/// The largest value of C's `long`.
const LONG: i64 = i64::MAX;
/// The largest value of C's `long`, as a number of bytes.
const BYTES: u64 = i64::MAX as u64;

const MEBIBYTE: u64 = 1 << 20;

/// The directive whose lines are checked by who knows the commands.
pub(super) const RENAME_COMMAND: &str = "rename-command";
/// The directive whose lines CONFIG REWRITE gets from who knows the users.
pub(super) const USER: &str = "user";

/// A directive that is applied and may change at run time; the methods below say otherwise.
const fn row(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    doc: &'static str,
) -> Directive {
    Directive {
        name,
        aliases: &[],
        kind,
        default,
        access: Access::Mutable,
        visibility: Visibility::Shown,
        support: Support::Applied,
        doc,
    }
}

/// A directive of Redis or KeyDB that is accepted; `instead` says what happens instead.
const fn accepted(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    instead: &'static str,
) -> Directive {
    let mut directive = row(name, kind, default, instead);
    directive.support = Support::Ignored(instead);
    directive
}

/// A directive that stops the start.
const fn refused(name: &'static str, why: &'static str) -> Directive {
    let mut directive = row(name, Kind::Lines(0, usize::MAX), "", why).file_only();
    directive.support = Support::Refused(why);
    directive
}

impl Directive {
    const fn alias(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    const fn immutable(mut self) -> Self {
        self.access = Access::Immutable;
        self
    }

    const fn protected(mut self) -> Self {
        self.access = Access::Protected;
        self
    }

    const fn hidden(mut self) -> Self {
        self.visibility = Visibility::Hidden;
        self
    }

    const fn file_only(mut self) -> Self {
        self.visibility = Visibility::FileOnly;
        self.immutable()
    }

    /// The name and the aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// The value it has when nobody says anything.
    #[must_use]
    pub fn default_value(&self) -> ValueKind {
        if matches!(self.kind, Kind::Lines(..)) {
            return ValueKind::Array(Vec::new());
        }
        // A test parses every default; only the default of `dir` can fail, in a directory that was deleted.
        self.kind
            .parse(&[self.default], None)
            .unwrap_or_else(|_| ValueKind::String(self.default.to_owned()))
    }
}

struct Table {
    rows: Vec<&'static Directive>,
    by_name: HashMap<&'static str, &'static Directive>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let families: [&'static [Directive]; 8] = [
        network::ROWS,
        server::ROWS,
        replication::ROWS,
        keymesh::ROWS,
        memory::ROWS,
        persistence::ROWS,
        elsewhere::ROWS,
        keydb::ROWS,
    ];
    let rows = families.into_iter().flatten().collect::<Vec<_>>();
    let by_name = rows
        .iter()
        .flat_map(|row| row.names().map(|name| (name, *row)))
        .collect();
    Table { rows, by_name }
});

/// All directives, in a fixed order.
#[must_use]
pub fn table() -> &'static [&'static Directive] {
    &TABLE.rows
}

/// The directive with this name or alias, in any case.
#[must_use]
pub fn find(name: &str) -> Option<&'static Directive> {
    TABLE
        .by_name
        .get(name.to_ascii_lowercase().as_str())
        .copied()
}

/// Whether the value of this directive is nobody's business.
#[must_use]
pub fn is_secret(name: &[u8]) -> bool {
    const SECRETS: [&str; 5] = [
        "requirepass",
        "masterauth",
        "masteruser",
        "tls-key-file-pass",
        "tls-client-key-file-pass",
    ];
    str::from_utf8(name)
        .ok()
        .and_then(find)
        .is_some_and(|directive| SECRETS.contains(&directive.name))
}

/// The known name closest to an unknown one, if any is close enough to be a slip.
#[must_use]
pub fn suggestion(unknown: &str) -> Option<&'static str> {
    // A longer text is no slip, and the distance costs the product of both lengths.
    const LONGEST: usize = 64;
    if unknown.is_empty() || unknown.len() > LONGEST {
        return None;
    }
    let unknown = unknown.to_ascii_lowercase();
    let (distance, name) = table()
        .iter()
        .flat_map(|row| row.names())
        .map(|name| (strsim::osa_distance(&unknown, name), name))
        .min()?;
    (distance <= 1 + unknown.chars().count() / 4).then_some(name)
}
