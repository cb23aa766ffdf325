//! How long commands take, and who is to know: the counters of commands, the slow log, latency events.
//!
//! Most commands are as long as their arguments: they are not timed one by one, for that would cost a tenth of the shortest. A
//! batch is timed as a whole, and each of its commands takes its share, so that one that is alone in its batch is timed exactly.
//! Commands whose work has no such bound are timed by themselves, and all are where `slowlog-log-slower-than` asks for what is
//! shorter than a batch.

use std::time::{Duration, Instant};

use crate::clients::conversation::Conversation;
use crate::clients::latency::Event;
use crate::clients::slowlog::{SlowCommand, shorten};
use crate::commands::keys::migrate;
use crate::commands::table::{Flags, Handler, Row, ServerCommand, SessionCommand};
use crate::config::is_secret;
use crate::resp::Args;

/// A limit of the slow log below this is one that whole batches pass (microseconds).
const EACH_BELOW_MICROS: i64 = 1_000;

impl Conversation {
    /// Whether every command is to be timed by itself.
    pub(super) fn times_each(&self) -> bool {
        (0..EACH_BELOW_MICROS).contains(&self.options.slowlog_log_slower_than)
            && self.options.slowlog_max_len > 0
    }

    /// From which time on somebody is to know of a command.
    pub(super) fn slow_from(&self) -> Option<Duration> {
        let slow = u64::try_from(self.options.slowlog_log_slower_than).ok();
        let slow = slow.map(Duration::from_micros);
        let spike = self.options.latency_monitor_threshold;
        slow.into_iter().chain(spike).min()
    }

    /// Notes how long a command took.
    #[inline]
    pub(super) fn took(&self, row: &Row, args: Args<'_>, took: Duration) {
        let micros = took.as_micros() as u64;
        let is_slow = u64::try_from(self.options.slowlog_log_slower_than)
            .is_ok_and(|threshold| micros >= threshold);
        if is_slow {
            self.log_slow(row, args, micros);
        }
        let threshold = self.options.latency_monitor_threshold;
        if threshold.is_some_and(|threshold| took >= threshold) {
            let event = if row.flags.has(Flags::FAST) {
                Event::FastCommand
            } else {
                Event::Command
            };
            let now = self.context.now();
            self.context.latency.add(event, now, micros / 1000);
        }
    }

    #[cold]
    fn log_slow(&self, row: &Row, args: Args<'_>, micros: u64) {
        let max = self.options.slowlog_max_len;
        if row.flags.has(Flags::SKIP_SLOWLOG) || max == 0 {
            return;
        }
        let command = SlowCommand {
            at: self.context.now(),
            micros,
            arguments: shorten(args, |index| is_redacted(row, args, index)),
            client: self.client.address.clone(),
            name: self.client.shown.lock().name.clone(),
        };
        self.context.slowlog.add(command, max);
    }
}

/// Whether an argument is nobody's business: passwords.
pub(super) fn is_redacted(row: &Row, args: Args<'_>, index: usize) -> bool {
    match row.handler {
        Handler::Session(SessionCommand::Auth) => index > 0,
        Handler::Session(SessionCommand::Hello) => {
            let is_auth = |at: usize| args.get(at).eq_ignore_ascii_case(b"auth");
            (1..=2).any(|back| index >= 2 + back && is_auth(index - back))
        }
        Handler::Session(SessionCommand::Migrate) => migrate::is_secret(args, index),
        Handler::Server(ServerCommand::Acl) => {
            index >= 2 && args.get(1).eq_ignore_ascii_case(b"setuser")
        }
        Handler::Server(ServerCommand::Config) => {
            let is_set = args.get(1).eq_ignore_ascii_case(b"set");
            is_set && index >= 3 && index % 2 == 1 && is_secret(args.get(index - 1))
        }
        _ => false,
    }
}

/// Measures one command.
#[derive(Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// One that was started when somebody looked at the clock.
    pub(super) fn started_at(at: Instant) -> Self {
        Self(at)
    }

    /// How long it took, and when that was.
    pub(super) fn stop(&self) -> (Duration, Instant) {
        let at = Instant::now();
        (at.saturating_duration_since(self.0), at)
    }

    pub(super) fn read(&self) -> Duration {
        self.stop().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::registry::lookup_full;
    use crate::resp::ArgsBuffer;

    fn redacted(command: &str) -> Vec<usize> {
        let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        let buffer = ArgsBuffer::from_args(words.iter().copied()).unwrap();
        let args = buffer.as_args();
        let name = match words[0] {
            b"config" => b"config|set".to_vec(),
            b"acl" => [b"acl|", words[1]].concat(),
            name => name.to_vec(),
        };
        let row = lookup_full(&name).unwrap();
        (0..args.len())
            .filter(|index| is_redacted(row, args, *index))
            .collect()
    }

    #[test]
    fn passwords_are_redacted_and_nothing_else() {
        assert_eq!(redacted("auth secret"), [1]);
        assert_eq!(redacted("auth user secret"), [1, 2]);
        assert_eq!(redacted("hello 3 AUTH user secret SETNAME me"), [3, 4]);
        assert_eq!(redacted("hello 3 SETNAME auth"), [0; 0]);
        assert_eq!(
            redacted("config set maxclients 5 RequirePass x masterauth y"),
            [5, 7]
        );
        assert_eq!(redacted("set auth secret"), [0; 0]);
        assert_eq!(redacted("migrate h 1 k 0 1 AUTH secret copy"), [7]);
        assert_eq!(redacted("acl setuser me >secret +get"), [2, 3, 4]);
        assert_eq!(redacted("acl getuser me"), [0; 0]);
    }
}
