//! Whether a user may do what a call asks.

use crate::acl::selector::{KeyPattern, Selector};
use crate::acl::user::User;
use crate::commands::docs::Channels;
use crate::commands::table::{Flags, Row};
use crate::db::glob::glob_match;
use crate::resp::Args;

/// Why a call is refused. Of several reasons the greatest is told, as in Redis: a channel rather than a key, a later argument
/// rather than an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denied {
    /// The command.
    Command,
    /// The key at this argument.
    Key(usize),
    /// The channel at this argument.
    Channel(usize),
}

impl User {
    /// Whether this user may do that: one of the selectors must allow all of it.
    pub fn check(&self, row: &Row, args: Args<'_>) -> Result<(), Denied> {
        let mut worst = Denied::Command;
        for selector in self.selectors() {
            match selector.check(row, args) {
                Ok(()) => return Ok(()),
                Err(denied) => worst = worst.max(denied),
            }
        }
        Err(worst)
    }
}

impl User {
    /// Whether a selector that allows this call allows to read all keys, too.
    pub fn reads_all_keys(&self, row: &Row, args: Args<'_>) -> bool {
        self.selectors().iter().any(|selector| {
            let reads_all = |patterns: &[KeyPattern]| {
                let all = |keys: &KeyPattern| keys.reads && keys.pattern == b"*";
                patterns.iter().any(all)
            };
            selector.check(row, args).is_ok() && selector.keys().is_none_or(reads_all)
        })
    }
}

impl Selector {
    fn check(&self, row: &Row, args: Args<'_>) -> Result<(), Denied> {
        let is_allowed = self.commands().has(row)
            || row.flags.has(Flags::NO_AUTH)
            || args
                .try_get(1)
                .is_some_and(|first| self.has_first_argument(row, first));
        if !is_allowed {
            return Err(Denied::Command);
        }
        if let Some(patterns) = self.keys()
            && row.has_keys()
        {
            let denied = row.key_arguments(args).find(|index| {
                let access = row.key_access(args, *index);
                !is_key_allowed(patterns, args.get(*index), access)
            });
            if let Some(index) = denied {
                return Err(Denied::Key(index));
            }
        }
        if let Some(patterns) = self.channels()
            && let Some(index) = denied_channel(patterns, row, args)
        {
            return Err(Denied::Channel(index));
        }
        Ok(())
    }
}

fn is_key_allowed(patterns: &[KeyPattern], key: &[u8], access: &[&str]) -> bool {
    let reads = access.contains(&"access");
    let writes = ["insert", "delete", "update"]
        .iter()
        .any(|word| access.contains(word));
    patterns.iter().any(|allowed| {
        (allowed.reads || !reads)
            && (allowed.writes || !writes)
            && glob_match(&allowed.pattern, key, false)
    })
}

fn denied_channel(patterns: &[Vec<u8>], row: &Row, args: Args<'_>) -> Option<usize> {
    let (end, is_pattern) = match row.docs.channels {
        Channels::None => return None,
        Channels::One => (2, false),
        Channels::All => (args.len(), false),
        Channels::Patterns => (args.len(), true),
    };
    (1..end.min(args.len()))
        .find(|index| !is_channel_allowed(patterns, args.get(*index), is_pattern))
}

/// Whether a channel may be used. A pattern must be allowed as it stands, for it might match more than another one that matches it.
pub(super) fn is_channel_allowed(patterns: &[Vec<u8>], name: &[u8], is_pattern: bool) -> bool {
    patterns.iter().any(|allowed| {
        if is_pattern {
            allowed == name
        } else {
            glob_match(allowed, name, false)
        }
    })
}
