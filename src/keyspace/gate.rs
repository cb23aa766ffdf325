//! Who is kept waiting while a script runs on a thread of its own: whoever would wait for its partitions on the thread that answers
//! clients waits here instead, without one.
//!
//! Invariant: where the gate is open, whoever holds a partition holds it briefly.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::watch;

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Nobody waits.
    Open,
    /// A script runs.
    Shut,
    /// A script runs for so long that clients are told.
    Busy,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Gate {
    /// What `news` holds, to be looked at before each batch.
    shown: AtomicU8,
    news: watch::Sender<(usize, bool)>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            shown: AtomicU8::new(0),
            news: watch::Sender::new((0, false)),
        }
    }
}

/// The gate is shut for as long as this lives.
#[derive(Debug)]
pub struct Shut<'g>(&'g Gate);

impl Drop for Shut<'_> {
    fn drop(&mut self) {
        self.0.change(|(count, is_busy)| {
            *count = count.saturating_sub(1);
            *is_busy = false;
        });
    }
}

impl Gate {
    /// How things stand.
    #[inline]
    pub fn passage(&self) -> Passage {
        match self.shown.load(Ordering::Acquire) {
            0 => Passage::Open,
            1 => Passage::Shut,
            _ => Passage::Busy,
        }
    }

    /// Whether nobody waits.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.shown.load(Ordering::Acquire) == 0
    }

    /// Shuts it.
    pub fn shut(&self) -> Shut<'_> {
        self.change(|(count, _)| *count += 1);
        Shut(self)
    }

    /// The script that runs is to be told of.
    pub fn set_busy(&self) {
        self.change(|(count, is_busy)| *is_busy = *count > 0);
    }

    fn change(&self, change: impl FnOnce(&mut (usize, bool))) {
        self.news.send_modify(|state| {
            change(state);
            let shown = match state {
                (0, _) => 0,
                (_, false) => 1,
                (_, true) => 2,
            };
            self.shown.store(shown, Ordering::Release);
        });
    }

    /// Waits until it is open.
    pub async fn opened(&self) {
        self.until(|(count, _)| *count == 0).await;
    }

    /// Waits until it is open, or those who wait are to be told why not.
    pub async fn opened_or_busy(&self) {
        self.until(|(count, is_busy)| *count == 0 || *is_busy).await;
    }

    async fn until(&self, is_so: impl FnMut(&(usize, bool)) -> bool) {
        if !self.is_open() {
            let mut news = self.news.subscribe();
            // The sender is this gate.
            let _ = news.wait_for(is_so).await;
        }
    }
}
