//! Commands to bytes, and bytes to replies that keep everything of the bytes.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// A reply: its first byte, the rest of its line, and what follows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reply {
    pub kind: u8,
    pub line: Vec<u8>,
    pub body: Vec<u8>,
    pub parts: Vec<Self>,
}

impl Reply {
    pub fn is_error(&self) -> bool {
        self.kind == b'-'
    }

    pub fn integer(&self) -> Option<i64> {
        let text = std::str::from_utf8(&self.line).ok()?;
        (self.kind == b':').then(|| text.parse().ok()).flatten()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", char::from(self.kind), self.line.escape_ascii())?;
        if !self.body.is_empty() {
            write!(f, " \"{}\"", self.body.escape_ascii())?;
        }
        if !self.parts.is_empty() {
            f.debug_list().entries(&self.parts).finish()?;
        }
        Ok(())
    }
}

/// A command as one types it.
pub fn show(command: &[Vec<u8>]) -> String {
    let words = command.iter();
    let words = words.map(|word| format!("\"{}\"", word.escape_ascii()));
    words.collect::<Vec<_>>().join(" ")
}

/// A connection to any of the servers.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub fn open(port: u16) -> Option<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.set_nodelay(true).ok()?;
        Some(Self(BufReader::new(stream)))
    }

    pub fn call(&mut self, words: &[&[u8]]) -> Reply {
        let command = words.iter().map(|word| word.to_vec()).collect();
        self.pipeline(&[command]).remove(0)
    }

    /// Sends all, then reads all.
    pub fn pipeline(&mut self, batch: &[Vec<Vec<u8>>]) -> Vec<Reply> {
        self.send(batch);
        let mut replies = Vec::new();
        for command in batch {
            let Some(reply) = self.read_reply() else {
                let batch: Vec<String> = batch.iter().map(|command| show(command)).collect();
                panic!("no reply to {} in {batch:#?}", show(command));
            };
            replies.push(reply);
        }
        replies
    }

    /// Whether something can be read, be it the end.
    pub fn is_ready(&mut self) -> bool {
        let is_buffered = !self.0.buffer().is_empty();
        let stream = self.0.get_mut();
        stream.set_nonblocking(true).unwrap();
        let peeked = stream.peek(&mut [0]);
        stream.set_nonblocking(false).unwrap();
        is_buffered || !peeked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }

    pub fn send(&mut self, batch: &[Vec<Vec<u8>>]) {
        let mut bytes = Vec::new();
        for command in batch {
            bytes.extend(format!("*{}\r\n", command.len()).bytes());
            for word in command {
                bytes.extend(format!("${}\r\n", word.len()).bytes());
                bytes.extend_from_slice(word);
                bytes.extend_from_slice(b"\r\n");
            }
        }
        self.0.get_mut().write_all(&bytes).unwrap();
    }

    /// A reply or a message. Not what clients are to forget: here that comes behind the replies of all that was read at once, in
    /// Redis behind its command, and SWAPDB says it here alone.
    pub fn read_reply(&mut self) -> Option<Reply> {
        loop {
            let reply = self.read()?;
            let first = reply.parts.first().filter(|_| reply.kind == b'>');
            if first.is_none_or(|word| word.body != b"invalidate") {
                return Some(reply);
            }
        }
    }

    /// A file behind its length, and perhaps some empty lines.
    pub fn read_file(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        while line.is_empty() || line == b"\n" {
            line.clear();
            self.0.read_until(b'\n', &mut line).ok()?;
        }
        let len = std::str::from_utf8(line.strip_prefix(b"$")?).ok()?;
        let mut file = vec![0; len.trim().parse().ok()?];
        self.0.read_exact(&mut file).ok()?;
        Some(file)
    }

    fn read(&mut self) -> Option<Reply> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).ok()?;
        let line = line.strip_suffix(b"\r\n")?;
        let (kind, line) = (*line.first()?, line[1..].to_vec());
        let mut reply = Reply {
            kind,
            line,
            body: Vec::new(),
            parts: Vec::new(),
        };
        let len: i64 = std::str::from_utf8(&reply.line)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(-1);
        match kind {
            b'$' | b'=' | b'!' if len >= 0 => {
                let mut body = vec![0; usize::try_from(len).ok()? + 2];
                self.0.read_exact(&mut body).ok()?;
                assert_eq!(&body[body.len() - 2..], b"\r\n");
                body.truncate(body.len() - 2);
                reply.body = body;
            }
            b'*' | b'~' | b'>' => {
                for _ in 0..len.max(0) {
                    reply.parts.push(self.read()?);
                }
            }
            b'%' => {
                for _ in 0..2 * len.max(0) {
                    reply.parts.push(self.read()?);
                }
            }
            _ => {}
        }
        Some(reply)
    }
}
