//! A session whose command another node carries out, and one that carries out a command of another node.
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
use crate::clients::owned::COMMAND_AT;
use crate::clients::owned::is_wait;
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
/// Between attempts of who waits.
pub(super) const RETRY: Duration = Duration::from_millis(100);

/// Waits until all of this has arrived, or for long enough.
async fn arrival(context: &Context, positions: &Positions) {
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
    db: u32,
    last_write: Hlc,
    protocol: Protocol,
    cancel: Arc<Notify>,
}

impl Asked {
    /// One attempt. What was written there, and what was there to be seen, has arrived here before it is answered, or has taken
    /// too long: a client that is given a job finds what was written before it, by whichever master, and one that is refused a lock
    /// sees who has it.
    async fn ask(&self, wait: Duration) -> Result<Answer, AskError> {
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
        let request = request(own, owner, self.db, &positions, wait, self.protocol, &words);
        let (context, limit) = (&self.context, wait + GRACE);
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
        let Some((row, owner, args)) = self.forwarded() else {
            return Ok(());
        };
        // By the name that every node knows.
        let mut words = args.to_vec();
        if let Some(name) = words.first_mut() {
            *name = row.name.as_bytes().to_vec();
        }
        let timeout = claims::timeout(row, args, context.now().0);
        let asked = Asked {
            owner,
            words,
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
            let wait = match timeout {
                None => Duration::ZERO,
                Some(_) => left.map_or(LEG, |left| left.clamp(Duration::from_millis(1), LEG)),
            };
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
                Err(AskError::NotOwner(text)) => {
                    context.owners.failed.fetch_add(1, Ordering::Relaxed);
                    break format!("-{text}\r\n").into_bytes();
                }
                Err(error) => {
                    self.conversation.refresh_options();
                    let mode = self.conversation.options.queue_owner_unreachable;
                    if mode == OwnerUnreachable::Local {
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
    fn forwarded(&mut self) -> Option<(&'static Row, Arc<Owner>, Args<'_>)> {
        let owner = self.conversation.owner.take()?;
        let args = self.batch.last_arguments(self.read.filled())?;
        Some((crate::commands::lookup(args.name())?, owner, args))
    }

    /// One attempt. Who is to be unblocked meanwhile gets what the owner has already taken; a server that ends waits for an answer
    /// that cannot be long.
    async fn await_owner(
        &mut self,
        asked: &Asked,
        wait: Duration,
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
        let Some(args) = self.batch.last_arguments(self.read.filled()) else {
            return Ok(());
        };
        let now = self.conversation.context.now();
        self.conversation.begin_batch(now);
        let mark = self.reply.mark();
        match self.conversation.run_here(row, args, &mut self.reply) {
            After::Block { timeout, .. } => self.wait_for_turn(timeout, is_answered, 0).await,
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

    /// `MESH OWNED`: waits for what the asking node has, carries its command out, and says what was written.
    pub(super) async fn carry_out_owned(&mut self) -> Result<(), End> {
        let context = Arc::clone(&self.conversation.context);
        context.keyspace.gate.opened().await;
        let Some(args) = self.batch.last_arguments(self.read.filled()) else {
            return Ok(());
        };
        let request = match self.conversation.check_owned(args) {
            Ok(request) => request,
            Err(text) => {
                self.reply.error(&text);
                return Ok(());
            }
        };
        if is_wait(request.row) {
            return self.wait_for_asker(&request).await;
        }
        let arriving = async {
            if !context.replication.has_arrived(&request.positions) {
                arrival(&context, &request.positions).await;
            }
        };
        let mut arriving = std::pin::pin!(arriving);
        loop {
            match self.meanwhile(arriving.as_mut()).await? {
                Meanwhile::Done(()) => break,
                Meanwhile::Signals(bits) if bits & signal::DRAIN != 0 => return Err(End::Done),
                Meanwhile::Signals(_) => {}
            }
        }
        // What is claimed is written: it is held back by either kind of pause.
        let mut now = context.now();
        while let Some((_, until)) = context.pause.get(now) {
            now = self.pause(now, until).await?;
        }
        self.check_presence().await?;
        if !context.replication.has_arrived(&request.positions) {
            // What it lacks may be just the lock that is asked for, or the news that an element is gone: nobody gets it then.
            self.reply.error(errors::BEHIND);
            return Ok(());
        }
        let db = std::mem::replace(&mut self.conversation.caller.db, request.db);
        let protocol = self.reply.protocol();
        self.conversation.begin_batch(context.now());
        self.conversation.last_write = Hlc::ZERO;
        self.reply.array(3);
        self.reply.set_protocol(request.protocol);
        if let Some(args) = self.batch.last_arguments(self.read.filled()) {
            let (conversation, reply) = (&mut self.conversation, &mut self.reply);
            let after = conversation.run_here(request.row, args.skip(COMMAND_AT), reply);
            if let After::Block { timeout, .. } = after {
                let wait = timeout.map_or(request.wait, |timeout| timeout.min(request.wait));
                self.wait_for_turn(Some(wait), true, COMMAND_AT).await?;
            }
        }
        let mut seen = context.replication.positions();
        let write = match self.conversation.last_write {
            Hlc::ZERO => Vec::new(),
            time => vec![(context.replication.origin(), time)],
        };
        // The position of this life may not be that far yet.
        seen.extend(&write);
        self.serve_ready().await;
        self.reply.set_protocol(protocol);
        self.conversation.caller.db = db;
        self.reply.bulk(positions_text(&write).as_bytes());
        self.reply.bulk(positions_text(&seen).as_bytes());
        context.owners.served.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
