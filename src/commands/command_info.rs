//! The replies of COMMAND: what the rows and their docs say, laid out as Redis 7.0 does.

use crate::commands::docs::{Argument, ArgumentKind, Categories, Docs};
use crate::commands::help::help_reply;
use crate::commands::table::{Flags, Keys, Row};
use crate::commands::{errors, registry};
use crate::db::glob::glob_match;
use crate::resp::{Args, Reply};

/// Flags in Redis's words and order. Those that only matter here have none.
const FLAG_NAMES: &[(Flags, &str)] = &[
    (Flags::WRITE, "write"),
    (Flags::READONLY, "readonly"),
    (Flags::DENYOOM, "denyoom"),
    (Flags::ADMIN, "admin"),
    (Flags::PUBSUB, "pubsub"),
    (Flags::NOSCRIPT, "noscript"),
    (Flags::BLOCKING, "blocking"),
    (Flags::LOADING, "loading"),
    (Flags::STALE, "stale"),
    (Flags::SKIP_MONITOR, "skip_monitor"),
    (Flags::SKIP_SLOWLOG, "skip_slowlog"),
    (Flags::FAST, "fast"),
    (Flags::NO_AUTH, "no_auth"),
    (Flags::NO_ASYNC_LOADING, "no_async_loading"),
    (Flags::NO_MANDATORY_KEYS, "no_mandatory_keys"),
    (Flags::NO_MULTI, "no_multi"),
    (Flags::MOVABLE_KEYS, "movablekeys"),
    (Flags::ALLOW_BUSY, "allow_busy"),
];

/// Writes the one reply of `COMMAND ...`.
pub fn command_reply(args: Args<'_>, reply: &mut Reply) {
    let Some(command) = registry::lookup_built_in(b"command") else {
        return reply.error("ERR unknown command");
    };
    if args.len() < 2 {
        return infos_of_all(reply);
    }
    let Some(row) = command.resolve(args, reply) else {
        return;
    };
    let rest = args.skip(2);
    match row.name {
        "command|count" => reply.integer(registry::all().count() as i64),
        "command|docs" => docs(rest, reply),
        "command|getkeys" => keys_of(rest, false, reply),
        "command|getkeysandflags" => keys_of(rest, true, reply),
        "command|help" => help_reply(command, args.name(), reply),
        "command|info" if rest.is_empty() => infos_of_all(reply),
        "command|info" => infos(rest, reply),
        "command|list" => list(rest, reply),
        _ => reply.error(errors::SYNTAX),
    }
}

fn infos_of_all(reply: &mut Reply) {
    reply.array(registry::all().count());
    for row in registry::all() {
        info(row, reply);
    }
}

fn infos(names: Args<'_>, reply: &mut Reply) {
    reply.array(names.len());
    for name in names {
        match registry::lookup_full(name) {
            Some(row) => info(row, reply),
            None => reply.null(),
        }
    }
}

fn info(row: &Row, reply: &mut Reply) {
    reply.array(10);
    reply.bulk(row.name.as_bytes());
    reply.integer(i64::from(row.arity));
    let flags = FLAG_NAMES.iter().filter(|(flag, _)| row.flags.has(*flag));
    simple_set(flags.map(|(_, name)| *name), reply);
    let (first, last, step) = key_range(row.keys);
    for place in [first, last, step] {
        reply.integer(place);
    }
    let names: Vec<_> = row
        .categories()
        .names()
        .map(|name| format!("@{name}"))
        .collect();
    simple_set(names.iter().map(String::as_str), reply);
    reply.set(row.docs.tips.len());
    for tip in row.docs.tips {
        reply.bulk(tip.as_bytes());
    }
    key_specs(row, reply);
    match row.docs.subcommands {
        [] => reply.set(0),
        subcommands => {
            reply.array(subcommands.len());
            for sub in subcommands {
                info(sub, reply);
            }
        }
    }
}

