//! Why a request cannot be split, in the words of Redis 7.0.
//!
//! Invariant: the text of an error is what redis-server sends behind `-ERR `, byte for byte. The
//! one error that Redis lacks is marked. The connection is closed after any of them.

/// Why a request cannot be split. The texts are Redis's; write them with
/// [`Reply::protocol_error`](super::Reply::protocol_error), which keeps a byte that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The number behind `*` is not one, or too large.
    #[error("Protocol error: invalid multibulk length")]
    InvalidMultibulkLength,
    /// More arguments than a client may send before it authenticates.
    #[error("Protocol error: unauthenticated multibulk length")]
    UnauthenticatedMultibulkLength,
    /// The line behind `*` does not end.
    #[error("Protocol error: too big mbulk count string")]
    TooBigMultibulkCount,
    /// An argument does not begin with `$`.
    #[error("Protocol error: expected '$', got '{}'", *.0 as char)]
    ExpectedBulk(u8),
    /// The number behind `$` is not one, negative, or too large.
    #[error("Protocol error: invalid bulk length")]
    InvalidBulkLength,
    /// A longer argument than a client may send before it authenticates.
    #[error("Protocol error: unauthenticated bulk length")]
    UnauthenticatedBulkLength,
    /// The line behind `$` does not end.
    #[error("Protocol error: too big bulk count string")]
    TooBigBulkCount,
    /// An inline request does not end.
    #[error("Protocol error: too big inline request")]
    TooBigInline,
    /// An inline request with a quote that nothing closes.
    #[error("Protocol error: unbalanced quotes in request")]
    UnbalancedQuotes,
    /// Offsets would not fit 32 bits any more. Redis has no such error.
    #[error("Protocol error: request exceeds 4 GB")]
    BufferTooLarge,
}
