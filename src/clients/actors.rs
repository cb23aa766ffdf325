//! The actors of the tree by name, for DEBUG PANIC-ACTOR. Links and feeds come and go and are known to replication instead.
//!
//! Invariant: a name stays, whatever happens to the actor behind it.

use keymesh_supervisors::Slot;
use parking_lot::Mutex;
use ractor::Message;

type Panic = Box<dyn Fn() -> bool + Send + Sync>;

/// See the head of the file.
#[derive(Default)]
pub struct Actors(Mutex<Vec<(String, Panic)>>);

impl Actors {
    /// Takes in the actor in `slot`, who panics when told `panic`.
    pub fn add<M: Message>(&self, name: &str, slot: Slot<M>, panic: fn() -> M) {
        let tell = Box::new(move || slot.cast(panic()).is_ok());
        self.0.lock().push((name.to_owned(), tell));
    }

    /// Makes an actor panic; false where none of this name runs.
    pub fn panic(&self, name: &str) -> bool {
        self.0
            .lock()
            .iter()
            .any(|(known, tell)| known == name && tell())
    }
}

impl std::fmt::Debug for Actors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let actors = self.0.lock();
        f.debug_list()
            .entries(actors.iter().map(|(name, _)| name))
            .finish()
    }
}
