//! Who is connected. The registry outlives the acceptor: sessions are tasks of their own, found here for CLIENT LIST and KILL,
//! for timeouts and for the drain at the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::task::Waker;
use std::time::Duration;

use dashmap::DashMap;
use parking_lot::Mutex;
use tokio_util::task::TaskTracker;

use crate::acl::Account;
use crate::clients::buffer::READ_LEN;
use crate::db::UnixMillis;
use crate::pubsub::{Limits, Mailbox};

/// The number of a connection, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub u64);

/// What a session is asked to do at its next step. Bits of [`Client::signals`].
pub mod signal {
    /// End now, without another reply.
    pub const KILL: u32 = 1;
    /// Answer what has been read, then end.
    pub const DRAIN: u32 = 1 << 1;
    /// Give back memory: nothing has come for a while.
    pub const TRIM: u32 = 1 << 2;
    /// Look at the pause again.
    pub const RESUME: u32 = 1 << 3;
    /// End what blocks as if its time were up.
    pub const UNBLOCK: u32 = 1 << 4;
    /// End what blocks with an error.
    pub const UNBLOCK_ERROR: u32 = 1 << 5;
    /// End what blocks, and the connection: the node is no master any more.
    pub const NO_MASTER: u32 = 1 << 6;
}

/// What CLIENT LIST shows of a session beside its addresses. Written by the session once per batch.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// CLIENT SETNAME.
    pub name: Vec<u8>,
    /// CLIENT SETINFO.
    pub lib_name: Vec<u8>,
    /// CLIENT SETINFO.
    pub lib_ver: Vec<u8>,
    /// The selected database.
    pub db: u32,
    /// 2 or 3.
    pub resp: u8,
    /// The last command.
    pub command: &'static str,
    /// Queued commands, where there is a transaction.
    pub multi: Option<usize>,
    /// How many keys are watched.
    pub watched: usize,
    /// Bytes read and not yet split.
    pub query_len: usize,
    /// Room left in the read buffer.
    pub query_free: usize,
    /// Memory of the reply buffer.
    pub reply_capacity: usize,
    /// Bytes of replies that the socket has not taken.
    pub unsent: usize,
    /// The most the reply buffer held.
    pub reply_peak: usize,
    /// Bytes of arguments: of the command that waits, or of those that have come of one that is not whole.
    pub arguments_len: usize,
    /// Memory of queued commands and of watches.
    pub multi_len: usize,
    /// Waits for others: CLIENT UNBLOCK reaches it.
    pub blocked: bool,
    /// Is held back by CLIENT PAUSE.
    pub paused: bool,
    /// CLIENT NO-EVICT.
    pub no_evict: bool,
    /// CLIENT NO-TOUCH.
    pub no_touch: bool,
    /// DEBUG FORCE-MASTER.
    pub is_forced_master: bool,
    /// MONITOR.
    pub is_monitor: bool,
    /// Who it is.
    pub account: Option<Arc<Account>>,
    /// CLIENT TRACKING.
    pub tracking: Option<ShownTracking>,
    /// Since when the soft limit of the output buffer is passed.
    pub over_soft_limit_since: Option<UnixMillis>,
}

/// CLIENT TRACKING as CLIENT LIST shows it.
#[derive(Debug, Clone)]
pub struct ShownTracking {
    /// BCAST.
    pub broadcast: bool,
    /// REDIRECT; 0 for nobody.
    pub redirect: u64,
    /// Whoever it was redirected to is gone.
    pub is_broken: Arc<AtomicBool>,
}

/// One connection as others see it.
#[derive(Debug)]
pub struct Client {
    /// Its number.
    pub id: ClientId,
    /// Whence it comes; a unix socket shows its path and port 0.
    pub address: String,
    /// Where it was accepted.
    pub local_address: String,
    /// The parsed form of `address`, none for a unix socket.
    pub peer: Option<SocketAddr>,
    /// The file descriptor.
    pub fd: i32,
    /// When it was accepted.
    pub created: UnixMillis,
    /// When its last batch began, in unix milliseconds.
    pub last_interaction: AtomicI64,
    /// See [`Shown`].
    pub shown: Mutex<Shown>,
    /// Where messages for it wait.
    pub mailbox: Arc<Mailbox>,
    signals: AtomicU32,
}

