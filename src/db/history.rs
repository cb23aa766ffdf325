//! The operations of one key that may still be overtaken, each with what takes it back.
//!
//! What a key shows is changed in place; where an operation comes late, those behind it are taken back, it is carried out, and
//! they are carried out again. That costs what came behind it, whatever the size of the value, and nothing has to be kept of how
//! the value was before all of them. They are carried out again when somebody looks: many that come late, one after the other as
//! each node tells its own, are put in order in one go.
//!
//! Members of a collection go when their time comes, which is no operation. Where a reader, or time itself, has made them go, the
//! log says that too: as an entry of its own, which nobody is told of, so that an operation from before can still undo it.
//!
//! Invariant: the log is sorted by stamp, every stamp in it comes after `floor`; the first `applied` of it are carried out, and each
//! of these has its undo. What is shown, once all are carried out, is what carrying out, in stamp order, everything that ever came
//! would have made. Nothing at or before `floor` can be taken back.

use std::cmp::Ordering;
use std::collections::VecDeque;

use crate::ablation::{Rule, is_off};
use crate::db::live::{Ground, Live, OpBytes, Undo};
use crate::db::op::Op;
use crate::db::origin::{OriginIndex, Origins};
use crate::db::stamp::{Hlc, Stamp, UnixMillis};

#[derive(Debug)]
struct Logged {
    stamp: Stamp,
    /// Of a sweep, [`SWEEP`] and the moment.
    op: OpBytes,
    undo: Option<Undo>,
}

/// No operation begins with this.
const SWEEP: u8 = 0;

impl Logged {
    fn is_sweep(&self) -> bool {
        self.op.first() == Some(&SWEEP)
    }

    /// The moment of a sweep.
    fn swept_at(&self) -> Option<UnixMillis> {
        let (&kind, moment) = self.op.split_first()?;
        let moment = moment.first_chunk().filter(|_| kind == SWEEP)?;
        Some(UnixMillis(i64::from_le_bytes(*moment)))
    }
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct History {
    floor: Stamp,
    log: VecDeque<Logged>,
    applied: usize,
    /// How many of the log are sweeps.
    sweeps: usize,
    /// The newest stamp of an operation.
    last: Stamp,
    /// See [`Self::due`].
    due: Hlc,
}

/// Where an operation went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placing {
    /// Behind all others; so many elements came or went by it.
    Last(u32),
    /// Before others, which are to be carried out again (see [`History::catch_up`]); so many came or went by it.
    Before(u32),
    /// It is there already, or what is shown says all that it could.
    Known,
}

impl History {
    /// Of a state that reflects everything up to `floor`.
    pub fn new(floor: Stamp) -> Self {
        Self {
            floor,
            log: VecDeque::new(),
            applied: 0,
            sweeps: 0,
            last: floor,
            due: Hlc::ZERO,
        }
    }

    /// Everything up to here is past recall.
    pub fn floor(&self) -> Stamp {
        self.floor
    }

    /// The newest stamp of an operation known of the key.
    pub fn last(&self) -> Stamp {
        self.last
    }

    /// The newest stamp, of an operation or a sweep.
    pub fn newest(&self) -> Stamp {
        self.log.back().map_or(self.floor, |last| last.stamp)
    }

    /// How many operations and sweeps may still be overtaken.
    pub fn len(&self) -> usize {
        self.log.len()
    }

    /// Whether none may.
    pub fn is_empty(&self) -> bool {
        self.log.is_empty()
    }

    /// The operations in stamp order.
    pub fn ops(&self) -> impl ExactSizeIterator<Item = (Stamp, &[u8])> {
        Ops {
            left: self.log.len() - self.sweeps,
            log: self.log.iter(),
        }
    }

    /// Bytes held, for the budget.
    pub fn len_bytes(&self) -> usize {
        let undo = |undo: &Option<Undo>| undo.as_ref().map_or(0, Undo::len_bytes);
        let held = |logged: &Logged| logged.op.len() + undo(&logged.undo);
        self.log.iter().map(held).sum::<usize>()
            + self.log.capacity() * size_of::<Logged>()
            + size_of::<Self>()
    }

