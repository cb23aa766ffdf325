//! ACL and its subcommands.

use std::sync::Arc;

use crate::acl::commands::of_category;
use crate::acl::file::lines;
use crate::acl::rules::has_spaces;
use crate::acl::users::{Changed, DEFAULT};
use crate::acl::{Account, Selector, merge_selectors};
use crate::clients::acl_files;
use crate::clients::conversation::{After, Conversation};
use crate::clients::denials::dry_text;
use crate::clients::errors::{self, until_nul};
use crate::clients::registry::signal;
use crate::commands::docs::Categories;
use crate::commands::registry;
use crate::pubsub::Kind;
use crate::resp::{Args, Reply, parse_i64};

/// Entries that LOG shows unasked.
const SHOWN: i64 = 10;
/// Bits of a password that GENPASS makes, unasked and at most.
const PASSWORD_BITS: i64 = 256;
const PASSWORD_BITS_MAX: i64 = 4096;

const NO_FILE: &str = "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.";
const NOT_SAVED: &str = "ERR There was an error trying to save the ACLs. Please check the server logs for more information";

const HELP: &[&str] = &[
    "CAT [<category>]",
    "    List all commands that belong to <category>, or all command categories",
    "    when no category is specified.",
    "DELUSER <username> [<username> ...]",
    "    Delete a list of users.",
    "DRYRUN <username> <command> [<arg> ...]",
    "    Returns whether the user can execute the given command without executing the command.",
    "GETUSER <username>",
    "    Get the user's details.",
    "GENPASS [<bits>]",
    "    Generate a secure 256-bit user password. The optional `bits` argument can",
    "    be used to specify a different size.",
    "LIST",
    "    Show users details in config file format.",
    "LOAD",
    "    Reload users from the ACL file.",
    "LOG [<count> | RESET]",
    "    Show the ACL log entries.",
    "SAVE",
    "    Save the current config to the ACL file.",
    "SETUSER <username> <attribute> [<attribute> ...]",
    "    Create or modify a user with the specified attributes.",
    "USERS",
    "    List all the registered usernames.",
    "WHOAMI",
    "    Return the current connection username.",
];

impl Conversation {
    pub(super) fn acl_command(&mut self, args: Args<'_>, reply: &mut Reply) -> After {
        let lower = args.get(1).to_ascii_lowercase();
        match (lower.as_slice(), args.len()) {
            (b"cat", 2..=3) => acl_cat(args.try_get(2), reply),
            (b"deluser", 3..) => return self.acl_deluser(args, reply),
            (b"dryrun", 4..) => self.acl_dryrun(args, reply),
            (b"genpass", 2..=3) => acl_genpass(args.try_get(2), reply),
            (b"getuser", 3) => match self.context.users.get(args.get(2)) {
                Some(account) => describe(&account, reply),
                None => reply.null(),
            },
            (b"list", 2) => bulks(&lines(&self.context.users), reply),
            (b"load", 2) => return self.acl_load(reply),
            (b"log", 2..=3) => self.acl_log(args.try_get(2), reply),
            (b"save", 2) => self.acl_save(reply),
            (b"setuser", 3..) => self.acl_setuser(args, reply),
            (b"users", 2) => {
                let users = self.context.users.list();
                reply.array(users.len());
                users.iter().for_each(|account| reply.bulk(account.name()));
            }
            (b"whoami", 2) => reply.bulk(self.identity.name()),
            (b"help", 2) => errors::help(args, HELP, reply),
            _ => errors::wrong_form(args, reply),
        }
        After::Next
    }

    fn acl_setuser(&self, args: Args<'_>, reply: &mut Reply) {
        let name = args.get(2);
        if has_spaces(name) {
            return reply.error("ERR Usernames can't contain spaces or null characters");
        }
        let words: Vec<&[u8]> = args.skip(3).iter().collect();
        let rules = match merge_selectors(&words) {
            Ok(rules) => rules,
            Err(at) => {
                let before = b"ERR Unmatched parenthesis in acl selector starting at '";
                return reply.error_bytes(&[&before[..], until_nul(words[at]), b"'."].concat());
            }
        };
        match self.context.users.set(name, &rules) {
            Ok(changed) => {
                self.end_lost_subscriptions(&changed);
                reply.ok();
            }
            Err((at, error)) => {
                let mut text = b"ERR Error in ACL SETUSER modifier '".to_vec();
                text.extend_from_slice(until_nul(&rules[at]));
                text.extend_from_slice(format!("': {error}").as_bytes());
                reply.error_bytes(&text);
            }
        }
    }

