//! What a key holds at some point of its history, and what operations make of it: of strings by [`op::step`], of collections by
//! the files of this room.
//!
//! Invariant: what an operation makes of a state depends on nothing but the state, the operation and its stamp. After
//! [`Live::undo`] a key holds what it held before the operation, its deadline and its time of writing too; an undo keeps only
//! what was written over.

mod elements;
mod lists;
mod scores;
mod streams;
mod timed;
mod undo;
mod whole;

use crate::ablation::{Rule, is_off, wall_clock};
use crate::db::body::{Body, Limits};
use crate::db::far;
use crate::db::live::undo::{behind, with_deadlines};
use crate::db::made::Made;
use crate::db::op::{self, Change, Expiry, Kind, Op, State};
use crate::db::origin::Origins;
use crate::db::stamp::{Hlc, Stamp, UnixMillis};
use crate::db::table::KeyHasher;
use smallvec::SmallVec;

pub(super) use undo::Changed;
pub use undo::Undo;
pub use whole::{content_of, put_content};

/// An operation's bytes, see [`Op::encode`].
pub type OpBytes = SmallVec<[u8; 24]>;

/// A name in an undo.
pub(super) type Name = SmallVec<[u8; 24]>;

/// A value with its deadline.
#[derive(Debug, Clone)]
pub struct Value {
    /// What it is.
    pub body: Body,
    /// When it goes by itself.
    pub deadline: Option<UnixMillis>,
}

impl Value {
    /// A string.
    pub fn string(bytes: &[u8], deadline: Option<UnixMillis>) -> Self {
        let body = Body::String(bytes.to_vec());
        Self { body, deadline }
    }
}

/// See the head of the file.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// The value; none where the key is absent.
    pub value: Option<Value>,
    /// When it was written: the time imports are compared with.
    pub written: Hlc,
}

/// What operations are carried out on.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// Hashes elements.
    pub hasher: &'a KeyHasher,
    /// Up to what collections are small.
    pub limits: Limits,
    /// Who an operation's origin is.
    pub origins: &'a Origins,
    /// The write bears a stamp: a new list's elements get ids.
    pub has_ids: bool,
    /// A value that was made ahead.
    pub made: Option<&'a Made>,
}

/// Writes down what an operation changes, as far as anybody will want to know.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// Whether the operation may be taken back.
    pub keeps: bool,
    /// How many elements came or went.
    pub count: u32,
}

impl Live {
    /// Carries out an operation. It may have no effect.
    pub fn apply(&mut self, ground: &Ground<'_>, stamp: Stamp, op: Op<'_>) -> Undo {
        let at = if is_off(Rule::ExpiryByStamp) {
            UnixMillis(wall_clock())
        } else {
            stamp.time().millis()
        };
        let mut memo = Memo {
            keeps: true,
            count: 0,
        };
        let written = self.written;
        let changed = self.change(ground, stamp, at, op, &mut memo);
        if !op.is_import() {
            self.written = stamp.time();
        }
        let count = memo.count;
        Undo {
            count,
            written,
            changed,
        }
    }

    /// The same for good, at the moment `at`; says whether it did anything, and how many elements came or went.
    pub fn apply_for_good(
        &mut self,
        ground: &Ground<'_>,
        stamp: Stamp,
        at: UnixMillis,
        op: Op<'_>,
    ) -> (bool, u32) {
        let mut memo = Memo::default();
        let changed = self.change(ground, stamp, at, op, &mut memo);
        if !op.is_import() {
            self.written = stamp.time();
        }
        (!matches!(changed, Changed::Nothing), memo.count)
    }

    fn change(
        &mut self,
        ground: &Ground<'_>,
        stamp: Stamp,
        at: UnixMillis,
        op: Op<'_>,
        memo: &mut Memo,
    ) -> Changed {
        // Members whose time had come by then are not there for it.
        let swept = self.sweep_at(ground, at, memo.keeps);
        let cleared = self.clear_named(ground, op, memo.keeps);
        let changed = self.change_swept(ground, stamp, at, op, memo);
        let changed = behind(cleared, changed);
        behind(swept, changed)
    }

