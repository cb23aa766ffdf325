//! A connection over which another node carries out commands for this one: `MESH OWNED`, and its answer.
//!
//! Invariant: one command at a time; a connection that is dropped before the answer has come is closed, and who waited at its other
//! end waits no more.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::db::{Hlc, Incarnation, NodeId, Origin};
use crate::replication::dial::{Credentials, greet};
use crate::resp::{FrameLimits, FrameScanner, Protocol};

/// How long connecting and the introduction may take.
const DIAL_TIMEOUT: Duration = Duration::from_secs(2);
/// What every answer to a command that was carried out begins with: its reply, then what it wrote, then what had come there by then.
const ENVELOPE: &[u8] = b"*3\r\n";
/// The code of the error by which a node says that it was asked by itself.
pub const ITSELF: &str = "ITSELF";
/// The code of the error by which a node says that it owns no such key.
pub const NOT_OWNER: &str = "NOTOWNER";

/// The code of the error by which a node says that a script runs for long.
const BUSY: &str = "BUSY";

/// How far origins have come.
pub type Positions = Vec<(Origin, Hlc)>;

/// Positions in the words of `MESH OWNED`: `node-life-time`, with commas between.
pub fn positions_text(positions: &[(Origin, Hlc)]) -> String {
    let mut text = String::new();
    for (origin, time) in positions {
        let comma = if text.is_empty() { "" } else { "," };
        let (node, life) = (origin.node.0, origin.incarnation.0);
        // Writing to a String does not fail.
        let _ = write!(text, "{comma}{node:x}-{life}-{:x}", time.raw());
    }
    text
}

/// The same, read back.
pub fn parse_positions(text: &[u8]) -> Option<Positions> {
    let text = std::str::from_utf8(text).ok()?;
    let of = |one: &str| {
        let mut words = one.split('-');
        let node = u128::from_str_radix(words.next()?, 16).ok()?;
        let life = words.next()?.parse().ok()?;
        let time = u64::from_str_radix(words.next()?, 16).ok()?;
        let origin = Origin {
            node: NodeId(node),
            incarnation: Incarnation(life),
        };
        words
            .next()
            .is_none()
            .then_some((origin, Hlc::from_raw(time)))
    };
    match text {
        "" => Some(Vec::new()),
        text => text.split(',').map(of).collect(),
    }
}

/// What the owner answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The command's reply, in the asking client's language.
    pub reply: Vec<u8>,
    /// The last write it made.
    pub write: Positions,
    /// How far all had come at the owner when it answered: what the reply tells of is among that.
    pub seen: Positions,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AskError {
    /// Nothing was carried out: nobody is there, or he will not.
    #[error("{0}")]
    Unreachable(String),
    /// What was sent may have been carried out.
    #[error("the connection broke before the answer")]
    Broken,
    /// This node asked itself.
    #[error("it is this node itself")]
    Itself,
    /// He says that he owns no such key.
    #[error("{0}")]
    NotOwner(String),
    /// A script keeps him from answering anybody.
    #[error("{0}")]
    Busy(String),
}

/// See the head of the file.
#[derive(Debug)]
pub struct OwnerLink {
    stream: TcpStream,
    input: BytesMut,
    /// The other side was told that nothing more comes.
    is_shut: bool,
}

impl OwnerLink {
    /// Connects and introduces itself.
    pub async fn dial(host: &str, port: u16, credentials: &Credentials) -> Result<Self, AskError> {
        let dialling = async {
            let connecting = TcpStream::connect((host, port)).await;
            let mut stream = connecting.map_err(|error| error.to_string())?;
            stream
                .set_nodelay(true)
                .map_err(|error| error.to_string())?;
            let mut input = BytesMut::new();
            let greeted = greet(credentials, &[], &mut stream, &mut input).await;
            greeted.map_err(|error| error.to_string())?;
            Ok(Self {
                stream,
                input,
                is_shut: false,
            })
        };
        match timeout(DIAL_TIMEOUT, dialling).await {
            Ok(dialled) => dialled.map_err(AskError::Unreachable),
            Err(_) => Err(AskError::Unreachable("connecting took too long".to_owned())),
        }
    }

