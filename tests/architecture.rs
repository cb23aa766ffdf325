//! The house rules that a compiler does not know: which room may use which, how a file begins, what stands outside tests only.
//!
//! The rules are functions over text, so that planted violations show that they see what they should.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[path = "architecture/source.rs"]
mod source;

use source::{bare, without_tests};

/// Each room and the rooms that it may use. `ablation` may be used by all of them, `main` uses `server` and what it needs of others.
const ROOMS: &[(&str, &[&str])] = &[
    ("resp", &[]),
    ("config", &["db"]),
    ("db", &["resp"]),
    ("commands", &["resp", "db"]),
    ("acl", &["resp", "config", "db", "commands"]),
    ("journal", &["resp", "db"]),
    ("lua", &["resp"]),
    ("pubsub", &["resp", "db"]),
    ("keyspace", &["resp", "db", "commands", "journal", "pubsub"]),
    (
        "replication",
        &[
            "resp",
            "db",
            "commands",
            "journal",
            "pubsub",
            "keyspace",
            "persistence",
        ],
    ),
    ("persistence", &["resp", "db", "commands", "keyspace"]),
    (
        "clients",
        &[
            "persistence",
            "resp",
            "db",
            "commands",
            "journal",
            "pubsub",
            "keyspace",
            "replication",
            "config",
            "acl",
            "lua",
        ],
    ),
    (
        "server",
        &[
            "resp",
            "db",
            "commands",
            "journal",
            "pubsub",
            "keyspace",
            "replication",
            "clients",
            "config",
            "acl",
        ],
    ),
    ("ablation", &[]),
    ("playground", &[]),
    (
        "lib",
        &[
            "persistence",
            "playground",
            "lua",
            "acl",
            "resp",
            "db",
            "commands",
            "journal",
            "pubsub",
            "keyspace",
            "replication",
            "clients",
            "config",
            "server",
        ],
    ),
];

/// What no file may hold outside of tests; `main.rs` may print.
const BANNED: &[&str] = &[".unwrap()", "todo!", "unimplemented!", "dbg!"];
const PRINTS: &[&str] = &["println!", "print!"];

/// The first words of the paths that begin with `crate`, or with as many `super` as lead out of a module `depth` deep.
fn rooms_used(bare: &str, depth: usize) -> BTreeSet<String> {
    let words: String = bare.chars().filter(|c| !c.is_whitespace()).collect();
    let mut used = BTreeSet::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let begins = |at: usize| {
        !words[..at].ends_with(|c| is_word(c) || c == ':' || c == '$')
            || ends_with_keyword(&words[..at])
    };
    for root in ["crate::".to_owned(), "super::".repeat(depth)] {
        for (at, _) in words.match_indices(&root).filter(|(at, _)| begins(*at)) {
            let path = &words[at + root.len()..];
            let Some(group) = path.strip_prefix('{') else {
                used.insert(path.chars().take_while(|c| is_word(*c)).collect());
                continue;
            };
            let mut level = 0;
            let mut name = String::new();
            let mut is_first = true;
            for c in group.chars() {
                match c {
                    '{' => level += 1,
                    '}' if level == 0 => break,
                    '}' => level -= 1,
                    ',' if level == 0 => is_first = true,
                    c if level == 0 && is_first && is_word(c) => {
                        name.push(c);
                        continue;
                    }
                    _ => is_first = is_first && name.is_empty(),
                }
                if !name.is_empty() {
                    used.insert(std::mem::take(&mut name));
                    is_first = c == ',';
                }
            }
            used.extend((!name.is_empty()).then_some(name));
        }
    }
    used.retain(|name| !name.is_empty() && name != "self");
    used
}

/// Blanks are gone when paths are looked for, so that a keyword may stand right before one.
fn ends_with_keyword(before: &str) -> bool {
    [
        "use", "in", "as", "dyn", "impl", "mut", "return", "for", "const", "match", "if", "else",
    ]
    .iter()
    .any(|keyword| before.ends_with(keyword))
}

/// The room of a file below `src`, and how deep its module lies.
fn place(file: &str) -> (String, usize) {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    let room = path.split('/').next().unwrap_or_default().to_owned();
    (room, path.split('/').count())
}

/// What is wrong with the uses of one file.
fn wrong_arrows(file: &str, bare: &str) -> Vec<String> {
    let (room, depth) = place(file);
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return if room == "main" {
            Vec::new()
        } else {
            vec![format!("{file}: room '{room}' is in no list")]
        };
    };
    rooms_used(bare, depth)
        .into_iter()
        .filter(|used| *used != room && used != "ablation" && !allowed.contains(&used.as_str()))
        .filter(|used| room != "lib" || ROOMS.iter().any(|(name, _)| name == used))
        .map(|used| format!("{file}: '{room}' may not use '{used}'"))
        .collect()
}

/// Words that may only stand in tests.
fn banned(file: &str, bare: &str) -> Vec<String> {
    let prints = if file == "main.rs" { &[] } else { PRINTS };
    let lines = bare.lines().zip(1..);
    lines
        .flat_map(|(line, number)| {
            let found = BANNED
                .iter()
                .chain(prints)
                .filter(move |word| line.contains(**word));
            found.map(move |word| format!("{file}:{number}: {word}"))
        })
        .collect()
}

