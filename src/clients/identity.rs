//! Who a connection is, and what it may do.
//!
//! Invariant: whoever may do everything costs a look at a number per batch; rules that changed are in force from the next
//! batch on, on the connection that changed them from the next command on.

use std::sync::Arc;

use crate::acl::{Account, Defaults, Denied, User, Users};
use crate::clients::registry::{Client, signal};
use crate::commands::{Keys, Row, sort};
use crate::resp::Args;

/// See the head of the file.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Whether AUTH succeeded or was not needed when the connection began.
    authenticated: bool,
    account: Arc<Account>,
    user: Arc<User>,
    /// Of the users that this was read from.
    generation: u64,
    /// Whether a connection needs no AUTH now.
    is_open: bool,
    may_all: bool,
    /// It is the server's own, or a guest: changed rules do not concern it.
    is_own: bool,
}

impl Identity {
    /// A new connection: the default user, who must say its password where it has one.
    pub fn new(users: &Users, client: &Client) -> Self {
        // Before the rules are read: what changes meanwhile is read again.
        let generation = users.generation();
        let account = Arc::clone(users.default_account());
        let user = account.user();
        let mut identity = Self {
            authenticated: user.is_open(),
            is_open: user.is_open(),
            may_all: user.may_all(),
            account,
            user,
            generation,
            is_own: false,
        };
        identity.show(client);
        identity
    }

    /// A client of another node, which has said what it may do; nothing where that is everything.
    pub fn guest(name: &[u8], rights: &[u8]) -> Option<Self> {
        let user = match rights {
            [] => User::unlimited(),
            rights => User::of_rights(rights)?,
        };
        let account = Account::guest(name, user);
        let user = account.user();
        Some(Self {
            authenticated: true,
            is_open: false,
            may_all: user.may_all(),
            account,
            user,
            generation: 0,
            is_own: true,
        })
    }

    /// What it may do, as [`Self::guest`] reads it.
    pub fn rights(&self) -> Vec<u8> {
        if self.may_all {
            return Vec::new();
        }
        self.user.describe_rights()
    }

    /// The server itself, which may do everything.
    pub(super) fn become_own(&mut self) {
        (self.authenticated, self.may_all, self.is_own) = (true, true, true);
    }

    /// RESET: as it began.
    pub fn reset(&mut self, users: &Users, client: &Client) {
        *self = Self::new(users, client);
    }

    /// AUTH has succeeded.
    pub fn log_in(&mut self, account: Arc<Account>, users: &Users, client: &Client) {
        self.authenticated = true;
        self.account = account;
        self.reload(users, client);
        self.show(client);
    }

    fn show(&mut self, client: &Client) {
        client.shown.lock().account = Some(Arc::clone(&self.account));
    }

    /// Takes up changed rules.
    #[inline]
    pub fn refresh(&mut self, users: &Users, client: &Client) {
        if self.generation != users.generation() && !self.is_own {
            self.reload(users, client);
        }
    }

    #[cold]
    fn reload(&mut self, users: &Users, client: &Client) {
        self.generation = users.generation();
        self.user = self.account.user();
        self.may_all = self.user.may_all();
        self.is_open = users.default_account().user().is_open();
        if self.account.is_gone() {
            // It is about to end; what it has sent already finds nobody with any rights.
            client.signal(signal::KILL);
            self.user = Arc::new(User::new(Defaults::default()));
            (self.authenticated, self.is_open, self.may_all) = (false, false, false);
        }
    }

    /// Whether AUTH must come first.
    #[inline]
    pub const fn needs_auth(&self) -> bool {
        !self.authenticated && !self.is_open
    }

    /// Whether AUTH succeeded or was not needed when the connection began.
    pub const fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// Whether nothing has to be checked.
    #[inline]
    pub const fn is_unlimited(&self) -> bool {
        self.may_all && !self.needs_auth()
    }

    /// Whether it may do that.
    #[inline]
    pub fn check(&self, row: &Row, args: Args<'_>) -> Result<(), Denied> {
        if self.may_all {
            return Ok(());
        }
        self.user.check(row, args)
    }

    /// What is said to those who may not do everything: by SORT, where it may lead to any key and not all may be read; by
    /// KEYDB.CRON always.
    #[inline]
    pub fn limits_refusal(&self, row: &Row, args: Args<'_>) -> Option<&'static str> {
        if self.may_all {
            return None;
        }
        if row.name == "keydb.cron" {
            return Some(
                "NOPERM A job of KEYDB.CRON may do everything: only users who may do so can make one",
            );
        }
        if row.keys != Keys::Sort || self.user.reads_all_keys(row, args) {
            return None;
        }
        sort::refusal(row, args)
    }

    /// The user's name.
    pub fn name(&self) -> &[u8] {
        self.account.name()
    }

    /// Whose it is.
    pub const fn account(&self) -> &Arc<Account> {
        &self.account
    }
}
