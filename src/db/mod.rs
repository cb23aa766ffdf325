//! The data: values, expiry, stamps, merge rules. Pure and synchronous: no actor, no socket, no clock of its own.
