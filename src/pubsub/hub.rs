//! All that is told, and in which order. News of keys are gathered while their partitions are held and told afterwards, one
//! after the other; messages take their turn with them.
//!
//! Invariant: news of one key are told in the order in which they were gathered, and all hearers of two messages get them in the
//! same order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::db::news::{Attention, News};
use crate::pubsub::channels::{Channels, Kind};
use crate::pubsub::events::{Events, event_channel, key_channel};
use crate::pubsub::tracking::{Readers, Tracking};

/// One thing to be told: by whose doing, and to whom where that is known.
#[derive(Debug)]
struct Gathered {
    by: Option<u64>,
    news: News,
    readers: Readers,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct PubSub {
    /// Who subscribed to what.
    pub channels: Arc<Channels>,
    /// Who caches what.
    pub tracking: Tracking,
    events: Mutex<Events>,
    /// Held while anything is told.
    order: Mutex<()>,
    gathered: Mutex<VecDeque<Gathered>>,
    has_news: AtomicBool,
    /// Transactions that may change who listens.
    unsure: AtomicUsize,
}

impl PubSub {
    /// Says which events are told.
    pub fn set_events(&self, events: Events) {
        *self.events.lock() = events;
    }

    /// What partitions have to listen for.
    pub fn attention(&self) -> Attention {
        if self.unsure.load(Ordering::SeqCst) > 0 {
            return Attention::ALL;
        }
        let events = self.events.lock().attention();
        if self.tracking.is_on() {
            events.and(Attention::CHANGES)
        } else {
            events
        }
    }

    /// From here on, until it is called with false, somebody may begin to listen while partitions are held, which then cannot
    /// be told of it.
    pub fn expect_hearers(&self, expected: bool) {
        if expected {
            self.unsure.fetch_add(1, Ordering::SeqCst);
        } else {
            self.unsure.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Takes news in, with the client that made them. The caller holds the partitions that they are of.
    pub fn gather(&self, by: Option<u64>, mut news: Vec<(u64, News)>) {
        if news.is_empty() {
            return;
        }
        news.sort_unstable_by_key(|(ticket, _)| *ticket);
        let mut gathered = self.gathered.lock();
        gathered.extend(news.into_iter().map(|(_, news)| {
            let readers = match &news {
                News::Changed(key) => self.tracking.take(key),
                News::Flushed => {
                    self.tracking.take_all();
                    Readers::new()
                }
                News::Event { .. } => Readers::new(),
            };
            Gathered { by, news, readers }
        }));
        self.has_news.store(true, Ordering::Release);
    }

    /// Tells what was gathered. Who holds partitions for it holds others up.
    pub fn announce(&self) {
        if !self.has_news.load(Ordering::Acquire) && !self.tracking.is_over() {
            return;
        }
        let _order = self.order.lock();
        let news = {
            let mut gathered = self.gathered.lock();
            self.has_news.store(false, Ordering::Release);
            std::mem::take(&mut *gathered)
        };
        let events = *self.events.lock();
        let mut was_flushed = false;
        for Gathered { by, news, readers } in news {
            let is_flush = news == News::Flushed;
            match news {
                News::Changed(key) => self.tracking.changed(&key, &readers, by),
                // A flush is written down by each partition.
                News::Flushed if was_flushed => {}
                News::Flushed => self.tracking.flushed(),
                News::Event {
                    db,
                    event: (class, name),
                    key,
                } => {
                    // More may have been noted than is listened for.
                    if events.attention().has(class) {
                        self.tell_event(events, db, name, &key);
                    }
                }
            }
            was_flushed = is_flush;
        }
        self.tracking.end_round();
    }

    fn tell_event(&self, events: Events, db: u32, name: &str, key: &[u8]) {
        if self.channels.is_empty() {
            return;
        }
        if events.by_key {
            let channel = key_channel(db, key);
            self.channels.tell(Kind::Channel, &channel, name.as_bytes());
        }
        if events.by_event {
            let channel = event_channel(db, name);
            self.channels.tell(Kind::Channel, &channel, key);
        }
    }

    /// Tells a message, after `first`, which nothing else that is told comes between; says how many times it was told.
    pub fn publish(
        &self,
        kind: Kind,
        channel: &[u8],
        payload: &[u8],
        first: impl FnOnce(),
    ) -> usize {
        let _order = self.order.lock();
        first();
        self.channels.tell(kind, channel, payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pubsub::channels::Subscriptions;
    use crate::pubsub::mailbox::Mailbox;

    #[test]
    fn events_are_told_in_the_order_of_their_tickets_by_key_and_by_name() {
        let hub = PubSub::default();
        hub.set_events(Events::parse("KEA"));
        let mailbox = Arc::new(Mailbox::new(1, Arc::default()));
        let mut subscriptions = Subscriptions::new(Arc::clone(&hub.channels), Arc::clone(&mailbox));
        subscriptions.subscribe(Kind::Pattern, b"__key*");
        let event = |name| News::Event {
            db: 3,
            event: (Attention::STRING, name),
            key: b"k"[..].into(),
        };
        hub.gather(None, vec![(2, event("expire")), (1, event("set"))]);
        assert_eq!(mailbox.len(), 0);
        hub.announce();
        let mut told = Vec::new();
        mailbox.take(|letter| {
            let text = String::from_utf8(letter.parts().1.to_vec()).unwrap();
            told.push(text.split("\r\n").skip(6).collect::<Vec<_>>().join(" "));
            true
        });
        assert_eq!(
            told,
            [
                "__keyspace@3__:k $3 set ",
                "__keyevent@3__:set $1 k ",
                "__keyspace@3__:k $6 expire ",
                "__keyevent@3__:expire $1 k "
            ]
        );
    }
}
