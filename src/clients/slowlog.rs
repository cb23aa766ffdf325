//! The slow log: the last commands that took longer than `slowlog-log-slower-than`, newest first, and SLOWLOG.
//!
//! Invariant: never more than `slowlog-max-len` entries, and none longer than [`ARGUMENTS_MAX`] times [`ARGUMENT_LEN_MAX`] bytes.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::clients::conversation::Conversation;
use crate::clients::errors;
use crate::db::UnixMillis;
use crate::resp::{Args, Reply, parse_i64};

/// Arguments kept of a command.
const ARGUMENTS_MAX: usize = 32;
/// Bytes kept of an argument.
const ARGUMENT_LEN_MAX: usize = 128;
/// Entries that GET shows unasked.
const SHOWN: i64 = 10;

const HELP: &[&str] = &[
    "GET [<count>]",
    "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
    "    Entries are made of:",
    "    id, timestamp, time in microseconds, arguments array, client IP and port,",
    "    client name",
    "LEN",
    "    Return the length of the slowlog.",
    "RESET",
    "    Reset the slowlog.",
];

/// One slow command.
#[derive(Debug, Clone)]
pub struct SlowCommand {
    /// When it ended.
    pub at: UnixMillis,
    /// How long it took.
    pub micros: u64,
    /// What was asked, shortened.
    pub arguments: Vec<Vec<u8>>,
    /// Whose it was.
    pub client: String,
    /// CLIENT SETNAME.
    pub name: Vec<u8>,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct SlowLog(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    /// The newest first, each with its number.
    list: VecDeque<(u64, SlowCommand)>,
    next: u64,
}

impl SlowLog {
    /// Adds an entry; the oldest beyond `max` go.
    pub fn add(&self, command: SlowCommand, max: u64) {
        let mut entries = self.0.lock();
        let id = entries.next;
        entries.next += 1;
        entries.list.push_front((id, command));
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        entries.list.truncate(max);
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.lock().list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn newest(&self, count: usize) -> Vec<(u64, SlowCommand)> {
        self.0.lock().list.iter().take(count).cloned().collect()
    }

    fn clear(&self) {
        self.0.lock().list.clear();
    }
}

/// What an entry keeps of a command; `is_secret` tells of arguments that nobody may read.
pub fn shorten(args: Args<'_>, is_secret: impl Fn(usize) -> bool) -> Vec<Vec<u8>> {
    let shown = args.len().min(ARGUMENTS_MAX);
    let mut kept: Vec<Vec<u8>> = args
        .iter()
        .take(shown)
        .enumerate()
        .map(|(index, argument)| {
            if is_secret(index) {
                return b"(redacted)".to_vec();
            }
            let Some(more) = argument.len().checked_sub(ARGUMENT_LEN_MAX + 1) else {
                return argument.to_vec();
            };
            let mut cut = argument[..ARGUMENT_LEN_MAX].to_vec();
            cut.extend_from_slice(format!("... ({} more bytes)", more + 1).as_bytes());
            cut
        })
        .collect();
    if shown < args.len()
        && let Some(last) = kept.last_mut()
    {
        *last = format!("... ({} more arguments)", args.len() - shown + 1).into_bytes();
    }
    kept
}

impl Conversation {
    pub(super) fn slowlog_command(&self, args: Args<'_>, reply: &mut Reply) {
        let log = &self.context.slowlog;
        let lower = args.get(1).to_ascii_lowercase();
        match (lower.as_slice(), args.len()) {
            (b"get", 2 | 3) => {
                let count = args.try_get(2).map_or(Some(SHOWN), parse_i64);
                let Some(count) = count.filter(|count| *count >= -1) else {
                    return reply.error("ERR count should be greater than or equal to -1");
                };
                let entries = log.newest(usize::try_from(count).unwrap_or(usize::MAX));
                reply.array(entries.len());
                for (id, entry) in entries {
                    entry.write(id, reply);
                }
            }
            (b"len", 2) => reply.integer(log.len() as i64),
            (b"reset", 2) => {
                log.clear();
                reply.ok();
            }
            (b"help", 2) => errors::help(args, HELP, reply),
            _ => errors::wrong_form(args, reply),
        }
    }
}

impl SlowCommand {
    fn write(&self, id: u64, reply: &mut Reply) {
        reply.array(6);
        reply.integer(id as i64);
        reply.integer(self.at.0 / 1000);
        reply.integer(self.micros as i64);
        reply.array(self.arguments.len());
        for argument in &self.arguments {
            reply.bulk(argument);
        }
        reply.bulk(self.client.as_bytes());
        reply.bulk(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::ArgsBuffer;

    fn shortened(arguments: &[&[u8]]) -> Vec<String> {
        let buffer = ArgsBuffer::from_args(arguments.iter().copied()).unwrap();
        shorten(buffer.as_args(), |index| index == 40)
            .into_iter()
            .map(|argument| String::from_utf8(argument).unwrap())
            .collect()
    }

    #[test]
    fn long_commands_are_shortened_as_redis_does() {
        let long = [b'x'; 130];
        let kept = shortened(&[b"set", b"k", &long, &long[..128]]);
        assert_eq!(kept[2], format!("{}... (2 more bytes)", "x".repeat(128)));
        assert_eq!(kept[3], "x".repeat(128));
        let many: Vec<&[u8]> = (0..40).map(|_| &b"a"[..]).collect();
        let kept = shortened(&many);
        assert_eq!(kept.len(), 32);
        assert_eq!(kept[31], "... (9 more arguments)");
        assert_eq!(kept[30], "a");
        assert_eq!(shortened(&many[..32])[31], "a");
    }

    #[test]
    fn the_oldest_entries_go_and_numbers_are_never_used_again() {
        let log = SlowLog::default();
        let entry = |micros| SlowCommand {
            at: UnixMillis(5_000),
            micros,
            arguments: Vec::new(),
            client: String::new(),
            name: Vec::new(),
        };
        for micros in 0..5 {
            log.add(entry(micros), 3);
        }
        let ids: Vec<u64> = log.newest(10).iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [4, 3, 2]);
        log.clear();
        assert!(log.is_empty());
        log.add(entry(1), 3);
        assert_eq!(log.newest(1)[0].0, 5);
        log.add(entry(1), 0);
        assert!(log.is_empty());
    }
}
