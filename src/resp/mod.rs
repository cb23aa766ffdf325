//! Bytes to commands and replies to bytes: RESP2 and RESP3, with limits. Knows no command.

pub mod number;
