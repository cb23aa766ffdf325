//! Where users come from and go to: the lines of the configuration, or an ACL file.
//!
//! Invariant: who reads the file finds the old text or the new one; a text with an error changes nothing.

use std::path::Path;

use crate::acl::file::{declare, lines, parse};
use crate::clients::context::Context;
use crate::clients::registry::signal;
use crate::config::{replace_file, system_words};

const BOTH: &str = "Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is invalid. This setup is very likely to lead to configuration errors and security holes, please define either an ACL file or declare users directly in your redis.conf, but not both.";

/// Makes the users that a server starts with. Nobody is connected yet.
pub fn load_at_start(context: &Context, declared: &[Vec<String>]) -> Result<(), String> {
    let options = context.configuration.options();
    match &options.aclfile {
        Some(_) if !declared.is_empty() => Err(BOTH.to_owned()),
        Some(path) => load(context, path)
            .map_err(|error| format!("Aborting Redis startup because of ACL errors: {error}")),
        None => declare(&context.users, declared),
    }
}

/// Reads the file and replaces all users; connections of users that went end, links apart. What is wrong, where something is.
pub(super) fn load(context: &Context, path: &Path) -> Result<(), String> {
    let shown = path.display().to_string();
    let text = std::fs::read(path).map_err(|error| {
        let why = system_words(&error);
        format!("Error loading ACLs, opening file '{shown}': {why}")
    })?;
    let users = parse(&text, &shown, context.users.defaults())?;
    context.users.replace(users);
    for client in context.clients.list() {
        let account = client.shown.lock().account.clone();
        if account.is_some_and(|account| account.is_gone()) {
            client.signal(signal::KILL);
        }
    }
    Ok(())
}

/// Writes all users into the file.
pub(super) fn save(context: &Context, path: &Path) -> std::io::Result<()> {
    let mut text = lines(&context.users).join(&b'\n');
    text.push(b'\n');
    replace_file(path, &text)
}