/// All `.rs` files below a directory of the project, by their paths in it.
fn files(dir: &str) -> BTreeMap<String, String> {
    fn walk(dir: &Path, root: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(dir).expect("the directory is read") {
            let path: PathBuf = entry.expect("the directory is read").path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                walk(&path, root, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(root)
                    .expect("below its root")
                    .to_string_lossy()
                    .into_owned();
                found.insert(name, fs::read_to_string(&path).expect("source is text"));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
    let mut found = BTreeMap::new();
    walk(&root, &root, &mut found);
    assert!(!found.is_empty(), "no files in {dir}");
    found
}

/// The files of a crate that are not for tests, bare.
fn sources(dir: &str) -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    let mut for_tests = BTreeSet::new();
    for (file, text) in files(dir) {
        let (text, modules) = without_tests(&bare(&text));
        let base = file
            .trim_end_matches("mod.rs")
            .trim_end_matches("lib.rs")
            .trim_end_matches(".rs")
            .trim_end_matches('/');
        let base = if base.is_empty() {
            String::new()
        } else {
            format!("{base}/")
        };
        for_tests.extend(modules.into_iter().map(|module| format!("{base}{module}")));
        sources.insert(file, text);
    }
    // A file outside the server that is compiled for other crates' tests.
    for_tests.insert("testing".to_owned());
    sources.retain(|file, _| {
        !for_tests.iter().any(|module| {
            file.strip_prefix(module.as_str())
                .is_some_and(|rest| rest.starts_with('.') || rest.starts_with('/'))
        })
    });
    sources
}

fn nothing(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_arrow_between_rooms_runs_back() {
    let wrong: Vec<String> = sources("src")
        .iter()
        .flat_map(|(file, text)| wrong_arrows(file, text))
        .collect();
    nothing(&wrong);
}

#[test]
fn the_member_crates_know_nothing_of_the_server_nor_of_each_other() {
    for (dir, other) in [
        ("supervisors", "keymesh_observability"),
        ("observability", "keymesh_supervisors"),
    ] {
        for (file, text) in files(dir) {
            let text = bare(&text);
            let server = text
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word == "keymesh");
            assert!(!server && !text.contains(other), "{dir}/{file}");
        }
    }
}

#[test]
fn every_file_opens_with_what_it_is() {
    for dir in [
        "src",
        "tests",
        "benches",
        "fuzz",
        "supervisors",
        "observability",
    ] {
        for (file, text) in files(dir) {
            assert!(
                text.starts_with("//!"),
                "{dir}/{file} does not open with //!"
            );
        }
    }
}

#[test]
fn what_is_for_tests_stands_in_tests_only() {
    for dir in ["src", "supervisors/src", "observability/src"] {
        let wrong: Vec<String> = sources(dir)
            .iter()
            .flat_map(|(file, text)| banned(file, text))
            .collect();
        nothing(&wrong);
    }
}

#[test]
fn planted_arrows_are_seen() {
    let wrong = |file: &str, text: &str| wrong_arrows(file, &without_tests(&bare(text)).0).len();
    assert_eq!(
        wrong(
            "db/op.rs",
            "use crate::resp::Args; use crate::db::Key; use crate::ablation::Rule;"
        ),
        0
    );
    assert_eq!(wrong("db/op.rs", "use crate::keyspace::Keyspace;"), 1);
    assert_eq!(
        wrong("db/op.rs", "pub(crate) use crate :: \n journal::Log;"),
        1
    );
    assert_eq!(
        wrong(
            "db/op.rs",
            "use crate::{resp::{Args, journal}, keyspace::{self, Caller}, clients};"
        ),
        2
    );
    assert_eq!(wrong("db/op.rs", "fn f(_: &crate::server::Server) {}"), 1);
    assert_eq!(
        wrong(
            "db/op.rs",
            "use super::super::replication::Node; use super::table::Table;"
        ),
        1
    );
    assert_eq!(
        wrong("db/mod.rs", "use super::replication::Node; mod table;"),
        1
    );
    assert_eq!(
        wrong(
            "commands/strings/set.rs",
            "use super::super::call::DataCall; use super::super::super::clients::Session;"
        ),
        1
    );
    assert_eq!(
        wrong("replication/node.rs", "use crate::config::Settings;"),
        1
    );
    assert_eq!(
        wrong("clients/session.rs", "use crate::config::Settings;"),
        0
    );
    assert_eq!(wrong("attic/mod.rs", ""), 1);
    assert_eq!(
        wrong(
            "db/op.rs",
            "// use crate::server;\n/* /* */ crate::server */ const A: &str = \"crate::server\";"
        ),
        0
    );
    assert_eq!(
        wrong(
            "db/op.rs",
            "#[cfg(test)]\nmod tests { use crate::clients::Session; fn f() { {} } }"
        ),
        0
    );
    assert_eq!(
        wrong(
            "db/op.rs",
            "#[cfg(test)]\nmod tests { fn f() {} }\nuse crate::clients::Session;"
        ),
        1
    );
}

#[test]
fn planted_words_are_seen() {
    let found = |file: &str, text: &str| banned(file, &without_tests(&bare(text)).0);
    assert_eq!(
        found("a.rs", "fn f() {\n    x.unwrap();\n}"),
        ["a.rs:2: .unwrap()"]
    );
    assert_eq!(
        found("a.rs", "todo!(); eprintln!()"),
        ["a.rs:1: todo!", "a.rs:1: println!"]
    );
    assert_eq!(found("main.rs", "println!()"), [""; 0]);
    assert_eq!(
        found("a.rs", "let a = '\"'; b.unwrap(); let c = \"\\\"\";").len(),
        1
    );
    assert_eq!(
        found(
            "a.rs",
            "let a = r#\"x.unwrap() \" todo!\"#; let b = b'\\''; // .unwrap()"
        )
        .len(),
        0
    );
    assert_eq!(
        found("a.rs", "fn f<'a>(b: &'a str) { b.unwrap() }").len(),
        1
    );
    assert_eq!(
        found("a.rs", "#[cfg(test)]\nmod tests {\n x.unwrap() }").len(),
        0
    );
    assert_eq!(
        without_tests("#[cfg(test)]\npub(crate) mod world;\n").1,
        ["world"]
    );
}
