//! The types of directives: how words become a value, and how a value is shown by `CONFIG GET`.
//!
//! Values are `config::ValueKind`, so that layers merge and typed settings deserialize without another representation.
//! Parsing never panics; its errors are the second half of Redis's `CONFIG SET failed` texts.
//! Units: memory is bytes; everything else as its directive says.

use config::ValueKind;

use super::events;
use super::lists::{
    CLIENT_CLASSES, WRONG_NUMBER, appended, flags, masters, oom_scores, output_buffer_limits,
    owners, percentiles, save_points, strings,
};
use super::scalars::{
    bounded, directory, integer, is_title_template, memory, memory_or_percent, one_of,
};

pub use super::lists::{BIND_LIMIT, LIST_LIMIT, MASTERS_LIMIT};

/// What a directive's value may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `yes` or `no`.
    Bool,
    /// `true`, `false` or a positive number, as KeyDB takes for `server-thread-affinity`.
    Affinity,
    /// A decimal integer, bounds included.
    Integer(i64, i64),
    /// An integer of at least 0 that is silently moved into these bounds, as Redis does with `hz`.
    Clamped(i64, i64),
    /// A power of two, bounds included.
    PowerOfTwo(i64, i64),
    /// An octal integer from 0 to this.
    Octal(i64),
    /// A number of bytes with an optional unit (`1k` is 1000, `1kb` is 1024), bounds included.
    Memory(u64, u64),
    /// A number of bytes, or a percentage such as `5%`.
    MemoryOrPercent,
    /// A number from 0 to 1.
    Ratio,
    /// One of these words, in any case.
    Enum(&'static [&'static str]),
    /// Several of these words; the first stands for none of them.
    Flags(&'static [&'static str]),
    /// Any text.
    Text,
    /// A file's name without a directory; the directive's name begins the error text.
    FileName(&'static str),
    /// A directory that exists; kept as an absolute path.
    Directory,
    /// A title with `{variables}`; Redis refuses an empty one.
    TitleTemplate,
    /// Addresses to listen on.
    Addresses,
    /// Pairs of seconds and changes.
    SavePoints,
    /// Client classes with hard limit, soft limit and seconds.
    OutputBufferLimits,
    /// Host and port of a master; `no one` clears the list.
    Masters,
    /// A pattern of keys, and host and port of the master that hands out what they hold.
    Owners,
    /// The letters of keyspace notifications.
    KeyspaceEvents,
    /// Three integers from -2000 to 2000.
    OomScores,
    /// Percentages from 0 to 100.
    Percentiles,
    /// Lines kept as they are, each with a number of words within these bounds; they add up.
    Lines(usize, usize),
}

/// How a value joins what was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joining {
    /// The last one wins.
    Replaces,
    /// Repeated lines add to a list.
    Appends,
    /// Repeated lines change parts of a table.
    Merges,
}

impl Kind {
    /// How repeated lines of this kind join.
    #[must_use]
    pub const fn joining(self) -> Joining {
        match self {
            Self::SavePoints | Self::Masters | Self::Owners | Self::Lines(..) => Joining::Appends,
            Self::OutputBufferLimits => Joining::Merges,
            _ => Joining::Replaces,
        }
    }

    /// Whether a line may have several arguments (and one argument may hold several, separated by spaces).
    #[must_use]
    pub const fn takes_words(self) -> bool {
        matches!(
            self,
            Self::Addresses
                | Self::SavePoints
                | Self::OutputBufferLimits
                | Self::Masters
                | Self::Owners
                | Self::OomScores
                | Self::Percentiles
                | Self::Flags(_)
                | Self::Lines(..)
        )
    }

    /// The value that `words` give, joined to what came `before` it where this kind joins.
    pub fn parse(self, words: &[&str], before: Option<&ValueKind>) -> Result<ValueKind, String> {
        if !self.takes_words() {
            let [word] = words else {
                return Err(WRONG_NUMBER.to_owned());
            };
            return self.parse_one(word);
        }
        match (self, words) {
            (Self::Lines(least, most), _) => {
                if words.len() < least || words.len() > most {
                    return Err(super::BAD_DIRECTIVE.to_owned());
                }
                appended(
                    before,
                    [strings(words)],
                    LIST_LIMIT,
                    "too many lines of this directive",
                )
            }
            (_, [""]) => self.parse_words(&[], before),
            (_, [all]) => self.parse_words(&all.split(' ').collect::<Vec<_>>(), before),
            _ => self.parse_words(words, before),
        }
    }

