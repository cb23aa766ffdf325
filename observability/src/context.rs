//! The trace context that travels with a sampled effect, and the ids every node can compute.
//!
//! Wire form, 26 bytes: version (0), trace id (16, big-endian), span id (8, big-endian), flags (1).
//! Text form: W3C `traceparent`, version 00, 55 characters, lower-case hexadecimal. Neither id is ever
//! zero. Anything else is a [`ContextError`]; the caller then goes on without a context.

use std::fmt;

use thiserror::Error;

/// Length of the wire form.
pub const WIRE_BYTES: usize = 26;
/// Length of the text form.
pub const TRACEPARENT_BYTES: usize = 55;
/// The one version of the wire form.
const WIRE_VERSION: u8 = 0;
/// Flag: the trace is recorded.
pub const FLAG_SAMPLED: u8 = 0x01;
/// Flag: the trace id is random in its last seven bytes (W3C level 2).
pub const FLAG_RANDOM: u8 = 0x02;

/// Why bytes or text are no trace context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ContextError {
    /// Too few or too many bytes.
    #[error("wrong length of a trace context")]
    Length,
    /// A version this node does not know.
    #[error("unknown version of a trace context")]
    Version,
    /// A separator is missing or a digit is no lower-case hexadecimal one.
    #[error("malformed traceparent")]
    Malformed,
    /// The trace id or the span id is zero.
    #[error("zero id in a trace context")]
    ZeroId,
}

/// Identity of a trace: 16 bytes, never all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId([u8; 16]);

/// Identity of a span inside its trace: 8 bytes, never all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId([u8; 8]);

/// A place in a trace: what a child span needs to know of its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The trace.
    pub trace_id: TraceId,
    /// The span in it.
    pub span_id: SpanId,
    /// W3C flags; see [`FLAG_SAMPLED`].
    pub flags: u8,
}

// Arbitrary odd constants; changing one changes every computed id, on every node at once.
const TRACE_HIGH_SEED: u64 = 0x6b65_796d_6573_6801;
const TRACE_LOW_SEED: u64 = 0x7472_6163_652d_6903;
const SPAN_SEED: u64 = 0x636f_6e76_6572_6705;

