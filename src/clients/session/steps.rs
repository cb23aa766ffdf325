//! Connections of one thread that have something to say at the same time go in step: first all of them are read, then the commands
//! of all are carried out, then all are answered.
//!
//! A call to the kernel leaves little of the server's code in the processor's caches: in step this code is fetched once for all
//! who are there and not once for each, and whoever waits for several of the answers is woken once. Who is alone goes on at once,
//! but for a try now and then.
//!
//! Invariant: a step is one way to the end of the queue of tasks that can run. It waits for nothing, whatever others do.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;

use crate::clients::buffer::SPARES;

/// Polls of tasks between two looks for what has come in the meantime: as many as the runtime has by itself, for each of the three
/// steps.
pub const EVENT_INTERVAL: u32 = 183;
/// How often whoever was alone goes on without a look for others.
const LONE_READS: u8 = 15;

/// What the connections of a thread know of each other.
#[derive(Debug, Clone, Copy)]
struct Company {
    /// Counts what they do: each read, and each step that ended.
    moves: u32,
    /// Reads since one of them went on: so many hold memory at most. After very many the count begins anew, for whoever went on may
    /// have done so on another thread.
    reads: u16,
    /// Reads that are still to go on without a step.
    lone: u8,
}

impl Company {
    const NONE: Self = Self {
        moves: 0,
        reads: 0,
        lone: 0,
    };
}

thread_local! {
    static COMPANY: Cell<Company> = const { Cell::new(Company::NONE) };
}

/// One connection's part in it.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// Others were read together with it.
    in_company: bool,
}

impl Steps {
    /// After a read: lets those read who can, too.
    pub async fn let_others_read(&mut self) {
        let Company { moves, reads, lone } = COMPANY.get();
        let moves = moves.wrapping_add(1);
        self.in_company = false;
        if lone > 0 || usize::from(reads) >= SPARES {
            return COMPANY.set(Company {
                moves,
                reads: reads.wrapping_add(1),
                lone: lone.saturating_sub(1),
            });
        }
        COMPANY.set(Company {
            moves,
            reads: reads + 1,
            lone,
        });
        step().await;
        let seen = COMPANY.get().moves;
        self.in_company = seen != moves;
        COMPANY.set(Company {
            moves: seen.wrapping_add(1),
            reads: 0,
            lone: if self.in_company { 0 } else { LONE_READS },
        });
    }

    /// Before an answer: lets the commands of those be carried out who were read.
    pub async fn let_others_work(&mut self) {
        if std::mem::take(&mut self.in_company) {
            step().await;
        }
    }
}

/// Goes to the end of the queue: a task that is woken while it runs is put there, without a look at the clock or at the sockets.
async fn step() {
    let mut has_stepped = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_stepped, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use tokio::runtime::Runtime;
    use tokio::task::LocalSet;

    use super::*;

    /// The runtime of a thread on which nobody was read yet.
    fn fresh_thread() -> Runtime {
        COMPANY.set(Company::NONE);
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.build().unwrap()
    }

    /// What connections do on one thread, in order: each is read, carried out and answered so many times.
    fn run(connections: usize, times: usize) -> Vec<(&'static str, usize)> {
        let runtime = fresh_thread();
        let log = Rc::new(RefCell::new(Vec::new()));
        let tasks = LocalSet::new();
        for own in 0..connections {
            let log = Rc::clone(&log);
            tasks.spawn_local(async move {
                let mut steps = Steps::default();
                for _ in 0..times {
                    log.borrow_mut().push(("read", own));
                    steps.let_others_read().await;
                    log.borrow_mut().push(("work", own));
                    steps.let_others_work().await;
                    log.borrow_mut().push(("answer", own));
                }
            });
        }
        runtime.block_on(tasks);
        log.take()
    }

    #[test]
    fn all_are_read_then_all_are_carried_out_then_all_are_answered() {
        let done = run(3, 1);
        let names: Vec<_> = done.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            ["read", "work", "answer"].map(|name| [name; 3]).concat()
        );
        for each in done.chunks(3) {
            assert_eq!(
                each.iter().map(|(_, own)| *own).collect::<Vec<_>>(),
                [0, 1, 2]
            );
        }
    }

    #[test]
    fn no_more_are_read_ahead_than_there_is_memory_for() {
        let done = run(3 * SPARES, 4);
        let mut ahead = 0_usize;
        for (name, _) in &done {
            match *name {
                "read" => ahead += 1,
                "work" => ahead -= 1,
                _ => {}
            }
            assert!(ahead <= SPARES + 1, "{ahead}");
        }
        assert_eq!(done.len(), 3 * SPARES * 4 * 3);
    }

    #[test]
    fn who_is_alone_looks_for_others_now_and_then_only() {
        let mut steps = 0;
        let runtime = fresh_thread();
        runtime.block_on(async {
            let mut own = Steps::default();
            for _ in 0..64 {
                let mut read = Box::pin(own.let_others_read());
                let first = poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx)));
                if first.await.is_ready() {
                    continue;
                }
                steps += 1;
                read.await;
                assert!(!own.in_company);
            }
        });
        assert_eq!(steps, 64 / (usize::from(LONE_READS) + 1));
    }
}
