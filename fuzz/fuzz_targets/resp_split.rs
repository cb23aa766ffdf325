//! Any bytes, cut in two ways, split into the same commands and the same error.
//!
//! The first byte of the input chooses the size of the second way's reads.
#![no_main]

use keymesh::resp::{Args, ProtocolError, Split, Splitter};
use libfuzzer_sys::fuzz_target;

type Outcome = (Vec<Vec<Vec<u8>>>, Option<ProtocolError>);

fn split(bytes: &[u8], read_size: usize) -> Outcome {
    let mut splitter = Splitter::new();
    let (mut buf, mut spans, mut commands) = (Vec::new(), Vec::new(), Vec::new());
    for read in bytes.chunks(read_size) {
        buf.extend_from_slice(read);
        spans.clear();
        let mut pos = 0;
        let failure = loop {
            match splitter.next(&mut buf, &mut pos, &mut spans) {
                Ok(Split::Command { first_span, argc }) => {
                    let args = Args::new(&buf, &spans[first_span..first_span + argc]);
                    commands.push(args.to_vec());
                }
                Ok(Split::Incomplete { .. }) => break None,
                Err(error) => break Some(error),
            }
        };
        if failure.is_some() {
            return (commands, failure);
        }
        buf.drain(..pos);
    }
    (commands, None)
}

fuzz_target!(|input: &[u8]| {
    let Some((size, bytes)) = input.split_first() else {
        return;
    };
    let read_size = usize::from(*size).max(1);
    assert_eq!(split(bytes, bytes.len().max(1)), split(bytes, read_size));
});
