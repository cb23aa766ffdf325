//! The wall clock, the only one: everything else is told the time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::db::UnixMillis;

/// Now.
#[inline]
pub fn now() -> UnixMillis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixMillis(since.as_millis() as i64)
}
