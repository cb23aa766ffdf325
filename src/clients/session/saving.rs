//! A session whose client waits for SAVE.

use crate::clients::persistence;
use crate::clients::session::{End, Session};

impl Session {
    /// Saves by another thread, then answers.
    pub(super) async fn save(&mut self, is_answered: bool) -> Result<(), End> {
        let Some(claim) = self.conversation.saving.take() else {
            return Ok(());
        };
        let saving = persistence::carry_out(&self.conversation.context, claim);
        let saved = self.unless_drained(saving).await?;
        if is_answered {
            match saved {
                Ok(Ok(())) => self.reply.ok(),
                // As in Redis, the log says more.
                _ => self.reply.error("ERR"),
            }
        }
        Ok(())
    }
}
