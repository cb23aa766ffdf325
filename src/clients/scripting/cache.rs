//! Scripts by their digests. Those that only EVAL brought go again, the one used longest ago first, once there are many.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use bytes::Bytes;

use crate::clients::scripting::shebang::{ScriptFlags, body};
use crate::lua::Plain;

/// Scripts that only EVAL brought.
const EVALUATED_MAX: usize = 500;
/// What a script takes beside its text, about.
const OVERHEAD: usize = 200;

/// What former runs of a script or a function have shown.
#[derive(Debug)]
pub struct Habits {
    /// It was done soon, the last time.
    pub is_quick: AtomicBool,
    /// It has touched what it had not declared.
    pub strays: AtomicBool,
    /// The most stamps that it took.
    pub stamps: AtomicU32,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            is_quick: AtomicBool::new(false),
            // Until a run has shown that it does not.
            strays: AtomicBool::new(true),
            stamps: AtomicU32::new(0),
        }
    }
}

/// One script, and what former runs have shown.
#[derive(Debug)]
pub struct Script {
    /// Its digest.
    pub sha: String,
    /// Its text.
    pub code: Bytes,
    /// What its first line says.
    pub flags: ScriptFlags,
    /// It, where it is plain.
    pub plain: Option<Plain>,
    /// Where it was compiled last: the machine's number, and its own in there.
    compiled: AtomicU64,
    /// What former runs have shown.
    pub habits: Habits,
    /// SCRIPT LOAD brought it.
    pub is_loaded: AtomicBool,
    used: AtomicU64,
}

impl Script {
    /// One that has not run yet.
    pub fn new(sha: String, code: Bytes, flags: ScriptFlags) -> Self {
        let plain = Plain::of(body(&code));
        Self {
            sha,
            code,
            flags,
            plain,
            compiled: AtomicU64::new(0),
            habits: Habits::default(),
            is_loaded: AtomicBool::new(false),
            used: AtomicU64::new(0),
        }
    }

    /// Its number in a machine, if it was compiled there.
    pub fn number_in(&self, generation: u32) -> Option<u32> {
        let compiled = self.compiled.load(Ordering::Relaxed);
        (compiled >> 32 == u64::from(generation)).then_some(compiled as u32)
    }

    /// It was compiled in a machine.
    pub fn set_number(&self, generation: u32, number: u32) {
        let compiled = u64::from(generation) << 32 | u64::from(number);
        self.compiled.store(compiled, Ordering::Relaxed);
    }

    fn len_bytes(&self) -> usize {
        let len = self.code.len();
        // About what its parts take.
        let plain = self.plain.as_ref().map_or(0, |_| 8 * len);
        len + plain + OVERHEAD
    }
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Cache {
    by_sha: HashMap<String, Arc<Script>, foldhash::fast::RandomState>,
    by_code: HashMap<Bytes, Arc<Script>, foldhash::fast::RandomState>,
    bytes: usize,
    clock: u64,
    evaluated: usize,
}

impl Cache {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_sha.len()
    }

    /// Bytes of all of them.
    pub fn len_bytes(&self) -> usize {
        self.bytes
    }

    /// The script of a digest in lower case.
    pub fn of_sha(&mut self, sha: &str) -> Option<Arc<Script>> {
        let script = self.by_sha.get(sha)?;
        Self::touch(&mut self.clock, script);
        Some(Arc::clone(script))
    }

    /// The script of a text.
    pub fn of_code(&mut self, code: &[u8]) -> Option<Arc<Script>> {
        let script = self.by_code.get(code)?;
        Self::touch(&mut self.clock, script);
        Some(Arc::clone(script))
    }

    /// Whether there is one of this digest, in any case.
    pub fn has(&self, sha: &str) -> bool {
        self.by_sha.contains_key(&sha.to_ascii_lowercase())
    }

    fn touch(clock: &mut u64, script: &Script) {
        *clock += 1;
        script.used.store(*clock, Ordering::Relaxed);
    }

    /// Adds one; hands back another one that goes for it.
    pub fn add(&mut self, script: &Arc<Script>) -> Option<Arc<Script>> {
        Self::touch(&mut self.clock, script);
        if self.by_sha.contains_key(&script.sha) {
            return None;
        }
        self.bytes += script.len_bytes();
        self.by_sha.insert(script.sha.clone(), Arc::clone(script));
        self.by_code.insert(script.code.clone(), Arc::clone(script));
        if script.is_loaded.load(Ordering::Relaxed) {
            return None;
        }
        self.evaluated += 1;
        if self.evaluated <= EVALUATED_MAX {
            return None;
        }
        let only_evaluated = |script: &&Arc<Script>| !script.is_loaded.load(Ordering::Relaxed);
        let of_last_use = |script: &&Arc<Script>| script.used.load(Ordering::Relaxed);
        let oldest = self
            .by_sha
            .values()
            .filter(only_evaluated)
            .min_by_key(of_last_use);
        let oldest = oldest.cloned()?;
        self.evaluated -= 1;
        self.bytes -= oldest.len_bytes();
        self.by_sha.remove(&oldest.sha);
        self.by_code.remove(&oldest.code);
        Some(oldest)
    }

    /// SCRIPT LOAD wants it kept.
    pub fn keep(&mut self, script: &Script) {
        if !script.is_loaded.swap(true, Ordering::Relaxed) {
            self.evaluated = self.evaluated.saturating_sub(1);
        }
    }

    /// Forgets all, and hands them back.
    pub fn clear(&mut self) -> Vec<Arc<Script>> {
        let all = std::mem::take(self);
        all.by_sha.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(nth: usize) -> Arc<Script> {
        let code = Bytes::from(format!("return {nth}"));
        let flags = ScriptFlags::of(&code).unwrap();
        Arc::new(Script::new(format!("{nth:040}"), code, flags))
    }

    #[test]
    fn of_many_that_only_eval_brought_the_one_used_longest_ago_goes() {
        let mut cache = Cache::default();
        let kept = script(1000);
        kept.is_loaded.store(true, Ordering::Relaxed);
        assert!(cache.add(&kept).is_none());
        for nth in 0..EVALUATED_MAX {
            assert!(cache.add(&script(nth)).is_none());
        }
        assert!(cache.of_code(b"return 0").is_some());
        let gone = cache.add(&script(EVALUATED_MAX)).unwrap();
        assert_eq!(gone.code, "return 1");
        assert_eq!(cache.len(), EVALUATED_MAX + 1);
        assert!(cache.has(&format!("{:040}", 1000)));
        assert!(!cache.has(&format!("{:040}", 1)));
    }
}
