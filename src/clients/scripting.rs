//! Scripts of clients: what is known of them, the machine that they run on, and who may stop the one that runs.
//!
//! Lock order: the machine, then partitions. Whoever holds a partition never waits for the machine.

mod cache;
mod eval;
mod function_command;
mod host;
mod leaving;
mod libraries;
mod prepare;
mod running;
mod script_command;
mod shebang;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};

use crate::clients::context::REDIS_VERSION;
use crate::keyspace::Keyspace;
use crate::lua::{MEMORY_MAX, Version, Vm, sha1_hex};
pub use cache::Cache;
use cache::Script;
pub use leaving::Left;
pub use libraries::Libraries;
pub use running::Running;
use shebang::ScriptFlags;

/// [`REDIS_VERSION`] as a number, a byte each.
const VERSION_NUMBER: u32 = 0x0007_0200;
/// Its memory is looked at behind so many runs.
const LOOK_EVERY: u32 = 16;
/// How long the machine is waited for where it can only be held briefly.
const PATIENCE: Duration = Duration::from_micros(200);
/// What is said where there is no machine.
const NO_MACHINE: &str = "ERR there is too little memory to run scripts";

/// See the head of the file.
#[derive(Debug)]
pub struct Scripts {
    machine: Mutex<Option<Machine>>,
    /// What was loaded.
    pub cache: Mutex<Cache>,
    /// Libraries of functions, as the machine has them.
    pub libraries: Libraries,
    /// The script that runs.
    pub running: Arc<Running>,
    /// Bytes of the machine when it was last used.
    memory: AtomicUsize,
    /// Something in the machine panicked: it is not used again.
    is_spoilt: AtomicBool,
}

/// The machine, and which one of those that there have been.
#[derive(Debug)]
pub struct Machine {
    /// It.
    pub vm: Vm,
    /// Its number.
    pub generation: u32,
    /// How many scripts have run on it.
    runs: u32,
}

/// The machine while somebody uses it.
pub type Held<'s> = MappedMutexGuard<'s, Machine>;

impl Scripts {
    /// Nothing is loaded and nothing runs.
    pub fn new(keyspace: &Arc<Keyspace>) -> Self {
        Self {
            machine: Mutex::default(),
            cache: Mutex::default(),
            libraries: Libraries::default(),
            running: Arc::new(Running::new(keyspace)),
            memory: AtomicUsize::new(0),
            is_spoilt: AtomicBool::new(false),
        }
    }

    /// The machine, whoever has to be waited for.
    pub fn machine(&self) -> Result<Held<'_>, &'static str> {
        self.made(self.machine.lock())
    }

    /// The machine, unless somebody uses it for long.
    fn machine_soon(&self) -> Option<Result<Held<'_>, &'static str>> {
        let machine = self.machine.try_lock_for(PATIENCE)?;
        Some(self.made(machine))
    }

    fn made<'s>(
        &'s self,
        mut machine: MutexGuard<'s, Option<Machine>>,
    ) -> Result<Held<'s>, &'static str> {
        if machine.is_none() {
            let running = Arc::clone(&self.running);
            let version = Version {
                text: REDIS_VERSION,
                number: VERSION_NUMBER,
            };
            let vm = Vm::new(version, Box::new(move || running.may_go_on()));
            let vm = vm.map_err(|error| {
                tracing::error!(%error, "no machine for scripts");
                NO_MACHINE
            })?;
            let generation = self.running.next_generation();
            *machine = Some(Machine {
                vm,
                generation,
                runs: 0,
            });
        }
        MutexGuard::try_map(machine, Option::as_mut).map_err(|_| NO_MACHINE)
    }

    /// Drops the machine where it has taken more than it should: whatever was compiled is compiled again when it is called.
    pub fn tidy(&self, mut held: Held<'_>) {
        held.runs = held.runs.wrapping_add(1);
        if !held.runs.is_multiple_of(LOOK_EVERY) && !self.is_spoilt.load(Ordering::Relaxed) {
            return;
        }
        let mut memory = held.vm.len_bytes();
        if memory > MEMORY_MAX / 2 {
            held.vm.collect_garbage();
            memory = held.vm.len_bytes();
        }
        drop(held);
        if self.is_spoilt.swap(false, Ordering::Relaxed) || memory > MEMORY_MAX / 2 {
            *self.machine.lock() = None;
            memory = 0;
        }
        self.memory.store(memory, Ordering::Relaxed);
    }

    /// Something in the machine panicked.
    fn spoil(&self) {
        self.is_spoilt.store(true, Ordering::Relaxed);
    }

    /// SCRIPT FLUSH: forgets all scripts.
    fn flush(&self) {
        self.flush_on(self.machine.lock().as_ref());
    }

    /// The same by whoever holds the machine, if there is one.
    fn flush_on(&self, machine: Option<&Machine>) {
        let gone = self.cache.lock().clear();
        if let Some(machine) = machine {
            let numbers = gone.iter();
            for number in numbers.filter_map(|script| script.number_in(machine.generation)) {
                machine.vm.forget(number);
            }
            machine.vm.collect_garbage();
            self.memory.store(machine.vm.len_bytes(), Ordering::Relaxed);
        }
    }

    /// The text of a script by its digest.
    pub fn code_of(&self, sha: &[u8]) -> Option<Bytes> {
        let sha = std::str::from_utf8(sha).ok()?.to_ascii_lowercase();
        let script = self.cache.lock().of_sha(&sha)?;
        Some(script.code.clone())
    }

    /// Whether a script says of itself that it writes nothing, or has a first line that is wrong.
    pub fn only_reads(&self, code: &[u8]) -> bool {
        ScriptFlags::of(code).map_or(true, |flags| flags.has(ScriptFlags::NO_WRITES))
    }

    /// Whether a function says so of itself, as far as it is known here.
    pub fn only_reads_function(&self, name: &[u8]) -> bool {
        let function = self.libraries.function(name);
        function.is_some_and(|function| function.flags.has(ScriptFlags::NO_WRITES))
    }

    /// Keeps a script that ran elsewhere, so that EVALSHA finds it as it would have had it run here.
    pub fn remember(&self, code: &[u8]) {
        let mut cache = self.cache.lock();
        if cache.of_code(code).is_some() {
            return;
        }
        let Ok(flags) = ScriptFlags::of(code) else {
            return;
        };
        let script = Script::new(sha1_hex(code), Bytes::copy_from_slice(code), flags);
        let gone = cache.add(&Arc::new(script));
        drop(cache);
        // Whoever uses the machine now leaves it a function that nobody calls, until the machine goes.
        if let Some(gone) = gone
            && let Some(Ok(machine)) = self.machine_soon()
            && let Some(number) = gone.number_in(machine.generation)
        {
            machine.vm.forget(number);
        }
    }

    /// Bytes of the machine; of scripts and what finds them; how many there are.
    pub fn memory(&self) -> (usize, usize, usize) {
        let cache = self.cache.lock();
        (
            self.memory.load(Ordering::Relaxed),
            cache.len_bytes(),
            cache.len(),
        )
    }
}
