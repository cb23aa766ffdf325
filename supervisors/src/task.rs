//! A task that ends with its owner.

use tokio::task::JoinHandle;

/// A spawned task, aborted when dropped: whoever forgets it cannot leak it.
#[derive(Debug)]
pub(crate) struct OwnedTask<T>(JoinHandle<T>);

impl<T> OwnedTask<T> {
    pub(crate) const fn new(task: JoinHandle<T>) -> Self {
        Self(task)
    }

    /// Asks the task to end at its next await.
    pub(crate) fn abort(&self) {
        self.0.abort();
    }

    /// Waits for the task; `None` when it was aborted or panicked.
    pub(crate) async fn finished(mut self) -> Option<T> {
        (&mut self.0).await.ok()
    }
}

impl<T> Drop for OwnedTask<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
