//! The bytes of messages. RESP2 and RESP3 differ in the first byte alone, so that one encoding serves both.
//!
//! Invariant: every encoding begins with `*`, which is `>` for who speaks RESP3.

use bytes::Bytes;

use crate::resp::{Protocol, Reply};

/// A message of `kind` (`message`, `smessage`) to a channel.
pub fn message(kind: &[u8], channel: &[u8], payload: &[u8]) -> Bytes {
    parts(&[kind, channel, payload])
}

/// A message to who subscribed to a pattern.
pub fn pattern_message(pattern: &[u8], channel: &[u8], payload: &[u8]) -> Bytes {
    parts(&[b"pmessage", pattern, channel, payload])
}

fn parts(parts: &[&[u8]]) -> Bytes {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.reserve(parts.iter().map(|part| part.len() + 16).sum());
    reply.array(parts.len());
    for part in parts {
        reply.bulk(part);
    }
    reply.take().into()
}

/// Which keys are no longer what they were; none: all of them.
#[derive(Debug, Clone, Copy)]
pub enum Keys<'a> {
    /// These.
    Some(&'a [&'a [u8]]),
    /// A database was flushed.
    All,
}

fn put_keys(keys: Keys<'_>, protocol: Protocol, reply: &mut Reply) {
    match keys {
        Keys::Some(keys) => {
            reply.array(keys.len());
            for key in keys {
                reply.bulk(key);
            }
        }
        // The null of the connection that tracks, as in Redis, whoever gets it.
        Keys::All if protocol == Protocol::Resp3 => reply.raw(b"_\r\n"),
        Keys::All => reply.raw(b"$-1\r\n"),
    }
}

/// `invalidate` for who speaks RESP3; `tracker` is what the connection speaks that tracks.
pub fn invalidate(keys: Keys<'_>, tracker: Protocol) -> Bytes {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.array(2);
    reply.bulk(b"invalidate");
    put_keys(keys, tracker, &mut reply);
    reply.take().into()
}

/// The channel that a RESP2 connection hears of invalidations in.
pub const INVALIDATE_CHANNEL: &[u8] = b"__redis__:invalidate";

/// The same for who subscribed to [`INVALIDATE_CHANNEL`] in RESP2.
pub fn invalidate_by_message(keys: Keys<'_>, tracker: Protocol) -> Bytes {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.array(3);
    reply.bulk(b"message");
    reply.bulk(INVALIDATE_CHANNEL);
    put_keys(keys, tracker, &mut reply);
    reply.take().into()
}

/// Tells who tracks that nobody hears its messages any more.
pub fn redirection_broken(target: u64) -> Bytes {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.array(2);
    reply.bulk(b"tracking-redir-broken");
    reply.integer(target as i64);
    reply.take().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_redis_bytes() {
        assert_eq!(
            message(b"message", b"ch", b"hello"),
            "*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$5\r\nhello\r\n"
        );
        assert_eq!(
            pattern_message(b"c*", b"ch", b""),
            "*4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n$2\r\nch\r\n$0\r\n\r\n"
        );
        assert_eq!(
            invalidate(Keys::Some(&[b"k"]), Protocol::Resp3),
            "*2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
        );
        assert_eq!(
            invalidate(Keys::All, Protocol::Resp3),
            "*2\r\n$10\r\ninvalidate\r\n_\r\n"
        );
        assert_eq!(
            invalidate_by_message(Keys::Some(&[b"k"]), Protocol::Resp2),
            "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n"
        );
        assert_eq!(
            redirection_broken(7),
            "*2\r\n$21\r\ntracking-redir-broken\r\n:7\r\n"
        );
    }
}
