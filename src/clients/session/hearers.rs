//! PUBSUB NUMSUB and SHARDNUMSUB over the mesh: subscribers of all nodes, for all hear the same messages.
//!
//! Invariant: each node is asked once and counts its own subscribers alone; one that does not answer in time counts none.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clients::context::Context;
use crate::clients::owned_request::words_of;
use crate::clients::owners::Owner;
use crate::clients::session::owners::request;
use crate::clients::session::{End, Session};
use crate::config::Endpoint;
use crate::resp::{Decoder, Frame, FrameLimits, Protocol};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The numbers of a reply, which names each channel before its number.
fn counts(reply: &[u8], channels: &[Vec<u8>]) -> Option<Vec<u64>> {
    let mut decoder = Decoder::new(Protocol::Resp2, FrameLimits::default());
    let mut bytes = BytesMut::from(reply);
    let Ok(Some(Frame::Array { data, .. })) = decoder.next(&mut bytes) else {
        return None;
    };
    if !bytes.is_empty() || data.len() != channels.len() * 2 {
        return None;
    }
    let pairs = data.chunks(2).zip(channels);
    let count = |(pair, channel): (&[Frame], &Vec<u8>)| match pair {
        [
            Frame::BlobString { data: name, .. },
            Frame::Number { data, .. },
        ] if name == channel => u64::try_from(*data).ok(),
        _ => None,
    };
    pairs.map(count).collect()
}

/// What one of them counts.
async fn ask(context: Arc<Context>, owner: Arc<Owner>, words: Arc<[Vec<u8>]>) -> Option<Vec<u64>> {
    let own = context.replication.origin();
    let (protocol, cancel) = (Protocol::Resp2, Notify::new());
    let all: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    let request = request(own, &owner, 0, &[], PATIENCE, protocol, &all);
    let asking = owner.ask(&context, &request, protocol, PATIENCE, &cancel);
    let answer = timeout(PATIENCE, asking).await.ok()?.ok()?;
    counts(&answer.reply, words.get(2..)?)
}

impl Session {
    /// Answers with the sum of what all count.
    pub(super) async fn count_hearers(&mut self, is_answered: bool) -> Result<(), End> {
        let context = Arc::clone(&self.conversation.context);
        let Some(args) = self.batch.last_arguments(self.read.filled()) else {
            return Ok(());
        };
        let row = crate::commands::lookup(args.name());
        let Some(row) = row.and_then(|row| row.subcommand(args.get(1))) else {
            return Ok(());
        };
        let words: Arc<[Vec<u8>]> = words_of(row, args).into();
        let mut sums = self.conversation.hearers(row, args);
        let mut asked = JoinSet::new();
        for (host, port) in context.replication.others() {
            let owner = context.owners.at(Endpoint { host, port });
            asked.spawn(ask(Arc::clone(&context), owner, Arc::clone(&words)));
        }
        let counting = async {
            while let Some(counts) = asked.join_next().await {
                let counts = counts.ok().flatten().unwrap_or_default();
                for (sum, count) in sums.iter_mut().zip(counts) {
                    *sum = sum.saturating_add(count);
                }
            }
        };
        self.unless_drained(counting).await?;
        if is_answered && let Some(channels) = words.get(2..) {
            self.reply.array(2 * channels.len());
            for (channel, sum) in channels.iter().zip(sums) {
                self.reply.bulk(channel);
                self.reply.integer(i64::try_from(sum).unwrap_or(i64::MAX));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_if_it_is_about_these_channels() {
        let channels = [b"a\r\n".to_vec(), b"bc".to_vec()];
        let good = b"*4\r\n$3\r\na\r\n\r\n:7\r\n$2\r\nbc\r\n:0\r\n";
        assert_eq!(counts(good, &channels), Some(vec![7, 0]));
        assert_eq!(counts(b"*0\r\n", &[]), Some(vec![]));
        for cut in 0..good.len() {
            assert_eq!(counts(&good[..cut], &channels), None, "{cut}");
        }
        for bad in [
            &b"-ERR no\r\n"[..],
            b"*4\r\n$3\r\na\r\n\r\n:-7\r\n$2\r\nbc\r\n:0\r\n",
            b"*4\r\n$3\r\na\r\n\r\n:7\r\n$2\r\nxx\r\n:0\r\n",
            b"*4\r\n$3\r\na\r\n\r\n:7\r\n$2\r\nbc\r\n:0\r\n+more\r\n",
        ] {
            assert_eq!(counts(bad, &channels), None);
        }
    }
}
