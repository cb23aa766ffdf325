//! The executor's promises.
