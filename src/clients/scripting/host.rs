//! What a script calls, carried out for the client that runs it: with that client's rights, on the stage that its partitions make.

use crate::acl::Denied;
use crate::clients::batch::count_error;
use crate::clients::conversation::Conversation;
use crate::clients::denials::subject;
use crate::clients::errors;
use crate::clients::exec::may_wait;
use crate::clients::scripting::running::Running;
use crate::clients::statistics::BatchCalls;
use crate::commands::{Flags, Handler, Row, debug};
use crate::keyspace::{Caller, Scratch, Stage, Staged};
use crate::lua::{Host, Raised};
use crate::resp::{Args, Reply};

/// What is said of flags that would keep writes here.
const ALL_IS_SHIPPED: &str = "redis.set_repl() is refused: all that a script writes goes to the other masters and to replicas, which would differ otherwise";

/// One run.
pub(super) struct ScriptHost<'h, 's, 'p, 'k> {
    pub conversation: &'h mut Conversation,
    pub stage: &'h mut Stage<'s, 'p, 'k>,
    pub caller: &'h mut Caller,
    pub scratch: &'h mut Scratch,
    pub running: &'h Running,
    /// Nothing may be written.
    pub is_read_only: bool,
    /// What was called.
    pub calls: BatchCalls,
    /// It was stopped because a partition was not to be had.
    pub is_out_of_reach: bool,
}

/// What a user is told of a command that he may not call.
fn denied_text(denied: Denied, user: &[u8], row: &Row) -> Vec<u8> {
    match denied {
        Denied::Command => [
            b"NOPERM ACL failure in script: User ",
            user,
            b" has no permissions to run the '",
            row.name.as_bytes(),
            b"' command",
        ]
        .concat(),
        Denied::Key(_) => b"NOPERM ACL failure in script: No permissions to access a key".to_vec(),
        Denied::Channel(_) => {
            b"NOPERM ACL failure in script: No permissions to access a channel".to_vec()
        }
    }
}

/// The row that judges a call, if there is one.
fn row_of(words: Args<'_>) -> Option<&'static Row> {
    let row = crate::commands::lookup(words.name())?;
    match words.try_get(1).filter(|_| row.has_subcommands()) {
        Some(word) => row.subcommand(word),
        None => Some(row),
    }
}

impl ScriptHost<'_, '_, '_, '_> {
    /// Why a command is not carried out, if so.
    fn refusal(&self, row: &'static Row, words: Args<'_>) -> Option<Raised> {
        if !row.accepts(words.len()) {
            return Some(Raised::generic(
                "Wrong number of args calling Redis command from script",
            ));
        }
        if row.flags.has(Flags::NOSCRIPT) {
            return Some(Raised::generic(
                "This Redis command is not allowed from script",
            ));
        }
        let conversation = &*self.conversation;
        if conversation.is_cut_off() && !row.flags.has(Flags::STALE) {
            return Some(Raised::generic(
                "Can not execute the command on a stale replica",
            ));
        }
        if let Err(denied) = conversation.identity.check(row, words) {
            let name = conversation.identity.name();
            let text = denied_text(denied, name, row);
            conversation.note_script_denial(row, name, subject(denied, row, words));
            return Some(Raised::line(&text));
        }
        if let Some(text) = conversation.identity.limits_refusal(row, words) {
            return Some(Raised::line(text.as_bytes()));
        }
        if self.is_read_only && row.may_replicate() {
            return Some(Raised::generic(
                "Write commands are not allowed from read-only scripts.",
            ));
        }
        if row.flags.has(Flags::WRITE) && conversation.is_read_only() {
            return Some(Raised::line(errors::READONLY.as_bytes()));
        }
        if row.flags.has(Flags::WRITE) && conversation.is_kept_from_writing() {
            return Some(Raised::line(errors::MISCONF.as_bytes()));
        }
        if conversation.has_owners() && conversation.is_owned_elsewhere(row, words) {
            return Some(Raised::line(errors::OWNED_IN_SCRIPT.as_bytes()));
        }
        None
    }

    /// An error, which the statistics know of from here on.
    fn counted(&self, raised: Raised) -> Raised {
        match raised {
            Raised::Reply { text, .. } => {
                self.conversation.context.statistics.add_error(&text);
                let is_counted = true;
                Raised::Reply { text, is_counted }
            }
            other => other,
        }
    }

    fn carry_out(
        &mut self,
        row: &'static Row,
        words: Args<'_>,
        reply: &mut Reply,
    ) -> Result<(), Raised> {
        let data = match row.handler {
            Handler::Data(_) => Some(row),
            _ => debug::data_row(row, words),
        };
        if row.flags.has(Flags::WRITE) && !self.running.may_write() {
            return Err(Raised::Stop);
        }
        if let Some(data) = data {
            let tracking = self.conversation.tracking.as_ref();
            self.scratch.tracks =
                tracking.is_some_and(|own| own.remembers(self.conversation.caching));
            return match self
                .stage
                .carry_out(data, words, self.caller, self.scratch, reply)
            {
                Staged::Done => Ok(()),
                Staged::NoStamps => Err(Raised::generic(
                    "the script wrote too much: nothing more can be written in it",
                )),
                Staged::OutOfReach if self.running.has_written() => Err(Raised::generic(
                    "the script touched a key that it had not declared while others wait for those that it has",
                )),
                Staged::OutOfReach => {
                    self.is_out_of_reach = true;
                    Err(Raised::Stop)
                }
            };
        }
        if may_wait(row, words) {
            return Err(Raised::generic(
                "This command is not allowed from script: it looks at what the script holds",
            ));
        }
        self.stage.tell(self.scratch);
        let conversation = &mut *self.conversation;
        let db = std::mem::replace(&mut conversation.caller.db, self.caller.db);
        // Nothing that is allowed here waits.
        conversation.is_in_script = true;
        let _ = conversation.run_own(row, words, reply);
        conversation.is_in_script = false;
        self.caller.db = std::mem::replace(&mut conversation.caller.db, db);
        Ok(())
    }
}

impl Host for ScriptHost<'_, '_, '_, '_> {
    fn call(&mut self, words: Args<'_>, reply: &mut Reply) -> Result<(), Raised> {
        let Some(row) = row_of(words) else {
            let raised = Raised::generic("Unknown Redis command called from script");
            return Err(self.counted(raised));
        };
        if let Some(raised) = self.refusal(row, words) {
            self.conversation.context.statistics.add_rejected(row);
            return Err(self.counted(raised));
        }
        let mark = reply.mark();
        let db = self.caller.db;
        self.carry_out(row, words, reply)?;
        self.calls.add(row);
        self.conversation.show_script_call(row, words, db);
        if let Some(text) = reply.since(mark).strip_prefix(b"-") {
            count_error(self.conversation, Some(row), text);
        }
        Ok(())
    }

    fn may(&self, words: Args<'_>) -> Option<bool> {
        let row = row_of(words)?;
        Some(self.conversation.identity.check(row, words).is_ok())
    }

    fn count_error(&mut self, text: &[u8]) {
        self.conversation.context.statistics.add_error(text);
    }

    fn set_replication(&mut self, flags: u32) -> Result<(), Raised> {
        // REPL_ALL, or nobody to be told anything.
        if flags == 3 || !self.conversation.context.keyspace.is_recording() {
            return Ok(());
        }
        Err(Raised::generic(ALL_IS_SHIPPED))
    }
}
