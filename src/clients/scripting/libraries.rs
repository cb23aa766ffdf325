//! Libraries of functions as this node's machine has them: made from what the keyspace holds, whoever wrote it.
//!
//! Invariant: where two libraries, written on two masters, have a function of one name, the library whose name comes first has it, on
//! every master alike.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::clients::scripting::Machine;
use crate::clients::scripting::cache::Habits;
use crate::clients::scripting::running::Running;
use crate::clients::scripting::shebang::{ScriptFlags, body};
use crate::config::grammar::split_words;
use crate::lua::{LoadError, Registered, is_name};

/// What is said of names that may not be.
const BAD_NAME: &str = "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";

/// One function.
#[derive(Debug)]
pub struct Function {
    /// What it says of itself.
    pub registered: Registered,
    /// The same as flags.
    pub flags: ScriptFlags,
    /// What former calls have shown.
    pub habits: Habits,
}

/// One library.
#[derive(Debug)]
pub struct Library {
    /// Its name.
    pub name: String,
    /// Its code, the first line too.
    pub code: Vec<u8>,
    /// What it registered.
    pub functions: Vec<Arc<Function>>,
}

#[derive(Debug, Default)]
struct Known {
    version: u64,
    generation: u32,
    by_name: BTreeMap<String, Arc<Library>>,
    /// By name in small letters.
    functions: HashMap<String, Arc<Function>>,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Libraries(Mutex<Known>);

/// The name that a library's first line gives it.
pub fn name_of(code: &[u8]) -> Result<String, String> {
    if !code.starts_with(b"#!") {
        return Err("Missing library metadata".into());
    }
    let line = memchr::memchr(b'\n', code).and_then(|end| code.get(..end));
    let words = line.and_then(|line| split_words(line).ok());
    let Some((engine, options)) = words.as_deref().and_then(<[_]>::split_first) else {
        return Err("Invalid library metadata".into());
    };
    let engine = engine.get(2..).unwrap_or_default();
    let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    let mut name = None;
    for word in options {
        let named = word.split_at_checked(b"name=".len());
        let named = named.filter(|(key, _)| key.eq_ignore_ascii_case(b"name="));
        match named.map(|(_, name)| name) {
            Some(_) if name.is_some() => {
                return Err(
                    "Invalid metadata value, name argument was given multiple times".into(),
                );
            }
            Some(given) => name = Some(given),
            None => return Err(format!("Invalid metadata value given: {}", shown(word))),
        }
    }
    let name = name.ok_or("Library name was not given")?;
    if !is_name(name) {
        return Err(BAD_NAME.into());
    }
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err(format!("Engine '{}' not found", shown(engine)));
    }
    Ok(shown(name))
}

/// Loads a library into the machine.
pub fn load(machine: &Machine, running: &Running, code: &[u8]) -> Result<Vec<Registered>, String> {
    let names = ScriptFlags::NAMES.map(|(name, _)| name);
    running.begin_loading();
    let loaded = machine.vm.load_library(body(code), &names);
    running.end();
    let registered = loaded.map_err(|error| match error {
        LoadError::Compile(text) => {
            let text = String::from_utf8_lossy(&text);
            format!("Error compiling function: {text}")
        }
        LoadError::Run(text) => {
            let text = String::from_utf8_lossy(&text);
            format!("Error registering functions: {text}")
        }
        LoadError::Stopped => "Error registering functions: ERR FUNCTION LOAD timeout".into(),
    })?;
    if registered.is_empty() {
        return Err("No functions registered".into());
    }
    Ok(registered)
}

fn flags_of(registered: &Registered) -> ScriptFlags {
    let flags = registered.flags.iter();
    flags
        .filter_map(|name| ScriptFlags::named(name.as_bytes()))
        .fold(ScriptFlags::default(), ScriptFlags::and)
}

