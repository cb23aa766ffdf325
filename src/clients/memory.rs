//! What the memory is used for: the sum of what the parts of the server know of themselves, so that what is deleted is no longer
//! counted, whatever the allocator keeps of it. The process's own size is another thing, and INFO shows it beside this.

use std::sync::atomic::Ordering;

use crate::clients::context::Context;

/// See the head of the file. In bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryUse {
    /// Before there was any data.
    pub startup: u64,
    /// Keys and values.
    pub records: u64,
    /// The tables that find them.
    pub index: u64,
    /// Operations that are not settled, and tombstones' places.
    pub pending: u64,
    /// Records kept for peers and replicas.
    pub journal: u64,
    /// Connections.
    pub clients: u64,
    /// The most of all together that was met.
    pub peak: u64,
}

impl MemoryUse {
    /// Adds up, and raises the peak.
    pub fn of(context: &Context) -> Self {
        let clients = context.clients.list();
        let clients = clients.iter().map(|client| client.shown.lock().len_bytes());
        Self::with_clients(context, clients.sum())
    }

    /// The same for one who knows what the connections use.
    pub fn with_clients(context: &Context, clients: usize) -> Self {
        let (records, index) = context.keyspace.data_bytes();
        let mut sum = Self {
            startup: context.memory_startup,
            records: records as u64,
            index: index as u64,
            pending: context.keyspace.pending_bytes() as u64,
            journal: context.keyspace.journal.len_bytes() as u64,
            clients: clients as u64,
            peak: 0,
        };
        let total = sum.total();
        let before = context
            .statistics
            .memory_peak
            .fetch_max(total, Ordering::Relaxed);
        sum.peak = before.max(total);
        sum
    }

    /// All of it.
    pub fn total(&self) -> u64 {
        self.overhead() + self.records
    }

    /// All that is not data.
    pub fn overhead(&self) -> u64 {
        self.startup + self.index + self.pending + self.journal + self.clients
    }
}
