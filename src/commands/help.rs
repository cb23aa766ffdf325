//! `<command> HELP`: one line of grammar and one of purpose for each subcommand, from its docs.

use crate::commands::docs::{Argument, ArgumentKind};
use crate::commands::table::Row;
use crate::resp::Reply;

/// Writes the reply of `<command> HELP` for a command with subcommands, by the name that it was called.
pub fn help_reply(row: &Row, called: &[u8], reply: &mut Reply) {
    let subcommands = row.docs.subcommands;
    reply.array(1 + 2 * subcommands.len());
    reply.simple(&format!(
        "{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        String::from_utf8_lossy(called).to_uppercase()
    ));
    for sub in subcommands {
        let (_, name) = sub.name.split_once('|').unwrap_or_default();
        let mut usage = name.to_ascii_uppercase();
        for argument in sub.docs.arguments {
            usage.push(' ');
            write_usage(argument, &mut usage);
        }
        reply.simple(&usage);
        reply.simple(&format!("    {}.", sub.docs.summary));
    }
}

/// How an argument is written, for the page of commands.
#[cfg(test)]
pub(super) fn usage(argument: &Argument) -> String {
    let mut text = String::new();
    write_usage(argument, &mut text);
    text
}

/// How an argument is written: `[COUNT <count>]`, `<ON | OFF>`.
fn write_usage(argument: &Argument, out: &mut String) {
    if argument.optional {
        out.push('[');
    }
    if argument.kind == ArgumentKind::PureToken {
        out.push_str(argument.token);
    } else if !argument.token.is_empty() {
        out.push_str(argument.token);
        out.push(' ');
    }
    let between = match argument.kind {
        ArgumentKind::PureToken => None,
        ArgumentKind::OneOf => Some(" | "),
        ArgumentKind::Block => Some(" "),
        _ => {
            out.push('<');
            out.push_str(argument.name);
            out.push('>');
            None
        }
    };
    if let Some(between) = between {
        let chosen = argument.kind == ArgumentKind::OneOf && !argument.optional;
        out.push_str(if chosen { "<" } else { "" });
        for (nth, part) in argument.arguments.iter().enumerate() {
            out.push_str(if nth == 0 { "" } else { between });
            write_usage(part, out);
        }
        out.push_str(if chosen { ">" } else { "" });
    }
    if argument.multiple {
        out.push_str(" ...");
    }
    if argument.optional {
        out.push(']');
    }
}
