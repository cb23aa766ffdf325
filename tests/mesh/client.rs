//! A raw RESP2 client: one blocking connection, any command, any reply. Bytes that are no reply fail the test.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// No reply may take longer: a stuck server fails the test instead of holding it up.
const REPLY_LIMIT: Duration = Duration::from_secs(10);

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Simple(String),
    Error(String),
    Integer(i64),
    Bulk(String),
    Null,
    Array(Vec<Self>),
}

impl Value {
    /// The number of an integer reply.
    pub fn integer(&self) -> i64 {
        match self {
            Self::Integer(number) => *number,
            other => panic!("not an integer: {other:?}"),
        }
    }

    /// The text of a bulk or simple reply.
    pub fn text(&self) -> &str {
        match self {
            Self::Simple(text) | Self::Bulk(text) => text,
            other => panic!("not a text: {other:?}"),
        }
    }

    /// The parts of an array.
    pub fn array(&self) -> &[Self] {
        match self {
            Self::Array(parts) => parts,
            other => panic!("not an array: {other:?}"),
        }
    }

    pub fn is_error(&self, prefix: &str) -> bool {
        matches!(self, Self::Error(text) if text.starts_with(prefix))
    }
}

/// See the head of the file.
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects; none where nobody listens.
    pub fn try_connect(port: u16) -> Option<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(REPLY_LIMIT)).ok()?;
        Some(Self {
            stream: BufReader::new(stream),
        })
    }

    pub fn connect(port: u16) -> Self {
        Self::try_connect(port).unwrap_or_else(|| panic!("nobody listens at {port}"))
    }

    /// Sends one command; the words of `command` are its arguments.
    pub fn call(&mut self, command: &str) -> Value {
        let words: Vec<&str> = command.split_whitespace().collect();
        self.call_words(&words)
    }

    pub fn call_words(&mut self, words: &[&str]) -> Value {
        self.try_call_words(words)
            .unwrap_or_else(|error| panic!("no reply to {words:?}: {error}"))
    }

    /// An error where the connection is gone.
    pub fn try_call(&mut self, command: &str) -> std::io::Result<Value> {
        let words: Vec<&str> = command.split_whitespace().collect();
        self.try_call_words(&words)
    }

    fn try_call_words(&mut self, words: &[&str]) -> std::io::Result<Value> {
        let mut bytes = Vec::new();
        encode(words, &mut bytes);
        self.stream.get_mut().write_all(&bytes)?;
        self.read()
    }

    /// Sends all commands at once and gives their replies.
    pub fn pipeline(&mut self, commands: &[Vec<String>]) -> Vec<Value> {
        let mut bytes = Vec::new();
        for command in commands {
            let words: Vec<&str> = command.iter().map(String::as_str).collect();
            encode(&words, &mut bytes);
        }
        self.stream.get_mut().write_all(&bytes).unwrap();
        commands.iter().map(|_| self.read().unwrap()).collect()
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        // The server may have hung up on what came before.
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// Says that nothing more will come.
    pub fn finish(&mut self) {
        // The server may have hung up first.
        let _ = self.stream.get_mut().shutdown(Shutdown::Write);
    }

    /// Everything until the server closes the connection.
    pub fn read_to_end(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A reset is an end as well; what came before it was kept.
        if let Err(error) = self.stream.read_to_end(&mut bytes) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
        }
        bytes
    }

    pub fn read_line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches("\r\n").to_owned())
    }

    /// What comes unasked.
    pub fn next(&mut self) -> Value {
        self.read().unwrap()
    }

    fn read(&mut self) -> std::io::Result<Value> {
        let line = self.read_line()?;
        let (kind, rest) = line.split_at(1);
        let number = || rest.parse::<i64>().expect("a number");
        Ok(match kind {
            "+" => Value::Simple(rest.to_owned()),
            "-" => Value::Error(rest.to_owned()),
            ":" => Value::Integer(number()),
            "$" if number() < 0 => Value::Null,
            "$" => {
                let mut bytes = vec![0; number() as usize + 2];
                self.stream.read_exact(&mut bytes)?;
                bytes.truncate(bytes.len() - 2);
                Value::Bulk(String::from_utf8(bytes).expect("text"))
            }
            "*" if number() < 0 => Value::Null,
            "*" => Value::Array(
                (0..number())
                    .map(|_| self.read())
                    .collect::<Result<_, _>>()?,
            ),
            _ => panic!("no reply: {line:?}"),
        })
    }

    /// The fields of INFO's sections about clients, replication and what was done.
    pub fn info(&mut self) -> BTreeMap<String, String> {
        let text = self.call("INFO clients replication stats");
        text.text()
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// A number of them.
    pub fn info_number(&mut self, name: &str) -> i64 {
        self.info()[name].parse().expect("a number")
    }

    /// One number of MESH STATUS.
    pub fn mesh_status(&mut self, name: &str) -> i64 {
        let status = self.call("MESH STATUS");
        let mut pairs = status.array().chunks_exact(2);
        let field = pairs.find(|pair| pair[0] == Value::Bulk(name.to_owned()));
        field.expect("a field of MESH STATUS")[1].integer()
    }

    pub fn get(&mut self, key: &str) -> Option<String> {
        match self.call_words(&["GET", key]) {
            Value::Bulk(text) => Some(text),
            Value::Null => None,
            other => panic!("GET {key}: {other:?}"),
        }
    }

    /// Writes a key; the write must be acknowledged.
    pub fn set(&mut self, key: &str, value: &str) {
        assert_eq!(
            self.call_words(&["SET", key, value]),
            Value::Simple("OK".to_owned())
        );
    }
}

fn encode(words: &[&str], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
}
