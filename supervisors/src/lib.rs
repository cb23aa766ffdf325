//! Supervision trees on `ractor`: child specs, restart policies, intensity, backoff, ordered drain.
