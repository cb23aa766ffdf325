//! The door to the allocator's own functions.
//!
//! Invariant: nothing here reads or writes memory that the program uses.

use tokio::task::spawn_blocking;

/// Gives freed memory back to the system, as far as its time has come; `at_once`, all that is free. To be called within the
/// runtime.
///
/// The allocator does so itself only while it is asked for memory: a server that has deleted much and then has little to do
/// would keep it for ever.
pub fn give_back(at_once: bool) {
    // The allocator also looks at all memory of the thread that calls: one that has next to none. Nobody waits for it.
    drop(spawn_blocking(move || collect(at_once)));
}

fn collect(at_once: bool) {
    // SAFETY: takes no pointer, is called like any allocation, and touches free memory only.
    #[expect(unsafe_code, reason = "the allocator has no safe door")]
    unsafe {
        libmimalloc_sys::mi_collect(at_once);
    }
}
