//! What the keyspace tells: events of keys, keys that clients cache, messages. Where nobody listens, a command pays one branch.
//!
//! Invariant: news are gathered before the partitions that they are of are free; they are told once these are free and the record
//! that tells other nodes is published, but for a transaction in which something else is to be told behind them.

use std::sync::atomic::Ordering;

use bytes::Bytes;

use crate::commands::call::Access;
use crate::commands::effects::{self, Effect, Effects};
use crate::commands::{Flags, Row};
use crate::db::news::Attention;
use crate::db::{Partition, Stamp};
use crate::journal::Record;
use crate::keyspace::{Caller, Keyspace, Ran, Scratch};
use crate::pubsub::Kind;
use crate::resp::{Args, Reply};

/// See [`Keyspace::expect_hearers`].
pub struct Expecting<'k>(&'k Keyspace);

impl Drop for Expecting<'_> {
    fn drop(&mut self) {
        self.0.pubsub.expect_hearers(false);
        self.0.refresh_attention();
    }
}

impl Keyspace {
    /// Whether anybody listens.
    #[inline]
    pub(super) fn is_heard(&self) -> bool {
        self.attention.load(Ordering::Relaxed) != 0
    }

    /// Makes all partitions listen for what is to be told now: after `notify-keyspace-events` changed or a client began or ended
    /// tracking.
    pub fn refresh_attention(&self) {
        if self.pubsub.attention().0 == self.attention.load(Ordering::SeqCst) {
            return;
        }
        let mut guards = self.lock_all();
        // Asked for under the locks, so that of two callers the later one's answer stays.
        let attention = self.pubsub.attention();
        for guard in &mut guards {
            guard.listen(attention, &self.tickets);
        }
        self.attention.store(attention.0, Ordering::SeqCst);
    }

    /// Lets all partitions note everything for as long as the result lives, for a transaction that may make somebody listen.
    pub fn expect_hearers(&self) -> Expecting<'_> {
        self.pubsub.expect_hearers(true);
        self.refresh_attention();
        Expecting(self)
    }

    /// Runs a command that somebody listens to.
    #[cold]
    #[inline(never)]
    pub(super) fn execute_heard(
        &self,
        row: &'static Row,
        args: Args<'_>,
        first_hash: Option<u64>,
        caller: &Caller,
        scratch: &mut Scratch,
        reply: &mut Reply,
    ) -> Ran {
        scratch.laps.end_now(&self.holds);
        let mut guards = self.lock_for(row, args);
        let mut refs: Vec<Option<&mut Partition>> = guards
            .iter_mut()
            .map(|guard| guard.as_deref_mut())
            .collect();
        let mut access = Access::Many(&mut refs);
        let begun = self.begin(row, args, first_hash, caller, scratch, reply, &mut access);
        self.gather(scratch.client, access.iter_mut());
        self.remember(row, args, scratch);
        drop(guards);
        let ran = self.finish_call(begun, row, args, caller, scratch, reply);
        // What is left is published first.
        if scratch.left.is_none() {
            self.pubsub.announce();
        }
        ran
    }

    /// Notes that a client may cache what it has read. The caller holds the keys' partitions.
    pub(super) fn remember(&self, row: &Row, args: Args<'_>, scratch: &Scratch) {
        if let Some(client) = scratch.client.filter(|_| scratch.tracks)
            && row.flags.has(Flags::READONLY)
        {
            for index in row.key_arguments(args) {
                self.pubsub.tracking.remember(client, args.get(index));
            }
        }
    }

    /// Takes the news of partitions that are held.
    pub(super) fn gather<'p>(
        &self,
        by: Option<u64>,
        partitions: impl Iterator<Item = &'p mut Partition>,
    ) {
        let mut news = Vec::new();
        for partition in partitions.filter(|partition| partition.has_news()) {
            partition.take_news(&mut news);
        }
        self.pubsub.gather(by, news);
    }

    /// Takes and tells news that came about in a rarer way: by a merge, a reset.
    pub fn announce_rest(&self, index: usize) {
        if self.is_heard() {
            self.gather(None, std::iter::once(&mut *self.lock(index)));
            self.pubsub.announce();
        }
    }

    /// Publishes a message: to who listens here, and, where it is to be `replicated`, into the journal for other masters and
    /// replicas. Says how often it was told here, and its stamp.
    pub fn publish_message(
        &self,
        kind: Kind,
        channel: &[u8],
        message: &[u8],
        replicated: bool,
        caller: &Caller,
    ) -> (usize, Option<Stamp>) {
        let recorded = replicated && self.is_recording() && !self.is_following();
        if !recorded && !self.pubsub.channels.is_heard(kind, channel) {
            return (0, None);
        }
        let mut stamp = None;
        let told = self.pubsub.publish(kind, channel, message, || {
            if recorded {
                stamp = Some(self.record_message(kind, channel, message, caller));
            }
        });
        (told, stamp)
    }

    fn record_message(&self, kind: Kind, channel: &[u8], message: &[u8], caller: &Caller) -> Stamp {
        let mut effects = Effects::default();
        effects.push(Effect::Publish {
            is_shard: kind == Kind::Shard,
            channel,
            message,
        });
        let record = Record {
            count: effects.count(),
            payload: Bytes::copy_from_slice(effects.payload()),
            trace: caller.trace,
        };
        let stamp = self.journal.append(caller.now, record);
        self.is_first_time(stamp);
        stamp
    }

    /// Whether a message was not told before, which is so from now on. A node that joins a mesh forgets what has arrived, and may
    /// get it again.
    fn is_first_time(&self, stamp: Stamp) -> bool {
        let last = &self.told[usize::from(stamp.origin().0)];
        last.fetch_max(stamp.time().raw(), Ordering::SeqCst) < stamp.time().raw()
    }

    /// Tells the messages of a record from elsewhere. The caller holds its origin's ingest lock, so that they stay in order.
    pub(super) fn tell_messages(&self, stamp: Stamp, effects: &[Effect<'_>]) {
        if !self.is_first_time(stamp) {
            return;
        }
        for effect in effects {
            if let Effect::Publish {
                is_shard,
                channel,
                message,
            } = *effect
            {
                let kind = if is_shard { Kind::Shard } else { Kind::Channel };
                if self.pubsub.channels.is_heard(kind, channel) {
                    self.pubsub.publish(kind, channel, message, || ());
                }
            }
        }
    }
}

/// Whether a record may hold messages: they stand alone.
pub(super) fn is_message(payload: &[u8]) -> bool {
    effects::publishes(payload)
}

/// What nobody listens for.
pub(super) const SILENT: u32 = Attention::NONE.0;
