//! The machine goes from thread to thread, to one at a time.
//!
//! Its parts count references to each other without atomic operations. With them a word of `redis.call` took a dozen, a script of one
//! call some sixty, a tenth of its time.
//!
//! Invariant: whoever has the machine has all that counts references to its parts: nothing that this room gives out - numbers, texts,
//! replies - refers to one of them.

use super::Vm;

// SAFETY: all counts of references to the machine's parts, which are what may not be shared among threads, lie within it: in `Vm`'s
// own fields, in functions that the machine owns, and in values that live no longer than a call of one of `Vm`'s functions, on the
// stack of who calls it. So all of them are with the thread that has the machine. It is not `Sync`: no two threads have it at once,
// and a lock or a channel stands between one that had it and the next. Neither Lua nor mlua keeps anything by thread.
#[expect(
    unsafe_code,
    reason = "mlua counts with atomic operations, or is not `Send`"
)]
unsafe impl Send for Vm {}