fn simple_set<'n>(names: impl Iterator<Item = &'n str> + Clone, reply: &mut Reply) {
    reply.set(names.clone().count());
    for name in names {
        reply.simple(name);
    }
}

/// First key, last key, step; all 0 for a command without.
fn key_range(keys: Keys) -> (i64, i64, i64) {
    match keys {
        Keys::None | Keys::All | Keys::Cursor(_) | Keys::Streams { .. } => (0, 0, 0),
        Keys::Counted {
            has_destination: false,
            ..
        } => (0, 0, 0),
        Keys::Migrate => (3, 3, 1),
        Keys::One | Keys::Sort | Keys::Stored { .. } | Keys::Counted { .. } => (1, 1, 1),
        Keys::Range { first, last, step } => (i64::from(first), i64::from(last), i64::from(step)),
    }
}

fn key_specs(row: &Row, reply: &mut Reply) {
    let (first, last, step) = key_range(row.keys);
    let counted = match row.keys {
        Keys::Counted { count, .. } => Some(i64::from(count)),
        _ => None,
    };
    if row.keys == Keys::Migrate {
        reply.set(2);
        key_spec(row.docs.access, "", Place::Range([3, 0, 1]), reply);
        let access = [row.docs.access, &["incomplete"]].concat();
        return key_spec(&access, "", Place::Words("KEYS", -2), reply);
    }
    if let Keys::Streams { from } = row.keys {
        reply.set(1);
        return key_spec(row.docs.access, "", Place::Streams(i64::from(from)), reply);
    }
    if first == 0 && counted.is_none() {
        return reply.set(0);
    }
    let Docs {
        access,
        access_note,
        key_specs,
        ..
    } = row.docs;
    // A last key that is counted from the first one, unless it is counted from the end.
    let last_key = if last >= 0 { last - first } else { last };
    if key_specs.is_empty() {
        reply.set(1 + row.docs.unknown_specs.len() + row.docs.keyword_specs.len());
        let place = match counted {
            Some(count) => Place::Counted(count),
            None => Place::Range([first, last_key, step]),
        };
        key_spec(access, access_note, place, reply);
        for (note, access) in row.docs.unknown_specs {
            key_spec(access, note, Place::Unknown, reply);
        }
        for (word, from) in row.docs.keyword_specs {
            let place = Place::Behind(word, i64::from(*from));
            key_spec(&["OW", "update"], "", place, reply);
        }
        return;
    }
    reply.set(key_specs.len());
    for spec in *key_specs {
        let place = match counted {
            Some(count) if spec.last < 0 => Place::Counted(count),
            _ => Place::Range([i64::from(spec.first), i64::from(spec.last), step]),
        };
        key_spec(spec.access, "", place, reply);
    }
}

