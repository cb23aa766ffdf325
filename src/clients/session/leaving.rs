//! A session of whose command something is left that takes long: another thread does it, and this one serves others meanwhile.
//!
//! Invariant: the client's next command is carried out behind it. Who goes before it is done hears nothing of it, as where a
//! connection breaks: what has begun, or was changed already, is done all the same, and nothing else is.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;

use crate::clients::batch::count_error;
use crate::clients::conversation::{LeftCall, scratch_of};
use crate::clients::registry::signal;
use crate::clients::session::waiting::Meanwhile;
use crate::clients::session::{End, Session};
use crate::commands::Row;
use crate::db::UnixMillis;
use crate::keyspace::{Job, PANIC_REPLY, Ran};
use crate::resp::Reply;

impl Session {
    /// Has done what is left of the present command. The time then.
    pub(super) async fn leave(&mut self, is_answered: bool) -> Result<UnixMillis, End> {
        let context = Arc::clone(&self.conversation.context);
        let Some(call) = self.conversation.left.take() else {
            return Ok(context.now());
        };
        let LeftCall {
            row,
            left,
            said,
            traced,
            stopwatch,
        } = *call;
        let is_awaited = left.is_awaited();
        let scratch = std::mem::take(&mut self.conversation.scratch);
        let keyspace = Arc::clone(&context.keyspace);
        let mut job = Job::new(keyspace, left, scratch, said);
        let workers = Arc::clone(&context.workers);
        let working = async move {
            // So many at once as there are processors; but nobody else's record waits in a line for them.
            let place = match is_awaited {
                true => None,
                false => workers.acquire_owned().await.ok(),
            };
            let work = move || {
                let ran = job.run();
                drop(place);
                (job, ran)
            };
            spawn_blocking(work).await
        };
        let mut working = std::pin::pin!(working);
        let mut is_drained = false;
        let done = loop {
            match self.meanwhile(working.as_mut()).await? {
                Meanwhile::Done(done) => break done,
                Meanwhile::Signals(bits) => is_drained |= bits & signal::DRAIN != 0,
            }
        };
        let ran = match done {
            Ok((mut job, ran)) => {
                self.conversation.scratch = job.take_scratch();
                self.came_back(row, &mut job.reply, stopwatch.read(), is_answered);
                ran
            }
            Err(error) => {
                tracing::error!(command = row.name, %error, "a command panicked");
                self.conversation.scratch = scratch_of(&self.conversation.client);
                if is_answered {
                    self.reply.error(PANIC_REPLY);
                }
                Ran::default()
            }
        };
        self.conversation.ran(ran, traced);
        let now = context.now();
        self.conversation.begin_batch(now);
        self.serve_ready().await;
        match is_drained {
            true => Err(End::Done),
            false => Ok(now),
        }
    }

    /// The present command was away so long and is done: notes that, and answers it.
    pub(super) fn came_back(
        &mut self,
        row: &'static Row,
        reply: &mut Reply,
        took: Duration,
        is_answered: bool,
    ) {
        if let Some(args) = self.batch.last_arguments(self.read.filled()) {
            self.conversation.took(row, args, took);
        }
        self.batch.calls.add_timed(row, took);
        if let Some(text) = reply.as_bytes().strip_prefix(b"-") {
            count_error(&self.conversation, Some(row), text);
        }
        let protocol = reply.protocol();
        if is_answered {
            self.reply.append(reply);
        }
        self.reply.set_protocol(protocol);
    }
}
