//! How a node introduces itself to another one, before they speak anything else: RESP commands, each answered by one line.
//!
//! Invariant: anything but a line with `+` ends the attempt.

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::resp::encode_command;

/// The longest line that answers.
const LINE_LEN_MAX: usize = 1024;

/// What a node introduces itself with.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// `masteruser`.
    pub user: Option<String>,
    /// `masterauth`.
    pub password: Option<String>,
}

/// Why the other side does not want it.
#[derive(Debug, thiserror::Error)]
pub enum GreetError {
    /// The socket failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It closed.
    #[error("the other side closed the connection")]
    Closed,
    /// It said so.
    #[error("the other side answered: {0}")]
    Refused(String),
}

/// AUTH where there is a password, then `request`, where there is one.
pub async fn greet(
    credentials: &Credentials,
    request: &[&[u8]],
    stream: &mut TcpStream,
    input: &mut BytesMut,
) -> Result<(), GreetError> {
    let mut out = Vec::new();
    let mut replies = 0;
    if let Some(password) = &credentials.password {
        let user = credentials.user.as_deref();
        let words: Vec<&[u8]> = match user {
            Some(user) => vec![b"AUTH", user.as_bytes(), password.as_bytes()],
            None => vec![b"AUTH", password.as_bytes()],
        };
        encode_command(&words, &mut out);
        replies += 1;
    }
    if !request.is_empty() {
        encode_command(request, &mut out);
        replies += 1;
    }
    stream.write_all(&out).await?;
    while replies > 0 {
        if let Some(end) = input.windows(2).position(|pair| pair == b"\r\n") {
            let line = input.split_to(end + 2);
            if line.first() != Some(&b'+') {
                let text = line.get(..end).unwrap_or_default();
                return Err(GreetError::Refused(
                    String::from_utf8_lossy(text).into_owned(),
                ));
            }
            replies -= 1;
            continue;
        }
        if input.len() > LINE_LEN_MAX {
            return Err(GreetError::Refused("no line at all".to_owned()));
        }
        if stream.read_buf(input).await? == 0 {
            return Err(GreetError::Closed);
        }
    }
    Ok(())
}