/// Where keys are.
#[derive(Clone, Copy)]
enum Place {
    /// First key, last key from there, step.
    Range([i64; 3]),
    /// Behind their number, which is at this argument.
    Counted(i64),
    /// One behind this word, which stands somewhere from this argument on.
    Behind(&'static str, i64),
    /// The first half of those behind `STREAMS`, which stands somewhere from this argument on.
    Streams(i64),
    /// All behind this word, which stands somewhere before the argument of this number, from the end.
    Words(&'static str, i64),
    /// Where only the command itself finds them.
    Unknown,
}

fn key_spec(access: &[&str], note: &str, place: Place, reply: &mut Reply) {
    reply.map(3 + usize::from(!note.is_empty()));
    if !note.is_empty() {
        reply.bulk(b"notes");
        reply.bulk(note.as_bytes());
    }
    reply.bulk(b"flags");
    simple_set(access.iter().copied(), reply);
    reply.bulk(b"begin_search");
    let (index, kind, fields) = match place {
        Place::Range([first, last, step]) => {
            let fields = [("lastkey", last), ("keystep", step), ("limit", 0)];
            (first, "range", fields)
        }
        Place::Counted(count) => {
            let fields = [("keynumidx", 0), ("firstkey", 1), ("keystep", 1)];
            (count, "keynum", fields)
        }
        Place::Behind(..) | Place::Streams(_) | Place::Words(..) => {
            let (word, from, last, limit) = match place {
                Place::Behind(word, from) => (word, from, 0, 0),
                Place::Streams(from) => ("STREAMS", from, -1, 2),
                Place::Words(word, from) => (word, from, -1, 0),
                _ => return,
            };
            reply.map(2);
            reply.bulk(b"type");
            reply.bulk(b"keyword");
            reply.bulk(b"spec");
            reply.map(2);
            reply.bulk(b"keyword");
            reply.bulk(word.as_bytes());
            reply.bulk(b"startfrom");
            reply.integer(from);
            reply.bulk(b"find_keys");
            let fields = [("lastkey", last), ("keystep", 1), ("limit", limit)];
            return typed_spec("range", &fields, reply);
        }
        Place::Unknown => {
            typed_spec("unknown", &[], reply);
            reply.bulk(b"find_keys");
            return typed_spec("unknown", &[], reply);
        }
    };
    typed_spec("index", &[("index", index)], reply);
    reply.bulk(b"find_keys");
    typed_spec(kind, &fields, reply);
}

fn typed_spec(kind: &str, fields: &[(&str, i64)], reply: &mut Reply) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    reply.map(fields.len());
    for (name, value) in fields {
        reply.bulk(name.as_bytes());
        reply.integer(*value);
    }
}

fn docs(names: Args<'_>, reply: &mut Reply) {
    if names.is_empty() {
        reply.map(registry::all().count());
        for row in registry::all() {
            doc(row, reply);
        }
        return;
    }
    let rows: Vec<_> = names.iter().filter_map(registry::lookup_full).collect();
    reply.map(rows.len());
    for row in rows {
        doc(row, reply);
    }
}

/// A name and the map of what is said of it.
fn doc(row: &Row, reply: &mut Reply) {
    let docs = row.docs;
    reply.bulk(row.name.as_bytes());
    let map = reply.deferred_map();
    let mut fields = 4;
    for (name, value) in [
        ("summary", docs.summary),
        ("since", docs.since),
        ("group", docs.group.as_str()),
        ("complexity", docs.complexity),
    ] {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
    let doc_flags = [
        (docs.deprecated.is_some(), "deprecated"),
        (docs.system, "syscmd"),
    ];
    let doc_flags = doc_flags.iter().filter(|(set, _)| *set);
    if doc_flags.clone().next().is_some() {
        reply.bulk(b"doc_flags");
        simple_set(doc_flags.map(|(_, name)| *name), reply);
        fields += 1;
    }
    if let Some(deprecated) = docs.deprecated {
        reply.bulk(b"deprecated_since");
        reply.bulk(deprecated.since.as_bytes());
        reply.bulk(b"replaced_by");
        reply.bulk(deprecated.replaced_by.as_bytes());
        fields += 2;
    }
    if !docs.arguments.is_empty() {
        reply.bulk(b"arguments");
        arguments(docs.arguments, reply);
        fields += 1;
    }
    if !docs.subcommands.is_empty() {
        reply.bulk(b"subcommands");
        reply.map(docs.subcommands.len());
        for sub in docs.subcommands {
            doc(sub, reply);
        }
        fields += 1;
    }
    reply.set_len(map, fields);
}

fn arguments(arguments: &[Argument], reply: &mut Reply) {
    reply.array(arguments.len());
    for argument in arguments {
        self::argument(argument, reply);
    }
}

fn argument(argument: &Argument, reply: &mut Reply) {
    let flags = [
        (argument.optional, "optional"),
        (argument.multiple, "multiple"),
        (argument.multiple_token, "multiple_token"),
    ];
    let flags = flags.iter().filter(|(set, _)| *set);
    let has_spec = argument.kind == ArgumentKind::Key || argument.key_spec > 0;
    let map = reply.deferred_map();
    let mut fields = 0;
    let mut text = |name: &str, value: &str, reply: &mut Reply| {
        if !value.is_empty() {
            reply.bulk(name.as_bytes());
            reply.bulk(value.as_bytes());
            fields += 1;
        }
    };
    text("name", argument.name, reply);
    text("type", argument.kind.as_str(), reply);
    if has_spec {
        reply.bulk(b"key_spec_index");
        reply.integer(i64::from(argument.key_spec));
    }
    let is_empty_word = argument.kind == ArgumentKind::PureToken && argument.token.is_empty();
    if is_empty_word {
        reply.bulk(b"token");
        reply.bulk(b"");
    }
    text("token", argument.token, reply);
    text("since", argument.since, reply);
    text("deprecated_since", argument.deprecated_since, reply);
    fields += usize::from(has_spec) + usize::from(is_empty_word);
    if flags.clone().next().is_some() {
        reply.bulk(b"flags");
        simple_set(flags.map(|(_, name)| *name), reply);
        fields += 1;
    }
    if !argument.arguments.is_empty() {
        reply.bulk(b"arguments");
        arguments(argument.arguments, reply);
        fields += 1;
    }
    reply.set_len(map, fields);
}

/// The rows of all commands and subcommands.
fn all_with_subcommands() -> impl Iterator<Item = &'static Row> {
    registry::all().flat_map(|row| std::iter::once(row).chain(row.docs.subcommands))
}

fn list(args: Args<'_>, reply: &mut Reply) {
    let rows: Vec<&Row> = match args.len() {
        0 => all_with_subcommands().collect(),
        3 if args[0].eq_ignore_ascii_case(b"filterby") => {
            let (by, value) = (args.get(1), args.get(2));
            if by.eq_ignore_ascii_case(b"module") {
                Vec::new()
            } else if by.eq_ignore_ascii_case(b"aclcat") {
                match Categories::by_name(value) {
                    Some(category) => all_with_subcommands()
                        .filter(|row| row.categories().has(category))
                        .collect(),
                    None => Vec::new(),
                }
            } else if by.eq_ignore_ascii_case(b"pattern") {
                all_with_subcommands()
                    .filter(|row| glob_match(value, row.name.as_bytes(), true))
                    .collect()
            } else {
                return reply.error(errors::SYNTAX);
            }
        }
        _ => return reply.error(errors::SYNTAX),
    };
    reply.array(rows.len());
    for row in rows {
        reply.bulk(row.name.as_bytes());
    }
}

fn keys_of(command: Args<'_>, with_access: bool, reply: &mut Reply) {
    let row = registry::lookup(command.name()).and_then(|row| match command.try_get(1) {
        Some(sub) if !row.docs.subcommands.is_empty() => row.subcommand(sub),
        _ => Some(row),
    });
    let Some(row) = row else {
        return reply.error("ERR Invalid command specified");
    };
    if !row.has_keys() {
        return reply.error("ERR The command has no key arguments");
    }
    if !row.accepts(command.len()) {
        return reply.error("ERR Invalid number of arguments specified for command");
    }
    let least = match row.keys {
        Keys::Counted { count, .. } if !row.flags.has(Flags::NO_MANDATORY_KEYS) => {
            usize::from(count)
        }
        Keys::Streams { .. } | Keys::Migrate => 1,
        _ => 0,
    };
    if least > 0 && row.key_arguments(command).all(|index| index < least) {
        return reply.error("ERR Invalid arguments specified for command");
    }
    reply.array(row.key_arguments(command).count());
    for index in row.key_arguments(command) {
        if with_access {
            reply.array(2);
        }
        reply.bulk(command.get(index));
        if with_access {
            let access = row.key_access(command, index);
            simple_set(access.iter().copied(), reply);
        }
    }
}

#[cfg(test)]
mod compatibility;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod tests;
