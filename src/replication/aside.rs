//! Work of links that takes long: another thread does it, so that the link's own serves clients meanwhile.
//!
//! Invariant: a link goes on only behind it, so nothing is done out of order; where the link's task ends before, what the work was
//! given ends with the work.

use tokio::task::spawn_blocking;

/// A frame of so many bytes may hold a value that takes long to make or to take in. Half a megabyte does so for about a
/// millisecond.
pub const LONG_FRAME: usize = 512 * 1024;

/// Does it, and gives back what it was done with. A panic is the caller's.
pub async fn aside<T, R>(mut with: T, work: impl FnOnce(&mut T) -> R + Send + 'static) -> (T, R)
where
    T: Send + 'static,
    R: Send + 'static,
{
    let done = spawn_blocking(move || {
        let result = work(&mut with);
        (with, result)
    });
    match done.await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Nobody else cancels it: the runtime is ending, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}
