//! One user: whether it may come in, by which passwords, and what it may do.
//!
//! Invariant: a change that fails leaves the user as it was where the caller works on a copy, which all callers do.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::acl::check::is_channel_allowed;
use crate::acl::rules::{RuleError, merge_selectors};
use crate::acl::selector::Selector;

/// A password's SHA-256.
type Hash = [u8; 32];

/// What new users and selectors begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Defaults {
    /// `acl-pubsub-default`.
    pub all_channels: bool,
}

/// Whether payloads of RESTORE are looked at. It is kept and shown; all of them are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sanitize {
    Unsaid,
    Payload,
    Skip,
}

/// See the head of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    is_on: bool,
    no_pass: bool,
    sanitize: Sanitize,
    passwords: Vec<Hash>,
    /// The one that always is, then those in parentheses.
    selectors: Vec<Selector>,
}

impl User {
    /// A new user: off, without passwords, and it may do nothing.
    pub fn new(defaults: Defaults) -> Self {
        Self {
            is_on: false,
            no_pass: false,
            sanitize: Sanitize::Unsaid,
            passwords: Vec::new(),
            selectors: vec![Selector::new(defaults.all_channels)],
        }
    }

    /// The default user of a server that was told nothing: it may do everything.
    pub fn unlimited() -> Self {
        let mut user = Self::new(Defaults::default());
        for rule in [&b"on"[..], b"nopass", b"~*", b"&*", b"+@all"] {
            let applied = user.apply(rule, Defaults::default());
            debug_assert!(applied.is_ok());
        }
        user
    }

    /// Changes the user by one rule; the words of a selector in parentheses are one.
    pub fn apply(&mut self, rule: &[u8], defaults: Defaults) -> Result<(), RuleError> {
        match rule.to_ascii_lowercase().as_slice() {
            b"" => {}
            b"on" => self.is_on = true,
            b"off" => self.is_on = false,
            b"nopass" => {
                self.no_pass = true;
                self.passwords.clear();
            }
            b"skip-sanitize-payload" => self.sanitize = Sanitize::Skip,
            b"sanitize-payload" => self.sanitize = Sanitize::Payload,
            b"resetpass" => {
                self.no_pass = false;
                self.passwords.clear();
            }
            [b'>', ..] => self.add_password(hash(&rule[1..])),
            [b'#', ..] => self.add_password(parse_hash(&rule[1..])?),
            [b'<', ..] => self.remove_password(hash(&rule[1..]))?,
            [b'!', ..] => self.remove_password(parse_hash(&rule[1..])?)?,
            [b'(', .., b')'] => {
                let words = &rule[1..rule.len() - 1];
                let selector = Selector::parse(words, defaults.all_channels)?;
                self.selectors.push(selector);
            }
            b"clearselectors" => self.selectors.truncate(1),
            b"reset" => {
                *self = Self {
                    sanitize: Sanitize::Payload,
                    ..Self::new(defaults)
                }
            }
            _ => match self.selectors.first_mut() {
                Some(root) => root.apply(rule)?,
                None => return Err(RuleError::Syntax),
            },
        }
        Ok(())
    }

    fn add_password(&mut self, hash: Hash) {
        if !self.passwords.contains(&hash) {
            self.passwords.push(hash);
        }
        self.no_pass = false;
    }

    fn remove_password(&mut self, hash: Hash) -> Result<(), RuleError> {
        let at = self.passwords.iter().position(|known| *known == hash);
        self.passwords.remove(at.ok_or(RuleError::NoSuchPassword)?);
        Ok(())
    }

    /// Whether it comes in with this password.
    pub fn accepts(&self, password: &[u8]) -> bool {
        if !self.is_on || self.no_pass {
            return self.is_on;
        }
        let given = hash(password);
        // All are compared, so that the time tells nothing.
        let found = self
            .passwords
            .iter()
            .fold(0, |found, known| found | known.ct_eq(&given).unwrap_u8());
        found == 1
    }

