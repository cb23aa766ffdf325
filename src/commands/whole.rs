//! Whole collections that commands compute and put at a key: what the *STORE forms, SORT with STORE and RESTORE come to. To compute
//! a large one takes long, so that is done ahead where it can be, by who holds no partition: the handler runs twice, over copies of
//! what it reads to compute, and over the partitions to store what it finds computed.
//!
//! Invariant: what was computed ahead is stored only where computing it now would come to the same.

use std::borrow::Cow;

use crate::commands::call::DataCall;
use crate::db::body::Body;
use crate::db::made::{Maker, is_large};
use crate::db::news::Event;
use crate::db::op::{Content, Kind};
use crate::db::{Key, Op, Stamp, UnixMillis};

/// A collection that is put as a whole.
#[derive(Debug)]
pub struct Whole {
    /// As an operation brings it.
    pub bytes: Vec<u8>,
    /// What the reply says of it.
    pub len: usize,
    /// What was made of it; elements of a list have the ids of no stamp.
    made: Option<Body>,
}

/// What was computed, or why not.
pub type Computed = Result<Whole, Cow<'static, str>>;

/// Where a whole value is computed.
#[derive(Debug, Default)]
pub enum Ahead {
    /// Ahead, if it is worth it.
    #[default]
    Perhaps,
    /// Where it is stored.
    Never,
    /// Ahead, now; nothing is stored.
    Now,
    /// It was computed; it holds up to before this moment.
    Done(Computed, UnixMillis),
}

impl Ahead {
    /// What was computed, to be stored by a call before `until`; where nothing was, it is computed where it is stored.
    pub fn turn(self, maker: &Maker<'_>, until: UnixMillis) -> Self {
        let Self::Done(mut computed, _) = self else {
            return Self::Never;
        };
        if let Ok(whole) = &mut computed {
            let content = Content::of(&whole.bytes);
            whole.made = is_large(content).then(|| maker.make(Stamp::ZERO, content));
        }
        Self::Done(computed, until)
    }
}

impl Whole {
    /// Of these bytes.
    pub fn of(bytes: Vec<u8>, len: usize) -> Self {
        Self {
            bytes,
            len,
            made: None,
        }
    }

    /// Puts it at a key, whatever was there, and tells `event`; an empty one deletes the key. The reply is how many elements
    /// there are.
    pub fn store(self, call: &mut DataCall<'_, '_>, key: Key<'_>, event: Event) {
        let len = self.len;
        if len > 0 {
            self.put_quietly(call, key, None);
            call.tell_of(key, event.0, event.1);
        } else if call.exists(key) {
            call.apply(key, Op::Del);
        }
        call.reply.integer(len as i64);
    }

    /// Puts it at a key.
    pub fn put_quietly(
        self,
        call: &mut DataCall<'_, '_>,
        key: Key<'_>,
        deadline: Option<UnixMillis>,
    ) {
        if let Some(mut body) = self.made {
            let is_recorded = call.stamp.is_some();
            let is_list = body.kind() == Kind::List;
            let is_named = !is_list
                || body.shown().has_ids() == is_recorded
                    && body.name_by(call.stamp.unwrap_or(Stamp::ZERO));
            if is_named {
                return call.put_made_quietly(key, self.bytes, body, deadline);
            }
        }
        call.apply_quietly(key, Op::Put(Content::of(&self.bytes), deadline));
    }
}

impl DataCall<'_, '_> {
    /// What `work` comes to, unless it was computed ahead; none where that is all there is to do now.
    pub fn compute(&mut self, work: impl FnOnce(&mut Self) -> Computed) -> Option<Computed> {
        match std::mem::take(self.ahead) {
            Ahead::Done(computed, until) if self.now < until => return Some(computed),
            Ahead::Now => {
                let computed = work(self);
                *self.ahead = Ahead::Done(computed, self.now);
                return None;
            }
            _ => {}
        }
        Some(work(self))
    }
}