    /// Ends the connections of a user that hear what it may hear no longer.
    fn end_lost_subscriptions(&self, changed: &Changed) {
        let before = changed.before.as_ref();
        let Some(left) = before.and_then(|before| changed.after.channels_left(before)) else {
            return;
        };
        let channels = &self.context.keyspace.pubsub.channels;
        for client in self.context.clients.list() {
            if !client.mailbox.is_pubsub() || !client.is_of(&changed.account) {
                continue;
            }
            let is_lost = [Kind::Channel, Kind::Pattern, Kind::Shard]
                .into_iter()
                .flat_map(|kind| {
                    let names = channels.heard_by(kind, client.mailbox.id);
                    names.into_iter().map(move |name| (kind, name))
                })
                .any(|(kind, name)| !left.has(&name, kind == Kind::Pattern));
            if is_lost {
                client.signal(signal::KILL);
            }
        }
    }

    fn acl_deluser(&mut self, args: Args<'_>, reply: &mut Reply) -> After {
        let names = args.skip(2);
        if names.iter().any(|name| name == DEFAULT) {
            reply.error("ERR The 'default' user cannot be removed");
            return After::Next;
        }
        let gone = names
            .iter()
            .filter_map(|name| self.context.users.delete(name));
        let gone: Vec<Arc<Account>> = gone.collect();
        for client in self.context.clients.list() {
            let is_gone = gone.iter().any(|account| client.is_of(account));
            if is_gone && client.id != self.client.id {
                client.signal(signal::KILL);
            }
        }
        self.end_links_of_gone();
        reply.integer(gone.len() as i64);
        self.unless_gone()
    }

    /// Ends the links of users that are gone; not while a transaction holds partitions, which replication may wait for.
    pub(super) fn end_links_of_gone(&mut self) {
        self.ends_links = self.is_in_exec;
        if !self.is_in_exec {
            let (links, replication) = (&self.context.link_accounts, &self.context.replication);
            links.end_gone(&**replication);
        }
    }

    /// Closes this connection behind its reply if its own user went.
    fn unless_gone(&self) -> After {
        if self.identity.account().is_gone() {
            After::Close
        } else {
            After::Next
        }
    }

    fn acl_load(&mut self, reply: &mut Reply) -> After {
        let Some(path) = &self.options.aclfile else {
            reply.error(NO_FILE);
            return After::Next;
        };
        match acl_files::load(&self.context, path) {
            Ok(()) => {
                self.end_links_of_gone();
                reply.ok();
            }
            Err(error) => reply.error(&format!("ERR {error}")),
        }
        self.unless_gone()
    }

