//! What becomes of a command, and what its session has to do then.
//!
//! Invariant: whatever needs the socket, or time, is said here and done by the session.

use std::time::Duration;

use crate::commands::blocking::Timeout;
use crate::db::Hlc;

/// What the session does after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The next command.
    Next,
    /// Sends what is to be sent, then closes.
    Close,
    /// Waits, then goes on.
    Sleep(Duration),
    /// Waits for replicas, then answers with their number.
    Wait {
        /// How many are enough.
        replicas: usize,
        /// The write they must have.
        write: Hlc,
        /// How long, none for ever.
        timeout: Option<Duration>,
        /// They are to have it in their files, which there are none of; the answer says so of each.
        in_files: bool,
    },
    /// Waits for something to take out of a key, then runs the command again.
    Block {
        /// How long, none for ever.
        timeout: Timeout,
        /// The client hears of it.
        is_answered: bool,
    },
    /// Has the owner of its keys carry the command out.
    Forward {
        /// The client hears of it.
        is_answered: bool,
    },
    /// Sends keys to another server.
    Migrate {
        /// The client hears of it.
        is_answered: bool,
    },
    /// Has another thread do what is left of the command.
    Leave {
        /// The client hears of it.
        is_answered: bool,
    },
    /// Asks other nodes how many hear a channel, and answers.
    CountHearers {
        /// The client hears of it.
        is_answered: bool,
    },
    /// Saves, then answers.
    Save {
        /// The client hears of it.
        is_answered: bool,
    },
    /// Carries out a command for another node.
    Owned,
    /// Leaves this thread before it is carried out.
    Script {
        /// The client hears of it.
        is_answered: bool,
    },
    /// Waits for the server's end, or for word that there will be none.
    Shutdown,
    /// Gives the socket to replication.
    HandOver,
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was carried out.
    Done(After),
    /// It waits for EXEC.
    Queued,
    /// It was not carried out, and the reply says why.
    Refused,
}
