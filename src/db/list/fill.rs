//! How much one node may hold, as Redis spells it in `list-max-listpack-size`.
//!
//! Invariant: a node may hold one element at least, and no number that an operator gives is refused: what is out of range counts as
//! the nearest that is not.

/// Elements of a node whose limit is one of bytes: what is sought in a node is found by walking it.
const LEN_MAX: usize = 512;
/// Bytes of a node whose limit is one of elements.
const SAFETY_BYTES: usize = 8 * 1024;
/// A load that fills a node.
pub(super) const FULL: usize = 256;

/// See the head of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill(i16);

impl Default for Fill {
    fn default() -> Self {
        Self(-2)
    }
}

impl Fill {
    /// From `list-max-listpack-size`: a positive number is elements per node (8 KiB at most), -1 to -5 are 4, 8, 16, 32 and 64 KiB
    /// per node (512 elements at most). 0 counts as 1.
    pub fn new(list_max_listpack_size: i64) -> Self {
        let n = list_max_listpack_size.clamp(-5, i64::from(i16::MAX));
        Self(if n == 0 { 1 } else { n as i16 })
    }

    /// What makes the same with [`Self::new`].
    pub fn as_directive(self) -> i64 {
        i64::from(self.0)
    }

    /// Bytes of one node, as its elements lie there.
    #[inline]
    pub(super) fn bytes(self) -> usize {
        match self.0 {
            1.. => SAFETY_BYTES,
            n => 2048 << n.unsigned_abs().clamp(1, 5),
        }
    }

    /// Elements of one node.
    #[inline]
    pub(super) fn len(self) -> usize {
        match self.0 {
            1.. => self.0.unsigned_abs().into(),
            _ => LEN_MAX,
        }
    }

    /// Whether so many elements with so many bytes fit into one node.
    #[inline]
    pub fn fits(self, len: usize, bytes: usize) -> bool {
        len <= self.len() && bytes <= self.bytes()
    }

    /// How full a node is with so many elements of so many bytes; [`FULL`] is full.
    pub(super) fn load(self, len: usize, bytes: usize) -> usize {
        let by_len = len.saturating_mul(FULL) / self.len();
        by_len.max(bytes.saturating_mul(FULL) / self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_redis() {
        let limits = |n: i64| (Fill::new(n).len(), Fill::new(n).bytes());
        assert_eq!(limits(128), (128, 8192));
        assert_eq!(limits(0), (1, 8192));
        assert_eq!(limits(i64::MAX), (32_767, 8192));
        let bytes = [-1, -2, -3, -4, -5, i64::MIN].map(|n| Fill::new(n).bytes() / 1024);
        assert_eq!(bytes, [4, 8, 16, 32, 64, 64]);
        assert_eq!(Fill::default(), Fill::new(-2));
    }
}
