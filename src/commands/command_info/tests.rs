//! COMMAND against replies recorded from Redis.
