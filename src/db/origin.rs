//! Who wrote. A node has a [`NodeId`] for life; each start that may have lost a tail is a new [`Incarnation`]; the pair is an
//! [`Origin`] and bears one strictly increasing series of stamps. Inside a node an origin is an index into [`Origins`];
//! indices never leave the node without that dictionary.

use std::cmp::Ordering;
use std::fmt;

use hashbrown::HashMap;
use parking_lot::RwLock;

use crate::db::stamp::Stamp;

/// 128 random bits, kept in `node.state`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u128);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Counts the lives of a node, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(pub u32);

/// One life of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Whose life.
    pub node: NodeId,
    /// Which life.
    pub incarnation: Incarnation,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.node, self.incarnation.0)
    }
}

/// The place of an origin in this node's dictionary. 0 is nobody. Ordered only so that it can be a key in a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct OriginIndex(pub u16);

/// How many origins a dictionary can name: ten bits, less the one for nobody.
pub const ORIGINS_MAX: usize = 1023;

/// The dictionary is full: more lives of nodes were seen than ten bits can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "more than {ORIGINS_MAX} lives of nodes: forget nodes that started too often (MESH FORGET), then restart this one"
)]
pub struct TooManyOrigins;

/// The node-local dictionary of origins. Entries are only added.
#[derive(Debug, Default)]
pub struct Origins {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    list: Vec<Origin>,
    index: HashMap<Origin, OriginIndex>,
}

impl Origins {
    /// The index of `origin`, added where it is new.
    pub fn intern(&self, origin: Origin) -> Result<OriginIndex, TooManyOrigins> {
        if let Some(found) = self.find(origin) {
            return Ok(found);
        }
        let mut inner = self.inner.write();
        if let Some(&found) = inner.index.get(&origin) {
            return Ok(found);
        }
        if inner.list.len() >= ORIGINS_MAX {
            return Err(TooManyOrigins);
        }
        inner.list.push(origin);
        let index = OriginIndex(inner.list.len() as u16);
        inner.index.insert(origin, index);
        Ok(index)
    }

    /// The index of `origin`, if it is known.
    pub fn find(&self, origin: Origin) -> Option<OriginIndex> {
        self.inner.read().index.get(&origin).copied()
    }

    /// The origin at `index`.
    pub fn get(&self, index: OriginIndex) -> Option<Origin> {
        let place = usize::from(index.0).checked_sub(1)?;
        self.inner.read().list.get(place).copied()
    }

    /// Ten bits of who is at `index`, the same on every node: names of list elements bear them. 0 for nobody.
    pub fn tag(&self, index: OriginIndex) -> OriginIndex {
        let Some(origin) = self.get(index) else {
            return OriginIndex(0);
        };
        let node = origin.node.0;
        let folded = (node as u64) ^ (node >> 64) as u64 ^ u64::from(origin.incarnation.0) << 32;
        OriginIndex((folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as u16)
    }

    /// 32 bits of who is at `index`, the same on every node: generated ids of stream entries bear them.
    pub fn stream_tag(&self, index: OriginIndex) -> u32 {
        let Some(origin) = self.get(index) else {
            return 0;
        };
        let node = origin.node.0;
        let mut mixed = (node as u64) ^ (node >> 64) as u64;
        mixed = (mixed ^ mixed >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ u64::from(origin.incarnation.0)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as u32
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.inner.read().list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in index order from 1.
    pub fn list(&self) -> Vec<Origin> {
        self.inner.read().list.clone()
    }

    /// The total order of stamps: time, then node id, then incarnation.
    #[inline]
    pub fn compare(&self, a: Stamp, b: Stamp) -> Ordering {
        match a.time().cmp(&b.time()) {
            Ordering::Equal if a.origin() != b.origin() => {
                self.compare_origins(a.origin(), b.origin())
            }
            order => order,
        }
    }

    #[cold]
    fn compare_origins(&self, a: OriginIndex, b: OriginIndex) -> Ordering {
        self.get(a).cmp(&self.get(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::stamp::Hlc;

    fn origin(node: u128, incarnation: u32) -> Origin {
        Origin {
            node: NodeId(node),
            incarnation: Incarnation(incarnation),
        }
    }

    #[test]
    fn equal_times_are_ordered_by_node_id_and_not_by_index() {
        let origins = Origins::default();
        let late = origins.intern(origin(9, 1)).unwrap();
        let early = origins.intern(origin(2, 1)).unwrap();
        let time = Hlc::from_raw(77);
        assert_eq!(
            origins.compare(Stamp::new(time, late), Stamp::new(time, early)),
            Ordering::Greater
        );
        assert_eq!(
            origins.compare(Stamp::new(time, late), Stamp::new(time.plus(1), early)),
            Ordering::Less
        );
        assert_eq!(
            origins.compare(Stamp::new(time, late), Stamp::new(time, late)),
            Ordering::Equal
        );
    }

    #[test]
    fn the_dictionary_is_bounded() {
        let origins = Origins::default();
        for n in 0..ORIGINS_MAX {
            origins.intern(origin(n as u128, 1)).unwrap();
        }
        assert_eq!(origins.intern(origin(u128::MAX, 1)), Err(TooManyOrigins));
        assert_eq!(origins.intern(origin(3, 1)), Ok(OriginIndex(4)));
    }
}