    fn parse_one(self, word: &str) -> Result<ValueKind, String> {
        match self {
            Self::Bool => match word {
                _ if word.eq_ignore_ascii_case("yes") => Ok(ValueKind::Boolean(true)),
                _ if word.eq_ignore_ascii_case("no") => Ok(ValueKind::Boolean(false)),
                _ => Err("argument must be 'yes' or 'no'".to_owned()),
            },
            Self::Affinity => {
                let number = integer(word).is_some_and(|offset| offset > 0);
                if number
                    || ["true", "false"]
                        .iter()
                        .any(|known| word.eq_ignore_ascii_case(known))
                {
                    return Ok(ValueKind::String(word.to_ascii_lowercase()));
                }
                Err("argument must be 'true', 'false' or a positive number".to_owned())
            }
            Self::Integer(least, most) => bounded(word, least, most).map(ValueKind::I64),
            Self::Clamped(least, most) => {
                let number = bounded(word, 0, i64::from(i32::MAX))?;
                Ok(ValueKind::I64(number.clamp(least, most)))
            }
            Self::PowerOfTwo(least, most) => match integer(word) {
                Some(number) if (least..=most).contains(&number) && number.count_ones() == 1 => {
                    Ok(ValueKind::I64(number))
                }
                _ => Err(format!(
                    "argument must be a power of two between {least} and {most} inclusive"
                )),
            },
            Self::Octal(most) => {
                let number = i64::from_str_radix(word, 8)
                    .map_err(|_| "argument couldn't be parsed as an octal number".to_owned())?;
                if !(0..=most).contains(&number) {
                    return Err(format!("argument must be between 0 and {most:o} inclusive"));
                }
                Ok(ValueKind::I64(number))
            }
            Self::Memory(least, most) => {
                let bytes = memory(word).ok_or("argument must be a memory value")?;
                if !(least..=most).contains(&bytes) {
                    return Err(format!(
                        "argument must be between {least} and {most} inclusive"
                    ));
                }
                Ok(ValueKind::U64(bytes))
            }
            Self::MemoryOrPercent => memory_or_percent(word),
            Self::Ratio => match word.parse::<f64>() {
                Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ValueKind::Float(ratio)),
                _ => Err("argument must be a number between 0 and 1 inclusive".to_owned()),
            },
            Self::Enum(known) => known
                .iter()
                .find(|name| name.eq_ignore_ascii_case(word))
                .map(|name| ValueKind::String((*name).to_owned()))
                .ok_or_else(|| one_of(known)),
            Self::FileName(name) if word.contains('/') => {
                Err(format!("{name} can't be a path, just a filename"))
            }
            Self::Directory => directory(word),
            Self::TitleTemplate if !is_title_template(word) => {
                Err("template format is invalid or contains unknown variables".to_owned())
            }
            Self::KeyspaceEvents if !events::valid(word) => {
                Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".to_owned())
            }
            _ => Ok(ValueKind::String(word.to_owned())),
        }
    }

    fn parse_words(self, words: &[&str], before: Option<&ValueKind>) -> Result<ValueKind, String> {
        match self {
            Self::Addresses if words.len() > BIND_LIMIT => {
                Err("Too many bind addresses specified.".to_owned())
            }
            Self::SavePoints => save_points(words, before),
            Self::OutputBufferLimits => output_buffer_limits(words, before),
            Self::Masters => masters(words, before),
            Self::Owners => owners(words, before),
            Self::OomScores => oom_scores(words),
            Self::Percentiles => percentiles(words),
            Self::Flags(known) => flags(words, known),
            _ => Ok(strings(
                &words
                    .iter()
                    .copied()
                    .filter(|word| !word.is_empty())
                    .collect::<Vec<_>>(),
            )),
        }
    }

    /// The value as `CONFIG GET` shows it; several texts only for several masters, as KeyDB shows them.
    #[must_use]
    pub fn show(self, value: &ValueKind) -> Vec<String> {
        match (self, value) {
            (Self::Masters, ValueKind::Array(masters)) if !masters.is_empty() => {
                masters.iter().map(|master| joined(&master.kind)).collect()
            }
            (Self::Octal(_), ValueKind::I64(number)) => vec![format!("{number:o}")],
            (Self::KeyspaceEvents, ValueKind::String(letters)) => vec![events::canonical(letters)],
            (Self::OutputBufferLimits, ValueKind::Table(classes)) => {
                let shown = CLIENT_CLASSES.iter().filter_map(|(key, name)| {
                    Some(format!("{name} {}", joined(&classes.get(*key)?.kind)))
                });
                vec![shown.collect::<Vec<_>>().join(" ")]
            }
            _ => vec![joined(value)],
        }
    }
}

pub(super) fn joined(value: &ValueKind) -> String {
    match value {
        ValueKind::Boolean(true) => "yes".to_owned(),
        ValueKind::Boolean(false) => "no".to_owned(),
        ValueKind::Array(values) => values
            .iter()
            .map(|value| joined(&value.kind))
            .collect::<Vec<_>>()
            .join(" "),
        other => other.to_string(),
    }
}
