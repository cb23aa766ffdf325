//! What a link carries, with the trace contexts taken out of its records.

use keymesh::replication::frame::{Frame, FrameWriter, decode, frame_len};

/// One connection's bytes from the master: a line, then frames.
#[derive(Default)]
pub struct Forgetful {
    waiting: Vec<u8>,
    is_introduced: bool,
    /// How many contexts were taken out.
    pub lost: u64,
}

impl Forgetful {
    /// Takes what has come and gives what may go on.
    pub fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.waiting.extend_from_slice(bytes);
        let mut out = Vec::new();
        if !self.is_introduced {
            let Some(end) = self.waiting.iter().position(|byte| *byte == b'\n') else {
                return out;
            };
            out.extend(self.waiting.drain(..=end));
            self.is_introduced = true;
        }
        while let Some(len) = frame_len(&self.waiting).expect("a master's frame") {
            let bytes: Vec<u8> = self.waiting.drain(..len).collect();
            match decode(&bytes).expect("a master's frame") {
                Frame::Records(index, mut records) => {
                    let mut entries = Vec::new();
                    while let Some(mut entry) = records.next_entry().expect("a master's record") {
                        self.lost += u64::from(entry.record.trace.take().is_some());
                        entries.push(entry);
                    }
                    FrameWriter::new(&mut out).records(index, &entries);
                }
                _ => out.extend_from_slice(&bytes),
            }
        }
        out
    }
}
