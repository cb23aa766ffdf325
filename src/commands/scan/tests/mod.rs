//! SCAN's arguments and its guarantee, KEYS, DBSIZE and RANDOMKEY.

mod errors;
mod guarantee;