impl Shown {
    /// Memory of the connection.
    pub fn len_bytes(&self) -> usize {
        size_of::<Client>()
            + self.query_len
            + self.query_free
            + self.reply_capacity
            + self.arguments_len
            + self.multi_len
    }
}

impl Client {
    /// The server itself, where it does what clients do: in no list, and with no connection.
    pub fn nobody(now: UnixMillis) -> Self {
        Self {
            id: ClientId(0),
            address: String::new(),
            local_address: String::new(),
            peer: None,
            fd: -1,
            created: now,
            last_interaction: AtomicI64::new(now.0),
            shown: Mutex::default(),
            mailbox: Arc::new(Mailbox::new(0, Arc::default())),
            signals: AtomicU32::new(0),
        }
    }

    /// Asks the session for something and wakes it.
    pub fn signal(&self, bits: u32) {
        self.signals.fetch_or(bits, Ordering::SeqCst);
        self.mailbox.wake();
    }

    /// What was asked for; asked once.
    pub fn take_signals(&self) -> u32 {
        if self.signals.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        // A kill or a drain stays asked for.
        self.signals
            .fetch_and(signal::KILL | signal::DRAIN, Ordering::SeqCst)
    }

    /// Forgets what was asked for and came too late.
    pub fn drop_signals(&self, bits: u32) {
        self.signals.fetch_and(!bits, Ordering::SeqCst);
    }

    /// Whether it is to end now.
    pub fn is_killed(&self) -> bool {
        self.signals.load(Ordering::Relaxed) & signal::KILL != 0
    }

    /// Has the waker called at the next signal. The caller looks at the signals afterwards.
    pub fn listen(&self, waker: &Waker) {
        self.mailbox.listen(waker);
    }

    /// Whether it is this user's.
    pub fn is_of(&self, account: &Arc<Account>) -> bool {
        let shown = self.shown.lock();
        let own = shown.account.as_ref();
        own.is_some_and(|own| Arc::ptr_eq(own, account))
    }

    /// Whether it is on this machine.
    pub fn is_local(&self) -> bool {
        self.peer.is_none_or(|peer| match peer.ip() {
            std::net::IpAddr::V4(ip) => ip.is_loopback(),
            std::net::IpAddr::V6(ip) => {
                ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
            }
        })
    }
}

/// All connections.
#[derive(Debug, Default)]
pub struct Clients {
    by_id: DashMap<ClientId, Arc<Client>>,
    next_id: AtomicU64,
    count: AtomicU32,
    draining: AtomicBool,
    blocked: AtomicU32,
    blocked_for_a_time: AtomicU32,
    /// How much may wait in mailboxes.
    pub limits: Arc<Limits>,
    /// The sessions' tasks.
    pub tasks: TaskTracker,
}

/// A client's place in the registry, given back when its session ends, however it ends.
#[derive(Debug)]
pub struct Registered {
    clients: Arc<Clients>,
    /// The client.
    pub client: Arc<Client>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.client.mailbox.close();
        self.clients.by_id.remove(&self.client.id);
        self.clients.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a client waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// For others, perhaps for a limited time.
    Wait {
        /// Whether it is.
        limited: bool,
    },
    /// For the end of a pause.
    Pause,
}

