//! A session whose command runs a script that may take long, on another thread, and sessions that wait until somebody's script is over.

use std::sync::Arc;
use std::time::Instant;

use crate::clients::conversation::After;
use crate::clients::scripting::Left;
use crate::clients::session::waiting::Meanwhile;
use crate::clients::session::{End, Session};
use crate::commands::Row;
use crate::keyspace::Passage;
use crate::resp::ArgsBuffer;

impl Session {
    /// Waits until no script runs, or clients are to be told of one that does.
    pub(super) async fn wait_at_gate(&mut self) -> Result<(), End> {
        let context = Arc::clone(&self.conversation.context);
        self.unless_drained(context.keyspace.gate.opened_or_busy())
            .await?;
        self.conversation.begin_batch(context.now());
        Ok(())
    }

    /// Has the last command carried out on a thread that may be kept, and waits for it.
    pub(super) async fn leave_with_command(&mut self, is_answered: bool) -> Result<(), End> {
        let args = self.batch.last_arguments(self.read.filled());
        let left = args.and_then(|args| {
            let row = crate::commands::lookup(args.name())?;
            Some((row, ArgsBuffer::from_args(args.iter())?))
        });
        match left {
            Some((row, args)) => self.leave_with(row, args, is_answered).await,
            None => Ok(()),
        }
    }

    /// The same with a command that need not be the last one.
    pub(super) async fn leave_with(
        &mut self,
        row: &'static Row,
        args: ArgsBuffer,
        is_answered: bool,
    ) -> Result<(), End> {
        let context = Arc::clone(&self.conversation.context);
        // Not while another script runs: this one would only wait on its thread.
        while !context.keyspace.gate.is_open() {
            let gate = &context.keyspace.gate;
            self.unless_drained(gate.opened_or_busy()).await?;
            if gate.passage() == Passage::Busy {
                if is_answered {
                    self.reply.error(context.scripts.running.busy_text());
                }
                return Ok(());
            }
        }
        let started = Instant::now();
        let stand_in = self.conversation.stand_in();
        let conversation = std::mem::replace(&mut self.conversation, stand_in);
        let left = Left::new(conversation, row, args, self.reply.protocol());
        let mut job = tokio::task::spawn_blocking(move || left.carry_out());
        let left = loop {
            match self.meanwhile(&mut job).await? {
                Meanwhile::Done(Ok(left)) => break left,
                Meanwhile::Done(Err(_)) => {
                    tracing::error!("a script's thread failed");
                    self.reply.error(
                        "ERR internal error: the script failed and was logged; the connection ends",
                    );
                    return Err(End::Done);
                }
                Meanwhile::Signals(_) => {}
            }
        };
        let Left {
            conversation,
            mut reply,
            after,
            ..
        } = left;
        self.conversation = conversation;
        self.came_back(row, &mut reply, started.elapsed(), is_answered);
        if self.conversation.has_ready() {
            self.serve_ready().await;
        }
        match after {
            After::Close => Err(End::Done),
            _ => Ok(()),
        }
    }
}