    /// Whether the other side is still there, as far as can be seen without asking.
    pub fn is_usable(&self) -> bool {
        let nothing = self.stream.try_read(&mut [0]);
        !self.is_shut
            && self.input.is_empty()
            && matches!(nothing, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Whether anybody listens at an address: who runs a script says nothing for a while.
    pub async fn is_heard(host: &str, port: u16) -> bool {
        let connecting = TcpStream::connect((host, port));
        matches!(timeout(DIAL_TIMEOUT, connecting).await, Ok(Ok(_)))
    }

    /// Has one command carried out. Once `cancel` is told, the other side hears that nobody waits any more: what it had carried out
    /// by then is still taken.
    pub async fn ask(
        &mut self,
        request: &[u8],
        protocol: Protocol,
        limit: Duration,
        cancel: &Notify,
    ) -> Result<Answer, AskError> {
        let asking = async {
            if self.stream.write_all(request).await.is_err() {
                return Err(AskError::Broken);
            }
            let mut reader = AnswerReader::default();
            loop {
                if let Some(answer) = reader.read(&mut self.input, protocol)? {
                    return answer;
                }
                tokio::select! {
                    read = self.stream.read_buf(&mut self.input) => {
                        if !matches!(read, Ok(1..)) {
                            return Err(AskError::Broken);
                        }
                    }
                    () = cancel.notified(), if !self.is_shut => {
                        self.is_shut = true;
                        // Where it has failed, reading will, too.
                        let _ = self.stream.shutdown().await;
                    }
                }
            }
        };
        timeout(limit, asking)
            .await
            .unwrap_or(Err(AskError::Broken))
    }
}

/// Reads an answer as it comes, each byte once.
#[derive(Debug, Default)]
struct AnswerReader {
    scanner: FrameScanner,
    has_begun: bool,
    reply: Option<Vec<u8>>,
    write: Option<Positions>,
}

impl AnswerReader {
    fn read(
        &mut self,
        input: &mut BytesMut,
        protocol: Protocol,
    ) -> Result<Option<Result<Answer, AskError>>, AskError> {
        // As long as a reply may be: the client would have got it from here, too.
        let limits = FrameLimits {
            max_frame_len: usize::MAX,
            max_elements: usize::MAX,
            ..FrameLimits::default()
        };
        loop {
            if !self.has_begun {
                if input.first().is_some_and(|byte| *byte != b'*') {
                    let end = input.windows(2).position(|pair| pair == b"\r\n");
                    return Ok(end.and_then(|end| Some(Err(refusal(input.get(..end)?)))));
                }
                let Some(begin) = input.get(..ENVELOPE.len()) else {
                    return Ok(None);
                };
                if begin != ENVELOPE {
                    return Err(AskError::Broken);
                }
                let _ = input.split_to(ENVELOPE.len());
                self.has_begun = true;
            }
            let scanned = self.scanner.scan(input, protocol, &limits);
            let Some(len) = scanned.map_err(|_| AskError::Broken)? else {
                return Ok(None);
            };
            let frame = input.split_to(len);
            let Some(reply) = self.reply.take() else {
                self.reply = Some(frame.to_vec());
                continue;
            };
            let text = memchr::memchr(b'\n', &frame).and_then(|end| frame.get(end + 1..));
            let text = text.and_then(|text| text.strip_suffix(b"\r\n"));
            let positions = text.and_then(parse_positions).ok_or(AskError::Broken)?;
            let Some(write) = self.write.take() else {
                (self.reply, self.write) = (Some(reply), Some(positions));
                continue;
            };
            let seen = positions;
            return Ok(Some(Ok(Answer { reply, write, seen })));
        }
    }
}

/// What an error instead of an answer means: nothing was carried out.
fn refusal(line: &[u8]) -> AskError {
    let text = String::from_utf8_lossy(line.get(1..).unwrap_or_default()).into_owned();
    match text.split(' ').next() {
        Some(ITSELF) => AskError::Itself,
        Some(NOT_OWNER) => AskError::NotOwner(text),
        Some(BUSY) => AskError::Busy(text),
        _ => AskError::Unreachable(format!("it answered: {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(node: u128, life: u32) -> Origin {
        Origin {
            node: NodeId(node),
            incarnation: Incarnation(life),
        }
    }

    /// Feeds the bytes one by one.
    fn read(bytes: &[u8], protocol: Protocol) -> Option<Result<Answer, AskError>> {
        let (mut reader, mut input) = (AnswerReader::default(), BytesMut::new());
        for byte in bytes {
            input.extend_from_slice(&[*byte]);
            match reader.read(&mut input, protocol) {
                Ok(None) => {}
                Ok(answer) => return answer,
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }

    #[test]
    fn positions_come_back_and_anything_else_is_none() {
        let positions = vec![
            (origin(0xab, 1), Hlc::from_raw(7)),
            (origin(u128::MAX, 3), Hlc::from_raw(u64::MAX)),
        ];
        let text = positions_text(&positions);
        assert!(text.starts_with("ab-1-7,ffff"), "{text}");
        assert_eq!(parse_positions(text.as_bytes()), Some(positions));
        assert_eq!(parse_positions(b""), Some(Vec::new()));
        for wrong in ["x", "a-1", "a-1-2-3", "a-1-2,", ",a-1-2", "a-1--2"] {
            assert_eq!(parse_positions(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn an_answer_is_a_reply_as_it_is_and_the_write_and_what_was_seen_behind_it() {
        let write = vec![(origin(0xab, 1), Hlc::from_raw(7))];
        let seen = vec![write[0], (origin(0xc, 2), Hlc::from_raw(9))];
        for (reply, protocol) in [
            ("$1\r\na\r\n", Protocol::Resp2),
            ("*-1\r\n", Protocol::Resp2),
            ("-WRONGTYPE x\r\n", Protocol::Resp2),
            ("*2\r\n$1\r\na\r\n*1\r\n,1.5\r\n", Protocol::Resp3),
        ] {
            let bytes = format!("*3\r\n{reply}$6\r\nab-1-7\r\n$12\r\nab-1-7,c-2-9\r\n");
            let expected = Answer {
                reply: reply.as_bytes().to_vec(),
                write: write.clone(),
                seen: seen.clone(),
            };
            assert_eq!(read(bytes.as_bytes(), protocol), Some(Ok(expected)));
        }
        let nothing = read(b"*3\r\n$1\r\na\r\n$0\r\n\r\n$0\r\n\r\n", Protocol::Resp2);
        assert!(nothing.unwrap().unwrap().write.is_empty());
        assert_eq!(
            read(b"*3\r\n$1\r\na\r\n$0\r\n\r\n$1\r\nx", Protocol::Resp2),
            None
        );
    }

    #[test]
    fn an_error_instead_of_an_answer_says_that_nothing_was_carried_out() {
        let of = |line: &[u8]| read(line, Protocol::Resp2).unwrap().unwrap_err();
        assert_eq!(of(b"-ITSELF x\r\n"), AskError::Itself);
        assert!(matches!(of(b"-NOTOWNER x\r\n"), AskError::NotOwner(_)));
        assert_eq!(of(b"-BUSY x\r\n"), AskError::Busy("BUSY x".to_owned()));
        assert!(matches!(of(b"-NOPERM x\r\n"), AskError::Unreachable(_)));
        assert_eq!(of(b"*2\r\n:1\r\n"), AskError::Broken);
    }
}