    fn change_swept(
        &mut self,
        ground: &Ground<'_>,
        stamp: Stamp,
        at: UnixMillis,
        op: Op<'_>,
        memo: &mut Memo,
    ) -> Changed {
        let is_expired = |value: &Value| op::is_expired(value.deadline, at);
        if let Some(kind) = op.adds_to()
            && let Some(value) = &self.value
            && value.body.kind() != kind
            && !is_expired(value)
        {
            if is_off(Rule::TypeCut) {
                return Changed::Nothing;
            }
            // What was there of another type is older, and goes.
            let old = self.value.take();
            self.change_swept(ground, stamp, at, op, memo);
            return Changed::Whole(old);
        }
        if op.is_of_elements() {
            if self.value.as_ref().is_some_and(is_expired) {
                let old = self.value.take();
                self.change_elements(ground, stamp, op, memo);
                return Changed::Whole(old);
            }
            return self.change_elements(ground, stamp, op, memo);
        }
        let whole = match op {
            Op::Put(content, deadline) => Some((content, deadline)),
            Op::ImportContent(original, deadline, content) => {
                let is_newer = match &self.value {
                    Some(value) if !is_expired(value) => self.written < original,
                    _ => true,
                };
                if !is_newer {
                    return self.idle(at);
                }
                self.written = original;
                Some((content, deadline))
            }
            _ => None,
        };
        if let Some((content, deadline)) = whole {
            let body = put_content(ground, stamp, content);
            let new = Some(Value { body, deadline });
            return Changed::Whole(std::mem::replace(&mut self.value, new));
        }
        self.change_string(at, op)
    }

    /// An operation found that it has nothing to do: what had expired goes all the same.
    fn idle(&mut self, at: UnixMillis) -> Changed {
        match &self.value {
            Some(value) if op::is_expired(value.deadline, at) => Changed::Whole(self.value.take()),
            _ => Changed::Nothing,
        }
    }

    /// Writes into the string or behind it, or raises registers in it, where an operation does that.
    fn write(&mut self, op: Op<'_>, at: UnixMillis) -> Option<Changed> {
        let value = self
            .value
            .as_mut()
            .filter(|value| !op::is_expired(value.deadline, at))?;
        let Body::String(bytes) = &mut value.body else {
            return None;
        };
        if let Some(change) = op.hll_change() {
            let before = change.change_dense(bytes)?;
            return Some(if before.is_empty() {
                Changed::Nothing
            } else {
                Changed::Patched(before)
            });
        }
        let len = bytes.len();
        if !op.writes() || op::grown_len(op, len).is_none() {
            return None;
        }
        let (from, to) = op::written_range(op, len);
        let old = OpBytes::from_slice(bytes.get(from..to.min(len)).unwrap_or_default());
        far::write(op, bytes).then_some(Changed::Bytes(len, from, old))
    }

    fn change_string(&mut self, at: UnixMillis, op: Op<'_>) -> Changed {
        if let Some(changed) = self.write(op, at) {
            return changed;
        }
        let state = self.value.as_ref().map(|value| State {
            value: match &value.body {
                Body::String(bytes) => bytes,
                // Nothing that needs the string comes here.
                _ => &[],
            },
            deadline: value.deadline,
            written: self.written,
        });
        let new = match op::step(state, op, at) {
            Change::Nothing => return Changed::Nothing,
            Change::Remove => None,
            Change::Put(bytes, deadline) => Some(Value::string(bytes, deadline)),
            Change::Import(bytes, deadline, original) => {
                self.written = original;
                Some(Value::string(bytes, deadline))
            }
            Change::Compute(bytes, deadline) => {
                if let Some(value) = &mut self.value
                    && !op::is_expired(value.deadline, at)
                    && let Body::String(old) = &mut value.body
                {
                    let was = OpBytes::from_slice(old);
                    old.clear();
                    old.extend_from_slice(&bytes);
                    return Changed::String(was);
                }
                let body = Body::String(bytes.into_vec());
                Some(Value { body, deadline })
            }
            Change::Deadline(deadline) => {
                let Some(value) = &mut self.value else {
                    return Changed::Nothing;
                };
                return Changed::Deadline(std::mem::replace(&mut value.deadline, deadline));
            }
        };
        Changed::Whole(std::mem::replace(&mut self.value, new))
    }

    fn change_elements(
        &mut self,
        ground: &Ground<'_>,
        stamp: Stamp,
        op: Op<'_>,
        memo: &mut Memo,
    ) -> Changed {
        if let Some(kind) = op.adds_to()
            && self.value.is_none()
        {
            let body = Body::empty(kind, ground.has_ids);
            let deadline = None;
            let fresh = self.value.insert(Value { body, deadline });
            let changed = add(&mut fresh.body, ground, stamp, op, memo);
            if matches!(changed, Changed::Nothing) {
                self.value = None;
                return Changed::Nothing;
            }
            return Changed::Whole(None);
        }
        let Some(value) = &mut self.value else {
            return Changed::Nothing;
        };
        if let Op::ExpireMembers(kind, deadline, names) = op {
            return timed::expire(&mut value.body, ground, kind, deadline, names, memo);
        }
        let deadlines = timed::forget(&mut value.body, ground, op, memo);
        let mut changed = add(&mut value.body, ground, stamp, op, memo);
        if value.body.untimed().is_empty() {
            let gone = Some((value.body.kind(), value.deadline));
            match &mut changed {
                Changed::Elements(_, emptied)
                | Changed::Scores(_, emptied)
                | Changed::Popped(_, emptied) => *emptied = gone,
                _ => {}
            }
            self.value = None;
            return with_deadlines(changed, deadlines);
        }
        let changed = with_deadlines(changed, deadlines);
        if value.body.is_empty() {
            // All that is left had gone before.
            let gone = self.value.take().filter(|_| memo.keeps);
            return Changed::Emptied(Box::new(changed), gone);
        }
        changed
    }