/// Scrambles 64 bits so that each input bit moves about half of the output bits.
const fn scramble(mut word: u64) -> u64 {
    word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

const fn digest(seed: u64, origin: u128, incarnation: u32, stamp: u64) -> u64 {
    let mut state = scramble(seed);
    state = scramble(state.rotate_left(17) ^ (origin >> 64) as u64);
    state = scramble(state.rotate_left(17) ^ origin as u64);
    state = scramble(state.rotate_left(17) ^ incarnation as u64);
    scramble(state.rotate_left(17) ^ stamp)
}

impl TraceId {
    /// The id with this value; none for zero.
    pub const fn new(value: u128) -> Option<Self> {
        if value == 0 {
            None
        } else {
            Some(Self(value.to_be_bytes()))
        }
    }

    /// The trace id of an effect whose client gave no context: the same on every node and in every
    /// release, so that whoever sees something odd about the effect can still join its trace.
    pub const fn for_effect(origin: u128, incarnation: u32, stamp: u64) -> Self {
        let high = digest(TRACE_HIGH_SEED, origin, incarnation, stamp);
        let low = digest(TRACE_LOW_SEED, origin, incarnation, stamp);
        let value = ((high as u128) << 64) | low as u128;
        Self(if value == 0 { 1u128 } else { value }.to_be_bytes())
    }

    /// The id as a number.
    pub const fn value(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

impl SpanId {
    /// The id with this value; none for zero.
    pub const fn new(value: u64) -> Option<Self> {
        if value == 0 {
            None
        } else {
            Some(Self(value.to_be_bytes()))
        }
    }

    /// The id of the origin's own span of an effect (`keymesh.converge`), so that others can hang their
    /// spans under it although no context travelled.
    pub const fn for_effect(origin: u128, incarnation: u32, stamp: u64) -> Self {
        let value = digest(SPAN_SEED, origin, incarnation, stamp);
        Self(if value == 0 { 1u64 } else { value }.to_be_bytes())
    }

    /// The id as a number.
    pub const fn value(self) -> u64 {
        u64::from_be_bytes(self.0)
    }
}

impl TraceContext {
    /// A sampled context.
    pub const fn sampled(trace_id: TraceId, span_id: SpanId) -> Self {
        Self {
            trace_id,
            span_id,
            flags: FLAG_SAMPLED,
        }
    }

    /// The context that any node computes for a traced effect whose client gave none.
    pub const fn for_effect(origin: u128, incarnation: u32, stamp: u64) -> Self {
        Self::sampled(
            TraceId::for_effect(origin, incarnation, stamp),
            SpanId::for_effect(origin, incarnation, stamp),
        )
    }

    /// Whether the trace is recorded.
    pub const fn is_sampled(self) -> bool {
        self.flags & FLAG_SAMPLED != 0
    }

    /// The wire form.
    pub fn encode(self) -> [u8; WIRE_BYTES] {
        let mut bytes = [0; WIRE_BYTES];
        bytes[0] = WIRE_VERSION;
        bytes[1..17].copy_from_slice(&self.trace_id.0);
        bytes[17..25].copy_from_slice(&self.span_id.0);
        bytes[25] = self.flags;
        bytes
    }

    /// Reads the wire form.
    pub fn decode(bytes: &[u8]) -> Result<Self, ContextError> {
        let (Some((trace_id, rest)), true) = (
            bytes
                .get(1..)
                .and_then(|rest| rest.split_first_chunk::<16>()),
            bytes.len() == WIRE_BYTES,
        ) else {
            return Err(ContextError::Length);
        };
        let Some((span_id, &[flags])) = rest.split_first_chunk::<8>() else {
            return Err(ContextError::Length);
        };
        if bytes.first() != Some(&WIRE_VERSION) {
            return Err(ContextError::Version);
        }
        Self::from_parts(*trace_id, *span_id, flags)
    }

    /// Reads a W3C `traceparent`, strictly: 55 bytes, version 00, lower-case, ids not zero.
    pub fn parse_traceparent(text: &[u8]) -> Result<Self, ContextError> {
        let text: &[u8; TRACEPARENT_BYTES] = text.try_into().map_err(|_| ContextError::Length)?;
        if text[2] != b'-' || text[35] != b'-' || text[52] != b'-' {
            return Err(ContextError::Malformed);
        }
        if hex::<1>(&text[..2])? != [0] {
            return Err(ContextError::Version);
        }
        let [flags] = hex::<1>(&text[53..])?;
        Self::from_parts(hex(&text[3..35])?, hex(&text[36..52])?, flags)
    }

    /// The text form as bytes, all ASCII.
    pub fn traceparent(self) -> [u8; TRACEPARENT_BYTES] {
        let mut text = [b'-'; TRACEPARENT_BYTES];
        put_hex(&[0], &mut text[..2]);
        put_hex(&self.trace_id.0, &mut text[3..35]);
        put_hex(&self.span_id.0, &mut text[36..52]);
        put_hex(&[self.flags], &mut text[53..]);
        text
    }

    fn from_parts(trace_id: [u8; 16], span_id: [u8; 8], flags: u8) -> Result<Self, ContextError> {
        if trace_id == [0; 16] || span_id == [0; 8] {
            return Err(ContextError::ZeroId);
        }
        Ok(Self {
            trace_id: TraceId(trace_id),
            span_id: SpanId(span_id),
            flags,
        })
    }
}

fn digit(byte: u8) -> Result<u8, ContextError> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(ContextError::Malformed),
    }
}

fn hex<const BYTES: usize>(text: &[u8]) -> Result<[u8; BYTES], ContextError> {
    let mut bytes = [0; BYTES];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(bytes)
}

fn put_hex(bytes: &[u8], text: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.value())
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.value())
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "00-{}-{}-{:02x}",
            self.trace_id, self.span_id, self.flags
        )
    }
}

impl std::str::FromStr for TraceContext {
    type Err = ContextError;

