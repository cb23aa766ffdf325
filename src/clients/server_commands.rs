//! Commands of the server.

use crate::clients::conversation::{After, Conversation};
use crate::commands::Row;
use crate::commands::table::ServerCommand;
use crate::resp::{Args, Reply};

impl Conversation {
    pub(super) fn run_server_command(
        &mut self,
        command: ServerCommand,
        _row: &'static Row,
        _args: Args<'_>,
        reply: &mut Reply,
    ) -> After {
        match command {
            ServerCommand::Lfence => reply.ok(),
            ServerCommand::Replping => reply.simple("PONG"),
            _ => reply.error("ERR not yet"),
        }
        After::Next
    }
}
