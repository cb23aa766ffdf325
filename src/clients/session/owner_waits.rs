//! WAIT of a client some of whose writes were made by owners of their keys: each is asked who has what it wrote.
//!
//! Invariant: the number is that of nodes which have all that the client wrote, as far as the node that made each write knows:
//! the smallest of what this node and the owners say, none of which counts itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::clients::context::Context;
use crate::clients::conversation::ReplyMode;
use crate::clients::owned_request::{COMMAND_AT, Request};
use crate::clients::owners::OwnerWrite;
use crate::clients::session::owners::{LEG, RETRY, request};
use crate::clients::session::{End, Session};
use crate::db::Hlc;
use crate::replication::owner_link::AskError;
use crate::resp::{Protocol, parse_i64};

/// How long an owner may be silent beyond the time it was given.
const GRACE: Duration = Duration::from_secs(1);

/// How many have acknowledged this node's own write, once that is enough or the time is up.
async fn acknowledged(
    context: &Context,
    enough: usize,
    write: Hlc,
    deadline: Option<Instant>,
) -> usize {
    let replication = &context.replication;
    let waiting = async {
        loop {
            let news = replication.acknowledgement();
            if replication.acknowledged(write) >= enough {
                return;
            }
            news.await;
        }
    };
    match deadline {
        // In vain is answered all the same.
        Some(deadline) => drop(timeout_at(deadline, waiting).await),
        None => waiting.await,
    }
    replication.acknowledged(write)
}

/// The same of what an owner wrote.
async fn acknowledged_there(
    context: &Context,
    enough: usize,
    known: &OwnerWrite,
    deadline: Option<Instant>,
) -> usize {
    let enough_text = enough.to_string();
    let words: [&[u8]; 3] = [b"wait", enough_text.as_bytes(), b"0"];
    let mut last = 0;
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let wait = left.map_or(LEG, |left| left.min(LEG));
        let (own, protocol) = (context.replication.origin(), Protocol::Resp2);
        let request = request(own, &known.owner, 0, &[known.write], wait, protocol, &words);
        let cancel = Notify::new();
        let asking = known
            .owner
            .ask(context, &request, protocol, wait + GRACE, &cancel);
        match timeout(wait + GRACE, asking).await {
            Ok(Ok(answer)) => {
                let number = answer.reply.strip_prefix(b":");
                let number = number.and_then(|number| number.strip_suffix(b"\r\n"));
                let number = number.and_then(parse_i64).unwrap_or(0);
                last = usize::try_from(number).unwrap_or(0);
                if last >= enough {
                    return last;
                }
            }
            Ok(Err(AskError::Itself)) => {
                known.owner.found_itself();
                let (origin, time) = known.write;
                if origin != own {
                    return 0;
                }
                return acknowledged(context, enough, time, deadline).await;
            }
            // It does not know what it is asked: nobody will.
            Ok(Err(AskError::NotOwner(_))) => return 0,
            Ok(Err(_)) | Err(_) => {}
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return last;
        }
        sleep(left.map_or(RETRY, |left| left.min(RETRY))).await;
    }
}

impl Session {
    /// WAIT where owners have written for this client.
    pub(super) async fn wait_with_owners(
        &mut self,
        enough: usize,
        write: Hlc,
        limit: Option<Duration>,
    ) -> Result<(), End> {
        let context = Arc::clone(&self.conversation.context);
        let is_answered = self.conversation.reply_mode == ReplyMode::On;
        let writes = self.conversation.owner_writes.clone();
        // What no clock can count to is for ever.
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut count = usize::MAX;
        let counting = async {
            if write != Hlc::ZERO {
                count = acknowledged(&context, enough, write, deadline).await;
            }
            for known in &writes {
                let there = acknowledged_there(&context, enough, known, deadline).await;
                count = count.min(there);
            }
        };
        let counts = self.blocked_in_wait(counting, limit.is_some(), is_answered);
        if let Some(bits) = counts.await?
            && is_answered
        {
            // Whoever was unblocked meanwhile hears what is known without asking.
            let count = if bits == 0 { count } else { 0 };
            self.reply.integer(i64::try_from(count).unwrap_or(0));
        }
        Ok(())
    }

    /// `MESH OWNED ... WAIT`: another node's client wants to know who has what was written here for it.
    pub(super) async fn wait_for_asker(&mut self, request: &Request) -> Result<(), End> {
        let own = self.conversation.context.replication.origin();
        let write = request.positions.iter().find(|(origin, _)| *origin == own);
        let args = self.batch.last_arguments(self.read.filled());
        let enough = args.and_then(|args| args.try_get(COMMAND_AT + 1).and_then(parse_i64));
        let enough = enough.and_then(|enough| usize::try_from(enough).ok());
        self.reply.array(3);
        match write {
            Some((_, time)) => {
                let (enough, limit) = (enough.unwrap_or(0), Some(request.wait));
                self.wait_for_replicas(enough, *time, limit, false).await?;
            }
            // In a life that is over: nobody here knows.
            None => self.reply.integer(0),
        }
        self.reply.bulk(b"");
        self.reply.bulk(b"");
        Ok(())
    }
}
