//! Hybrid logical time. A [`Hlc`] is `42-bit milliseconds since 2024 | 12-bit counter`; a [`Stamp`] adds the node-local index
//! of the origin in its low 10 bits, so that integer order is time order. Two stamps of equal time and different origin
//! are ordered by [`crate::db::Origins::compare`], never by their indices, which differ from node to node.

use crate::db::origin::OriginIndex;

/// 2024-01-01T00:00:00Z in milliseconds since 1970: the zero of every stamp.
pub const EPOCH_MS: i64 = 1_704_067_200_000;
const COUNTER_BITS: u32 = 12;
const ORIGIN_BITS: u32 = 10;
const HLC_MAX: u64 = (1 << 54) - 1;

/// A moment of the wall clock, in milliseconds since 1970. Deadlines are of this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

/// Hybrid logical time, 54 bits: milliseconds since [`EPOCH_MS`] and a counter. Zero comes before every effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hlc(u64);

impl Hlc {
    /// Before everything.
    pub const ZERO: Self = Self(0);
    /// After everything.
    pub const MAX: Self = Self(HLC_MAX);

    /// The first time within the millisecond `now`; moments before 2024 count as 2024.
    pub fn at(now: UnixMillis) -> Self {
        let ms = now.0.saturating_sub(EPOCH_MS).max(0) as u64;
        Self((ms << COUNTER_BITS).min(HLC_MAX))
    }

    /// The 54 bits as they travel.
    pub fn raw(self) -> u64 {
        self.0
    }

    /// From 54 bits as they travel; higher bits are cut.
    pub fn from_raw(raw: u64) -> Self {
        Self(raw & HLC_MAX)
    }

    /// The wall-clock moment this time stands for.
    pub fn millis(self) -> UnixMillis {
        UnixMillis((self.0 >> COUNTER_BITS) as i64 + EPOCH_MS)
    }

    /// `n` steps later; the counter carries into the milliseconds.
    pub fn plus(self, n: u64) -> Self {
        Self(self.0.saturating_add(n).min(HLC_MAX))
    }

    /// `n` steps earlier.
    pub fn minus(self, n: u64) -> Self {
        Self(self.0.saturating_sub(n))
    }
}

/// When and where an effect was made. Unique: each origin's stamps strictly increase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Stamp(u64);

impl Stamp {
    /// Before every effect; also "no stamp".
    pub const ZERO: Self = Self(0);

    /// Joins a time and an origin.
    #[inline]
    pub fn new(time: Hlc, origin: OriginIndex) -> Self {
        Self(time.0 << ORIGIN_BITS | u64::from(origin.0))
    }

    /// The time part.
    #[inline]
    pub fn time(self) -> Hlc {
        Hlc(self.0 >> ORIGIN_BITS)
    }

    /// The origin part, meaningful on this node only.
    #[inline]
    pub fn origin(self) -> OriginIndex {
        OriginIndex((self.0 & ((1 << ORIGIN_BITS) - 1)) as u16)
    }

    /// The eight bytes at rest.
    #[inline]
    pub fn raw(self) -> u64 {
        self.0
    }

    /// From the eight bytes at rest.
    #[inline]
    pub fn from_raw(raw: u64) -> Self {
        Self(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_42_bits_of_milliseconds_12_of_counter_and_10_of_origin() {
        let time = Hlc::at(UnixMillis(EPOCH_MS + 5)).plus(3);
        let stamp = Stamp::new(time, OriginIndex(7));
        assert_eq!(stamp.raw(), 5 << 22 | 3 << 10 | 7);
        assert_eq!(stamp.time(), time);
        assert_eq!(stamp.origin(), OriginIndex(7));
        assert_eq!(time.millis(), UnixMillis(EPOCH_MS + 5));
    }

    #[test]
    fn a_full_counter_carries_into_the_milliseconds() {
        let time = Hlc::at(UnixMillis(EPOCH_MS + 5)).plus(4096);
        assert_eq!(time, Hlc::at(UnixMillis(EPOCH_MS + 6)));
    }

    #[test]
    fn moments_outside_the_range_are_clamped() {
        assert_eq!(Hlc::at(UnixMillis(0)), Hlc::ZERO);
        assert_eq!(Hlc::at(UnixMillis(i64::MAX)), Hlc::MAX);
        assert_eq!(Hlc::MAX.plus(1), Hlc::MAX);
    }
}
