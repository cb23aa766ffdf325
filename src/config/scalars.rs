//! Single values of directives as Redis reads them: integers, memory sizes, words, directories.
//!
//! Errors are the reasons in Redis's `CONFIG SET failed` texts.

use config::ValueKind;

use super::error::system_words;

/// An integer as Redis reads it: no blanks, no `+`, no leading zeros.
pub(super) fn integer(word: &str) -> Option<i64> {
    let number = word.parse::<i64>().ok()?;
    (number.to_string() == word).then_some(number)
}

pub(super) fn bounded(word: &str, least: i64, most: i64) -> Result<i64, String> {
    let number = integer(word).ok_or("argument couldn't be parsed into an integer")?;
    if !(least..=most).contains(&number) {
        return Err(format!(
            "argument must be between {least} and {most} inclusive"
        ));
    }
    Ok(number)
}

/// A number of bytes as Redis reads it; like there, no digits at all mean 0. Too large numbers saturate.
pub fn memory(word: &str) -> Option<u64> {
    let end = word
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(word.len());
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
    let number = if digits.is_empty() {
        0
    } else {
        digits.parse::<u64>().unwrap_or(u64::MAX)
    };
    Some(number.saturating_mul(factor))
}

pub(super) fn memory_or_percent(word: &str) -> Result<ValueKind, String> {
    const COMPLAINT: &str = "argument must be a memory or percent value";
    let Some(percent) = word.strip_suffix('%') else {
        return memory(word)
            .map(ValueKind::U64)
            .ok_or_else(|| COMPLAINT.to_owned());
    };
    match integer(percent) {
        Some(number) if number > 100 => {
            Err("percentage argument must be less or equal to 100".to_owned())
        }
        Some(number) if number >= 0 => Ok(ValueKind::String(format!("{number}%"))),
        _ => Err(COMPLAINT.to_owned()),
    }
}

pub(super) fn one_of(known: &[&str]) -> String {
    format!(
        "argument(s) must be one of the following: {}",
        known.join(", ")
    )
}

pub(super) fn directory(word: &str) -> Result<ValueKind, String> {
    let words = |error| system_words(&error);
    let found = std::fs::metadata(word).map_err(words)?;
    if !found.is_dir() {
        return Err("Not a directory".to_owned());
    }
    let path = std::path::absolute(word).map_err(words)?;
    Ok(ValueKind::String(path.to_string_lossy().into_owned()))
}

/// Whether all `{variables}` of a title are known and closed; `{{` and `}}` stand for one brace, as in Redis.
pub(super) fn is_title_template(word: &str) -> bool {
    const VARIABLES: [&str; 7] = [
        "title",
        "listen-addr",
        "server-mode",
        "port",
        "tls-port",
        "unixsocket",
        "config-file",
    ];
    let mut rest = word;
    while let Some((_, opened)) = rest.split_once('{') {
        rest = match opened.strip_prefix('{') {
            Some(behind) => behind,
            None => match opened.split_once('}') {
                Some((name, behind)) if VARIABLES.contains(&name) => behind,
                _ => return false,
            },
        };
    }
    !word.is_empty()
}
