//! Directives that hold several words: how they are read, and how repeated lines add up.
//!
//! Each function takes the words of one line (or of one `CONFIG SET` value) and what the list was before. Errors are the
//! reasons in Redis's `CONFIG SET failed` texts. Every list has a limit.

use config::{Map, Value, ValueKind};

use super::scalars::{integer, memory, one_of};

/// How many entries a list directive may have.
pub const LIST_LIMIT: usize = 1024;
/// How many addresses `bind` may name, as in Redis.
pub const BIND_LIMIT: usize = 16;
/// How many masters `replicaof` may name.
pub const MASTERS_LIMIT: usize = 128;

/// The classes of `client-output-buffer-limit`: the name in [`config`]'s table and the one Redis shows.
pub(super) const CLIENT_CLASSES: [(&str, &str); 3] = [
    ("normal", "normal"),
    ("replica", "slave"),
    ("pubsub", "pubsub"),
];

pub(super) const WRONG_NUMBER: &str = "wrong number of arguments";

pub(super) fn strings(words: &[&str]) -> ValueKind {
    ValueKind::Array(words.iter().map(|word| Value::from(*word)).collect())
}

pub(super) fn integers<const N: usize>(numbers: [u64; N]) -> ValueKind {
    ValueKind::Array(numbers.iter().map(|number| Value::from(*number)).collect())
}

/// The list that was `before` with `more` at its end.
pub(super) fn appended(
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
    if list.len() > limit {
        Err(complaint.to_owned())
    } else {
        Ok(ValueKind::Array(list))
    }
}

pub(super) fn flags(words: &[&str], known: &[&str]) -> Result<ValueKind, String> {
    let has = |name: &str| words.iter().any(|word| word.eq_ignore_ascii_case(name));
    let strange = |word: &&str| !known.iter().any(|name| name.eq_ignore_ascii_case(word));
    if words.is_empty() || words.iter().any(strange) {
        return Err(one_of(known));
    }
    if has("save") && has("nosave") {
        return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".to_owned());
    }
    let chosen = known
        .iter()
        .skip(1)
        .copied()
        .filter(|name| has(name))
        .collect::<Vec<_>>();
    Ok(strings(if chosen.is_empty() {
        &known[..1]
    } else {
        &chosen
    }))
}

pub(super) fn save_points(words: &[&str], before: Option<&ValueKind>) -> Result<ValueKind, String> {
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

pub(super) fn output_buffer_limits(
    words: &[&str],
    before: Option<&ValueKind>,
) -> Result<ValueKind, String> {
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
        let (Some(hard), Some(soft), Ok(seconds)) =
            (memory(hard), memory(soft), seconds.parse::<u32>())
        else {
            return Err(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration."
                    .to_owned(),
            );
        };
        let limits = Value::new(None, integers([hard, soft, u64::from(seconds)]));
        classes.insert((*key).to_owned(), limits);
    }
    Ok(ValueKind::Table(classes))
}

pub(super) fn masters(words: &[&str], before: Option<&ValueKind>) -> Result<ValueKind, String> {
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
            appended(
                before,
                (!known).then_some(master),
                MASTERS_LIMIT,
                "Too many masters specified.",
            )
        }
        _ => Err(WRONG_NUMBER.to_owned()),
    }
}

/// Pattern, host and port, and so on: one line of a file is one of them, `CONFIG SET` says all.
pub(super) fn owners(words: &[&str], before: Option<&ValueKind>) -> Result<ValueKind, String> {
    let mut lines = Vec::new();
    let words: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| !word.is_empty())
        .collect();
    for line in words.chunks(3) {
        let &[_, _, port] = line else {
            return Err(WRONG_NUMBER.to_owned());
        };
        if !matches!(integer(port), Some(1..=65535)) {
            return Err("Invalid port of a queue's owner".to_owned());
        }
        lines.push(strings(line));
    }
    let complaint = "Too many owners of queues specified.";
    appended(before, lines, LIST_LIMIT, complaint)
}

pub(super) fn oom_scores(words: &[&str]) -> Result<ValueKind, String> {
    if words.len() != 3 {
        return Err(WRONG_NUMBER.to_owned());
    }
    if words
        .iter()
        .any(|word| !matches!(integer(word), Some(-2000..=2000)))
    {
        return Err(
            "Invalid oom-score-adj-values, elements must be between -2000 and 2000.".to_owned(),
        );
    }
    Ok(strings(words))
}

pub(super) fn percentiles(words: &[&str]) -> Result<ValueKind, String> {
    let mut found = Vec::new();
    for word in words.iter().take(LIST_LIMIT) {
        let number = word
            .parse::<f64>()
            .map_err(|_| "Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&number) {
            return Err(
                "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
                    .to_owned(),
            );
        }
        found.push(Value::from(number));
    }
    Ok(ValueKind::Array(found))
}
