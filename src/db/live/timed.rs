//! Deadlines of members: they are set, go with their members, and make these go.
//!
//! Invariant: as of [`crate::db::deadlines`]. That members go because their time has come is nobody's operation: each operation
//! finds those gone whose time had come at its own stamp, and [`Live::sweep`] says so between operations. So what is shown depends
//! on operations and time alone.

use crate::db::body::Body;
use crate::db::live::{Changed, Ground, Live, Memo, Name, Undo, elements, scores};
use crate::db::op::{Kind, Names, Op};
use crate::db::stamp::{Stamp, UnixMillis};
use crate::db::varint;

type Was = Vec<(Name, Option<UnixMillis>)>;

/// Whether a field or member is there.
pub(super) fn contains(body: &Body, ground: &Ground<'_>, name: &[u8]) -> bool {
    let body = body.untimed();
    match body.kind() {
        Kind::Zset => scores::score(body, ground, name).is_some(),
        _ => elements::get(body, ground, name).is_some(),
    }
}

fn set(
    body: &mut Body,
    ground: &Ground<'_>,
    name: &[u8],
    deadline: Option<UnixMillis>,
    was: &mut Was,
    memo: &Memo,
) -> bool {
    let old = body.set_deadline(ground.hasher, name, deadline);
    if old != deadline && memo.keeps {
        was.push((Name::from_slice(name), old));
    }
    old != deadline
}

/// EXPIREMEMBER, HEXPIRE, HPERSIST. Counts the members whose deadline changes.
pub(super) fn expire(
    body: &mut Body,
    ground: &Ground<'_>,
    kind: Kind,
    deadline: Option<UnixMillis>,
    names: Names<'_>,
    memo: &mut Memo,
) -> Changed {
    if body.kind() != kind {
        return Changed::Nothing;
    }
    let mut was = Was::new();
    for name in names.iter() {
        if contains(body, ground, name) && set(body, ground, name, deadline, &mut was, memo) {
            memo.count += 1;
        }
    }
    if memo.count == 0 {
        return Changed::Nothing;
    }
    Changed::Deadlines(Box::new(Changed::Nothing), was)
}

/// Members that went, and fields that were written anew, have no deadline any more.
pub(super) fn follow(
    body: &mut Body,
    ground: &Ground<'_>,
    op: Op<'_>,
    changed: Changed,
    memo: &Memo,
) -> Changed {
    if !matches!(body, Body::Timed(_)) || matches!(changed, Changed::Nothing) {
        return changed;
    }
    let mut was = Was::new();
    let mut forget = |name: &[u8]| {
        set(body, ground, name, None, &mut was, memo);
    };
    match op {
        Op::HSet(pairs) => pairs.iter().for_each(|(field, _)| forget(field)),
        Op::Remove(_, names) => names.iter().for_each(forget),
        _ => {}
    }
    if was.is_empty() {
        return changed;
    }
    Changed::Deadlines(Box::new(changed), was)
}

/// Undoes: the last that was changed comes first.
pub(super) fn put_back(body: &mut Body, ground: &Ground<'_>, was: Was) {
    for (name, deadline) in was.into_iter().rev() {
        body.set_deadline(ground.hasher, &name, deadline);
    }
}

impl Live {
    /// Members whose time has come at `at` go; none where there is none.
    pub fn sweep(&mut self, ground: &Ground<'_>, at: UnixMillis) -> Option<Undo> {
        let written = self.written;
        let changed = self.sweep_at(ground, at, true)?;
        Some(Undo {
            count: 0,
            written,
            changed,
        })
    }

    /// The same for good; says whether there was one.
    pub fn sweep_for_good(&mut self, ground: &Ground<'_>, at: UnixMillis) -> bool {
        self.sweep_at(ground, at, false).is_some()
    }

    pub(super) fn sweep_at(
        &mut self,
        ground: &Ground<'_>,
        at: UnixMillis,
        keeps: bool,
    ) -> Option<Changed> {
        let body = &self.value.as_ref()?.body;
        let deadlines = body.deadlines()?;
        let len = deadlines.due(at).len();
        if len == 0 {
            return None;
        }
        if len == body.shown().len() {
            // However many there are, that takes no time.
            return Some(Changed::Whole(self.value.take()));
        }
        let mut names = Vec::new();
        for member in deadlines.due(at) {
            varint::put_bytes(&mut names, member);
        }
        let mut memo = Memo { keeps, count: 0 };
        let gone = Op::Remove(body.kind(), Names::of(&names, len));
        Some(self.change_elements(ground, Stamp::ZERO, gone, &mut memo))
    }
}
