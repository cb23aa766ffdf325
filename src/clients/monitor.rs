//! MONITOR: what every connection asks, told to those who watch. While nobody does, a command pays nothing and a batch one look.
//!
//! Invariant: passwords and what operators ask are not told.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::clients::conversation::Conversation;
use crate::clients::timing::is_redacted;
use crate::commands::{Flags, Row};
use crate::pubsub::mailbox::Mailbox;
use crate::resp::{Args, Reply};

/// Who watches.
#[derive(Debug, Default)]
pub struct Monitors {
    list: Mutex<Vec<Arc<Mailbox>>>,
    count: AtomicUsize,
}

impl Monitors {
    /// Whether nobody does.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    fn add(self: &Arc<Self>, mailbox: &Arc<Mailbox>) -> Monitoring {
        self.change(|list| list.push(Arc::clone(mailbox)));
        Monitoring {
            monitors: Arc::clone(self),
            mailbox: Arc::clone(mailbox),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Mailbox>>)) {
        let mut list = self.list.lock();
        change(&mut list);
        self.count.store(list.len(), Ordering::Relaxed);
    }

    fn tell(&self, line: String) {
        let line = Bytes::from(line);
        for mailbox in self.list.lock().iter() {
            mailbox.post(&line);
        }
    }
}

/// A connection that watches; it ends with this.
#[derive(Debug)]
pub struct Monitoring {
    monitors: Arc<Monitors>,
    mailbox: Arc<Mailbox>,
}

impl Drop for Monitoring {
    fn drop(&mut self) {
        let is_other = |other: &Arc<Mailbox>| !Arc::ptr_eq(other, &self.mailbox);
        self.monitors.change(|list| list.retain(is_other));
    }
}

impl Conversation {
    pub(super) fn monitor_command(&mut self, reply: &mut Reply) {
        if self.is_in_exec {
            return reply.error("ERR MONITOR isn't allowed for DENY BLOCKING client");
        }
        if self.monitoring.is_some() {
            // As in Redis: no word.
            return;
        }
        self.monitoring = Some(self.context.monitors.add(&self.client.mailbox));
        self.client.shown.lock().is_monitor = true;
        reply.ok();
    }

    /// Who watches commands has none of its own over data.
    pub(super) fn monitor_refusal(&self, row: &Row) -> Option<&'static str> {
        let is_over_data = row.may_replicate() || row.flags.has(Flags::READONLY);
        (self.monitoring.is_some() && is_over_data)
            .then_some("ERR Replica can't interact with the keyspace")
    }

    pub(super) fn end_monitoring(&mut self) {
        self.monitoring = None;
        self.client.shown.lock().is_monitor = false;
    }

    /// Tells those who watch of a command that was carried out in a database.
    #[inline]
    pub(super) fn show_monitors(&self, row: &Row, args: Args<'_>, db: u32) {
        let is_hidden = row.flags.has(Flags::SKIP_MONITOR) || row.flags.has(Flags::ADMIN);
        if !self.context.monitors.is_empty() && !is_hidden {
            self.context
                .monitors
                .tell(self.monitor_line(row, args, db, None));
        }
    }

    /// The same of a script, whose row keeps it from being told behind what it calls.
    pub(super) fn show_monitors_whatever(&self, args: Args<'_>) {
        if !self.context.monitors.is_empty()
            && let Some(row) = crate::commands::lookup(args.name())
        {
            let line = self.monitor_line(row, args, self.caller.db, None);
            self.context.monitors.tell(line);
        }
    }

    /// The same of what a script calls.
    #[inline]
    pub(super) fn show_script_call(&self, row: &Row, args: Args<'_>, db: u32) {
        let is_hidden = row.flags.has(Flags::SKIP_MONITOR) || row.flags.has(Flags::ADMIN);
        if !self.context.monitors.is_empty() && !is_hidden {
            let line = self.monitor_line(row, args, db, Some("lua"));
            self.context.monitors.tell(line);
        }
    }

    #[cold]
    fn monitor_line(&self, row: &Row, args: Args<'_>, db: u32, by: Option<&str>) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let address = &self.client.address;
        let address = match self.client.peer {
            Some(_) => address.clone(),
            None => format!("unix:{}", address.trim_end_matches(":0")),
        };
        let address = by.map_or(address, str::to_owned);
        let mut line = format!(
            "+{}.{:06} [{db} {address}]",
            now.as_secs(),
            now.subsec_micros()
        );
        for (index, argument) in args.iter().enumerate() {
            line.push(' ');
            if is_redacted(row, args, index) {
                line.push_str("\"(redacted)\"");
            } else {
                quote(argument, &mut line);
            }
        }
        line.push_str("\r\n");
        line
    }
}

/// Bytes as Redis shows them in quotes.
fn quote(bytes: &[u8], out: &mut String) {
    out.push('"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            7 => out.push_str("\\a"),
            8 => out.push_str("\\b"),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_quoted_as_redis_quotes_them() {
        let mut out = String::new();
        quote(b"a \"b\"\\\n\r\t\x07\x08\x00\x7f\xff~", &mut out);
        assert_eq!(out, r#""a \"b\"\\\n\r\t\a\b\x00\x7f\xff~""#);
    }
}
