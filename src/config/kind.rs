//! The types of directives: how words become a value, and how a value is shown by `CONFIG GET`.
//!
//! Values are `config::ValueKind`, so that layers merge and typed settings deserialize without another representation.
//! Parsing never panics; its errors are the second half of Redis's `CONFIG SET failed` texts.
//! Units: memory is bytes; everything else as its directive says.

use config::{Map, Value, ValueKind};

use super::events;

/// How many entries a list directive may have.
pub const LIST_LIMIT: usize = 1024;
/// How many addresses `bind` may name, as in Redis.
pub const BIND_LIMIT: usize = 16;
/// How many masters `replicaof` may name.
pub const MASTERS_LIMIT: usize = 128;

/// The classes of `client-output-buffer-limit`: the name in [`config`]'s table and the one Redis shows.
const CLIENT_CLASSES: [(&str, &str); 3] = [("normal", "normal"), ("replica", "slave"), ("pubsub", "pubsub")];

const WRONG_NUMBER: &str = "wrong number of arguments";

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
            Self::SavePoints | Self::Masters | Self::Lines(..) => Joining::Appends,
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
                appended(before, [strings(words)], LIST_LIMIT, "too many lines of this directive")
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
                if number || ["true", "false"].iter().any(|known| word.eq_ignore_ascii_case(known)) {
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
                _ => Err(format!("argument must be a power of two between {least} and {most} inclusive")),
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
                    return Err(format!("argument must be between {least} and {most} inclusive"));
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
            Self::TitleTemplate if word.is_empty() => {
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
            Self::Addresses if words.len() > BIND_LIMIT => Err("Too many bind addresses specified.".to_owned()),
            Self::SavePoints => save_points(words, before),
            Self::OutputBufferLimits => output_buffer_limits(words, before),
            Self::Masters => masters(words, before),
            Self::OomScores => oom_scores(words),
            Self::Percentiles => percentiles(words),
            Self::Flags(known) => flags(words, known),
            _ => Ok(strings(&words.iter().copied().filter(|word| !word.is_empty()).collect::<Vec<_>>())),
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
                let shown = CLIENT_CLASSES
                    .iter()
                    .filter_map(|(key, name)| Some(format!("{name} {}", joined(&classes.get(*key)?.kind))));
                vec![shown.collect::<Vec<_>>().join(" ")]
            }
            _ => vec![joined(value)],
        }
    }
}

