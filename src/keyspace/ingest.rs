//! Effects from elsewhere: each origin's records in order, each applied whole, none twice.

use std::iter::Peekable;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::ablation::{Rule, is_off, wall_clock};
use crate::commands::call::partition_of;
use crate::commands::effects::{self, Effect};
use crate::commands::flush;
use crate::db::body::Body;
use crate::db::conflict::{self, Conflicts};
use crate::db::made;
use crate::db::settle::Flushed;
use crate::db::varint::Malformed;
use crate::db::{Hlc, Key, OriginIndex, Outcome, Partition, Stamp, UnixMillis, WriteContext};
use crate::journal::{Arrival, Entry, Record, TraceBytes};
use crate::keyspace::audience::is_message;
use crate::keyspace::{Guards, Held, Keyspace};

/// A record as it came over a link.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// Whose it is.
    pub origin: OriginIndex,
    /// The stamp of its predecessor.
    pub prev: Hlc,
    /// The stamp of its last operation.
    pub stamp: Hlc,
    /// How many operations it holds.
    pub count: u32,
    /// Their bytes.
    pub payload: Bytes,
    /// The trace it belongs to.
    pub trace: Option<TraceBytes>,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ingested {
    /// Applied; how many of its operations a later write had superseded, and the stamp of one such write.
    Applied {
        /// Operations that show nowhere.
        superseded: Conflicts,
        /// A write that they lost to.
        winner: Option<Stamp>,
    },
    /// It was here before.
    Duplicate,
    /// Records before it are missing.
    Gap,
}

/// A record that cannot be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// It is not what any node of this version would send.
    #[error("record of origin {origin} at {stamp}: {source}")]
    Malformed {
        /// The origin's index here.
        origin: u16,
        /// The stamp.
        stamp: u64,
        /// What is wrong.
        source: Malformed,
    },
}

impl Keyspace {
    /// Applies a record if it is its origin's next, and files it in the journal.
    pub fn ingest(&self, foreign: &Foreign) -> Result<Ingested, IngestError> {
        let malformed = |source| IngestError::Malformed {
            origin: foreign.origin.0,
            stamp: foreign.stamp.raw(),
            source,
        };
        let effects = effects::decode_all(&foreign.payload, foreign.count).map_err(malformed)?;
        if foreign.prev >= foreign.stamp || u64::from(foreign.count) > foreign.stamp.raw() {
            return Err(malformed(Malformed("stamps out of order")));
        }
        self.journal.observe(foreign.stamp);
        let _one_at_a_time = self.ingest_locks[usize::from(foreign.origin.0)].lock();
        match self
            .journal
            .arrival(foreign.origin, foreign.prev, foreign.stamp)
        {
            Arrival::Duplicate => return Ok(Ingested::Duplicate),
            Arrival::Gap => return Ok(Ingested::Gap),
            Arrival::Next => {}
        }
        let mut made = self.make_ahead(foreign, &effects).into_iter().peekable();
        // Held until the journal counts the record: a snapshot shows no operation that its vector does not speak of.
        let hashes: SmallVec<[u64; 8]> = effects
            .iter()
            .map(|effect| self.effect_hash(effect))
            .collect();
        let mut guards = self.lock_effects(&effects, &hashes);
        let mut flushed = Vec::new();
        let (superseded, winner) = self.apply_effects(
            &mut guards,
            foreign,
            effects.iter().zip(&hashes),
            &mut made,
            &mut flushed,
        );
        let record = Record {
            count: foreign.count,
            payload: foreign.payload.clone(),
            trace: foreign.trace,
        };
        self.journal.accept(
            foreign.origin,
            Entry {
                prev: foreign.prev,
                stamp: foreign.stamp,
                record,
            },
        );
        if self.is_heard() {
            self.gather(
                None,
                guards.iter_mut().filter_map(|guard| guard.as_deref_mut()),
            );
            drop(guards);
            self.pubsub.announce();
        } else {
            drop(guards);
        }
        flush::free(flushed);
        if is_message(&foreign.payload) {
            self.tell_messages(Stamp::new(foreign.stamp, foreign.origin), &effects);
        }
        Ok(Ingested::Applied { superseded, winner })
    }