    fn acl_save(&self, reply: &mut Reply) {
        let Some(path) = &self.options.aclfile else {
            return reply.error(NO_FILE);
        };
        match acl_files::save(&self.context, path) {
            Ok(()) => reply.ok(),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "the ACL file could not be written");
                reply.error(NOT_SAVED);
            }
        }
    }

    fn acl_dryrun(&self, args: Args<'_>, reply: &mut Reply) {
        let not_found = |kind: &str, name: &[u8], reply: &mut Reply| {
            let before = format!("ERR {kind} '");
            reply.error_bytes(&[before.as_bytes(), until_nul(name), b"' not found"].concat());
        };
        let Some(account) = self.context.users.get(args.get(2)) else {
            return not_found("User", args.get(2), reply);
        };
        let call = args.skip(3);
        let row = registry::lookup(call.name()).and_then(|row| match call.try_get(1) {
            Some(word) if row.has_subcommands() => row.subcommand(word),
            _ => Some(row),
        });
        let Some(row) = row else {
            return not_found("Command", call.name(), reply);
        };
        if !row.accepts(call.len()) {
            return errors::wrong_arity(row.name, reply);
        }
        match account.user().check(row, call) {
            Ok(()) => reply.ok(),
            Err(denied) => reply.bulk(&dry_text(denied, row, call)),
        }
    }

    fn acl_log(&self, word: Option<&[u8]>, reply: &mut Reply) {
        if word.is_some_and(|word| word.eq_ignore_ascii_case(b"reset")) {
            self.context.acl_log.clear();
            return reply.ok();
        }
        let Some(count) = word.map_or(Some(SHOWN), parse_i64) else {
            return reply.error(errors::NOT_AN_INTEGER);
        };
        let count = usize::try_from(count).unwrap_or(0);
        let (entries, now) = (self.context.acl_log.newest(count), self.context.now());
        reply.array(entries.len());
        for entry in entries {
            let refusal = &entry.refusal;
            reply.map(10);
            reply.bulk(b"count");
            reply.integer(entry.count as i64);
            for (name, value) in [
                ("reason", refusal.reason.as_str().as_bytes()),
                ("context", refusal.within.as_str().as_bytes()),
                ("object", &refusal.object),
                ("username", &refusal.user),
            ] {
                reply.bulk(name.as_bytes());
                reply.bulk(value);
            }
            reply.bulk(b"age-seconds");
            reply.double((now.0 - refusal.at.0) as f64 / 1000.0);
            reply.bulk(b"client-info");
            reply.bulk(&refusal.client);
            for (name, value) in [
                ("entry-id", entry.id as i64),
                ("timestamp-created", entry.created.0),
                ("timestamp-last-updated", refusal.at.0),
            ] {
                reply.bulk(name.as_bytes());
                reply.integer(value);
            }
        }
    }
}

fn bulks(texts: &[Vec<u8>], reply: &mut Reply) {
    reply.array(texts.len());
    texts.iter().for_each(|text| reply.bulk(text));
}

fn acl_cat(name: Option<&[u8]>, reply: &mut Reply) {
    let Some(name) = name else {
        reply.array(Categories::NAMES.len());
        let mut names = Categories::NAMES.iter();
        return names.by_ref().for_each(|name| reply.bulk(name.as_bytes()));
    };
    let Some(category) = Categories::by_name(name) else {
        let before = b"ERR Unknown category '";
        return reply.error_bytes(&[&before[..], until_nul(name), b"'"].concat());
    };
    let rows: Vec<_> = of_category(category).collect();
    reply.array(rows.len());
    for row in rows {
        reply.bulk(row.name.as_bytes());
    }
}

fn acl_genpass(bits: Option<&[u8]>, reply: &mut Reply) {
    let Some(bits) = bits.map_or(Some(PASSWORD_BITS), parse_i64) else {
        return reply.error(errors::NOT_AN_INTEGER);
    };
    if !(1..=PASSWORD_BITS_MAX).contains(&bits) {
        return reply.error_format(format_args!(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to {PASSWORD_BITS_MAX}"
        ));
    }
    let digits = (0..(bits + 3) / 4).map(|_| format!("{:x}", rand::random_range(0..16_u8)));
    reply.bulk(digits.collect::<String>().as_bytes());
}

/// GETUSER.
fn describe(account: &Account, reply: &mut Reply) {
    let user = account.user();
    reply.map(6);
    reply.bulk(b"flags");
    reply.set(user.flags().count());
    user.flags().for_each(|flag| reply.bulk(flag.as_bytes()));
    reply.bulk(b"passwords");
    let passwords = user.passwords();
    reply.array(passwords.len());
    passwords.for_each(|hash| reply.bulk(hash.as_bytes()));
    let Some((root, others)) = user.selectors().split_first() else {
        return;
    };
    describe_selector(root, reply);
    reply.bulk(b"selectors");
    reply.array(others.len());
    for selector in others {
        reply.map(3);
        describe_selector(selector, reply);
    }
}

fn describe_selector(selector: &Selector, reply: &mut Reply) {
    for (name, text) in [
        ("commands", selector.commands_text()),
        ("keys", selector.keys_text()),
        ("channels", selector.channels_text()),
    ] {
        reply.bulk(name.as_bytes());
        reply.bulk(&text);
    }
}
