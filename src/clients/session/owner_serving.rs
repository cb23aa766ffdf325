//! A session that carries out a command, a script or a transaction of another node's client, as the owner of its keys.
//!
//! Invariant: nothing is carried out before all that the asking node has is here, nor while this node holds its own clients back; and what
//! looks at rights looks at those of the client that asked.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::clients::conversation::{After, Fate};
use crate::clients::errors;
use crate::clients::identity::Identity;
use crate::clients::owned::Stay;
use crate::clients::owned_request::{
    COMMAND_AT, Call, GUEST_COMMAND_AT, Request, Watched, is_count, is_wait,
};
use crate::clients::session::owners::arrival;
use crate::clients::session::{End, Session};
use crate::clients::transaction::Transaction;
use crate::commands::Row;
use crate::db::Hlc;
use crate::keyspace::Passage;
use crate::replication::owner_link::{Positions, positions_text};
use crate::resp::ArgsBuffer;

impl Session {
    /// `MESH OWNED`: waits for what the asking node has, carries its command out, and says what was written.
    pub(super) async fn carry_out_owned(&mut self) -> Result<(), End> {
        let context = Arc::clone(&self.conversation.context);
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
        if is_count(request.row) {
            self.reply.array(3);
            let command = args.skip(COMMAND_AT);
            self.conversation
                .pubsub_command(request.row, command, &mut self.reply);
            self.reply.bulk(b"");
            self.reply.bulk(b"");
            return Ok(());
        }
        self.wait_for_arrival(&request.positions).await?;
        if !self.may_begin().await? {
            return Ok(());
        }
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
        self.carry_out_call(request).await?;
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

    async fn wait_for_arrival(&mut self, positions: &Positions) -> Result<(), End> {
        let context = Arc::clone(&self.conversation.context);
        let arriving = async {
            if !context.replication.has_arrived(positions) {
                arrival(&context, positions).await;
            }
        };
        self.unless_drained(arriving).await
    }

    /// Waits for the end of a pause, and of a script; false where that one takes long, which is said.
    async fn may_begin(&mut self) -> Result<bool, End> {
        let context = Arc::clone(&self.conversation.context);
        let mut now = context.now();
        loop {
            if !context.keyspace.gate.is_open() {
                self.wait_at_gate().await?;
                if context.keyspace.gate.passage() == Passage::Busy {
                    self.reply.error(context.scripts.running.busy_text());
                    return Ok(false);
                }
                now = context.now();
                continue;
            }
            // What is claimed is written: it is held back by either kind of pause.
            match context.pause.get(now) {
                Some((_, until)) => now = self.pause(now, until).await?,
                None => break,
            }
        }
        self.check_presence().await?;
        Ok(true)
    }

    /// Writes one reply, that of the call.
    async fn carry_out_call(&mut self, request: Request) -> Result<(), End> {
        let Some(args) = self.batch.last_arguments(self.read.filled()) else {
            return Ok(());
        };
        match request.call {
            Call::Command => {
                let (conversation, reply) = (&mut self.conversation, &mut self.reply);
                let after = conversation.run_here(request.row, args.skip(COMMAND_AT), reply);
                if let After::Block { timeout, .. } = after {
                    let wait = timeout.map_or(request.wait, |timeout| timeout.min(request.wait));
                    self.wait_for_turn(Some(wait), true, COMMAND_AT).await?;
                }
                Ok(())
            }
            Call::Script(guest) => match ArgsBuffer::from_args(args.skip(GUEST_COMMAND_AT)) {
                Some(args) => self.carry_out_for(*guest, request.row, args).await,
                None => {
                    self.reply.error(errors::SYNTAX);
                    Ok(())
                }
            },
            Call::Transaction(guest, watched, transaction) => {
                self.carry_out_exec(*guest, request.row, &watched, transaction)
                    .await
            }
        }
    }

    /// EXEC, unless what the client watches shows something else here than it does there.
    async fn carry_out_exec(
        &mut self,
        guest: Identity,
        row: &'static Row,
        watched: &[Watched],
        transaction: Transaction,
    ) -> Result<(), End> {
        let conversation = &mut self.conversation;
        let mut caller = conversation.caller;
        for one in watched {
            caller.db = one.db;
            // From here on EXEC sees what changes.
            conversation.watch.add(&one.key, &caller);
        }
        let keyspace = Arc::clone(&conversation.context.keyspace);
        let is_as_seen =
            |one: &Watched| keyspace.digest_of(one.db, &one.key, caller.now) == one.digest;
        if !watched.iter().all(is_as_seen) {
            conversation.watch.clear();
            self.reply.null_array();
            return Ok(());
        }
        let Some(args) = ArgsBuffer::from_args([row.name.as_bytes()]) else {
            return Ok(());
        };
        conversation.transaction = Some(transaction);
        let done = self.carry_out_for(guest, row, args).await;
        self.conversation.discard();
        done
    }

    /// Carries out a script or EXEC with the rights of a guest.
    async fn carry_out_for(
        &mut self,
        guest: Identity,
        row: &'static Row,
        args: ArgsBuffer,
    ) -> Result<(), End> {
        let conversation = &mut self.conversation;
        let own = std::mem::replace(&mut conversation.identity, guest);
        conversation.stay = Stay::Guest;
        let words = args.as_args();
        let done = match conversation.run(row, words, None, &mut self.reply) {
            Fate::Done(After::Script { .. }) => self.leave_with(row, args, true).await,
            _ => Ok(()),
        };
        let conversation = &mut self.conversation;
        conversation.stay = Stay::No;
        conversation.identity = own;
        done
    }
}
