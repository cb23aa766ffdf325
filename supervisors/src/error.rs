//! What can go wrong with a supervisor, seen from outside.

use crate::spec::ChildId;
use std::sync::Arc;

/// Why a supervisor refused a request or could not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SupervisorError {
    /// The supervisor is not started, is draining, or has ended.
    #[error("supervisor is not running")]
    Down,
    /// A child of this name exists, running or not.
    #[error("child {0} is already present")]
    AlreadyPresent(ChildId),
    /// No child of this name exists.
    #[error("child {0} is not known")]
    Unknown(ChildId),
    /// The first start failed; the child is not kept.
    #[error("child {id} did not start: {reason}")]
    StartFailed {
        /// The child that did not start.
        id: ChildId,
        /// What its start said.
        reason: String,
    },
    /// Somebody removed the child while it was being added.
    #[error("child {0} was removed while it started")]
    RemovedDuringStart(ChildId),
    /// The supervisor holds as many children as it may.
    #[error("no more than {limit} children are allowed")]
    TooManyChildren {
        /// The limit of the supervisor.
        limit: usize,
    },
}

/// Why a supervisor ended that nobody had asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// A child was to be restarted more often than its intensity allows.
    #[error("supervisor {supervisor} gave up: child {child} failed too often, last with: {reason}")]
    Escalated {
        /// The supervisor that gave up.
        supervisor: Arc<str>,
        /// The child that kept failing.
        child: ChildId,
        /// How the child ended the last time.
        reason: String,
    },
    /// The supervisor was killed or panicked.
    #[error("supervisor was killed or panicked")]
    Crashed,
}
