//! Deadlines of members: they are set, go with their members, and make these go.
//!
//! Invariant: as of [`crate::db::deadlines`]. That members go because their time has come is nobody's operation: each operation
//! finds those gone whose time had come at its own stamp, and [`Live::sweep`] says so between operations. So what is shown depends
//! on operations and time alone. Of a large hash or set many may go at once, which takes no longer than one: see [`crate::db::deadlines`].

use crate::ablation::large_from;
use crate::db::body::{Body, Large};
use crate::db::deadlines::NEVER;
use crate::db::live::{Changed, Ground, Live, Memo, Name, Undo, elements, scores};
use crate::db::op::{Kind, Names, Op};
use crate::db::stamp::{Stamp, UnixMillis};
use crate::db::varint;

pub(super) type Was = Vec<(Name, Option<UnixMillis>)>;

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

/// Members that go, and fields that are written anew, have no deadline any more. Before the operation: a sorted set's member is
/// found by its score.
pub(super) fn forget(body: &mut Body, ground: &Ground<'_>, op: Op<'_>, memo: &Memo) -> Was {
    let mut was = Was::new();
    if !matches!(body, Body::Timed(_)) {
        return was;
    }
    let kind = body.kind();
    let mut forget = |name: &[u8]| {
        set(body, ground, name, None, &mut was, memo);
    };
    match op {
        Op::HSet(pairs) => pairs.iter().for_each(|(field, _)| forget(field)),
        Op::Remove(of, names) if of == kind => names.iter().for_each(forget),
        _ => {}
    }
    was
}

/// Undoes: the last that was changed comes first.
pub(super) fn put_back(body: &mut Body, ground: &Ground<'_>, was: Was) {
    for (name, deadline) in was.into_iter().rev() {
        body.set_deadline(ground.hasher, &name, deadline);
    }
}

/// More members than this are not cleared away in one piece: a millisecond would not do for them.
fn many_from() -> usize {
    large_from() / 64
}

impl Live {
    /// Members that an operation names and that have gone are cleared away: for it they are not there. Where it sets a deadline by
    /// which members have gone, for its stamp is ahead of its node's clock, all of them are: what it is set for has not.
    pub(super) fn clear_named(
        &mut self,
        ground: &Ground<'_>,
        op: Op<'_>,
        keeps: bool,
    ) -> Option<Changed> {
        let body = &mut self.value.as_mut()?.body;
        let deadlines = body.deadlines().filter(|all| all.have_gone())?;
        let by = deadlines.gone();
        let is_back = matches!(op, Op::ExpireMembers(_, Some(to), _) if to <= by);
        let (mut names, mut len) = (Vec::new(), 0);
        let mut note = |name: &[u8]| {
            let who = body.named(ground.hasher, name);
            if who.is_some_and(|who| deadlines.has_gone(ground.hasher, who)) {
                varint::put_bytes(&mut names, name);
                len += 1;
            }
        };
        match op {
            _ if is_back => deadlines.gone_by(by).for_each(note),
            Op::HSet(pairs) => pairs.iter().for_each(|(field, _)| note(field)),
            Op::HIncr(_, name) | Op::HIncrByFloat(_, name) | Op::ZIncr(_, name) => note(name),
            Op::ZAdd(members) => members.iter().for_each(|(_, name)| note(name)),
            Op::SAdd(names) | Op::Remove(_, names) | Op::ExpireMembers(_, _, names) => {
                names.iter().for_each(note);
            }
            _ => {}
        }
        let back = is_back
            .then(|| body.set_gone(NEVER).map(Changed::Gone))
            .flatten();
        if len == 0 {
            return back;
        }
        // The same name may stand there twice; the second time nothing is left to do.
        let gone = Op::Remove(body.kind(), Names::of(&names, len));
        let mut memo = Memo { keeps, count: 0 };
        let cleared = self.change_elements(ground, Stamp::ZERO, gone, &mut memo);
        Some(match back {
            Some(back) => Changed::Swept(Box::new([back, cleared])),
            None => cleared,
        })
    }

    /// Clears away members that had gone by `at`, about so many, for good; where there is no `at`, any, for nothing can be taken back.
    /// How many there were.
    pub fn clear_gone(
        &mut self,
        ground: &Ground<'_>,
        at: Option<UnixMillis>,
        most: usize,
    ) -> usize {
        let Some(value) = &mut self.value else {
            return 0;
        };
        let Some(deadlines) = value.body.deadlines().filter(|all| all.have_gone()) else {
            return 0;
        };
        let gone = deadlines
            .gone_by(at.unwrap_or(UnixMillis(i64::MAX)))
            .take(most);
        let names: Vec<Name> = gone.map(Name::from_slice).collect();
        for name in &names {
            value.body.set_deadline(ground.hasher, name, None);
            match value.body.untimed_mut() {
                Body::Large(Large::Hash(elements) | Large::Set(elements)) => {
                    elements.remove(ground.hasher, name);
                }
                Body::Large(Large::Zset(ordered)) => {
                    ordered.remove(ground.hasher, name);
                }
                _ => {}
            }
        }
        let deadlines = value.body.deadlines();
        if at.is_none() && deadlines.is_some_and(|all| all.gone_len() == 0) {
            value.body.set_gone(NEVER);
        }
        names.len()
    }

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
        let body = &mut self.value.as_mut()?.body;
        let deadlines = body.deadlines()?;
        let len = deadlines.due(at).len();
        if len == 0 {
            return None;
        }
        if len == body.len() {
            // However many there are, that takes no time.
            return Some(Changed::Whole(self.value.take()));
        }
        match body.untimed() {
            Body::Large(Large::Hash(_) | Large::Set(_))
                if deadlines.have_gone() || len > many_from() =>
            {
                return body.set_gone(at).map(Changed::Gone);
            }
            Body::Large(Large::Zset(_)) => return self.sweep_moments(ground, at, keeps),
            _ => {}
        }
        let mut names = Vec::new();
        for member in deadlines.due(at) {
            varint::put_bytes(&mut names, member);
        }
        Some(self.sweep_named(ground, Names::of(&names, len), keeps))
    }

    /// Of a large sorted set the members of each moment at which few go are removed, so that looking for a rank takes no longer for
    /// each of those; where many do, they stay.
    fn sweep_moments(
        &mut self,
        ground: &Ground<'_>,
        at: UnixMillis,
        keeps: bool,
    ) -> Option<Changed> {
        let body = &mut self.value.as_mut()?.body;
        let deadlines = body.deadlines()?;
        let (mut names, mut len, mut some_stay) = (Vec::new(), 0, false);
        for (_, ranks) in deadlines.due_moments(at) {
            if ranks.len() > many_from() {
                some_stay = true;
                continue;
            }
            len += ranks.len();
            for member in deadlines.members(ranks) {
                varint::put_bytes(&mut names, member);
            }
        }
        let stay = some_stay
            .then(|| body.set_gone(at).map(Changed::Gone))
            .flatten();
        if len == 0 {
            return stay;
        }
        let removed = self.sweep_named(ground, Names::of(&names, len), keeps);
        Some(match stay {
            Some(stay) => Changed::Swept(Box::new([stay, removed])),
            None => removed,
        })
    }

    fn sweep_named(&mut self, ground: &Ground<'_>, names: Names<'_>, keeps: bool) -> Changed {
        let kind = self
            .value
            .as_ref()
            .map_or(Kind::Hash, |value| value.body.kind());
        let mut memo = Memo { keeps, count: 0 };
        self.change_elements(ground, Stamp::ZERO, Op::Remove(kind, names), &mut memo)
    }
}
