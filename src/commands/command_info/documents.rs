//! `docs/commands.md` is made from the table of commands: a test fails when it is stale, and makes it anew when it is told to.

use std::fmt::Write as _;
use std::path::Path;

use crate::commands::help::usage;
use crate::commands::registry;
use crate::commands::table::Row;

const HEAD: &str = "\
# Commands

Every command that a server of this build knows, with its grammar. `COMMAND DOCS` tells the same.

Made from the tables in `src/commands/`; after a change there:
`KEYMESH_WRITE_DOCS=1 cargo test --workspace --all-features documents`

";

fn line(row: &Row, page: &mut String) {
    let docs = row.docs;
    let mut grammar = row.name.to_ascii_uppercase().replace('|', " ");
    for argument in docs.arguments {
        grammar.push(' ');
        grammar.push_str(&usage(argument));
    }
    let grammar = grammar.replace('|', "\\|");
    let group = docs.group.as_str();
    writeln!(
        page,
        "| `{grammar}` | {group} | {} | {} |",
        docs.since, docs.summary
    )
    .unwrap();
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| Command | Group | Since | What it does |\n|---|---|---|---|\n");
    let mut rows: Vec<&Row> = registry::built_in().collect();
    rows.sort_by_key(|row| row.name);
    for row in rows {
        match row.docs.subcommands {
            [] => line(row, &mut page),
            subcommands => subcommands.iter().for_each(|row| line(row, &mut page)),
        }
    }
    page
}

#[test]
fn the_page_of_commands_in_the_documents_is_that_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md");
    if std::env::var_os("KEYMESH_WRITE_DOCS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page(),
        "docs/commands.md is stale: KEYMESH_WRITE_DOCS=1 cargo test --workspace --all-features documents"
    );
}
