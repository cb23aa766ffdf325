//! CLIENT and its subcommands.

use crate::clients::conversation::{After, Conversation};
use crate::clients::errors;
use crate::resp::{Args, Reply};

pub(super) const BAD_NAME: &str =
    "ERR Client names cannot contain spaces, newlines or special characters.";

/// Whether all bytes can be shown in CLIENT LIST.
pub(super) fn is_name(name: &[u8]) -> bool {
    name.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

impl Conversation {
    pub(super) fn client_command(&mut self, args: Args<'_>, reply: &mut Reply) -> After {
        errors::unknown_subcommand("CLIENT", args.get(1), reply);
        After::Next
    }
}
