//! What no master can precede any more.
//!
//! An entry that another master adds from now on bears a stamp above the settled time W, and where it generates the id itself, an id
//! whose milliseconds are not below those of its stamp. So of the entries that are settled all come first whose milliseconds are below
//! W's, up to the first that is not settled.
//!
//! Invariant: what is below the bound grows only at its end, but for entries whose ids somebody chose himself.

use crate::commands::call::DataCall;
use crate::db::stream::StreamId;
use crate::db::{Hlc, Key, Op};

/// The last id that STABLE may show of a key; none where nothing is, and all where keys bear no stamps.
pub(super) fn last_stable(call: &mut DataCall<'_, '_>, key: Key<'_>) -> Option<StreamId> {
    if !call.is_stamped() {
        return Some(StreamId::MAX);
    }
    let (db, settled) = (call.db, call.setting.settled);
    let stamp = call.look(key, |view| view.and_then(|view| view.stamp));
    let partition = call.access.partition(key.hash);
    let mut bound = settled_bound(settled);
    match partition.unsettled(db, key.bytes) {
        Some(history) => {
            // What came as a whole may have left out what came before.
            if history.floor().time() > settled {
                return None;
            }
            for (stamp, bytes) in history.ops() {
                if stamp.time() > settled
                    && let Ok(Op::XAdd(id, _)) = Op::decode(bytes)
                {
                    bound = bound.min(id);
                }
            }
        }
        None if stamp.is_some_and(|stamp| stamp.time() > settled) => return None,
        None => {}
    }
    bound.prev()
}

/// The first id that another master may still give.
fn settled_bound(settled: Hlc) -> StreamId {
    let ms = settled.millis().0;
    StreamId {
        ms: u64::try_from(ms).unwrap_or(0),
        seq: 0,
    }
}