    /// Puts an operation in its place and carries it out. What it overtakes is not: [`Self::catch_up`] does that.
    pub fn insert(
        &mut self,
        live: &mut Live,
        ground: &Ground<'_>,
        stamp: Stamp,
        op: Op<'_>,
    ) -> Placing {
        let origins = ground.origins;
        if origins.compare(stamp, self.floor) != Ordering::Greater {
            return Placing::Known;
        }
        let Err(at) = self.place(origins, stamp) else {
            return Placing::Known;
        };
        let is_last = at == self.log.len();
        self.heard_of(origins, stamp);
        let count = if op.dominates() {
            // What came before can be taken back no more, and need not be: it does not show through.
            self.take_back(live, ground, at);
            self.drop_first(at);
            live.apply(ground, stamp, op);
            (self.floor, self.applied) = (stamp, 0);
            0
        } else {
            self.take_back(live, ground, at);
            self.carry_out(live, ground, at);
            let undo = live.apply(ground, stamp, op);
            if is_off(Rule::PoppedNames) && matches!(op, Op::ListRemove(_)) && undo.count == 0 {
                live.undo(ground, undo);
                self.catch_up(live, ground);
                return Placing::Known;
            }
            let (op, count) = (bytes_of(op), undo.count);
            let undo = Some(undo);
            self.log.insert(at, Logged { stamp, op, undo });
            self.applied = at + 1;
            count
        };
        if is_last {
            Placing::Last(count)
        } else {
            Placing::Before(count)
        }
    }

    fn heard_of(&mut self, origins: &Origins, stamp: Stamp) {
        if origins.compare(stamp, self.last) == Ordering::Greater {
            self.last = stamp;
        }
    }

    /// Where a stamp is in the log, or would be.
    fn place(&self, origins: &Origins, stamp: Stamp) -> Result<usize, usize> {
        // From behind: late operations are seldom very late; and from where the last one was put.
        match self.log.back() {
            None => return Err(0),
            Some(last) if origins.compare(last.stamp, stamp) == Ordering::Less => {
                return Err(self.log.len());
            }
            Some(_) => {}
        }
        self.log
            .binary_search_by(|logged| origins.compare(logged.stamp, stamp))
    }

    /// Whether operations are to be carried out again.
    pub fn is_behind(&self) -> bool {
        self.applied < self.log.len()
    }

    /// Carries out what was taken back.
    pub fn catch_up(&mut self, live: &mut Live, ground: &Ground<'_>) {
        self.carry_out(live, ground, self.log.len());
    }

    /// Takes back what was carried out from this one on, the last first.
    fn take_back(&mut self, live: &mut Live, ground: &Ground<'_>, from: usize) {
        while self.applied > from {
            self.applied -= 1;
            let logged = self.log.get_mut(self.applied);
            if let Some(undo) = logged.and_then(|logged| logged.undo.take()) {
                live.undo(ground, undo);
            }
        }
    }

    /// Carries out what is not yet, up to this one.
    fn carry_out(&mut self, live: &mut Live, ground: &Ground<'_>, to: usize) {
        while self.applied < to {
            if let Some(logged) = self.log.get_mut(self.applied) {
                if let Some(at) = logged.swept_at() {
                    logged.undo = live.sweep(ground, at);
                } else if let Ok(op) = Op::decode(&logged.op) {
                    logged.undo = Some(live.apply(ground, logged.stamp, op));
                }
            }
            self.applied += 1;
        }
    }

    /// Everything at or before `cut` is deleted at that moment.
    pub fn cut(&mut self, live: &mut Live, ground: &Ground<'_>, cut: Stamp) {
        let is_before = |stamp| ground.origins.compare(stamp, cut) != Ordering::Greater;
        if is_before(self.floor) && self.floor != cut {
            let from = self
                .log
                .iter()
                .take_while(|logged| is_before(logged.stamp))
                .count();
            self.take_back(live, ground, from);
            self.drop_first(from);
            *live = Live {
                value: None,
                written: cut.time(),
            };
            (self.floor, self.applied) = (cut, 0);
            self.heard_of(ground.origins, cut);
            self.catch_up(live, ground);
        }
    }

    /// Nothing up to `settled` can be overtaken any more. What is shown stays.
    pub fn settle(&mut self, live: &mut Live, ground: &Ground<'_>, settled: Hlc) {
        self.catch_up(live, ground);
        self.settle_applied(settled);
    }

    /// The same of a history that is not behind.
    pub fn settle_applied(&mut self, settled: Hlc) {
        let is_settled = |logged: &&Logged| logged.stamp.time() <= settled;
        let count = self.log.iter().take_while(is_settled).count();
        let count = count.min(self.applied);
        let ops = self.log.iter().take(count).rev();
        if let Some(last) = ops.into_iter().find(|logged| !logged.is_sweep()) {
            self.floor = last.stamp;
        }
        self.drop_first(count);
        self.applied -= count;
    }