    /// The large values that effects bring, in their order, each with the time of its stamp. Nobody holds a partition yet.
    fn make_ahead(&self, foreign: &Foreign, effects: &[Effect<'_>]) -> Vec<(Hlc, Body)> {
        let mut left = u64::from(foreign.count);
        let make = |effect: &Effect<'_>| {
            left = left.saturating_sub(u64::from(effect.stamps()));
            let time = foreign.stamp.minus(left);
            match effect {
                Effect::Key { db, op, .. } if self.has_database(*db) => {
                    let content = made::large_content(op)?;
                    let stamp = Stamp::new(time, foreign.origin);
                    Some((time, self.maker(true).make(stamp, content)))
                }
                _ => None,
            }
        };
        effects.iter().filter_map(make).collect()
    }

    /// The hash of an effect's key; 0 where it has none.
    fn effect_hash(&self, effect: &Effect<'_>) -> u64 {
        match effect {
            Effect::Key { key, .. } => self.hash(key),
            Effect::Flush { .. }
            | Effect::Admit { .. }
            | Effect::Publish { .. }
            | Effect::Swap { .. } => 0,
        }
    }

    fn lock_effects(&self, effects: &[Effect<'_>], hashes: &[u64]) -> Guards<'_> {
        let count = self.partitions.len();
        let mut needed: SmallVec<[bool; 64]> = SmallVec::from_elem(false, count);
        for (effect, hash) in effects.iter().zip(hashes) {
            match effect {
                Effect::Key { .. } => needed[partition_of(*hash, count)] = true,
                Effect::Flush { .. } | Effect::Swap { .. } => needed.fill(true),
                Effect::Admit { .. } | Effect::Publish { .. } => {}
            }
        }
        self.lock_needed(&needed)
    }

    fn apply_effects<'e>(
        &self,
        guards: &mut [Option<Held<'_>>],
        foreign: &Foreign,
        effects: impl Iterator<Item = (&'e Effect<'e>, &'e u64)>,
        made: &mut Peekable<impl Iterator<Item = (Hlc, Body)>>,
        flushed: &mut Vec<Flushed>,
    ) -> (Conflicts, Option<Stamp>) {
        let count = self.partitions.len();
        let mut left = u64::from(foreign.count);
        let settled = self.settled();
        let (mut superseded, mut winner) = (Conflicts::default(), None);
        for (effect, &hash) in effects {
            left = left.saturating_sub(u64::from(effect.stamps()));
            let time = foreign.stamp.minus(left);
            let context = WriteContext {
                stamp: Stamp::new(time, foreign.origin),
                now: if is_off(Rule::ExpiryByStamp) {
                    UnixMillis(wall_clock())
                } else {
                    time.millis()
                },
                settled,
                origins: &self.origins,
            };
            match *effect {
                Effect::Key { db, key, op } if self.has_database(db) => {
                    let Some(partition) = guards[partition_of(hash, count)].as_deref_mut() else {
                        continue;
                    };
                    let place = Key { bytes: key, hash };
                    let outcome = match made.next_if(|(of, _)| *of == time) {
                        Some((_, body)) => partition.apply_made(db, place, op, body, &context),
                        None => partition.apply(db, place, op, &context),
                    };
                    partition.undo_sweeps(None);
                    if let Outcome::Superseded(by) = outcome {
                        let shown = partition.table(db).get(key, hash);
                        let is_deleted = shown.is_none_or(|record| record.is_tombstone());
                        superseded[conflict::kind(&op, is_deleted)] += 1;
                        winner = Some(by);
                    }
                }
                Effect::Flush { db } if db < self.databases => {
                    for partition in guards.iter_mut().flatten() {
                        let partition: &mut Partition = partition;
                        flushed.push(partition.flush(db, false, &context).1);
                    }
                }
                // Refused by the partitions where keys bear stamps: no such master writes it.
                Effect::Swap { db, with } => {
                    for partition in guards.iter_mut().flatten() {
                        partition.swap(db, with);
                    }
                }
                // A database beyond ours: kept in the journal for others, shown nowhere here.
                _ => {}
            }
        }
        (superseded, winner)
    }
}
