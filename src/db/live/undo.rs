//! What an operation changed, and how it is taken back.
//!
//! Invariant: changes are taken back in the opposite order of their making, and each leaves what was there before it; only what was
//! written over is kept.

use crate::db::body::Body;
use crate::db::elements::Payload;
use crate::db::hll;
use crate::db::list::Taken;
use crate::db::live::{
    Ground, Live, Name, OpBytes, Value, elements, lists, scores, streams, timed,
};
use crate::db::op::{self, Kind};
use crate::db::stamp::{Hlc, Stamp, UnixMillis};
use crate::db::stream;

/// What takes an operation back.
#[derive(Debug)]
pub struct Undo {
    /// How many elements came or went.
    pub(in crate::db) count: u32,
    pub(super) written: Hlc,
    pub(super) changed: Changed,
}

impl Undo {
    /// Bytes held beside the field itself.
    pub fn len_bytes(&self) -> usize {
        self.changed.len_bytes()
    }

    /// By when members will have gone once this is taken back, where some went, or came back.
    pub fn gone_before(&self) -> Option<UnixMillis> {
        self.changed.gone_before()
    }
}

/// What an operation changed.
#[derive(Debug)]
pub(in crate::db) enum Changed {
    Nothing,
    /// The string was so long, and this stood from an offset on.
    Bytes(usize, usize, OpBytes),
    /// Bytes of the string were these, the last one written over first.
    Patched(hll::Before),
    /// The string was this.
    String(OpBytes),
    Deadline(Option<UnixMillis>),
    Whole(Option<Value>),
    /// Fields or members had these payloads, or were not there.
    Elements(Vec<(Name, Option<Payload>)>, Emptied),
    /// Members had these scores, or were not there.
    Scores(Vec<(Name, Option<f64>)>, Emptied),
    /// So many elements came to this end of the list.
    Pushed(op::End, usize),
    /// These went from these positions, one after the other.
    Popped(Vec<(usize, Stamp, Taken)>, Emptied),
    /// The element at this position was this.
    ListSet(usize, Taken),
    /// An element came in at this position.
    ListInserted(usize),
    /// The stream was this.
    Stream(Box<stream::Before>),
    /// Beside that, members had these deadlines.
    Deadlines(Box<Self>, Vec<(Name, Option<UnixMillis>)>),
    /// Members whose time had come went before the rest.
    Swept(Box<[Self; 2]>),
    /// Members have gone that had not by then.
    Gone(UnixMillis),
    /// The last member went, and with it this, which were members that had gone.
    Emptied(Box<Self>, Option<Value>),
}

/// The key went with its last element; it had this deadline.
pub(in crate::db) type Emptied = Option<(Kind, Option<UnixMillis>)>;

impl Changed {
    /// By when members had gone before members went, or came back: the earliest.
    fn gone_before(&self) -> Option<UnixMillis> {
        match self {
            Self::Gone(before) => Some(*before),
            Self::Swept(both) => both.iter().filter_map(Self::gone_before).min(),
            _ => None,
        }
    }

    fn len_bytes(&self) -> usize {
        const NAME: usize = 64;
        match self {
            Self::Whole(Some(value)) => value.body.len_bytes(),
            Self::Bytes(_, _, old) | Self::String(old) => old.len(),
            Self::Patched(before) => before.len() * size_of::<(u32, u8)>(),
            Self::Elements(was, _) => {
                let payload = |(_, payload): &(Name, Option<Payload>)| {
                    NAME + payload.as_ref().map_or(0, |payload| payload.len())
                };
                was.iter().map(payload).sum()
            }
            Self::Scores(was, _) => was.len() * NAME,
            Self::Popped(was, _) => was.iter().map(|(_, _, old)| NAME + old.len()).sum(),
            Self::Deadlines(change, was) => change.len_bytes() + was.len() * NAME,
            Self::Stream(before) => before.len_bytes(),
            Self::Swept(both) => both.iter().map(Self::len_bytes).sum(),
            Self::Emptied(change, gone) => {
                let gone = gone.as_ref().map_or(0, |gone| gone.body.len_bytes());
                change.len_bytes() + gone
            }
            _ => 0,
        }
    }
}

impl Live {
    /// Takes back the last operation that was carried out and not taken back.
    pub fn undo(&mut self, ground: &Ground<'_>, undo: Undo) {
        self.written = undo.written;
        self.take_back(ground, undo.changed);
    }

    fn take_back(&mut self, ground: &Ground<'_>, changed: Changed) {
        let emptied = match &changed {
            Changed::Elements(_, emptied)
            | Changed::Scores(_, emptied)
            | Changed::Popped(_, emptied) => *emptied,
            _ => None,
        };
        if let Some((kind, deadline)) = emptied {
            let body = Body::empty(kind, ground.has_ids);
            self.value = Some(Value { body, deadline });
        }
        match (changed, &mut self.value) {
            (Changed::Swept(both), _) => {
                let [swept, changed] = *both;
                self.take_back(ground, changed);
                self.take_back(ground, swept);
            }
            (Changed::Deadlines(changed, was), _) => {
                self.take_back(ground, *changed);
                if let Some(value) = &mut self.value {
                    timed::put_back(&mut value.body, ground, was);
                }
            }
            (Changed::Whole(value), _) => self.value = value,
            (Changed::Emptied(changed, gone), _) => {
                self.value = gone;
                self.take_back(ground, *changed);
            }
            (Changed::Gone(before), Some(value)) => drop(value.body.set_gone(before)),
            (Changed::Bytes(len, from, old), Some(value)) => {
                if let Body::String(bytes) = &mut value.body {
                    bytes.truncate(len);
                    if let Some(place) = bytes.get_mut(from..from + old.len()) {
                        place.copy_from_slice(&old);
                    }
                }
            }
            (Changed::Patched(before), Some(value)) => {
                if let Body::String(bytes) = &mut value.body {
                    for (at, old) in before.into_iter().rev() {
                        if let Some(place) = bytes.get_mut(at as usize) {
                            *place = old;
                        }
                    }
                }
            }
            (Changed::String(old), Some(value)) => {
                if let Body::String(bytes) = &mut value.body {
                    bytes.clear();
                    bytes.extend_from_slice(&old);
                }
            }
            (Changed::Deadline(deadline), Some(value)) => value.deadline = deadline,
            (Changed::Elements(was, _), Some(value)) => {
                elements::put_back(value.body.untimed_mut(), ground, was);
            }
            (Changed::Scores(was, _), Some(value)) => {
                scores::put_back(&mut value.body, ground, was);
            }
            (Changed::Stream(before), Some(value)) => {
                streams::put_back(&mut value.body, ground, *before);
            }
            (changed, Some(value)) => lists::put_back(&mut value.body, ground, changed),
            (_, None) => {}
        }
    }
}

/// One change behind another, where there was one.
#[inline]
pub(super) fn behind(before: Option<Changed>, changed: Changed) -> Changed {
    match before {
        None => changed,
        Some(before) => Changed::Swept(Box::new([before, changed])),
    }
}

/// What an operation changed, and the deadlines that members had.
pub(super) fn with_deadlines(changed: Changed, was: timed::Was) -> Changed {
    match was.is_empty() {
        true => changed,
        false => Changed::Deadlines(Box::new(changed), was),
    }
}
