//! A session whose client waits for something to take out of a key.
//!
//! Invariant: what is taken is taken by this task, while its client is there to be told. Whoever was called and goes without
//! having tried leaves what there is to the next one, for a place in a line is given back however this ends.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::clients::errors;
use crate::clients::registry::{Block, signal};
use crate::clients::session::serving::serve;
use crate::clients::session::waiting::Meanwhile;
use crate::clients::session::{End, Session};
use crate::commands::blocking::Timeout;

/// What a client that waits has waited for.
enum News {
    /// It is its turn.
    Called,
    /// The pause that held it back may be over.
    PauseOver,
    TimeUp,
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => pending().await,
    }
}

impl Session {
    /// `at` is where the command begins among the arguments: behind those of `MESH OWNED`, where it is another node's.
    pub(super) async fn wait_for_turn(
        &mut self,
        timeout: Timeout,
        is_answered: bool,
        at: usize,
    ) -> Result<(), End> {
        let args = self.batch.last_arguments(self.read.filled());
        let Some(args) = args.map(|args| args.skip(at)) else {
            return Ok(());
        };
        let is_owned = at > 0;
        let row = match is_owned {
            // As another node calls it.
            true => crate::commands::registry::lookup_built_in(args.name()),
            false => crate::commands::lookup(args.name()),
        };
        let Some(row) = row else {
            return Ok(());
        };
        let Some(place) = self.conversation.take_place(row, args) else {
            return Ok(());
        };
        let client = Arc::clone(&self.conversation.client);
        client.drop_signals(signal::UNBLOCK | signal::UNBLOCK_ERROR | signal::NO_MASTER);
        let limited = timeout.is_some();
        let shown = self.batch.present(self.read.filled());
        let clients = &self.conversation.context.clients;
        let blocked = clients.block(&client, Block::Wait { limited }, shown);
        // What no clock can count to is for ever.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut start = self.reply.mark();
        let (mut is_called, mut bits) = (false, 0);
        if self.conversation.refresh_options() && self.conversation.refusal(row).is_some() {
            // It has become a replica since the try: then there is nobody who calls.
            place.waiter.call_alone();
        }
        let ended = async {
            loop {
                let context = &self.conversation.context;
                let now = context.now();
                // Whoever was unblocked before it was called takes nothing. Before the pause is looked at, whose end is a signal, too.
                let unread = if is_called { client.take_signals() } else { 0 };
                let pause = context.pause.get(now).filter(|_| is_called);
                if unread != 0 {
                    start = self.reply.mark();
                    bits |= unread;
                    if self.has_ended(bits, is_answered)? {
                        break;
                    }
                }
                if is_called && pause.is_none() {
                    let keyspace = Arc::clone(&self.conversation.context.keyspace);
                    // A script that runs keeps this client waiting, not its thread.
                    keyspace.gate.opened().await;
                    self.check_presence().await?;
                    is_called = false;
                    if let Some(args) = self.batch.last_arguments(self.read.filled()) {
                        let (conversation, reply) = (&mut self.conversation, &mut self.reply);
                        if conversation.try_again(row, args.skip(at), &place, now, reply, is_owned)
                        {
                            break;
                        }
                    }
                    place.waiter.tried();
                }
                if pause.is_some() {
                    place.waiter.held_back();
                }
                let pause_end = pause.map(|(_, until)| {
                    let left = until.0.saturating_sub(now.0).max(1);
                    Instant::now() + Duration::from_millis(left.unsigned_abs())
                });
                let waiter = &place.waiter;
                let news = async {
                    tokio::select! {
                        biased;
                        () = poll_fn(|cx| waiter.poll_called(cx)), if !is_called => News::Called,
                        () = until(deadline) => News::TimeUp,
                        () = until(pause_end) => News::PauseOver,
                    }
                };
                let brought = self.meanwhile(news).await?;
                start = self.reply.mark();
                match brought {
                    Meanwhile::Done(News::Called) => is_called = true,
                    Meanwhile::Done(News::PauseOver) => {}
                    Meanwhile::Done(News::TimeUp) => {
                        self.reply.null_array();
                        break;
                    }
                    Meanwhile::Signals(some) => {
                        bits |= some;
                        if self.has_ended(bits, is_answered)? {
                            break;
                        }
                    }
                }
            }
            Ok(())
        }
        .await;
        // It leaves the lines of its keys, which a script may hold for long: this thread answers others.
        let keyspace = Arc::clone(&self.conversation.context.keyspace);
        keyspace.gate.opened().await;
        ended?;
        if !is_answered {
            self.reply.truncate(start);
        }
        // What this try has left for others is for the round that it was called in; whoever is served goes on behind that.
        let ready = self.conversation.take_ready();
        let round = place.waiter.round();
        let left = match &round {
            Some(round) => round.add(ready).err(),
            None => Some(ready),
        };
        drop(blocked);
        drop(place);
        match (left, round) {
            (None, Some(round)) => poll_fn(|cx| round.poll_over(cx)).await,
            (left, _) => {
                let left = left.filter(|left| !left.is_empty());
                if let Some(left) = left {
                    serve(keyspace, left).await;
                }
            }
        }
        Ok(())
    }

    /// Whether these signals end a wait, and what is said then.
    fn has_ended(&mut self, bits: u32, is_answered: bool) -> Result<bool, End> {
        if bits & signal::KILL != 0 {
            return Err(End::Killed);
        }
        if bits & signal::DRAIN != 0 {
            return Err(End::Done);
        }
        if bits & signal::NO_MASTER != 0 {
            return Err(self.no_master_any_more(is_answered));
        }
        if bits & signal::UNBLOCK_ERROR != 0 {
            self.reply.error(errors::UNBLOCKED);
            return Ok(true);
        }
        if bits & signal::UNBLOCK != 0 {
            self.reply.null_array();
            return Ok(true);
        }
        Ok(false)
    }

    /// Whether the client is still there to be told what is taken for it.
    pub(super) async fn check_presence(&mut self) -> Result<(), End> {
        if self.conversation.client.is_killed() {
            return Err(End::Killed);
        }
        poll_fn(|cx| {
            let is_gone = self.wire.poll_closed(cx).is_ready();
            std::task::Poll::Ready(if is_gone { Err(End::Gone) } else { Ok(()) })
        })
        .await
    }
}
