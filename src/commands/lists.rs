//! The lists family. What a command takes out or changes is told by the names of elements where they bear any, and by positions
//! where there is one master only: see [`removal`].
//!
//! - `push`: LPUSH, RPUSH and their kin; `pop`: LPOP, RPOP, LMPOP; `relocate`: LMOVE, RPOPLPUSH.
//! - `blocking`: the same of those that wait.
//! - `read`: LLEN, LINDEX, LRANGE, LPOS; `change`: LSET, LINSERT, LREM, LTRIM.

mod blocking;
mod blocking_rows;
mod change;
mod change_rows;
mod pop;
mod push;
mod read;
mod relocate;
mod removal;
mod rows;

pub use blocking_rows::ROWS as BLOCKING_ROWS;
pub use change_rows::ROWS as CHANGE_ROWS;
pub use rows::ROWS;

use crate::db::op::End;

/// LEFT or RIGHT.
fn parse_end(word: &[u8]) -> Option<End> {
    if word.eq_ignore_ascii_case(b"left") {
        Some(End::Head)
    } else if word.eq_ignore_ascii_case(b"right") {
        Some(End::Tail)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
