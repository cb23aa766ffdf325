//! A session whose command, script or transaction another node carries out.
//!
//! Invariant: who waits here can be ended, and with it the connection to the owner, so that nobody takes anything for a client that
//! is gone. A command is sent anew only where nothing was carried out, or where it waits: what was taken and lost on the way
//! back is gone, as where a client's connection breaks.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::clients::batch::count_error;
use crate::clients::context::Context;
use crate::clients::conversation::After;
use crate::clients::errors;
use crate::clients::owned::{Errand, Stay};
use crate::clients::owned_request::words_of;
use crate::clients::owners::{Owner, OwnerWrite};
use crate::clients::registry::{Block, signal};
use crate::clients::session::waiting::Meanwhile;
use crate::clients::session::{End, Session};
use crate::commands::{Row, claims};
use crate::config::OwnerUnreachable;
use crate::db::{Hlc, Origin};
use crate::replication::owner_link::{Answer, AskError, Positions, positions_text};
use crate::resp::{Args, Protocol, Reply, encode_command};

/// How long an owner waits for what the asking node has, and the asking node for what the owner has written.
const ARRIVAL_PATIENCE: Duration = Duration::from_secs(1);
/// How often arrival is looked at where no news tell of it.
const ARRIVAL_POLL: Duration = Duration::from_millis(20);
/// How long an owner lets a client of another node wait before it is asked again: a node that has vanished without a word keeps
/// its place no longer than that.
pub(super) const LEG: Duration = Duration::from_secs(5);
/// How long an owner may be silent beyond that.
pub(super) const GRACE: Duration = Duration::from_secs(4);
/// How long an owner may be silent about a command that does not wait: longer than scripts do before it says that it is busy.
const SINGLE: Duration = Duration::from_secs(10);
/// Between attempts of who waits.
pub(super) const RETRY: Duration = Duration::from_millis(100);

/// How the reply of a script begins that there is none of then.
const NOT_COMPILED: &[u8] = b"-ERR Error compiling script";

/// Waits until all of this has arrived, or for long enough.
pub(super) async fn arrival(context: &Context, positions: &Positions) {
    let arriving = async {
        loop {
            let news = context.keyspace.journal.news_armed();
            if context.replication.has_arrived(positions) {
                return;
            }
            // Either is reason enough to look again.
            let _ = tokio::time::timeout(ARRIVAL_POLL, news).await;
        }
    };
    // In vain is answered all the same.
    let _ = tokio::time::timeout(ARRIVAL_PATIENCE, arriving).await;
}

/// What is to be asked of an owner, except for what changes from one attempt to the next.
struct Asked {
    context: Arc<Context>,
    owner: Arc<Owner>,
    words: Vec<Vec<u8>>,
    /// Nobody knows how long it takes.
    is_lasting: bool,
    db: u32,
    last_write: Hlc,
    protocol: Protocol,
    cancel: Arc<Notify>,
}

impl Asked {
    /// One attempt. What was written there, and what was there to be seen, has arrived here before it is answered, or has taken
    /// too long: a client that is given a job finds what was written before it, by whichever master, and one that is refused a lock
    /// sees who has it.
    async fn ask(&self, wait: Option<Duration>) -> Result<Answer, AskError> {
        let replication = &self.context.replication;
        let own = replication.origin();
        let mut positions = replication.positions();
        for (origin, time) in &mut positions {
            if *origin == own {
                *time = self.last_write.max(*time);
            }
        }
        let words: Vec<&[u8]> = self.words.iter().map(Vec::as_slice).collect();
        let owner = &*self.owner;
        let (db, waits) = (self.db, wait.unwrap_or(Duration::ZERO));
        let request = request(own, owner, db, &positions, waits, self.protocol, &words);
        let context = &self.context;
        let limit = match wait {
            Some(wait) => wait + GRACE,
            None if self.is_lasting => Duration::MAX,
            None => SINGLE,
        };
        let asking = self
            .owner
            .ask(context, &request, self.protocol, limit, &self.cancel);
        let answer = asking.await?;
        if !replication.has_arrived(&answer.seen) {
            arrival(&self.context, &answer.seen).await;
        }
        Ok(answer)
    }
}

