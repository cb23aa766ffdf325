//! A session whose command left something for who waits: they are served before its next command.
//!
//! Those who wait take by themselves (`blocking.rs`); here they are called, one behind the other, in the order that
//! [`Round`] keeps. Invariant: what a round has not served when it ends before its time - a panic, the server's end - is called
//! for without one.

use std::future::poll_fn;
use std::sync::Arc;

use crate::clients::session::Session;
use crate::db::{Ready, Round};
use crate::keyspace::Keyspace;

/// A round that ends however its session does.
struct Usher {
    keyspace: Arc<Keyspace>,
    round: Arc<Round>,
    /// The key at which somebody is being served.
    present: Option<Ready>,
}

impl Drop for Usher {
    fn drop(&mut self) {
        let mut left = self.round.end();
        left.extend(self.present.take());
        self.keyspace.call_ready(&left);
    }
}

impl Session {
    /// Serves who waits at the keys that the last command made ready.
    pub(super) async fn serve_ready(&mut self) {
        let ready = self.conversation.take_ready();
        if !ready.is_empty() {
            let keyspace = Arc::clone(&self.conversation.context.keyspace);
            serve(keyspace, ready).await;
        }
    }
}

/// Serves who waits at these keys, and at those that are made ready by that.
pub(super) async fn serve(keyspace: Arc<Keyspace>, ready: Vec<Ready>) {
    let mut usher = Usher {
        round: Round::new(ready),
        present: None,
        keyspace,
    };
    loop {
        usher.keyspace.gate.opened().await;
        usher.present = usher.round.take();
        let Some(ready) = &usher.present else {
            return;
        };
        // Who has tried and waits on is held back, or somebody was faster, or there is nothing for it.
        let mut called = Vec::new();
        while let Some(waiter) = usher.keyspace.next_in_line(ready, &called) {
            let call = waiter.call_in(&usher.round);
            poll_fn(|cx| waiter.poll_tried(call, cx)).await;
            called.push(waiter);
        }
    }
}
