//! Users as text: the lines of an ACL file and of a configuration.
//!
//! Invariant: a text is taken as a whole or not at all; what is wrong with it is said in Redis's words, for all lines at once.

use std::collections::{BTreeMap, HashSet};

use crate::acl::rules::{RuleError, has_spaces, merge_selectors};
use crate::acl::user::{Defaults, User};
use crate::acl::users::{DEFAULT, Users};
use crate::config::grammar::split_words;

const UNCHANGED: &str =
    "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";

/// The users that a file's text tells of, or what is wrong with it.
pub fn parse(
    text: &[u8],
    path: &str,
    defaults: Defaults,
) -> Result<BTreeMap<Vec<u8>, User>, String> {
    let mut users = BTreeMap::new();
    let mut errors = String::new();
    for (line, number) in text.split(|byte| *byte == b'\n').zip(1..) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        if let Err(error) = parse_line(line, &format!("{path}:{number}"), defaults, &mut users) {
            match error {
                LineError::Duplicate(name) => {
                    let name = String::from_utf8_lossy(&name);
                    let text = format!("WARNING: Duplicate user '{name}' found on line {number}. ");
                    errors.push_str(&text);
                }
                LineError::Text(text) => errors.push_str(&text),
            }
        }
    }
    if errors.is_empty() {
        return Ok(users);
    }
    errors.push_str(UNCHANGED);
    Err(errors)
}

enum LineError {
    Duplicate(Vec<u8>),
    Text(String),
}

fn parse_line(
    line: &[u8],
    place: &str,
    defaults: Defaults,
    users: &mut BTreeMap<Vec<u8>, User>,
) -> Result<(), LineError> {
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [b"user", name, rules @ ..] = words.as_slice() else {
        let text = format!("{place} should start with user keyword followed by the username. ");
        return Err(LineError::Text(text));
    };
    if has_spaces(name) {
        let name = String::from_utf8_lossy(name);
        let text = format!("'{place}: username '{name}' contains invalid characters. ");
        return Err(LineError::Text(text));
    }
    if users.contains_key(*name) {
        return Err(LineError::Duplicate(name.to_vec()));
    }
    let mut user = User::new(defaults);
    let mut errors = String::new();
    match merge_selectors(rules) {
        Err(_) => errors = format!("{place}: Unmatched parenthesis in selector definition. "),
        Ok(rules) => {
            let mut is_first = true;
            for rule in &rules {
                let rule = rule.trim_ascii();
                match user.apply(rule, defaults) {
                    Ok(()) => {}
                    // It holds no secret, so all of them are shown.
                    Err(error @ RuleError::Unknown) => errors.push_str(&format!(
                        "{place}: Error in applying operation '{}': {error}. ",
                        String::from_utf8_lossy(rule)
                    )),
                    Err(error) if is_first => {
                        is_first = false;
                        errors.push_str(&format!("{place}: {error}. "));
                    }
                    // What follows from the first one says nothing new.
                    Err(_) => {}
                }
            }
        }
    }
    users.insert(name.to_vec(), user);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(LineError::Text(errors))
    }
}

/// The lines `user <name> <rules>` of all users.
pub fn lines(users: &Users) -> Vec<Vec<u8>> {
    let line = |account: std::sync::Arc<crate::acl::Account>| {
        [b"user ", account.name(), b" ", &account.user().describe()].concat()
    };
    users.list().into_iter().map(line).collect()
}

/// Looks at `user` lines of a configuration before anybody reads it, one after the other.
#[derive(Debug, Default)]
pub struct Declared(HashSet<Vec<u8>>);

impl Declared {
    /// What is wrong with the words of one more line, the first of which is `user`. Commands are not looked up yet, as in Redis.
    pub fn check(&mut self, words: &[&[u8]]) -> Result<(), String> {
        let [_, name, rules @ ..] = words else {
            return Ok(());
        };
        let refused = |word: &[u8], error: RuleError| {
            let word = String::from_utf8_lossy(word);
            Err(format!("Error in user declaration '{word}': {error}"))
        };
        if !self.0.insert(name.to_vec()) {
            return refused(name, RuleError::Duplicate);
        }
        let Ok(rules) = merge_selectors(rules) else {
            return refused(name, RuleError::Unknown);
        };
        let mut user = User::new(Defaults::default());
        for rule in &rules {
            match user.apply(rule, Defaults::default()) {
                Ok(()) | Err(RuleError::Unknown) => {}
                Err(error) => return refused(rule, error),
            }
        }
        Ok(())
    }
}

/// Makes the users that `user` lines of a configuration tell of: the words behind `user`, each in quotes.
pub fn declare(users: &Users, lines: &[Vec<String>]) -> Result<(), String> {
    for line in lines {
        let words = split_words(line.join(" ").as_bytes()).unwrap_or_default();
        let Some((name, rules)) = words.split_first() else {
            continue;
        };
        if has_spaces(name) {
            return Err("Spaces not allowed in ACL usernames".to_owned());
        }
        let shown = String::from_utf8_lossy(name);
        let words: Vec<&[u8]> = rules.iter().map(Vec::as_slice).collect();
        let mut rules = merge_selectors(&words)
            .map_err(|_| format!("Unmatched parenthesis in the rules of the user '{shown}'"))?;
        if name == DEFAULT {
            rules.insert(0, b"reset".into());
        }
        users.set(name, &rules).map_err(|(at, error)| {
            let rule = String::from_utf8_lossy(&rules[at]);
            format!("Error loading ACL rule '{rule}' for the user named '{shown}': {error}")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
