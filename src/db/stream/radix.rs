//! How many nodes Redis's radix tree would have for the ids of a stream's blocks: XINFO STREAM tells that.
//!
//! Invariant: chains of characters are one node each, as Redis compresses them, and every key ends in a node of its own.

use super::StreamId;

/// How long a key is: both numbers of an id, big endian.
const KEY_LEN: usize = 16;

/// The bytes of an id in Redis's tree.
pub fn key_of(id: StreamId) -> [u8; KEY_LEN] {
    let mut key = [0; KEY_LEN];
    let (ms, seq) = key.split_at_mut(8);
    ms.copy_from_slice(&id.ms.to_be_bytes());
    seq.copy_from_slice(&id.seq.to_be_bytes());
    key
}

/// The nodes of a tree of these ids, which ascend.
pub fn nodes_len(ids: impl Iterator<Item = StreamId>) -> usize {
    let keys: Vec<_> = ids.map(key_of).collect();
    if keys.is_empty() { 1 } else { count(&keys, 0) }
}

fn byte(key: &[u8; KEY_LEN], at: usize) -> Option<u8> {
    key.get(at).copied()
}

/// The nodes below a place that all of these keys lead to.
fn count(keys: &[[u8; KEY_LEN]], from: usize) -> usize {
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
        return 0;
    };
    let same = (from..KEY_LEN).take_while(|at| byte(first, *at) == byte(last, *at));
    let depth = from + same.count();
    let chain = usize::from(depth > from);
    if depth == KEY_LEN {
        return chain + 1;
    }
    let branches = keys.chunk_by(|one, other| byte(one, depth) == byte(other, depth));
    chain + 1 + branches.map(|keys| count(keys, depth + 1)).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_one_node_and_every_key_ends_in_one() {
        let of = |ids: &[(u64, u64)]| {
            let ids = ids.iter().map(|&(ms, seq)| StreamId { ms, seq });
            nodes_len(ids)
        };
        assert_eq!(of(&[]), 1);
        assert_eq!(of(&[(1, 1)]), 2);
        // A chain, where they part, and two ends.
        assert_eq!(of(&[(1, 1), (1, 2)]), 4);
        // A chain, where they part, and below each a chain and an end.
        assert_eq!(of(&[(1, 1), (2, 2)]), 6);
    }
}
