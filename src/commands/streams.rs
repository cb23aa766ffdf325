//! Streams: entries under ids that ascend. [`add`](self) and trim, [`read`](self), [`remove`](self), reads that may
//! [`wait`](self), [`info`](self); consumer groups: what is [`deliver`](self)ed, [`pending`](self) and [`claim`](self)ed.
//!
//! What is recorded says what was done: the id that `*` came to, the ids of what was trimmed away. Where keys bear stamps, ids that
//! are generated bear the name of their node in the lower half of their number, so that two masters never give the same one.
//!
//! Invariant: every handler checks everything before its first change.

mod add;
mod claim;
mod deliver;
mod group_rows;
mod groups;
mod info;
mod info_rows;
mod parse;
mod pending;
mod read;
mod remove;
mod reply;
mod rows;
mod stable;
mod wait;

pub use group_rows::ROWS as GROUP_ROWS;
pub use info_rows::ROWS as INFO_ROWS;
pub use parse::key_range;
pub use read::range_len;
pub use rows::ROWS;
pub use wait::block_timeout as timeout;

use crate::resp::Reply;

/// What XINFO and XGROUP say of a group that is not there.
fn no_such_group(reply: &mut Reply, key: &[u8], group: &[u8]) {
    let text = [
        &b"NOGROUP No such consumer group '"[..],
        group,
        b"' for key name '",
        key,
        b"'",
    ];
    reply.error_bytes(&text.concat());
}

/// What all others say of a key or a group that is not there.
fn no_key_or_group(reply: &mut Reply, key: &[u8], group: &[u8]) {
    let text = [
        &b"NOGROUP No such key '"[..],
        key,
        b"' or consumer group '",
        group,
        b"'",
    ];
    reply.error_bytes(&text.concat());
}

/// What Redis says of a subcommand whose options are not its own.
fn syntax(reply: &mut Reply, sub: &[u8], command: &str) {
    let text = [
        &b"ERR unknown subcommand or wrong number of arguments for '"[..],
        sub.get(..128).unwrap_or(sub),
        b"'. Try ",
        command.as_bytes(),
        b" HELP.",
    ];
    reply.error_bytes(&text.concat());
}

#[cfg(test)]
mod tests;
