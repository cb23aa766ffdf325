//! The sorted sets family: replies and what is recorded.
