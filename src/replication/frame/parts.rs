//! Bodies that are too long for one frame: they travel as PART frames, and the last piece in a frame of their own kind.
//!
//! A record is as long as what its command or transaction did, and the unsettled operations of a key are one item: neither has a
//! bound of its own, and what cannot be told to others would be lost to them.
//!
//! Invariant: what is put together is what was cut; bytes that have not come cost no memory.

use crate::db::varint::Malformed;
use crate::replication::frame::PART;

/// The longest body of one frame.
pub const PART_LEN: usize = 64 * 1024 * 1024;
/// More than this is refused: no node holds it.
const WHOLE_LEN_MAX: usize = 1 << 40;
const HEAD_LEN: usize = 5;

/// Cuts the frame that begins at `at` and reaches to the end, where its body is longer than `part_len`.
pub(super) fn cut(out: &mut Vec<u8>, at: usize, part_len: usize) {
    if out.len() - at - HEAD_LEN <= part_len {
        return;
    }
    let kind = out[at + HEAD_LEN - 1];
    let body = out.split_off(at + HEAD_LEN);
    out.truncate(at);
    let mut pieces = body.chunks(part_len).peekable();
    while let Some(piece) = pieces.next() {
        let len = piece.len() as u32 + 1;
        out.extend_from_slice(&len.to_le_bytes());
        out.push(if pieces.peek().is_some() { PART } else { kind });
        out.extend_from_slice(piece);
    }
}

/// Puts together what one connection brings in pieces.
#[derive(Debug, Default)]
pub struct Parts {
    /// Room for a head, then the bodies so far.
    whole: Vec<u8>,
}

impl Parts {
    /// Takes the next frame of the connection. Gives it back where it stands alone, or with all pieces before it where it is the last
    /// one; none where more are to come.
    pub fn take<'a>(&'a mut self, frame: &'a [u8]) -> Result<Option<&'a [u8]>, Malformed> {
        let (Some(&kind), Some(body)) = (frame.get(HEAD_LEN - 1), frame.get(HEAD_LEN..)) else {
            return Err(Malformed("link frame without a kind"));
        };
        if self.is_whole() {
            self.whole = Vec::new();
        }
        if kind != PART && self.whole.is_empty() {
            return Ok(Some(frame));
        }
        if self.whole.is_empty() {
            self.whole.extend_from_slice(&[0, 0, 0, 0, PART]);
        }
        if self.whole.len() + body.len() > WHOLE_LEN_MAX {
            return Err(Malformed("link frame of too many parts"));
        }
        self.whole.extend_from_slice(body);
        if kind == PART {
            return Ok(None);
        }
        self.whole[HEAD_LEN - 1] = kind;
        Ok(Some(&self.whole))
    }

    /// What was given out last, for good, where it came in pieces.
    pub fn take_whole(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.whole)
    }

    /// What is here was given out.
    fn is_whole(&self) -> bool {
        self.whole
            .get(HEAD_LEN - 1)
            .is_some_and(|kind| *kind != PART)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::frame::{Frame, FrameWriter, decode, frame_len};

    fn frames(mut bytes: &[u8]) -> Vec<&[u8]> {
        let mut frames = Vec::new();
        while let Ok(Some(len)) = frame_len(bytes) {
            frames.push(&bytes[..len]);
            bytes = &bytes[len..];
        }
        assert!(bytes.is_empty());
        frames
    }

    #[test]
    fn a_long_body_comes_back_whole_however_it_was_cut() {
        for (len, part_len, count) in [
            (9, 10, 1),
            (10, 10, 1),
            (11, 10, 2),
            (100, 10, 10),
            (101, 10, 11),
        ] {
            let body: Vec<u8> = (0..len).collect();
            let mut out = Vec::new();
            FrameWriter::new(&mut out).busy();
            let at = out.len();
            FrameWriter::new(&mut out).items(|out| out.extend_from_slice(&body));
            cut(&mut out, at, part_len);
            FrameWriter::new(&mut out).busy();
            let all = frames(&out);
            assert_eq!(all.len(), count + 2);
            let mut parts = Parts::default();
            let mut decoded = Vec::new();
            for frame in all {
                if let Some(whole) = parts.take(frame).unwrap() {
                    decoded.push(match decode(whole).unwrap() {
                        Frame::Items(items) => items.to_vec(),
                        Frame::Busy => b"busy".to_vec(),
                        other => panic!("{other:?}"),
                    });
                }
            }
            assert_eq!(decoded, [b"busy".to_vec(), body, b"busy".to_vec()]);
        }
    }

    #[test]
    fn a_part_alone_means_nothing() {
        let part = [2, 0, 0, 0, PART, 7];
        assert!(decode(&part).is_err());
        assert_eq!(Parts::default().take(&part), Ok(None));
        assert!(Parts::default().take(&[0, 0, 0, 0]).is_err());
    }

    #[test]
    fn a_part_has_these_bytes() {
        let mut out = vec![4, 0, 0, 0, 22, 1, 2, 3];
        cut(&mut out, 0, 2);
        assert_eq!(out, [3, 0, 0, 0, 3, 1, 2, 2, 0, 0, 0, 22, 3]);
    }
}
