//! `docs/compatibility.md` is made from the table of commands and from the names of what Redis 7.2 and KeyDB 6.3 have: a test fails when
//! it is stale, and makes it anew when it is told to.
//!
//! Invariant: a command of theirs is in our table, or it stands among those that are not, with the reason; what is said of a command
//! that is there only in part names one that is there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::commands::registry;
use crate::commands::table::Row;

/// Names of all commands, subcommands behind a bar; in place of a command that has subcommands, these.
const REDIS: &str = include_str!("tests/names_redis_7_2.txt");
const KEYDB: &str = include_str!("tests/names_keydb_6_3.txt");

/// What is missing of a command, or is another way here on purpose.
const PARTLY: &[(&str, &str)] = &[
    (
        "keydb.cron",
        "A job runs once in the mesh, at the node that made it, not at every node",
    ),
    (
        "debug",
        "Those of DEBUG HELP; refused are those of Redis that look into what is not here: RELOAD, LOADAOF, LISTPACK, HTSTATS, \
         REPLYBUFFER, SDSLEN and the like",
    ),
    (
        "failover",
        "Refused in Redis's words: nobody has to take over where every master takes writes",
    ),
    (
        "keydb.mvccrestore",
        "Where keys bear no stamps it replaces what is there, as RESTORE does",
    ),
    (
        "object|encoding",
        "That of a value which was just set: a string that was appended to is no longer raw where it is short",
    ),
    (
        "object|freq",
        "Redis's error for a policy that is not LFU: reads are not counted",
    ),
    (
        "object|idletime",
        "Seconds since the last write, where keys bear stamps, else an error: reads leave no trace",
    ),
    (
        "object|lastmodified",
        "Where keys bear stamps, else an error",
    ),
    (
        "psync",
        "Always a full sync; behind it a changed collection is sent as a whole, and no messages",
    ),
    (
        "replicaof",
        "Also ADD and REMOVE, of one master. Of Keymesh nodes; this node does not follow Redis and KeyDB servers yet",
    ),
    (
        "rreplay",
        "From clients of DEBUG FORCE-MASTER: KeyDB servers are no peers yet",
    ),
    (
        "script|debug",
        "YES and SYNC are refused: there is no debugger",
    ),
    ("slaveof", "As REPLICAOF"),
    ("sync", "As PSYNC"),
    (
        "swapdb",
        "Refused among masters: a write that was stamped before may arrive after it",
    ),
    (
        "waitaof",
        "There is no append-only file: what it says is that nothing is in any",
    ),
];

/// What a command does beyond Redis.
const MORE: &[(&str, &str)] = &[
    (
        "persist",
        "With a member behind the key: KeyDB's, of its deadline",
    ),
    (
        "pttl",
        "With a member behind the key: KeyDB's, of its deadline",
    ),
    ("shutdown", "SOFT: KeyDB's"),
    (
        "ttl",
        "With a member behind the key: KeyDB's, of its deadline",
    ),
];

/// What every one of a family is.
const CLUSTER: &str = "Cluster mode is not supported; answers as a Redis server without it";
const MODULES: &str = "Modules are not supported; none is ever loaded";

/// What is not there, and why.
const NOT: &[(&str, &str)] = &[
    ("cluster|myshardid", "Cluster mode is not supported"),
    (
        "keydb.nhget",
        "A server of KeyDB that holds such a value cannot save it",
    ),
    (
        "keydb.nhset",
        "A server of KeyDB that holds such a value cannot save it",
    ),
    (
        "stralgo",
        "LCS is here, which took its place: STRALGO LCS KEYS a b is LCS a b",
    ),
    ("restore-asking", "Spoken between nodes of a cluster"),
];

const HEAD: &str = "\
# Compatibility

Every command of Redis 7.2 and of KeyDB 6.3, and whether it is here: *yes*, with Redis's replies and errors; *partly*, and what is
missing or another way; *not*, and why. [`commands.md`](commands.md) has the grammar of those that are here.

Made from the tables in `src/commands/`; after a change there:
`KEYMESH_WRITE_DOCS=1 cargo test --workspace --all-features documents`

";

fn of(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(of, _)| *of == name)
        .map(|(_, text)| *text)
}

/// What is said of a command that is there, beside that it is.
fn remark(name: &str) -> Option<&'static str> {
    let family = name.split('|').next().unwrap_or(name);
    of(PARTLY, name).or(match family {
        "cluster" | "asking" | "readonly" | "readwrite" => Some(CLUSTER),
        "module" => Some(MODULES),
        _ => None,
    })
}

/// All names of our own table, commands that have subcommands left out.
fn own() -> BTreeMap<&'static str, &'static Row> {
    let rows = registry::built_in().flat_map(|row| match row.docs.subcommands {
        [] => std::slice::from_ref(row),
        subcommands => subcommands,
    });
    rows.map(|row| (row.name, row)).collect()
}

fn section(page: &mut String, title: &str, names: &str) {
    let own = own();
    let mut counts = [0; 3];
    let mut lines = String::new();
    for name in names.lines() {
        let shown = name.to_ascii_uppercase().replace('|', " ");
        let (nth, support, text) = match (own.contains_key(name), remark(name)) {
            (true, None) => (0, "yes", of(MORE, name).unwrap_or("")),
            (true, Some(text)) => (1, "partly", text),
            (false, _) => (2, "not", of(NOT, name).unwrap_or("?")),
        };
        counts[nth] += 1;
        writeln!(lines, "| `{shown}` | {support} | {text} |").unwrap();
    }
    let [yes, partly, not] = counts;
    writeln!(
        page,
        "## {title}\n\n{yes} yes, {partly} partly, {not} not.\n\n| Command | Here | |\n|---|---|---|\n{lines}"
    )
    .unwrap();
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    section(&mut page, "Redis 7.2", REDIS);
    section(&mut page, "KeyDB 6.3 beyond Redis", KEYDB);
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

#[test]
fn what_is_said_of_compatibility_names_what_there_is() {
    let own = own();
    let theirs = || REDIS.lines().chain(KEYDB.lines());
    for name in theirs().filter(|name| !own.contains_key(name)) {
        assert!(
            of(NOT, name).is_some(),
            "{name} is not here, and nothing says why"
        );
    }
    for (name, _) in NOT {
        assert!(
            !own.contains_key(name),
            "{name} is said to be missing, but is here"
        );
        assert!(theirs().any(|their| their == *name), "nobody has {name}");
    }
    for (name, _) in PARTLY.iter().chain(MORE) {
        assert!(
            own.contains_key(name),
            "{name} is said to be here, but is not"
        );
    }
}

#[test]
fn the_page_of_compatibility_in_the_documents_is_that_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/compatibility.md");
    if std::env::var_os("KEYMESH_WRITE_DOCS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page(),
        "docs/compatibility.md is stale: KEYMESH_WRITE_DOCS=1 cargo test --workspace --all-features documents"
    );
}
