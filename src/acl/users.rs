//! All users of a server, and the account that connections hold.
//!
//! Invariants: the default user always is, and its account is the same for ever; a connection that looks at the generation
//! judges what follows by the rules that were in force by then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::acl::rules::RuleError;
use crate::acl::user::{Defaults, User};

/// The user that connections begin with.
pub const DEFAULT: &[u8] = b"default";

/// A user as a connection holds it: its rules may change, its name does not.
#[derive(Debug)]
pub struct Account {
    name: Vec<u8>,
    user: RwLock<Arc<User>>,
    is_gone: AtomicBool,
}

impl Account {
    /// One that no server knows: it is what it is for as long as it is held.
    pub fn guest(name: &[u8], user: User) -> Arc<Self> {
        Self::new(name, user)
    }

    fn new(name: &[u8], user: User) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_vec(),
            user: RwLock::new(Arc::new(user)),
            is_gone: AtomicBool::new(false),
        })
    }

    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Its rules now.
    pub fn user(&self) -> Arc<User> {
        Arc::clone(&self.user.read())
    }

    /// Whether it was deleted: whoever holds it may do nothing any more.
    pub fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Acquire)
    }
}

/// What a change did.
#[derive(Debug)]
pub struct Changed {
    /// Whose rules they are.
    pub account: Arc<Account>,
    /// As they were, where there was such a user.
    pub before: Option<Arc<User>>,
    /// As they are.
    pub after: Arc<User>,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Users {
    table: Mutex<BTreeMap<Vec<u8>, Arc<Account>>>,
    default: Arc<Account>,
    generation: AtomicU64,
    all_channels: AtomicBool,
    /// `requirepass` as it was last carried to the default user.
    password: Mutex<Option<String>>,
}

impl Default for Users {
    fn default() -> Self {
        let default = Account::new(DEFAULT, User::unlimited());
        Self {
            table: Mutex::new(BTreeMap::from([(DEFAULT.to_vec(), Arc::clone(&default))])),
            default,
            generation: AtomicU64::new(1),
            all_channels: AtomicBool::new(false),
            password: Mutex::new(None),
        }
    }
}

impl Users {
    /// Another number after each change.
    #[inline]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The default user.
    pub const fn default_account(&self) -> &Arc<Account> {
        &self.default
    }

    /// What new users begin with.
    pub fn defaults(&self) -> Defaults {
        Defaults {
            all_channels: self.all_channels.load(Ordering::Relaxed),
        }
    }

    /// `acl-pubsub-default`.
    pub fn set_defaults(&self, defaults: Defaults) {
        self.all_channels
            .store(defaults.all_channels, Ordering::Relaxed);
    }

    /// A user by its name.
    pub fn get(&self, name: &[u8]) -> Option<Arc<Account>> {
        self.table.lock().get(name).cloned()
    }

    /// All users, by name.
    pub fn list(&self) -> Vec<Arc<Account>> {
        self.table.lock().values().cloned().collect()
    }

    /// The user that comes in with this name and password.
    pub fn authenticate(&self, name: &[u8], password: &[u8]) -> Option<Arc<Account>> {
        let account = self.get(name)?;
        account.user().accepts(password).then_some(account)
    }

    /// Makes or changes a user, by all rules or by none; of a rule that is wrong, its place.
    pub fn set<R: AsRef<[u8]>>(
        &self,
        name: &[u8],
        rules: &[R],
    ) -> Result<Changed, (usize, RuleError)> {
        let defaults = self.defaults();
        let mut table = self.table.lock();
        let before = table.get(name).map(|account| account.user());
        let mut user = before
            .as_ref()
            .map_or_else(|| User::new(defaults), |user| User::clone(user));
        for (at, rule) in rules.iter().enumerate() {
            user.apply(rule.as_ref(), defaults)
                .map_err(|error| (at, error))?;
        }
        let account = table
            .entry(name.to_vec())
            .or_insert_with(|| Account::new(name, user.clone()));
        let (account, after) = (Arc::clone(account), Arc::new(user));
        *account.user.write() = Arc::clone(&after);
        self.next_generation();
        Ok(Changed {
            account,
            before,
            after,
        })
    }

    /// Deletes a user. The default one stays.
    pub fn delete(&self, name: &[u8]) -> Option<Arc<Account>> {
        if name == DEFAULT {
            return None;
        }
        let account = self.table.lock().remove(name)?;
        account.is_gone.store(true, Ordering::Release);
        self.next_generation();
        Some(account)
    }

    /// Replaces all users and returns those that went, even where one of the same name came. A default user that is not
    /// among the new ones may do everything.
    pub fn replace(&self, mut users: BTreeMap<Vec<u8>, User>) -> Vec<Arc<Account>> {
        let default = users.remove(DEFAULT).unwrap_or_else(User::unlimited);
        let mut table = self.table.lock();
        *self.default.user.write() = Arc::new(default);
        let new = users.into_iter().map(|(name, user)| {
            let account = Account::new(&name, user);
            (name, account)
        });
        let mut old = std::mem::replace(&mut *table, new.collect());
        old.remove(DEFAULT);
        table.insert(DEFAULT.to_vec(), Arc::clone(&self.default));
        for account in old.values() {
            account.is_gone.store(true, Ordering::Release);
        }
        self.next_generation();
        old.into_values().collect()
    }

    /// `requirepass`: where it has changed, it becomes the one password of the default user.
    pub fn follow_requirepass(&self, password: Option<&str>) {
        let mut known = self.password.lock();
        if known.as_deref() == password {
            return;
        }
        *known = password.map(str::to_owned);
        let rule = password.map_or_else(|| "nopass".to_owned(), |password| format!(">{password}"));
        let set = self.set(DEFAULT, &["resetpass", &rule]);
        debug_assert!(set.is_ok());
    }

    fn next_generation(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }
}
