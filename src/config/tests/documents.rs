//! `docs/directives.md` is made from the table of directives: a test fails when it is stale, and makes it anew when it is told to.

use std::fmt::Write as _;
use std::path::Path;

use crate::config::directives::{Access, Directive, Kind, Support, Visibility, table};

const HEAD: &str = "\
# Directives

Every directive that a configuration file, a variable `KEYMESH_<DIRECTIVE>` or an option `--<directive>` may have. Those of Redis and
KeyDB that do not apply here are accepted, and a value other than the default brings one warning at the start.

Made from the table in `src/config/directives/`; after a change there:
`KEYMESH_WRITE_DOCS=1 cargo test --workspace --all-features documents`

";

/// What a value may be, in words.
fn kind(kind: Kind) -> String {
    let range = |least: i64, most: i64| {
        if most >= i64::from(i32::MAX) {
            format!("integer from {least}")
        } else {
            format!("integer, {least} to {most}")
        }
    };
    match kind {
        Kind::Bool => "`yes` or `no`".to_owned(),
        Kind::Affinity => "`true`, `false` or a number".to_owned(),
        Kind::Integer(least, most) => range(least, most),
        Kind::Clamped(least, most) => format!("integer, moved into {least} to {most}"),
        Kind::PowerOfTwo(least, most) => format!("power of two, {least} to {most}"),
        Kind::Octal(most) => format!("octal, up to {most:o}"),
        Kind::Memory(0, _) => "bytes".to_owned(),
        Kind::Memory(least, _) => format!("bytes, from {least}"),
        Kind::MemoryOrPercent => "bytes or percentage".to_owned(),
        Kind::Ratio => "number, 0 to 1".to_owned(),
        Kind::Enum(words) => format!("one of `{}`", words.join("`, `")),
        Kind::Flags(words) => format!("some of `{}`", words.join("`, `")),
        Kind::Text => "text".to_owned(),
        Kind::FileName(_) => "file name".to_owned(),
        Kind::Directory => "directory".to_owned(),
        Kind::TitleTemplate => "text with `{variables}`".to_owned(),
        Kind::Addresses => "addresses".to_owned(),
        Kind::SavePoints => "pairs of seconds and changes, several lines".to_owned(),
        Kind::OutputBufferLimits => {
            "class, hard limit, soft limit, seconds; several lines".to_owned()
        }
        Kind::Masters => "host and port, several lines".to_owned(),
        Kind::Owners => "pattern, host and port; several lines".to_owned(),
        Kind::KeyspaceEvents => "letters".to_owned(),
        Kind::OomScores => "three integers".to_owned(),
        Kind::Percentiles => "percentages".to_owned(),
        Kind::Lines(..) => "words, several lines".to_owned(),
    }
}

fn change(directive: &Directive) -> &'static str {
    match (directive.visibility, directive.access) {
        (Visibility::FileOnly, _) => "no, not shown either",
        (_, Access::Mutable) => "yes",
        (_, Access::Immutable) => "no",
        (_, Access::Protected) => "as `enable-protected-configs` says",
    }
}

fn what(directive: &Directive) -> String {
    match directive.support {
        Support::Applied => directive.doc.to_owned(),
        Support::Ignored(instead) => format!("*accepted:* {instead}"),
        Support::Refused(why) => format!("*refused:* {why}"),
    }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str(
        "| Directive | Value | Default | CONFIG SET | What it does |\n|---|---|---|---|---|\n",
    );
    let mut rows = table().to_vec();
    rows.sort_by_key(|directive| directive.name);
    for directive in rows {
        let names: Vec<String> = directive.names().map(|name| format!("`{name}`")).collect();
        let default = match directive.default {
            "" => String::new(),
            default => format!("`{default}`"),
        };
        writeln!(
            page,
            "| {} | {} | {default} | {} | {} |",
            names.join(", "),
            kind(directive.kind),
            change(directive),
            what(directive)
        )
        .unwrap();
    }
    page
}

#[test]
fn the_page_of_directives_in_the_documents_is_that_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/directives.md");
    if std::env::var_os("KEYMESH_WRITE_DOCS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page(),
        "docs/directives.md is stale: KEYMESH_WRITE_DOCS=1 cargo test --workspace --all-features documents"
    );
}