fn joined(value: &ValueKind) -> String {
    match value {
        ValueKind::Boolean(true) => "yes".to_owned(),
        ValueKind::Boolean(false) => "no".to_owned(),
        ValueKind::Array(values) => {
            values.iter().map(|value| joined(&value.kind)).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

fn strings(words: &[&str]) -> ValueKind {
    ValueKind::Array(words.iter().map(|word| Value::from(*word)).collect())
}

fn integers<const N: usize>(numbers: [u64; N]) -> ValueKind {
    ValueKind::Array(numbers.iter().map(|number| Value::from(*number)).collect())
}

/// The list that was `before` with `more` at its end.
fn appended(
    before: Option<&ValueKind>,
    more: impl IntoIterator<Item = ValueKind>,
    limit: usize,
    complaint: &str,
) -> Result<ValueKind, String> {
    let mut list = match before {
        Some(ValueKind::Array(list)) => list.clone(),
        _ => Vec::new(),
    };
    list.extend(more.into_iter().map(|value| Value::new(None, value)));
    if list.len() > limit { Err(complaint.to_owned()) } else { Ok(ValueKind::Array(list)) }
}

/// An integer as Redis reads it: no blanks, no `+`, no leading zeros.
fn integer(word: &str) -> Option<i64> {
    let number = word.parse::<i64>().ok()?;
    (number.to_string() == word).then_some(number)
}

fn bounded(word: &str, least: i64, most: i64) -> Result<i64, String> {
    let number = integer(word).ok_or("argument couldn't be parsed into an integer")?;
    if !(least..=most).contains(&number) {
        return Err(format!("argument must be between {least} and {most} inclusive"));
    }
    Ok(number)
}

/// A number of bytes as Redis reads it; like there, no digits at all mean 0. Too large numbers saturate.
fn memory(word: &str) -> Option<u64> {
    let end = word.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(word.len());
    let (digits, unit) = word.split_at(end);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    let number = if digits.is_empty() { 0 } else { digits.parse::<u64>().unwrap_or(u64::MAX) };
    Some(number.saturating_mul(factor))
}

fn memory_or_percent(word: &str) -> Result<ValueKind, String> {
    const COMPLAINT: &str = "argument must be a memory or percent value";
    let Some(percent) = word.strip_suffix('%') else {
        return memory(word).map(ValueKind::U64).ok_or_else(|| COMPLAINT.to_owned());
    };
    match integer(percent) {
        Some(number) if number > 100 => Err("percentage argument must be less or equal to 100".to_owned()),
        Some(number) if number >= 0 => Ok(ValueKind::String(format!("{number}%"))),
        _ => Err(COMPLAINT.to_owned()),
    }
}

fn one_of(known: &[&str]) -> String {
    format!("argument(s) must be one of the following: {}", known.join(", "))
}

fn flags(words: &[&str], known: &[&str]) -> Result<ValueKind, String> {
    let has = |name: &str| words.iter().any(|word| word.eq_ignore_ascii_case(name));
    let strange = |word: &&str| !known.iter().any(|name| name.eq_ignore_ascii_case(word));
    if words.is_empty() || words.iter().any(strange) {
        return Err(one_of(known));
    }
    if has("save") && has("nosave") {
        return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".to_owned());
    }
    let chosen = known.iter().skip(1).copied().filter(|name| has(name)).collect::<Vec<_>>();
    Ok(strings(if chosen.is_empty() { &known[..1] } else { &chosen }))
}

fn directory(word: &str) -> Result<ValueKind, String> {
    let words = |error| super::error::system_words(&error);
    let found = std::fs::metadata(word).map_err(words)?;
    if !found.is_dir() {
        return Err("Not a directory".to_owned());
    }
    let path = std::path::absolute(word).map_err(words)?;
    Ok(ValueKind::String(path.to_string_lossy().into_owned()))
}

fn save_points(words: &[&str], before: Option<&ValueKind>) -> Result<ValueKind, String> {
    const COMPLAINT: &str = "Invalid save parameters";
    if words.is_empty() {
        return Ok(ValueKind::Array(Vec::new()));
    }
    let mut points = Vec::new();
    for pair in words.chunks(2) {
        let &[seconds, changes] = pair else {
            return Err(COMPLAINT.to_owned());
        };
        match (seconds.parse::<u64>(), changes.parse::<u64>()) {
            (Ok(seconds @ 1..), Ok(changes)) if seconds.max(changes) <= i32::MAX as u64 => {
                points.push(integers([seconds, changes]));
            }
            _ => return Err(COMPLAINT.to_owned()),
        }
    }
    appended(before, points, LIST_LIMIT, COMPLAINT)
}

fn output_buffer_limits(words: &[&str], before: Option<&ValueKind>) -> Result<ValueKind, String> {
    let mut classes = match before {
        Some(ValueKind::Table(classes)) => classes.clone(),
        _ => Map::new(),
    };
    for group in words.chunks(4) {
        let &[class, hard, soft, seconds] = group else {
            return Err("Wrong number of arguments in buffer limit configuration.".to_owned());
        };
        let (key, _) = CLIENT_CLASSES
            .iter()
            .find(|(key, name)| key.eq_ignore_ascii_case(class) || name.eq_ignore_ascii_case(class))
            .ok_or("Invalid client class specified in buffer limit configuration.")?;
        let (Some(hard), Some(soft), Ok(seconds)) = (memory(hard), memory(soft), seconds.parse::<u32>()) else {
            return Err("Error in hard, soft or soft_seconds setting in buffer limit configuration.".to_owned());
        };
        let limits = Value::new(None, integers([hard, soft, u64::from(seconds)]));
        classes.insert((*key).to_owned(), limits);
    }
    Ok(ValueKind::Table(classes))
}

fn masters(words: &[&str], before: Option<&ValueKind>) -> Result<ValueKind, String> {
    match words {
        [] => Ok(ValueKind::Array(Vec::new())),
        [no, one] if no.eq_ignore_ascii_case("no") && one.eq_ignore_ascii_case("one") => {
            Ok(ValueKind::Array(Vec::new()))
        }
        [host, port] => {
            if !matches!(integer(port), Some(1..=65535)) || host.is_empty() {
                return Err("Invalid master port".to_owned());
            }
            let master = strings(words);
            let known = matches!(before, Some(ValueKind::Array(list)) if list.iter().any(|other| other.kind == master));
            appended(before, (!known).then_some(master), MASTERS_LIMIT, "Too many masters specified.")
        }
        _ => Err(WRONG_NUMBER.to_owned()),
    }
}

fn oom_scores(words: &[&str]) -> Result<ValueKind, String> {
    if words.len() != 3 {
        return Err(WRONG_NUMBER.to_owned());
    }
    if words.iter().any(|word| !matches!(integer(word), Some(-2000..=2000))) {
        return Err("Invalid oom-score-adj-values, elements must be between -2000 and 2000.".to_owned());
    }
    Ok(strings(words))
}

fn percentiles(words: &[&str]) -> Result<ValueKind, String> {
    let mut found = Vec::new();
    for word in words.iter().take(LIST_LIMIT) {
        let number = word
            .parse::<f64>()
            .map_err(|_| "Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&number) {
            return Err(
                "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".to_owned()
            );
        }
        found.push(Value::from(number));
    }
    Ok(ValueKind::Array(found))
}