    /// Whether no password is asked for.
    pub const fn has_no_pass(&self) -> bool {
        self.no_pass
    }

    /// Whether connections are this user's without a word.
    pub const fn is_open(&self) -> bool {
        self.is_on && self.no_pass
    }

    /// Whether it may do everything, so that nothing has to be checked.
    pub fn may_all(&self) -> bool {
        self.selectors.iter().any(Selector::allows_all)
    }

    /// What it may do: the first one always is.
    pub fn selectors(&self) -> &[Selector] {
        &self.selectors
    }

    /// Its flags in Redis's words and order.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> + Clone {
        let sanitize = match self.sanitize {
            Sanitize::Unsaid => None,
            Sanitize::Payload => Some("sanitize-payload"),
            Sanitize::Skip => Some("skip-sanitize-payload"),
        };
        let is_on = if self.is_on { "on" } else { "off" };
        std::iter::once(is_on)
            .chain(self.no_pass.then_some("nopass"))
            .chain(sanitize)
    }

    /// The hashes of its passwords.
    pub fn passwords(&self) -> impl ExactSizeIterator<Item = String> {
        let digits = |hash: &Hash| hash.iter().map(|byte| format!("{byte:02x}")).collect();
        self.passwords.iter().map(digits)
    }

    /// All its rules as text, which [`Self::apply`] takes word by word.
    pub fn describe(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for flag in self.flags() {
            text.extend_from_slice(flag.as_bytes());
            text.push(b' ');
        }
        for password in self.passwords() {
            text.push(b'#');
            text.extend_from_slice(password.as_bytes());
            text.push(b' ');
        }
        for (nth, selector) in self.selectors.iter().enumerate() {
            if nth > 0 {
                text.extend_from_slice(b" (");
            }
            selector.describe(&mut text);
            if nth > 0 {
                text.push(b')');
            }
        }
        text
    }

    /// What it may do as text, for another server: whoever gets it need not know how the user comes in.
    pub fn describe_rights(&self) -> Vec<u8> {
        let mut rights = Self::new(Defaults::default());
        rights.selectors.clone_from(&self.selectors);
        rights.describe()
    }

    /// The user of such a text, who is in already.
    pub fn of_rights(text: &[u8]) -> Option<Self> {
        let words: Vec<&[u8]> = text.split(|byte| *byte == b' ').collect();
        let (mut user, defaults) = (Self::new(Defaults::default()), Defaults::default());
        for rule in merge_selectors(&words).ok()? {
            user.apply(&rule, defaults).ok()?;
        }
        Some(user)
    }

    /// Which channels a subscriber may still hear after a change from `before`; none where it lost nothing.
    pub fn channels_left(&self, before: &Self) -> Option<ChannelsLeft> {
        let mut left = Vec::new();
        for selector in &self.selectors {
            left.extend_from_slice(selector.channels()?);
        }
        let is_kept = before.selectors.iter().all(|selector| {
            let channels = selector.channels();
            channels.is_some_and(|all| all.iter().all(|channel| left.contains(channel)))
        });
        (!is_kept).then_some(ChannelsLeft(left))
    }
}

/// Patterns of channels that are allowed.
#[derive(Debug)]
pub struct ChannelsLeft(Vec<Vec<u8>>);

impl ChannelsLeft {
    /// Whether a subscription may stay.
    pub fn has(&self, name: &[u8], is_pattern: bool) -> bool {
        is_channel_allowed(&self.0, name, is_pattern)
    }
}

fn hash(password: &[u8]) -> Hash {
    Sha256::digest(password).into()
}

fn parse_hash(text: &[u8]) -> Result<Hash, RuleError> {
    let digit = |digit: &u8| match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(RuleError::BadHash),
    };
    let mut hash = Hash::default();
    if text.len() != 2 * hash.len() {
        return Err(RuleError::BadHash);
    }
    for (byte, pair) in hash.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(&pair[0])? << 4 | digit(&pair[1])?;
    }
    Ok(hash)
}