impl Libraries {
    /// Takes up what has changed in the keyspace, of which this is the version, and which `present` asks for what is there.
    pub fn sync(
        &self,
        machine: &Machine,
        running: &Running,
        version: u64,
        present: impl FnOnce() -> Vec<(String, Vec<u8>)>,
    ) {
        let mut known = self.0.lock();
        if known.version == version && known.generation == machine.generation {
            return;
        }
        if known.generation != machine.generation {
            known.by_name.clear();
        }
        let mut before = std::mem::take(&mut known.by_name);
        for (name, code) in present() {
            if let Some(library) = before.remove(&name) {
                if library.code == code {
                    known.by_name.insert(name, library);
                    continue;
                }
                forget(machine, &library);
            }
            match load(machine, running, &code) {
                Ok(registered) => {
                    let functions = registered.into_iter().map(|registered| {
                        Arc::new(Function {
                            flags: flags_of(&registered),
                            registered,
                            habits: Habits::default(),
                        })
                    });
                    let functions = functions.collect();
                    let library = Library {
                        name: name.clone(),
                        code,
                        functions,
                    };
                    known.by_name.insert(name, Arc::new(library));
                }
                // It was loaded once, here or elsewhere.
                Err(error) => tracing::warn!(library = name, error, "a library does not load here"),
            }
        }
        for library in before.values() {
            forget(machine, library);
        }
        (known.version, known.generation) = (version, machine.generation);
        let mut functions = HashMap::new();
        for library in known.by_name.values() {
            for function in &library.functions {
                let name = function.registered.name.to_ascii_lowercase();
                let first = functions
                    .entry(name)
                    .or_insert_with(|| Arc::clone(function));
                if !Arc::ptr_eq(first, function) {
                    let (library, function) = (&library.name, &function.registered.name);
                    tracing::warn!(library, function, "another library has this function");
                }
            }
        }
        known.functions = functions;
    }

    /// Drops what was made of a library, which is made anew at the next look.
    pub fn unload(&self, machine: &Machine, name: &str) {
        let mut known = self.0.lock();
        if let Some(library) = known.by_name.remove(name) {
            known.version = u64::MAX;
            forget(machine, &library);
        }
    }

    /// The function of a name.
    pub fn function(&self, name: &[u8]) -> Option<Arc<Function>> {
        let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
        self.0.lock().functions.get(&name).cloned()
    }

    /// All libraries, by name.
    pub fn all(&self) -> Vec<Arc<Library>> {
        self.0.lock().by_name.values().cloned().collect()
    }

    /// The library of a name.
    pub fn get(&self, name: &str) -> Option<Arc<Library>> {
        self.0.lock().by_name.get(name).cloned()
    }

    /// How many libraries and functions there are, and bytes of their code.
    pub fn counts(&self) -> (usize, usize, usize) {
        let known = self.0.lock();
        let libraries = known.by_name.values();
        let bytes = libraries.map(|library| library.code.len()).sum();
        (known.by_name.len(), known.functions.len(), bytes)
    }
}

fn forget(machine: &Machine, library: &Library) {
    for function in &library.functions {
        machine.vm.forget(function.registered.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_a_library() {
        assert_eq!(name_of(b"#!lua name=a_1\n"), Ok("a_1".to_owned()));
        assert_eq!(name_of(b"#!lua NAME=a\n"), Ok("a".to_owned()));
        assert_eq!(name_of(b"#!lua name='a'\n"), Ok("a".to_owned()));
        assert_eq!(name_of(b"#!lua \"name=a\"\n"), Ok("a".to_owned()));
        assert_eq!(name_of(b"#!\"lua\" name=a\n"), Ok("a".to_owned()));
        assert_eq!(name_of(b"#!LUA  name=a \nreturn"), Ok("a".to_owned()));
        for (code, error) in [
            ("return 1", "Missing library metadata"),
            ("#!lua", "Invalid library metadata"),
            ("#!lua name=\"a\n", "Invalid library metadata"),
            ("#!lua \"name=a\"b\n", "Invalid library metadata"),
            ("#!lua\n", "Library name was not given"),
            ("#!\n", "Library name was not given"),
            (
                "#!lua name=a name=b\n",
                "Invalid metadata value, name argument was given multiple times",
            ),
            ("#!lua foo=a\n", "Invalid metadata value given: foo=a"),
            ("#! lua name=a\n", "Invalid metadata value given: lua"),
            ("#!js name=a\n", "Engine 'js' not found"),
            ("#!lua name=a-b\n", BAD_NAME),
            ("#!lua name=\n", BAD_NAME),
        ] {
            assert_eq!(name_of(code.as_bytes()), Err(error.to_owned()), "{code}");
        }
    }
}
