//! Error texts that more than one command uses, in Redis's exact words.

use crate::resp::{Args, Reply};

pub(super) const NOAUTH: &str = "NOAUTH Authentication required.";
pub(super) const WRONGPASS: &str = "WRONGPASS invalid username-password pair or user is disabled.";
pub(super) const BUSY_SCRIPT: &str =
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
pub(super) const BUSY_FUNCTION: &str =
    "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
pub(super) const SYNTAX: &str = "ERR syntax error";
pub(super) const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";
pub(super) const OUTSIDE_32_BITS: &str =
    "ERR value is out of range, value must between -2147483648 and 2147483647";
pub(super) const READONLY: &str = "READONLY You can't write against a read only replica.";
pub(super) const MASTERDOWN: &str =
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
pub(super) const NO_SHUTDOWN: &str = "ERR Errors trying to SHUTDOWN. Check logs.";
pub(super) const MISCONF: &str = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.";
pub(super) const LOADING: &str = "LOADING Redis is loading the dataset in memory";
pub(super) const MAX_CLIENTS: &[u8] = b"-ERR max number of clients reached\r\n";
pub(super) const PROTECTED: &[u8] = b"-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. In this mode connections are only accepted from the loopback interface. If you want to connect from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the protected mode by editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the server. 3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. 4) Setup a an authentication password for the default user. NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside.\r\n";

pub(super) const NO_MASTER_ANY_MORE: &str =
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";
pub(super) const CROSSOWNER: &str = "CROSSOWNER Keys in request don't have the same owner";
pub(super) const BEHIND: &str = "BEHIND this node does not have all that the asking one has";
pub(super) const OWNED_IN_SCRIPT: &str = "ERR the key has another master as its queue-owner: a script that takes something out of it must declare it among its keys";
pub(super) const OWNED_IN_MULTI: &str =
    "ERR the key has another master as its queue-owner, which has changed meanwhile";
pub(super) const OWNER_CHANGED: &str =
    "UNBLOCKED the queue-owner of these keys has changed while the client waited";
pub(super) const UNBLOCKED: &str = "UNBLOCKED client unblocked via CLIENT UNBLOCK";

/// How much of a name and of the arguments an error repeats.
const REPEATED_LEN: usize = 128;

/// `ERR unknown command ...`, with the beginning of the arguments.
pub(super) fn unknown_command(args: Args<'_>, reply: &mut Reply) {
    let mut text = b"ERR unknown command '".to_vec();
    text.extend_from_slice(cut(args.name(), REPEATED_LEN));
    text.extend_from_slice(b"', with args beginning with: ");
    let start = text.len();
    for argument in args.skip(1) {
        let used = text.len() - start;
        if used >= REPEATED_LEN {
            break;
        }
        text.push(b'\'');
        text.extend_from_slice(cut(argument, REPEATED_LEN - used));
        text.extend_from_slice(b"' ");
    }
    reply.error_bytes(&text);
}

/// `ERR wrong number of arguments ...`.
pub(super) fn wrong_arity(name: &str, reply: &mut Reply) {
    reply.error_format(format_args!(
        "ERR wrong number of arguments for '{name}' command"
    ));
}

/// `ERR unknown subcommand ...`.
pub(super) fn unknown_subcommand(args: Args<'_>, reply: &mut Reply) {
    try_help(b"ERR unknown subcommand '", args, reply);
}

/// `ERR unknown subcommand or wrong number of arguments ...`, for what a row lets pass and its command does not.
pub(super) fn wrong_form(args: Args<'_>, reply: &mut Reply) {
    let text = b"ERR unknown subcommand or wrong number of arguments for '";
    try_help(text, args, reply);
}

fn try_help(text: &[u8], args: Args<'_>, reply: &mut Reply) {
    let subcommand = cut(args.get(1), REPEATED_LEN);
    let called = args.name().to_ascii_uppercase();
    reply.error_bytes(&[text, subcommand, b"'. Try ", &called, b" HELP."].concat());
}

/// A text as Redis shows it where it takes it for one of C: up to its first zero byte.
pub(super) fn until_nul(text: &[u8]) -> &[u8] {
    memchr::memchr(0, text).map_or(text, |end| &text[..end])
}

fn cut(bytes: &[u8], len: usize) -> &[u8] {
    until_nul(&bytes[..bytes.len().min(len)])
}

/// A help text as Redis shows it: lines as simple strings, the first with the name by which the command was called.
pub(super) fn help(args: Args<'_>, lines: &[&str], reply: &mut Reply) {
    reply.array(lines.len() + 3);
    reply.simple(&format!(
        "{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        String::from_utf8_lossy(args.name()).to_uppercase()
    ));
    for line in lines {
        reply.simple(line);
    }
    reply.simple("HELP");
    reply.simple("    Print this help.");
}