/// A client's place among those that wait, given back however the wait ends.
#[derive(Debug)]
pub struct Blocked {
    clients: Arc<Clients>,
    client: Arc<Client>,
    why: Block,
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let mut shown = self.client.shown.lock();
        (shown.blocked, shown.paused) = (false, false);
        self.clients.blocked.fetch_sub(1, Ordering::Relaxed);
        if self.why == (Block::Wait { limited: true }) {
            self.clients
                .blocked_for_a_time
                .fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Clients {
    /// Counts and shows a client as one that waits, with the command it waits in and the bytes of its arguments.
    pub fn block(
        self: &Arc<Self>,
        client: &Arc<Client>,
        why: Block,
        (command, arguments_len): (&'static str, usize),
    ) -> Blocked {
        self.blocked.fetch_add(1, Ordering::Relaxed);
        if why == (Block::Wait { limited: true }) {
            self.blocked_for_a_time.fetch_add(1, Ordering::Relaxed);
        }
        let mut shown = client.shown.lock();
        shown.blocked = why != Block::Pause;
        shown.paused = why == Block::Pause;
        shown.command = command;
        shown.arguments_len = arguments_len;
        drop(shown);
        Blocked {
            clients: Arc::clone(self),
            client: Arc::clone(client),
            why,
        }
    }

    /// How many clients wait, and how many of them for a limited time.
    pub fn blocked(&self) -> (u32, u32) {
        let get = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        (get(&self.blocked), get(&self.blocked_for_a_time))
    }

    /// Enters a connection, if there are fewer than `max`.
    pub fn enter(
        self: &Arc<Self>,
        max: u32,
        peer: Option<SocketAddr>,
        address: String,
        local_address: String,
        fd: i32,
        now: UnixMillis,
    ) -> Option<Registered> {
        self.count
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                (count < max).then_some(count + 1)
            })
            .ok()?;
        let id = ClientId(self.next_id.fetch_add(1, Ordering::Relaxed) + 1);
        let client = Arc::new(Client {
            id,
            address,
            local_address,
            peer,
            fd,
            created: now,
            last_interaction: AtomicI64::new(now.0),
            shown: Mutex::new(Shown {
                resp: 2,
                command: "NULL",
                query_free: READ_LEN,
                ..Shown::default()
            }),
            mailbox: Arc::new(Mailbox::new(id.0, Arc::clone(&self.limits))),
            signals: AtomicU32::new(0),
        });
        self.by_id.insert(id, Arc::clone(&client));
        if self.draining.load(Ordering::SeqCst) {
            client.signal(signal::DRAIN);
        }
        Some(Registered {
            clients: Arc::clone(self),
            client,
        })
    }

    /// How many are connected.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed) as usize
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One by its number.
    pub fn get(&self, id: ClientId) -> Option<Arc<Client>> {
        self.by_id.get(&id).map(|entry| Arc::clone(&entry))
    }

    /// All, by number.
    pub fn list(&self) -> Vec<Arc<Client>> {
        let mut all: Vec<_> = self.by_id.iter().map(|entry| Arc::clone(&entry)).collect();
        all.sort_by_key(|client| client.id);
        all
    }

    /// Asks all sessions for something.
    pub fn signal_all(&self, bits: u32) {
        for client in self.list() {
            client.signal(bits);
        }
    }

    /// Asks those that wait for others for something.
    pub fn signal_blocked(&self, bits: u32) {
        for client in self.list() {
            // Under the lock, so that it does not reach what comes behind the wait.
            let shown = client.shown.lock();
            if shown.blocked {
                client.signal(bits);
            }
        }
    }

    /// Lets every session answer what it has read, then ends it; those that take longer than `patience` are killed. Nobody
    /// may be accepted any more.
    pub async fn drain(&self, patience: Duration) {
        self.draining.store(true, Ordering::SeqCst);
        self.signal_all(signal::DRAIN);
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait())
            .await
            .is_ok()
        {
            return;
        }
        tracing::warn!(
            clients = self.len(),
            "clients did not take their replies in time, closing them"
        );
        self.signal_all(signal::KILL);
        let _ = tokio::time::timeout(KILL_PATIENCE, self.tasks.wait()).await;
    }
}

/// How long a killed session may take to end: it needs one poll.
const KILL_PATIENCE: Duration = Duration::from_secs(1);
