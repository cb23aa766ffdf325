//! Whom a script works for, and where the functions that stay in the machine find him.
//!
//! Invariant: while a script runs its host is known to its thread, and to nobody else; while he carries out a call, to nobody at all.

use scoped_tls_hkt::{ReborrowMut, scoped_thread_local};

use crate::lua::errors::Raised;
use crate::resp::{Args, ArgsBuffer, Reply};

/// What a script works for: carries out its commands.
pub trait Host {
    /// Carries out a command; its reply is in the protocol that `reply` has.
    fn call(&mut self, words: Args<'_>, reply: &mut Reply) -> Result<(), Raised>;
    /// Whether the caller may call a command; none where there is no such command.
    fn may(&self, words: Args<'_>) -> Option<bool>;
    /// The statistics are to know of an error within what a script returned.
    fn count_error(&mut self, text: &[u8]);
    /// `redis.set_repl` with flags that are right.
    fn set_replication(&mut self, flags: u32) -> Result<(), Raised>;
}

/// What calls use again and again.
#[derive(Debug, Default)]
pub(in crate::lua) struct Buffers {
    pub words: ArgsBuffer,
    pub reply: Reply,
}

struct Lent<'h>(&'h mut (dyn Host + 'h));

impl<'b> ReborrowMut<'b> for Lent<'_> {
    type Result = Lent<'b>;

    fn reborrow_mut(&'b mut self) -> Lent<'b> {
        Lent(self.0)
    }
}

scoped_thread_local!(static mut HOST: for<'h> Lent<'h>);

/// Runs what works for this one.
pub(super) fn work_for<R>(host: &mut dyn Host, run: impl FnOnce() -> R) -> R {
    HOST.set(Lent(host), run)
}

/// Asks the host of the run that is under way; an error where there is none, or where he is busy.
pub(super) fn ask<R>(
    question: impl FnOnce(&mut dyn Host) -> Result<R, Raised>,
) -> Result<R, Raised> {
    if !HOST.is_set() {
        return Err(Raised::out_of_turn());
    }
    HOST.with(|host| question(host.0))
}