    fn from_str(text: &str) -> Result<Self, ContextError> {
        Self::parse_traceparent(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn example() -> TraceContext {
        TEXT.parse().unwrap()
    }

    #[test]
    fn the_wire_form_is_version_trace_span_flags() {
        let golden = [
            0x00, 0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c,
            0x80, 0x31, 0x9c, 0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31, 0x01,
        ];
        assert_eq!(example().encode(), golden);
        assert_eq!(TraceContext::decode(&golden), Ok(example()));
    }

    #[test]
    fn the_text_form_is_a_traceparent() {
        assert_eq!(&example().traceparent(), TEXT.as_bytes());
        assert_eq!(example().to_string(), TEXT);
        assert!(example().is_sampled());
    }

    #[test]
    fn a_malformed_traceparent_is_refused() {
        let refused = |text: &str| text.parse::<TraceContext>().unwrap_err();
        assert_eq!(refused(""), ContextError::Length);
        assert_eq!(refused(&TEXT[..54]), ContextError::Length);
        assert_eq!(refused(&format!("{TEXT}-")), ContextError::Length);
        assert_eq!(
            refused(&TEXT.replacen("00-", "01-", 1)),
            ContextError::Version
        );
        assert_eq!(
            refused(&TEXT.replacen("00-", "ff-", 1)),
            ContextError::Version
        );
        assert_eq!(refused(&TEXT.to_uppercase()), ContextError::Malformed);
        assert_eq!(refused(&TEXT.replace('-', "_")), ContextError::Malformed);
        assert_eq!(refused(&TEXT.replace('7', "g")), ContextError::Malformed);
        assert_eq!(
            refused(&format!("00-{}-b7ad6b7169203331-01", "0".repeat(32))),
            ContextError::ZeroId
        );
        assert_eq!(
            refused(&format!(
                "00-0af7651916cd43dd8448eb211c80319c-{}-01",
                "0".repeat(16)
            )),
            ContextError::ZeroId
        );
    }

    #[test]
    fn malformed_wire_bytes_are_refused() {
        let mut bytes = example().encode();
        assert_eq!(
            TraceContext::decode(&bytes[..25]),
            Err(ContextError::Length)
        );
        assert_eq!(TraceContext::decode(&[]), Err(ContextError::Length));
        bytes[0] = 1;
        assert_eq!(TraceContext::decode(&bytes), Err(ContextError::Version));
        assert_eq!(
            TraceContext::decode(&[0; WIRE_BYTES]),
            Err(ContextError::ZeroId)
        );
    }

    #[test]
    fn a_context_in_an_option_costs_26_bytes() {
        assert_eq!(size_of::<Option<TraceContext>>(), WIRE_BYTES);
    }

    #[test]
    fn the_ids_of_an_effect_never_change_between_releases() {
        let context = TraceContext::for_effect(0x0123_4567_89ab_cdef_0011_2233_4455_6677, 1, 42);
        assert_eq!(
            context.to_string(),
            "00-8a535e88b264a6b471d853a90bece840-57e0471941565d36-01"
        );
    }

    #[test]
    fn neighbouring_effects_have_unrelated_ids() {
        let mut seen = std::collections::HashSet::new();
        for origin in 0..8u128 {
            for incarnation in 0..8 {
                for stamp in 0..64 {
                    assert!(seen.insert(TraceId::for_effect(origin, incarnation, stamp)));
                }
            }
        }
        let flipped = TraceId::for_effect(7, 0, 1).value() ^ TraceId::for_effect(7, 0, 0).value();
        assert!(
            (32..96).contains(&flipped.count_ones()),
            "{}",
            flipped.count_ones()
        );
    }

    proptest! {
        #[test]
        fn every_context_survives_both_forms(trace in 1u128.., span in 1u64.., flags: u8) {
            let context = TraceContext {
                trace_id: TraceId::new(trace).unwrap(),
                span_id: SpanId::new(span).unwrap(),
                flags,
            };
            prop_assert_eq!(TraceContext::decode(&context.encode()), Ok(context));
            prop_assert_eq!(TraceContext::parse_traceparent(&context.traceparent()), Ok(context));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = TraceContext::decode(&bytes);
            let _ = TraceContext::parse_traceparent(&bytes);
        }
    }
}
