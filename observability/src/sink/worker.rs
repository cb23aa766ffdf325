//! The export thread's work: batches out of the queue to the exporter, and word of outages.
//!
//! Each wait ends at the sink's deadline once it was told to stop.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::sync::{mpsc, watch};

use super::{Done, Outbox};
use crate::config::QueueLimits;

/// The export thread's state.
pub(super) struct Worker<Exporter> {
    pub(super) outbox: Arc<Outbox>,
    pub(super) spans: mpsc::Receiver<SpanData>,
    pub(super) flushes: mpsc::Receiver<Done>,
    pub(super) stopped: watch::Receiver<Option<Instant>>,
    pub(super) limits: QueueLimits,
    pub(super) exporter: Exporter,
    pub(super) said_target: String,
    pub(super) out_of_reach: bool,
}

impl<Exporter: SpanExporter> Worker<Exporter> {
    /// Works until the sink stops, then sends what is left in the time given.
    pub(super) async fn run(mut self) {
        loop {
            // no waiting on the queue itself: a sender would pay for waking this thread
            let flushed = tokio::select! {
                biased;
                _ = self.stopped.wait_for(Option::is_some) => break,
                Some(done) = self.flushes.recv() => Some(done),
                () = self.outbox.batch_is_full.notified() => None,
                () = tokio::time::sleep(self.limits.batch_delay) => None,
            };
            self.drain().await;
            if let Some(done) = flushed {
                // the caller may have given up
                let _ = done.try_send(());
            }
        }
        self.spans.close();
        self.drain().await;
        while let Ok(done) = self.flushes.try_recv() {
            let _ = done.try_send(());
        }
    }

    /// Sends what is queued at the moment, in batches.
    async fn drain(&mut self) {
        let mut left = self.spans.len();
        while left > 0 {
            let size = left.min(self.limits.batch_spans);
            let mut batch = Vec::with_capacity(size);
            while batch.len() < size
                && let Ok(span) = self.spans.try_recv()
            {
                batch.push(span);
            }
            if batch.is_empty() {
                return;
            }
            left -= size;
            self.send(batch).await;
        }
    }

    async fn send(&mut self, batch: Vec<SpanData>) {
        let count = batch.len() as u64;
        let deadline = deadline(self.stopped.clone());
        let outcome = tokio::select! {
            biased;
            sent = tokio::time::timeout(self.limits.export_timeout, self.exporter.export(batch)) => match sent {
                Ok(sent) => sent.map_err(|error| error.to_string()),
                Err(_) => Err("no answer in time".to_owned()),
            },
            () = deadline => Err("the server is shutting down".to_owned()),
        };
        match outcome {
            Ok(()) => {
                self.outbox.exported.fetch_add(count, Relaxed);
                if self.out_of_reach {
                    self.out_of_reach = false;
                    tracing::info!(
                        endpoint = self.said_target,
                        dropped_spans = self.outbox.dropped_in_export.load(Relaxed)
                            + self.outbox.dropped_in_queue.load(Relaxed),
                        "the trace collector takes spans again"
                    );
                }
            }
            Err(reason) => {
                self.outbox.dropped_in_export.fetch_add(count, Relaxed);
                if !self.out_of_reach {
                    self.out_of_reach = true;
                    self.outbox.outages.fetch_add(1, Relaxed);
                    tracing::warn!(
                        endpoint = self.said_target,
                        reason,
                        "the trace collector takes no spans; they are dropped until it does"
                    );
                }
            }
        }
    }
}

/// Ends when the sink was told to stop and its time is over.
async fn deadline(mut stopped: watch::Receiver<Option<Instant>>) {
    let told = stopped.wait_for(Option::is_some).await.map(|at| *at);
    if let Ok(Some(at)) = told {
        tokio::time::sleep_until(at.into()).await;
    }
}
