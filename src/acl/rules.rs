//! The words that change a user: what is wrong with them, in Redis's words, and which of them belong together.

use std::borrow::Cow;

use thiserror::Error;

/// Why a rule is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum RuleError {
    #[error("Unknown command or category name in ACL")]
    Unknown,
    #[error("Syntax error")]
    Syntax,
    #[error(
        "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns"
    )]
    AllKeys,
    #[error(
        "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels"
    )]
    AllChannels,
    #[error("The password you are trying to remove from the user does not exist")]
    NoSuchPassword,
    #[error(
        "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
    )]
    BadHash,
    #[error("Duplicate user found. A user can only be defined once in config files")]
    Duplicate,
    #[error("Allowing first-arg of a subcommand is not supported")]
    FirstArgument,
}

/// Whether a text cannot be one word of a user's text.
pub fn has_spaces(text: &[u8]) -> bool {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r' | 0);
    text.iter().any(is_space)
}

/// Puts the words of each selector in parentheses together. Where a parenthesis is not closed, the place of the word that opens it.
pub fn merge_selectors<'w>(words: &[&'w [u8]]) -> Result<Vec<Cow<'w, [u8]>>, usize> {
    let mut merged = Vec::with_capacity(words.len());
    let mut open: Option<(usize, Vec<u8>)> = None;
    for (at, word) in words.iter().enumerate() {
        let is_end = word.last() == Some(&b')');
        if word.first() == Some(&b'(') && !is_end {
            // As in Redis, where another one was open already, its words are lost.
            open = Some((at, word.to_vec()));
        } else if let Some((_, selector)) = &mut open {
            selector.push(b' ');
            selector.extend_from_slice(word);
            if is_end && let Some((_, selector)) = open.take() {
                merged.push(Cow::Owned(selector));
            }
        } else {
            merged.push(Cow::Borrowed(*word));
        }
    }
    match open {
        Some((at, _)) => Err(at),
        None => Ok(merged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(words: &str) -> Result<Vec<String>, usize> {
        let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        let merged = merge_selectors(&words)?;
        Ok(merged
            .iter()
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect())
    }

    #[test]
    fn the_words_of_a_selector_become_one() {
        assert_eq!(
            merged("on (+get ~a) (+set) +x ( ~b )").unwrap(),
            ["on", "(+get ~a)", "(+set)", "+x", "( ~b )"]
        );
        assert_eq!(merged("on (+get +set"), Err(1));
        assert_eq!(merged("on ) (").unwrap_err(), 2);
        assert_eq!(merged("(+get (+set").unwrap_err(), 1);
        assert_eq!(merged("(+get (+set ~a)").unwrap(), ["(+set ~a)"]);
    }
}
