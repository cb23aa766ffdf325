//! What is said of a command that a user may not call, and noted in ACL LOG.

use crate::acl::{Denied, Reason, Refusal, Within};
use crate::clients::client_list::describe;
use crate::clients::conversation::{Conversation, Fate};
use crate::clients::errors::until_nul;
use crate::commands::Row;
use crate::resp::{Args, Reply};

/// In EXEC: the command could be queued.
pub(super) const fn changed_text(denied: Denied) -> &'static str {
    match denied {
        Denied::Command => {
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: no permission to execute the command or subcommand"
        }
        Denied::Key(_) => {
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: no permission to touch the specified keys"
        }
        Denied::Channel(_) => {
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: no permission to access one of the channels used as arguments"
        }
    }
}

fn text(denied: Denied, row: &Row) -> String {
    match denied {
        Denied::Command => format!(
            "NOPERM this user has no permissions to run the '{}' command",
            row.name
        ),
        Denied::Key(_) => {
            "NOPERM this user has no permissions to access one of the keys used as arguments".into()
        }
        Denied::Channel(_) => {
            "NOPERM this user has no permissions to access one of the channels used as arguments"
                .into()
        }
    }
}

/// ACL DRYRUN's answer.
pub(super) fn dry_text(denied: Denied, row: &Row, args: Args<'_>) -> Vec<u8> {
    let of = |index: usize, kind: &[u8]| {
        let before = b"This user has no permissions to access the '";
        [&before[..], until_nul(args.get(index)), b"' ", kind].concat()
    };
    match denied {
        Denied::Command => format!(
            "This user has no permissions to run the '{}' command",
            row.name
        )
        .into_bytes(),
        Denied::Key(index) => of(index, b"key"),
        Denied::Channel(index) => of(index, b"channel"),
    }
}

/// What ACL LOG shows of a refused command: the reason and what it is about.
pub(super) fn subject(denied: Denied, row: &Row, args: Args<'_>) -> (Reason, Vec<u8>) {
    match denied {
        Denied::Command => (Reason::Command, row.name.into()),
        Denied::Key(index) => (Reason::Key, args.get(index).to_vec()),
        Denied::Channel(index) => (Reason::Channel, args.get(index).to_vec()),
    }
}

/// Bytes of all arguments.
pub(super) fn len_of(args: Args<'_>) -> usize {
    args.iter().map(<[u8]>::len).sum()
}

impl Conversation {
    /// Notes what a user was refused on this connection, which is within a command.
    pub(super) fn note_denial(
        &self,
        (command, arguments_len): (&'static str, usize),
        user: &[u8],
        (reason, object): (Reason, Vec<u8>),
    ) {
        {
            let mut shown = self.client.shown.lock();
            shown.command = command;
            shown.arguments_len = arguments_len;
        }
        let at = self.context.now();
        let line = describe(&self.client, at);
        let refusal = Refusal {
            reason,
            within: if self.transaction.is_some() || self.is_in_exec {
                Within::Multi
            } else {
                Within::Nothing
            },
            object,
            user: user.to_vec(),
            client: line.trim_ascii_end().to_vec(),
            at,
        };
        let max = self.options.acllog_max_len;
        self.context.acl_log.add(refusal, max);
    }

    /// The same of a command that a script called.
    pub(super) fn note_script_denial(
        &self,
        row: &Row,
        user: &[u8],
        (reason, object): (Reason, Vec<u8>),
    ) {
        let at = self.context.now();
        let mut line = describe(&self.client, at);
        if let Some(start) = memchr::memmem::find(&line, b" cmd=").map(|at| at + 5) {
            let end = memchr::memchr(b' ', &line[start..]).map_or(line.len(), |len| start + len);
            line.splice(start..end, row.name.bytes());
        }
        let refusal = Refusal {
            reason,
            within: Within::Script,
            object,
            user: user.to_vec(),
            client: line.trim_ascii_end().to_vec(),
            at,
        };
        self.context
            .acl_log
            .add(refusal, self.options.acllog_max_len);
    }

    /// Refuses a command that the user may not call.
    #[cold]
    pub(super) fn refuse_denied(
        &mut self,
        denied: Denied,
        row: &'static Row,
        args: Args<'_>,
        reply: &mut Reply,
    ) -> Fate {
        self.context.statistics.add_rejected(row);
        let command = (row.name, len_of(args));
        self.note_denial(command, self.identity.name(), subject(denied, row, args));
        if self.is_in_exec {
            reply.error(changed_text(denied));
        } else {
            self.refuse_because(row, &text(denied, row), reply);
        }
        Fate::Refused
    }
}
