//! A selector: commands, keys and channels that are allowed together. A user has one, and perhaps more in parentheses.
//!
//! Invariant: the commands are what their rules come to, in order, from all or from none.

use crate::acl::commands::{self, CommandSet};
use crate::acl::rules::{RuleError, has_spaces};
use crate::commands::docs::Categories;
use crate::commands::table::Row;
use crate::config::grammar::split_words;

/// Keys that may be read, written or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPattern {
    /// A glob pattern.
    pub pattern: Vec<u8>,
    /// `%R`.
    pub reads: bool,
    /// `%W`.
    pub writes: bool,
}

/// `+name` or `-name`, as it was said, in small letters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct CommandRule {
    is_allowed: bool,
    name: Vec<u8>,
}

/// See the head of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    commands: CommandSet,
    /// Whether the rules begin with all commands, those of later releases included.
    begins_with_all: bool,
    rules: Vec<CommandRule>,
    /// Commands that are allowed with this first argument, which is in small letters.
    first_arguments: Vec<(&'static str, Vec<u8>)>,
    all_keys: bool,
    keys: Vec<KeyPattern>,
    all_channels: bool,
    channels: Vec<Vec<u8>>,
}

impl Selector {
    /// Nothing is allowed, or all channels where that is the default.
    pub const fn new(all_channels: bool) -> Self {
        Self {
            commands: CommandSet::NONE,
            begins_with_all: false,
            rules: Vec::new(),
            first_arguments: Vec::new(),
            all_keys: false,
            keys: Vec::new(),
            all_channels,
            channels: Vec::new(),
        }
    }

    /// What stands between parentheses.
    pub(super) fn parse(words: &[u8], all_channels: bool) -> Result<Self, RuleError> {
        let mut selector = Self::new(all_channels);
        // As in Redis: with quotes, and as nothing where one of them does not close.
        for word in split_words(words).unwrap_or_default() {
            selector.apply(&word)?;
        }
        Ok(selector)
    }

    /// Changes it by one rule.
    pub(super) fn apply(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        match rule.to_ascii_lowercase().as_slice() {
            b"allkeys" | b"~*" => {
                self.keys.clear();
                self.all_keys = true;
            }
            b"resetkeys" => {
                self.keys.clear();
                self.all_keys = false;
            }
            b"allchannels" | b"&*" => {
                self.channels.clear();
                self.all_channels = true;
            }
            b"resetchannels" => {
                self.channels.clear();
                self.all_channels = false;
            }
            b"allcommands" | b"+@all" => self.begin_anew(true),
            b"nocommands" | b"-@all" => self.begin_anew(false),
            [b'~' | b'%', ..] => return self.add_keys(rule),
            [b'&', ..] => return self.add_channel(&rule[1..]),
            [b'+', b'@', name @ ..] => return self.set_category(name, true),
            [b'-', b'@', name @ ..] => return self.set_category(name, false),
            [b'+', name @ ..] => return self.allow(name),
            [b'-', name @ ..] => {
                let row = commands::find(name).ok_or(RuleError::Unknown)?;
                self.set(row, name, false);
            }
            _ => return Err(RuleError::Syntax),
        }
        Ok(())
    }

    fn begin_anew(&mut self, with_all: bool) {
        self.begins_with_all = with_all;
        self.commands = if with_all {
            CommandSet::ALL
        } else {
            CommandSet::NONE
        };
        self.rules.clear();
        self.first_arguments.clear();
    }

    fn allow(&mut self, name: &[u8]) -> Result<(), RuleError> {
        let Some(bar) = name.iter().rposition(|byte| *byte == b'|') else {
            let row = commands::find(name).ok_or(RuleError::Unknown)?;
            self.set(row, name, true);
            return Ok(());
        };
        let (command, argument) = (&name[..bar], &name[bar + 1..]);
        let row = commands::find(command).ok_or(RuleError::Unknown)?;
        if command.contains(&b'|') {
            return Err(RuleError::FirstArgument);
        }
        if argument.is_empty() {
            return Err(RuleError::Syntax);
        }
        if row.has_subcommands() {
            let sub = row.subcommand(argument).ok_or(RuleError::Unknown)?;
            self.set(sub, name, true);
            return Ok(());
        }
        let allowed = (row.name, argument.to_vec());
        if !self.first_arguments.contains(&allowed) {
            self.first_arguments.push(allowed);
        }
        self.note(name, true);
        Ok(())
    }

    fn set(&mut self, row: &'static Row, name: &[u8], is_allowed: bool) {
        self.change(row, is_allowed);
        self.note(name, is_allowed);
    }

    fn change(&mut self, row: &'static Row, is_allowed: bool) {
        self.commands.set(row, is_allowed);
        // A rule for a whole command says all about its first arguments, too.
        self.first_arguments.retain(|(name, _)| *name != row.name);
    }

