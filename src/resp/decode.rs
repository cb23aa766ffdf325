//! Decodes the replies and frames that a peer sends, and encodes commands for it.
//!
//! For links and tests, not for the hot path. Frames are those of `redis-protocol`, zero-copy
//! views of the received bytes; both dialects give the RESP3 frame type. Invariant: bytes are
//! consumed by whole frames only, and no frame passes the [`FrameLimits`].

use bytes::BytesMut;
use redis_protocol::resp2::{
    decode::decode_bytes as decode_resp2, types::BytesFrame as Resp2Frame,
};
use redis_protocol::resp3::decode::complete::decode_bytes as decode_resp3;

use super::frame_scan::{FrameLimits, FrameScanner};
use super::reply::Protocol;

/// A decoded frame of either dialect.
pub type Frame = redis_protocol::resp3::types::BytesFrame;

/// Why the bytes of a peer are no frame. The connection cannot be used any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A type byte that the dialect does not have.
    #[error("unknown frame type byte 0x{0:02x}")]
    UnknownType(u8),
    /// A line without a type byte.
    #[error("empty line where a frame should begin")]
    EmptyLine,
    /// A line longer than any header or simple string may be.
    #[error("line without an end in a frame")]
    LineTooLong,
    /// The length in a header is no number, or negative.
    #[error("invalid length in a frame header")]
    InvalidLength,
    /// The announced length of a payload is wrong.
    #[error("no line end behind a payload")]
    MissingLineEnd,
    /// The frame is longer than so many bytes.
    #[error("frame longer than {0} bytes")]
    TooLong(usize),
    /// The frame holds more than so many values.
    #[error("frame of more than {0} values")]
    TooManyElements(usize),
    /// The frame holds more than so many aggregates inside each other.
    #[error("frame nested deeper than {0}")]
    TooDeep(usize),
    /// A value is not what its type says.
    #[error("malformed frame: {0}")]
    Malformed(String),
}

/// Decodes the frames of one connection.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    protocol: Protocol,
    limits: FrameLimits,
    scanner: FrameScanner,
}

impl Decoder {
    /// A decoder for a connection that speaks `protocol`.
    pub fn new(protocol: Protocol, limits: FrameLimits) -> Self {
        Self {
            protocol,
            limits,
            scanner: FrameScanner::default(),
        }
    }

    /// Changes the dialect, between two frames.
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// Takes the next frame out of `buf`; `None` if it is not all there. Until it is, the caller
    /// only appends to `buf`.
    pub fn next(&mut self, buf: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        let Some(len) = self.scanner.scan(buf, self.protocol, &self.limits)? else {
            return Ok(None);
        };
        let bytes = buf.split_to(len).freeze();
        let frame = match self.protocol {
            Protocol::Resp2 => decode_resp2(&bytes)
                .map(|frame| frame.map(|(frame, used)| (from_resp2(frame), used))),
            Protocol::Resp3 => decode_resp3(&bytes),
        };
        match frame {
            Ok(Some((frame, used))) if used == len => Ok(Some(frame)),
            Ok(_) => Err(DecodeError::Malformed("wrong length".to_owned())),
            Err(error) => Err(DecodeError::Malformed(error.details().to_owned())),
        }
    }
}

/// The library's own conversion takes an array that begins with `message` for a push.
fn from_resp2(frame: Resp2Frame) -> Frame {
    let attributes = None;
    match frame {
        Resp2Frame::SimpleString(data) => Frame::SimpleString { data, attributes },
        Resp2Frame::Error(data) => Frame::SimpleError { data, attributes },
        Resp2Frame::Integer(data) => Frame::Number { data, attributes },
        Resp2Frame::BulkString(data) => Frame::BlobString { data, attributes },
        Resp2Frame::Array(frames) => Frame::Array {
            data: frames.into_iter().map(from_resp2).collect(),
            attributes,
        },
        Resp2Frame::Null => Frame::Null,
    }
}

/// Appends a command as a multibulk request.
pub fn encode_command(args: &[&[u8]], out: &mut Vec<u8>) {
    let mut number = itoa::Buffer::new();
    let payload: usize = args.iter().map(|argument| argument.len() + 16).sum();
    out.reserve(payload + 16);
    out.push(b'*');
    out.extend_from_slice(number.format(args.len()).as_bytes());
    out.extend_from_slice(b"\r\n");
    for argument in args {
        out.push(b'$');
        out.extend_from_slice(number.format(argument.len()).as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(argument);
        out.extend_from_slice(b"\r\n");
    }
}
