//! What a script's first line says of it: `#!lua flags=no-writes,allow-stale`.

use crate::config::grammar::split_words;

/// What a script may do, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScriptFlags(u8);

impl ScriptFlags {
    /// It says nothing of itself: as scripts were before there were flags.
    pub const UNSAID: Self = Self(1);
    /// It writes nothing.
    pub const NO_WRITES: Self = Self(1 << 1);
    /// It may run where memory is short.
    pub const ALLOW_OOM: Self = Self(1 << 2);
    /// It may run on a replica without its master.
    pub const ALLOW_STALE: Self = Self(1 << 3);
    /// It does not run in a cluster.
    pub const NO_CLUSTER: Self = Self(1 << 4);
    /// It may touch keys of several slots.
    pub const ALLOW_CROSS_SLOT: Self = Self(1 << 5);

    /// By name, in the order in which Redis lists them.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("no-writes", Self::NO_WRITES),
        ("allow-oom", Self::ALLOW_OOM),
        ("allow-stale", Self::ALLOW_STALE),
        ("no-cluster", Self::NO_CLUSTER),
        ("allow-cross-slot-keys", Self::ALLOW_CROSS_SLOT),
    ];

    /// Whether all of `other` are there.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The flag of a name.
    pub fn named(name: &[u8]) -> Option<Self> {
        let mut names = Self::NAMES.iter();
        let found = names.find(|(known, _)| known.as_bytes() == name);
        found.map(|(_, flag)| *flag)
    }

    /// Those of a script.
    pub fn of(code: &[u8]) -> Result<Self, String> {
        if !code.starts_with(b"#!") {
            return Ok(Self::UNSAID);
        }
        let Some(end) = memchr::memchr(b'\n', code) else {
            return Err("Invalid script shebang".into());
        };
        let words = split_words(&code[..end]).unwrap_or_default();
        let mut words = words.iter().map(Vec::as_slice);
        let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        match words.next() {
            Some(b"#!lua") => {}
            Some(other) => {
                let other = shown(other);
                return Err(format!("Unexpected engine in script shebang: {other}"));
            }
            None => return Err("Invalid engine in script shebang".into()),
        }
        let mut flags = Self(0);
        for word in words {
            let Some(names) = word.strip_prefix(b"flags=") else {
                return Err(format!("Unknown lua shebang option: {}", shown(word)));
            };
            for name in names
                .split(|byte| *byte == b',')
                .filter(|_| !names.is_empty())
            {
                let Some(flag) = Self::named(name) else {
                    return Err(format!(
                        "Unexpected flag in script shebang: {}",
                        shown(name)
                    ));
                };
                flags = flags.and(flag);
            }
        }
        Ok(flags)
    }
}

/// A script without its first line, whose end stays so that lines keep their numbers.
pub fn body(code: &[u8]) -> &[u8] {
    if !code.starts_with(b"#!") {
        return code;
    }
    memchr::memchr(b'\n', code).map_or(code, |end| &code[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_what_a_script_may_do() {
        let of = |code: &str| ScriptFlags::of(code.as_bytes());
        assert_eq!(of("return 1"), Ok(ScriptFlags::UNSAID));
        assert_eq!(of("#!lua\nreturn 1"), Ok(ScriptFlags(0)));
        assert_eq!(
            of("#!lua flags=no-writes,allow-stale\n"),
            Ok(ScriptFlags::NO_WRITES.and(ScriptFlags::ALLOW_STALE))
        );
        assert_eq!(of("#!lua flags=\n"), Ok(ScriptFlags(0)));
        assert_eq!(
            of("#!lua \"flags=no-writes\"\n"),
            Ok(ScriptFlags::NO_WRITES)
        );
        for (code, error) in [
            ("#!lua", "Invalid script shebang"),
            ("#!js\n", "Unexpected engine in script shebang: #!js"),
            ("#!lua name=x\n", "Unknown lua shebang option: name=x"),
            ("#!lua flags=x\n", "Unexpected flag in script shebang: x"),
            (
                "#!lua flags=NO-WRITES\n",
                "Unexpected flag in script shebang: NO-WRITES",
            ),
            (
                "#!lua flags=no-writes,\n",
                "Unexpected flag in script shebang: ",
            ),
            (
                "#!lua \"flags=no-writes\n",
                "Invalid engine in script shebang",
            ),
        ] {
            assert_eq!(of(code), Err(error.to_owned()), "{code}");
        }
        assert_eq!(body(b"#!lua\nreturn 1"), b"\nreturn 1");
    }
}