    fn drop_first(&mut self, count: usize) {
        let gone = self.log.drain(..count);
        self.sweeps -= gone.filter(Logged::is_sweep).count();
    }

    /// Members whose time has come at `at` go, which may be undone; says whether there were any. The history must not be behind.
    pub fn sweep(&mut self, live: &mut Live, ground: &Ground<'_>, at: UnixMillis) -> bool {
        if self.is_behind() {
            return false;
        }
        // Where stamps are ahead of the clock, it stands right behind the newest: what that one found has been swept, but not what
        // it has set.
        let mut stamp = Stamp::new(Hlc::at(at), OriginIndex(0));
        if ground.origins.compare(stamp, self.newest()) != Ordering::Greater {
            stamp = Stamp::new(self.newest().time().plus(1), OriginIndex(0));
        }
        if is_off(Rule::SweptMembers) {
            return live.sweep_for_good(ground, at);
        }
        let Some(undo) = live.sweep(ground, at) else {
            return false;
        };
        self.log.push_back(Logged {
            stamp,
            op: OpBytes::from_iter([SWEEP].into_iter().chain(at.0.to_le_bytes())),
            undo: Some(undo),
        });
        (self.applied, self.sweeps) = (self.log.len(), self.sweeps + 1);
        true
    }

    /// By when members have gone whatever is taken back; none where that cannot be told now.
    pub fn gone_for_good(&self) -> Option<UnixMillis> {
        if self.is_behind() {
            return None;
        }
        let undos = self.log.iter().filter_map(|logged| logged.undo.as_ref());
        let earliest = undos.filter_map(Undo::gone_before).min();
        Some(earliest.unwrap_or(UnixMillis(i64::MAX)))
    }

    /// Whether the newest of all is a sweep at this moment.
    pub fn ends_with_sweep(&self, at: UnixMillis) -> bool {
        let last = self.log.back();
        last.is_some_and(|last| last.swept_at() == Some(at))
    }

    /// Takes that sweep back for good.
    pub fn undo_sweep(&mut self, live: &mut Live, ground: &Ground<'_>) {
        self.take_back(live, ground, self.log.len().saturating_sub(1));
        let gone = self.log.pop_back();
        self.sweeps -= usize::from(gone.is_some_and(|gone| gone.is_sweep()));
    }

    /// At which settled time its key is to be looked at; zero where nobody has said so.
    pub fn due(&self) -> Hlc {
        self.due
    }

    /// Says at which.
    pub fn set_due(&mut self, due: Hlc) {
        self.due = due;
    }

    /// Says that what is shown reflects everything up to `stamp`.
    pub fn raise_floor(&mut self, origins: &Origins, stamp: Stamp) {
        if origins.compare(stamp, self.floor) == Ordering::Greater {
            self.floor = stamp;
            self.heard_of(origins, stamp);
        }
    }

    /// Shows the state as it was at `floor` and the operations since then in stamp order, as long as `look` takes.
    pub fn with_base<R>(
        &mut self,
        live: &mut Live,
        ground: &Ground<'_>,
        look: impl FnOnce(&Live, &mut dyn ExactSizeIterator<Item = (Stamp, &[u8])>) -> R,
    ) -> R {
        self.take_back(live, ground, 0);
        let result = look(live, &mut self.ops());
        self.catch_up(live, ground);
        result
    }

    /// Takes all operations back; gives them in stamp order.
    pub fn into_ops(mut self, live: &mut Live, ground: &Ground<'_>) -> Vec<(Stamp, OpBytes)> {
        self.take_back(live, ground, 0);
        let ops = self.log.into_iter().filter(|logged| !logged.is_sweep());
        ops.map(|logged| (logged.stamp, logged.op)).collect()
    }
}

/// See [`History::ops`].
struct Ops<'h> {
    log: std::collections::vec_deque::Iter<'h, Logged>,
    left: usize,
}

impl<'h> Iterator for Ops<'h> {
    type Item = (Stamp, &'h [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let logged = self.log.find(|logged| !logged.is_sweep())?;
        self.left -= 1;
        Some((logged.stamp, &logged.op[..]))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Ops<'_> {}

/// An operation's bytes, without an allocation that is kept where they are few.
fn bytes_of(op: Op<'_>) -> OpBytes {
    let mut bytes = Vec::with_capacity(32);
    op.encode(&mut bytes);
    if bytes.len() <= OpBytes::new().inline_size() {
        OpBytes::from_slice(&bytes)
    } else {
        bytes.shrink_to_fit();
        OpBytes::from_vec(bytes)
    }
}

#[cfg(test)]
mod tests;
