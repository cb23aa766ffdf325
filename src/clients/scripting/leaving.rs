//! A command that leaves its session's thread, and all that the session knows with it: a script that may be slow, or a transaction with
//! one. Others wait at the gate meanwhile, without a thread.

use std::sync::Arc;

use crate::clients::conversation::{After, Conversation, Fate};
use crate::commands::Row;
use crate::resp::{ArgsBuffer, Protocol, Reply};

/// A command on its way.
#[derive(Debug)]
pub struct Left {
    /// What the session knows.
    pub conversation: Conversation,
    /// The command.
    pub row: &'static Row,
    /// Its words.
    pub args: ArgsBuffer,
    /// What it answers.
    pub reply: Reply,
    /// What the session does then.
    pub after: After,
}

impl Left {
    /// Takes a command along.
    pub fn new(
        conversation: Conversation,
        row: &'static Row,
        args: ArgsBuffer,
        protocol: Protocol,
    ) -> Self {
        Self {
            conversation,
            row,
            args,
            reply: Reply::new(protocol),
            after: After::Next,
        }
    }

    /// Carries it out, on a thread that may wait.
    #[must_use]
    pub fn carry_out(mut self) -> Self {
        let keyspace = Arc::clone(&self.conversation.context.keyspace);
        let _shut = keyspace.gate.shut();
        let conversation = &mut self.conversation;
        conversation.has_left = true;
        // It may have waited for others.
        conversation.begin_batch(conversation.context.now());
        let fate = conversation.run(self.row, self.args.as_args(), None, &mut self.reply);
        if let Fate::Done(after) = fate {
            self.after = after;
        }
        conversation.has_left = false;
        self
    }
}
