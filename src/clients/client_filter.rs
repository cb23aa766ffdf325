//! Which connections CLIENT LIST and CLIENT KILL mean.
//!
//! Invariant: a filter that cannot be read is an error in Redis's words; what it does not mention it does not ask for.

use std::sync::Arc;

use crate::acl::users::DEFAULT;
use crate::acl::{Account, Users};
use crate::clients::errors;
use crate::clients::errors::until_nul;
use crate::clients::registry::{Client, ClientId};
use crate::db::UnixMillis;
use crate::resp::{Args, parse_i64};

/// A kind of connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Master,
    Replica,
    Pubsub,
}

impl Kind {
    pub(super) fn of(client: &Client) -> Self {
        if client.mailbox.is_pubsub() {
            Self::Pubsub
        } else {
            Self::Normal
        }
    }

    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let kinds: [(&[u8], Self); 5] = [
            (b"normal", Self::Normal),
            (b"master", Self::Master),
            (b"slave", Self::Replica),
            (b"replica", Self::Replica),
            (b"pubsub", Self::Pubsub),
        ];
        kinds
            .into_iter()
            .find(|(name, _)| text.eq_ignore_ascii_case(name))
            .map(|(_, kind)| kind)
    }
}

fn unknown_type_text(word: &[u8]) -> Vec<u8> {
    [b"ERR Unknown client type '", until_nul(word), b"'"].concat()
}

/// What CLIENT KILL's new form asks for.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) ids: Option<Vec<ClientId>>,
    pub(super) address: Option<String>,
    pub(super) local_address: Option<String>,
    pub(super) kind: Option<Kind>,
    pub(super) account: Option<Arc<Account>>,
    pub(super) skip_me: bool,
    /// In seconds; 0 for any.
    pub(super) max_age: i64,
}

impl Filter {
    /// Of CLIENT LIST, which Redis gives either a type or numbers.
    pub(super) fn parse_list(words: Args<'_>, users: &Users) -> Result<Self, Vec<u8>> {
        let first = words.try_get(0);
        if words.len() > 1 && first.is_some_and(|word| word.eq_ignore_ascii_case(b"id")) {
            let ids: Option<Vec<i64>> = words.skip(1).iter().map(parse_i64).collect();
            // Nobody has a negative one.
            let ids = ids.map(|ids| ids.into_iter().filter_map(|id| u64::try_from(id).ok()));
            let ids = ids.ok_or("ERR Invalid client ID")?;
            return Ok(Self {
                ids: Some(ids.map(ClientId).collect()),
                ..Self::everybody()
            });
        }
        let is_type = first.is_some_and(|word| word.eq_ignore_ascii_case(b"type"));
        if is_type && words.len() > 2 && Kind::parse(words.get(1)).is_none() {
            // Redis takes a type by itself: with something behind it there is none.
            return Err(errors::SYNTAX.into());
        }
        let filter = Self::parse(words, users)?;
        let says_skip = words
            .iter()
            .step_by(2)
            .any(|word| word.eq_ignore_ascii_case(b"skipme"));
        Ok(Self {
            skip_me: says_skip && filter.skip_me,
            ..filter
        })
    }

    fn everybody() -> Self {
        Self {
            ids: None,
            address: None,
            local_address: None,
            kind: None,
            account: None,
            skip_me: false,
            max_age: 0,
        }
    }

    /// Whether it asks for what links do not have.
    pub(super) fn is_of_clients(&self) -> bool {
        let account = self.account.as_ref();
        self.local_address.is_some()
            || self.max_age > 0
            || account.is_some_and(|account| account.name() != DEFAULT)
    }

    /// Whether a link's line is among what is asked for, its type apart.
    pub(super) fn matches_line(&self, line: &[u8]) -> bool {
        let has = |field: String| {
            line.split(|byte| *byte == b' ')
                .any(|word| word == field.as_bytes())
        };
        let ids = self.ids.as_ref();
        ids.is_none_or(|ids| ids.iter().any(|id| has(format!("id={}", id.0))))
            && self
                .address
                .as_ref()
                .is_none_or(|address| has(format!("addr={address}")))
    }

    pub(super) fn parse(words: Args<'_>, users: &Users) -> Result<Self, Vec<u8>> {
        let mut filter = Self {
            ids: None,
            address: None,
            local_address: None,
            kind: None,
            account: None,
            skip_me: true,
            max_age: 0,
        };
        let mut index = 0;
        while let (Some(option), Some(value)) = (words.try_get(index), words.try_get(index + 1)) {
            let text = || String::from_utf8_lossy(value).into_owned();
            match option.to_ascii_lowercase().as_slice() {
                b"id" => {
                    let id = |word: &[u8]| {
                        let id = parse_i64(word).and_then(|id| u64::try_from(id).ok());
                        id.filter(|id| *id > 0).map(ClientId)
                    };
                    let first = id(value).ok_or("ERR client-id should be greater than 0")?;
                    let ids = filter.ids.insert(vec![first]);
                    // As many as follow: Redis takes one.
                    while let Some(next) = words.try_get(index + 2).and_then(id) {
                        ids.push(next);
                        index += 1;
                    }
                }
                b"addr" => filter.address = Some(text()),
                b"laddr" => filter.local_address = Some(text()),
                b"type" => {
                    filter.kind = Some(Kind::parse(value).ok_or_else(|| unknown_type_text(value))?);
                }
                b"user" => {
                    let account = users.get(value);
                    let unknown = || [b"ERR No such user '", value, b"'"].concat();
                    filter.account = Some(account.ok_or_else(unknown)?);
                }
                b"skipme" => {
                    filter.skip_me = match value.to_ascii_lowercase().as_slice() {
                        b"yes" => true,
                        b"no" => false,
                        _ => return Err(errors::SYNTAX.into()),
                    };
                }
                b"maxage" => {
                    let age = parse_i64(value);
                    let age = age.ok_or("ERR maxage is not an integer or out of range")?;
                    if age <= 0 {
                        return Err("ERR maxage should be greater than 0".into());
                    }
                    filter.max_age = age;
                }
                _ => return Err(errors::SYNTAX.into()),
            }
            index += 2;
        }
        if index == words.len() {
            Ok(filter)
        } else {
            Err(errors::SYNTAX.into())
        }
    }

    pub(super) fn matches(&self, client: &Client, now: UnixMillis) -> bool {
        self.kind.is_none_or(|kind| kind == Kind::of(client))
            && (now.0 - client.created.0) / 1000 >= self.max_age
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&client.id))
            && self
                .address
                .as_ref()
                .is_none_or(|address| *address == client.address)
            && self
                .local_address
                .as_ref()
                .is_none_or(|address| *address == client.local_address)
            && self
                .account
                .as_ref()
                .is_none_or(|account| client.is_of(account))
    }
}
