//! SHUTDOWN SOFT, as in KeyDB: no client comes in any more, PING says that the end is near, and the server ends once its clients have
//! left by themselves. What they ask meanwhile is carried out as ever.
//!
//! Invariant: who reads from this node may come in until the end, unlike in KeyDB: a link that breaks meanwhile comes again, so that
//! what the last clients write is not lost with the node.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::clients::registry::{Client, Clients};

/// How often clients are counted.
const LOOK: Duration = Duration::from_millis(50);
/// A node introduces itself at once; whoever says nothing for so long is a client.
const FIRST_WORDS: Duration = Duration::from_millis(500);
/// What a node says when it comes to read, perhaps behind AUTH.
const LINK: &[u8] = b"KEYMESH.LINK";

/// What PING says.
pub(super) const PENDING: &str = "SHUTDOWN PENDING";
/// What a client reads that comes too late.
pub(super) const REFUSED: &[u8] = b"-SHUTDOWN PENDING\r\n";

/// Whether a soft shutdown is on.
#[derive(Debug, Default)]
pub struct SoftShutdown {
    is_pending: AtomicBool,
    news: Notify,
}

impl SoftShutdown {
    /// Whether it is.
    #[inline]
    pub fn is_pending(&self) -> bool {
        self.is_pending.load(Ordering::Relaxed)
    }

    /// Begins one; whether none was on.
    pub fn begin(&self) -> bool {
        let is_first = !self.is_pending.swap(true, Ordering::SeqCst);
        if is_first {
            tracing::warn!(
                "Soft shutdown: no client comes in any more, and the server ends when the last one has left."
            );
            self.news.notify_one();
        }
        is_first
    }

    /// Calls it off; whether one was on.
    pub fn call_off(&self) -> bool {
        self.is_pending.swap(false, Ordering::SeqCst)
    }

    /// Waits until one is on and nobody is left to be waited for. For one waiter.
    pub async fn all_left(&self, clients: &Clients) {
        loop {
            if !self.is_pending() {
                self.news.notified().await;
            } else if clients.list().iter().all(|client| !is_waited_for(client)) {
                return;
            } else {
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}

/// Whether a connection keeps the server from ending: not those that watch or wait for something to come, as in KeyDB, and not other
/// nodes'. WAIT is no such wait: whoever is in there has written something.
fn is_waited_for(client: &Arc<Client>) -> bool {
    let shown = client.shown.lock();
    let is_node = shown.is_forced_master || shown.command == "mesh|owned";
    let is_waiting = shown.blocked && shown.command != "wait";
    !(is_node || shown.is_monitor || is_waiting)
}

/// Whether a connection is another node's that comes to read. Where it is not, what it has said is thrown away, so that it gets to
/// read why it is not served.
pub(super) async fn is_link(stream: &TcpStream) -> bool {
    let mut head = [0; 2048];
    let said = tokio::time::timeout(FIRST_WORDS, stream.peek(&mut head)).await;
    let Ok(Ok(count)) = said else {
        return false;
    };
    let head = head.get(..count).unwrap_or_default();
    if head.windows(LINK.len()).any(|words| words == LINK) {
        return true;
    }
    let mut sink = [0; 2048];
    while let Ok(1..) = stream.try_read(&mut sink) {}
    false
}