    fn set_category(&mut self, name: &[u8], is_allowed: bool) -> Result<(), RuleError> {
        let category = Categories::by_name(name).ok_or(RuleError::Unknown)?;
        for row in commands::of_category(category) {
            self.change(row, is_allowed);
        }
        self.note(&[b"@", name].concat(), is_allowed);
        Ok(())
    }

    /// Keeps a rule for the text. What it says anew, of the command or of its subcommands, goes.
    fn note(&mut self, name: &[u8], is_allowed: bool) {
        self.rules.retain(|rule| {
            let rest = rule.name.strip_prefix(name);
            !rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'|')
        });
        let name = name.to_vec();
        self.rules.push(CommandRule { is_allowed, name });
    }

    fn add_keys(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        if self.all_keys {
            return Err(RuleError::AllKeys);
        }
        let (mut reads, mut writes, mut at) = (true, true, 1);
        if rule[0] == b'%' {
            (reads, writes) = (false, false);
            loop {
                match rule.get(at).map(u8::to_ascii_uppercase) {
                    Some(b'R') if !reads => reads = true,
                    Some(b'W') if !writes => writes = true,
                    Some(b'~') if reads || writes => {
                        at += 1;
                        break;
                    }
                    // Redis takes the end for an empty pattern.
                    None if reads || writes => break,
                    _ => return Err(RuleError::Syntax),
                }
                at += 1;
            }
        }
        let pattern = &rule[at..];
        if has_spaces(pattern) {
            return Err(RuleError::Syntax);
        }
        if let Some(known) = self.keys.iter_mut().find(|keys| keys.pattern == pattern) {
            known.reads |= reads;
            known.writes |= writes;
        } else {
            let pattern = pattern.to_vec();
            self.keys.push(KeyPattern {
                pattern,
                reads,
                writes,
            });
        }
        Ok(())
    }

    fn add_channel(&mut self, pattern: &[u8]) -> Result<(), RuleError> {
        if self.all_channels {
            return Err(RuleError::AllChannels);
        }
        if has_spaces(pattern) {
            return Err(RuleError::Syntax);
        }
        if !self.channels.iter().any(|known| known == pattern) {
            self.channels.push(pattern.to_vec());
        }
        Ok(())
    }

    /// Whether everything is allowed.
    pub fn allows_all(&self) -> bool {
        self.commands.is_all() && self.all_keys && self.all_channels
    }

    /// The commands.
    pub(super) const fn commands(&self) -> &CommandSet {
        &self.commands
    }

    /// Whether a command is allowed with this first argument, though not with others.
    pub(super) fn has_first_argument(&self, row: &Row, argument: &[u8]) -> bool {
        let mut allowed = self.first_arguments.iter();
        allowed.any(|(name, first)| *name == row.name && first.eq_ignore_ascii_case(argument))
    }

    /// The patterns of keys; none for all keys.
    pub(super) fn keys(&self) -> Option<&[KeyPattern]> {
        (!self.all_keys).then_some(&self.keys)
    }

    /// The patterns of channels; none for all channels.
    pub(super) fn channels(&self) -> Option<&[Vec<u8>]> {
        (!self.all_channels).then_some(&self.channels)
    }

    /// The rules of commands as text.
    pub fn commands_text(&self) -> Vec<u8> {
        let mut text = if self.begins_with_all {
            b"+@all".to_vec()
        } else {
            b"-@all".to_vec()
        };
        for rule in &self.rules {
            text.extend_from_slice(if rule.is_allowed { b" +" } else { b" -" });
            text.extend_from_slice(&rule.name);
        }
        text
    }

    /// The rules of keys as text.
    pub fn keys_text(&self) -> Vec<u8> {
        if self.all_keys {
            return b"~*".to_vec();
        }
        let one = |keys: &KeyPattern| {
            let prefix: &[u8] = match (keys.reads, keys.writes) {
                (true, false) => b"%R~",
                (false, true) => b"%W~",
                // Beside others `~*` would be read as the flag, after which no pattern is taken.
                _ if keys.pattern == b"*" && self.keys.len() > 1 => b"%RW~",
                _ => b"~",
            };
            [prefix, &keys.pattern].concat()
        };
        let words: Vec<Vec<u8>> = self.keys.iter().map(one).collect();
        words.join(&b' ')
    }

    /// The rules of channels as text.
    pub fn channels_text(&self) -> Vec<u8> {
        if self.all_channels {
            return b"&*".to_vec();
        }
        let words = self.channels.iter().map(|name| [b"&", &name[..]].concat());
        let words: Vec<Vec<u8>> = words.collect();
        words.join(&b' ')
    }

    /// All rules as text.
    pub(super) fn describe(&self, text: &mut Vec<u8>) {
        let keys = self.keys_text();
        if !keys.is_empty() {
            text.extend_from_slice(&keys);
            text.push(b' ');
        }
        if !self.all_channels {
            text.extend_from_slice(b"resetchannels ");
        }
        let channels = self.channels_text();
        if !channels.is_empty() {
            text.extend_from_slice(&channels);
            text.push(b' ');
        }
        text.extend_from_slice(&self.commands_text());
    }
}