/// `MESH OWNED` with the words of a command.
pub(super) fn request(
    own: Origin,
    owner: &Owner,
    db: u32,
    positions: &[(Origin, Hlc)],
    wait: Duration,
    protocol: Protocol,
    command: &[&[u8]],
) -> Vec<u8> {
    let node = own.node.to_string();
    let (port, db) = (owner.endpoint.port.to_string(), db.to_string());
    let (positions, wait_ms) = (positions_text(positions), wait.as_millis().to_string());
    let protocol = match protocol {
        Protocol::Resp2 => "2",
        Protocol::Resp3 => "3",
    };
    let head = [
        "MESH",
        "OWNED",
        &node,
        &owner.endpoint.host,
        &port,
        &db,
        &positions,
        &wait_ms,
        protocol,
    ];
    let words = head.iter().map(|word| word.as_bytes());
    let words: Vec<&[u8]> = words.chain(command.iter().copied()).collect();
    let mut request = Vec::new();
    encode_command(&words, &mut request);
    request
}

/// Whether a reply says that nothing has come.
fn is_null(reply: &[u8]) -> bool {
    matches!(reply, b"*-1\r\n" | b"$-1\r\n" | b"_\r\n")
}

impl Session {
    /// Has the present command carried out by the owner of its keys.
    pub(super) async fn forward(&mut self, is_answered: bool) -> Result<(), End> {
        let context = Arc::clone(&self.conversation.context);
        let Some((row, errand, args)) = self.forwarded() else {
            return Ok(());
        };
        let Errand { owner, words } = errand;
        let is_lasting = words.is_some();
        let words = words.unwrap_or_else(|| words_of(row, args));
        let timeout = claims::timeout(row, args, context.now().0);
        let asked = Asked {
            owner,
            words,
            is_lasting,
            db: self.conversation.caller.db,
            last_write: self.conversation.last_write,
            protocol: self.reply.protocol(),
            cancel: Arc::default(),
            context: Arc::clone(&context),
        };
        let client = Arc::clone(&self.conversation.client);
        client.drop_signals(signal::UNBLOCK | signal::UNBLOCK_ERROR | signal::NO_MASTER);
        let blocked = timeout.map(|timeout| {
            let limited = timeout.is_some();
            let shown = self.batch.present(self.read.filled());
            context
                .clients
                .block(&client, Block::Wait { limited }, shown)
        });
        // What no clock can count to is for ever.
        let deadline = timeout
            .flatten()
            .and_then(|timeout| Instant::now().checked_add(timeout));
        let mut bits = 0;
        let reply = loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let wait =
                timeout.map(|_| left.map_or(LEG, |left| left.clamp(Duration::from_millis(1), LEG)));
            let answer = self
                .await_owner(&asked, wait, blocked.is_some(), &mut bits)
                .await?;
            let is_over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            match answer {
                Ok(answer) => {
                    let is_leg = blocked.is_some() && bits == 0 && !is_over;
                    if is_leg && is_null(&answer.reply) {
                        // A consumer that came to be is a write, too.
                        let writes = &mut self.conversation.owner_writes;
                        OwnerWrite::note(writes, &asked.owner, &answer.write);
                        continue;
                    }
                    context.owners.forwarded.fetch_add(1, Ordering::Relaxed);
                    let writes = &mut self.conversation.owner_writes;
                    OwnerWrite::note(writes, &asked.owner, &answer.write);
                    break answer.reply;
                }
                Err(_) if bits & !signal::DRAIN != 0 => {
                    break self.unblocked(bits);
                }
                Err(AskError::Itself) => {
                    asked.owner.found_itself();
                    drop(blocked);
                    return self.carry_out_here(row, is_answered).await;
                }
                Err(AskError::Busy(text)) if blocked.is_none() => {
                    break format!("-{text}\r\n").into_bytes();
                }
                Err(AskError::NotOwner(text)) => {
                    context.owners.failed.fetch_add(1, Ordering::Relaxed);
                    break format!("-{text}\r\n").into_bytes();
                }
                Err(error) => {
                    self.conversation.refresh_options();
                    let mode = self.conversation.options.queue_owner_unreachable;
                    let is_there = matches!(error, AskError::Busy(_));
                    if mode == OwnerUnreachable::Local && !is_there {
                        context.owners.local.fetch_add(1, Ordering::Relaxed);
                        drop(blocked);
                        return self.carry_out_here(row, is_answered).await;
                    }
                    if blocked.is_none() || is_over {
                        context.owners.failed.fetch_add(1, Ordering::Relaxed);
                    }
                    if blocked.is_none() {
                        break self.owner_down(&asked.owner, &error);
                    }
                    if is_over {
                        let mut null = Reply::new(self.reply.protocol());
                        null.null_array();
                        break null.take();
                    }
                    let pause = left.map_or(RETRY, |left| left.min(RETRY));
                    if let Meanwhile::Signals(some) = self.meanwhile(sleep(pause)).await? {
                        bits |= some & !signal::RESUME;
                    }
                    if bits & signal::DRAIN != 0 {
                        return Err(End::Done);
                    }
                    if bits != 0 {
                        break self.unblocked(bits);
                    }
                }
            }
        };
        drop(blocked);
        self.answered_there(row, &reply);
        if let Some(text) = reply.strip_prefix(b"-") {
            count_error(&self.conversation, Some(row), text);
        }
        if is_answered {
            self.reply.raw(&reply);
        }
        if bits & signal::DRAIN != 0 {
            return Err(End::Done);
        }
        Ok(())
    }

    /// The present command, and who is to carry it out.
    fn forwarded(&mut self) -> Option<(&'static Row, Errand, Args<'_>)> {
        let errand = self.conversation.errand.take()?;
        let args = self.batch.last_arguments(self.read.filled())?;
        Some((crate::commands::lookup(args.name())?, errand, args))
    }

    /// What is as if the present command had been carried out here.
    fn answered_there(&mut self, row: &Row, reply: &[u8]) {
        match row.name {
            "exec" => self.conversation.discard(),
            "eval" if !reply.starts_with(NOT_COMPILED) => {
                if let Some(args) = self.batch.last_arguments(self.read.filled()) {
                    self.conversation.context.scripts.remember(args.get(1));
                }
            }
            _ => {}
        }
    }

    /// One attempt. Who is to be unblocked meanwhile gets what the owner has already taken; a server that ends waits for an answer
    /// that cannot be long.
    async fn await_owner(
        &mut self,
        asked: &Asked,
        wait: Option<Duration>,
        can_wait: bool,
        bits: &mut u32,
    ) -> Result<Result<Answer, AskError>, End> {
        let mut asking = std::pin::pin!(asked.ask(wait));
        loop {
            match self.meanwhile(asking.as_mut()).await? {
                Meanwhile::Done(answer) => return Ok(answer),
                Meanwhile::Signals(some) => {
                    let meant = some & !signal::RESUME;
                    *bits |= if can_wait {
                        meant
                    } else {
                        meant & signal::DRAIN
                    };
                    if can_wait && *bits != 0 {
                        asked.cancel.notify_one();
                    }
                }
            }
        }
    }

    fn unblocked(&self, bits: u32) -> Vec<u8> {
        let mut reply = Reply::new(self.reply.protocol());
        if bits & signal::NO_MASTER != 0 {
            reply.error(errors::NO_MASTER_ANY_MORE);
        } else if bits & signal::UNBLOCK_ERROR != 0 {
            reply.error(errors::UNBLOCKED);
        } else {
            reply.null_array();
        }
        reply.take()
    }

    fn owner_down(&self, owner: &Owner, error: &AskError) -> Vec<u8> {
        let mut reply = Reply::new(self.reply.protocol());
        let endpoint = &owner.endpoint;
        match error {
            AskError::Broken => reply.error(&format!(
                "OWNERDOWN the connection to the owner of this key, {endpoint}, broke: it may have carried the command out"
            )),
            error => reply.error(&format!(
                "OWNERDOWN the owner of this key is not reachable, {endpoint}: {error}"
            )),
        }
        reply.take()
    }

    /// Carries the present command out as if its keys had no owner.
    async fn carry_out_here(&mut self, row: &'static Row, is_answered: bool) -> Result<(), End> {
        self.conversation.stay = Stay::Alone;
        let done = self.carry_out_alone(row, is_answered).await;
        self.conversation.stay = Stay::No;
        done
    }

    async fn carry_out_alone(&mut self, row: &'static Row, is_answered: bool) -> Result<(), End> {
        let Some(args) = self.batch.last_arguments(self.read.filled()) else {
            return Ok(());
        };
        let now = self.conversation.context.now();
        self.conversation.begin_batch(now);
        let mark = self.reply.mark();
        match self.conversation.run_here(row, args, &mut self.reply) {
            After::Block { timeout, .. } => self.wait_for_turn(timeout, is_answered, 0).await,
            After::Script { .. } => self.leave_with_command(is_answered).await,
            _ => {
                if let Some(text) = self.reply.since(mark).strip_prefix(b"-") {
                    count_error(&self.conversation, Some(row), text);
                }
                if !is_answered {
                    self.reply.truncate(mark);
                }
                self.serve_ready().await;
                Ok(())
            }
        }
    }
}