    /// How many elements a collection has, or bytes a string; 0 where nothing is shown.
    pub fn len(&self) -> usize {
        self.value.as_ref().map_or(0, |value| value.body.len())
    }

    /// Whether nothing is shown.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a record must say beside the stamp for `written` to come back.
    pub fn original(&self, stamp: Stamp) -> Option<Hlc> {
        (self.value.is_some() && self.written != stamp.time()).then_some(self.written)
    }
}

/// Carries out an operation of elements, for good, on a large collection none of whose members has a deadline; says whether it did
/// anything, and how many elements came or went. Nothing is done of one of another type, nor of deadlines.
#[inline]
pub(super) fn change_large(
    body: &mut Body,
    ground: &Ground<'_>,
    stamp: Stamp,
    op: Op<'_>,
) -> Option<(bool, u32)> {
    let is_of_another = op.adds_to().is_some_and(|kind| kind != body.kind());
    if is_of_another || matches!(op, Op::ExpireMembers(..)) {
        return None;
    }
    let mut memo = Memo::default();
    let changed = add(body, ground, stamp, op, &mut memo);
    Some((!matches!(changed, Changed::Nothing), memo.count))
}

/// Carries out an operation of elements on a value of its type; of another type it has no effect.
fn add(body: &mut Body, ground: &Ground<'_>, stamp: Stamp, op: Op<'_>, memo: &mut Memo) -> Changed {
    if body.kind() == Kind::Zset {
        return match op {
            Op::ZAdd(members) => scores::add(body, ground, members, memo),
            Op::ZIncr(delta, member) => scores::incr(body, ground, member, delta, memo),
            Op::Remove(Kind::Zset, names) => scores::remove(body, ground, names, memo),
            _ => Changed::Nothing,
        };
    }
    let body = body.untimed_mut();
    match (op, body.kind()) {
        (Op::HSet(pairs), Kind::Hash) => elements::set(body, ground, pairs, memo),
        (Op::HIncr(delta, field), Kind::Hash) => elements::incr(body, ground, field, delta, memo),
        (Op::HIncrByFloat(delta, field), Kind::Hash) => {
            elements::incr_by_float(body, ground, field, delta, memo)
        }
        (Op::SAdd(names), Kind::Set) => elements::add(body, ground, names, memo),
        (Op::Remove(Kind::Hash, names), Kind::Hash) | (Op::Remove(Kind::Set, names), Kind::Set) => {
            elements::remove(body, ground, names, memo)
        }
        (Op::Push(end, names), Kind::List) => lists::push(body, ground, stamp, end, names, memo),
        (Op::ListRemove(names), Kind::List) => lists::remove(body, ground, names, memo),
        (Op::ListCut(positions), Kind::List) => lists::cut(body, ground, positions, memo),
        (Op::ListSetAt(position, element), Kind::List) => {
            lists::set_at(body, ground, position as usize, element)
        }
        (Op::ListInsertAt(position, element), Kind::List) => {
            lists::insert_at(body, ground, position as usize, element, memo)
        }
        (
            Op::XAdd(..) | Op::XDel(..) | Op::XTrim(_) | Op::XSetId(_) | Op::XGroup(_),
            Kind::Stream,
        ) => streams::change(body, ground, op, memo),
        (Op::ListSet(name, element), Kind::List) => lists::set(body, ground, name, element),
        (Op::ListInsert(beside, element), Kind::List) => {
            lists::insert(body, ground, stamp, beside, element, memo)
        }
        _ => Changed::Nothing,
    }
}

/// The part of a SET that a key shows at once: the value, and its deadline where it does not depend on what was there.
#[inline]
pub fn set_parts<'a>(op: &Op<'a>) -> Option<(&'a [u8], Option<UnixMillis>)> {
    match *op {
        Op::Set(value, Expiry::Clear) => Some((value, None)),
        Op::Set(value, Expiry::At(deadline)) => Some((value, Some(deadline))),
        _ => None,
    }
}
