//! Operations of lists.
//!
//! Invariant: with stamps every element bears an id, which no other element of its list bears: the time of its push with the tag of
//! its origin; or where the list came as a whole, the id that it had where it came from, or one of
//! [`id_of_content`](crate::db::op::content::id_of_content).

use crate::db::body::{Body, Form, Large};
use crate::db::elements::packed::LEN_MAX;
use crate::db::list::{Taken, packed};
use crate::db::live::elements::grow;
use crate::db::live::{Changed, Ground, Memo};
use crate::db::op::{Beside, ElementName, ElementNames, End, Names, Positions};
use crate::db::stamp::Stamp;

/// Makes a small list large where it has grown beyond what one node may hold.
fn grow_if_full(body: &mut Body, ground: &Ground<'_>, more: usize) {
    if let Body::Small(Form::List, bytes) = body {
        let count = packed::len(bytes) + 1;
        if count > LEN_MAX || !ground.limits.list.fits(count, bytes.len() + more) {
            grow(body, ground);
        }
    }
}

fn len(body: &Body) -> usize {
    body.shown().len()
}

fn put_at(body: &mut Body, ground: &Ground<'_>, position: usize, id: Stamp, element: &[u8]) {
    grow_if_full(body, ground, element.len() + 8);
    match body {
        Body::Small(Form::List, bytes) => packed::insert(bytes, position, id, element),
        Body::Large(Large::List(list)) => list.insert(position, id, element),
        _ => false,
    };
}

/// Puts an element of a whole list behind the others.
pub(super) fn put_last(body: &mut Body, ground: &Ground<'_>, id: Stamp, element: &[u8]) {
    put_at(body, ground, len(body), id, element);
}

fn take_at(body: &mut Body, position: usize) -> Option<(Stamp, Taken)> {
    match body {
        Body::Small(Form::List, bytes) => packed::remove(bytes, position),
        Body::Large(Large::List(list)) => list.remove(position),
        _ => None,
    }
}

fn element_at(body: &Body, position: usize) -> Option<&[u8]> {
    match body {
        Body::Small(Form::List, bytes) => packed::get(bytes, position).map(|(_, element)| element),
        Body::Large(Large::List(list)) => list.get(position as i64),
        _ => None,
    }
}

/// Where the element with this name is.
fn find(body: &Body, name: ElementName) -> Option<usize> {
    let is_it = |element: &[u8]| ElementName::check_of(element) == name.check;
    match body {
        Body::Small(Form::List, bytes) => packed::find_id(bytes, name.id, is_it),
        Body::Large(Large::List(list)) => list.find_id(name.id, is_it),
        _ => None,
    }
}

fn has_ids(body: &Body) -> bool {
    match body {
        Body::Small(_, bytes) => packed::has_ids(bytes),
        Body::Large(Large::List(list)) => list.has_ids(),
        _ => false,
    }
}

fn replace_at(body: &mut Body, position: usize, element: &[u8]) -> Option<Taken> {
    let old = Taken::from_slice(element_at(body, position)?);
    match body {
        Body::Small(Form::List, bytes) => packed::set(bytes, position, element),
        Body::Large(Large::List(list)) => list.set(position as i64, element),
        _ => false,
    };
    Some(old)
}

/// LPUSH, RPUSH: each element has a stamp of its own, the last that of the operation.
pub(super) fn push(
    body: &mut Body,
    ground: &Ground<'_>,
    stamp: Stamp,
    end: End,
    names: Names<'_>,
    memo: &mut Memo,
) -> Changed {
    let has_ids = has_ids(body);
    let tag = if has_ids {
        ground.origins.tag(stamp.origin())
    } else {
        stamp.origin()
    };
    for (nth, element) in names.iter().enumerate() {
        let before = names.len().saturating_sub(nth + 1);
        let id = Stamp::new(stamp.time().minus(before as u64), tag);
        let position = match end {
            End::Head => 0,
            End::Tail => len(body),
        };
        put_at(body, ground, position, id, element);
    }
    memo.count = names.len() as u32;
    Changed::Pushed(end, names.len())
}

/// Pops, LREM, LTRIM and what else takes elements out.
pub(super) fn remove(
    body: &mut Body,
    _: &Ground<'_>,
    names: ElementNames<'_>,
    memo: &mut Memo,
) -> Changed {
    let mut was = Vec::new();
    for name in names.iter() {
        if let Some(position) = find(body, name)
            && let Some((id, element)) = take_at(body, position)
        {
            memo.count += 1;
            if memo.keeps {
                was.push((position, id, element));
            }
        }
    }
    if memo.count == 0 {
        return Changed::Nothing;
    }
    Changed::Popped(was, None)
}

/// LSET.
pub(super) fn set(
    body: &mut Body,
    ground: &Ground<'_>,
    name: ElementName,
    element: &[u8],
) -> Changed {
    let Some(position) = find(body, name) else {
        return Changed::Nothing;
    };
    set_at(body, ground, position, element)
}

/// LSET where elements bear no names.
pub(super) fn set_at(
    body: &mut Body,
    ground: &Ground<'_>,
    position: usize,
    element: &[u8],
) -> Changed {
    grow_if_full(body, ground, element.len());
    match replace_at(body, position, element) {
        Some(old) => Changed::ListSet(position, old),
        None => Changed::Nothing,
    }
}

/// LINSERT where elements bear no names.
pub(super) fn insert_at(
    body: &mut Body,
    ground: &Ground<'_>,
    position: usize,
    element: &[u8],
    memo: &mut Memo,
) -> Changed {
    let position = position.min(len(body));
    put_at(body, ground, position, Stamp::ZERO, element);
    memo.count = 1;
    Changed::ListInserted(position)
}

/// Removal where elements bear no names.
pub(super) fn cut(
    body: &mut Body,
    _: &Ground<'_>,
    positions: Positions<'_>,
    memo: &mut Memo,
) -> Changed {
    let mut was = Vec::new();
    for (position, count) in positions.iter() {
        let count = count.min(len(body).saturating_sub(position));
        memo.count += count as u32;
        if !memo.keeps
            && count > 1
            && let Body::Large(Large::List(list)) = body
        {
            drop(list.remove_range(position, position + count));
            continue;
        }
        for _ in 0..count {
            if let Some((id, element)) = take_at(body, position)
                && memo.keeps
            {
                was.push((position, id, element));
            }
        }
    }
    if memo.count == 0 {
        return Changed::Nothing;
    }
    Changed::Popped(was, None)
}

/// LINSERT. What comes beside an element that is gone comes where it would have come.
pub(super) fn insert(
    body: &mut Body,
    ground: &Ground<'_>,
    stamp: Stamp,
    beside: Beside,
    element: &[u8],
    memo: &mut Memo,
) -> Changed {
    let position = match find(body, beside.anchor) {
        Some(position) => position + usize::from(!beside.is_before),
        None => (beside.position as usize).min(len(body)),
    };
    let id = Stamp::new(stamp.time(), ground.origins.tag(stamp.origin()));
    put_at(body, ground, position, id, element);
    memo.count = 1;
    Changed::ListInserted(position)
}

/// Undoes.
pub(super) fn put_back(body: &mut Body, ground: &Ground<'_>, changed: Changed) {
    match changed {
        Changed::Pushed(end, count) => {
            for _ in 0..count {
                let position = match end {
                    End::Head => 0,
                    End::Tail => len(body).saturating_sub(1),
                };
                take_at(body, position);
            }
        }
        Changed::Popped(was, _) => {
            for (position, id, element) in was.into_iter().rev() {
                put_at(body, ground, position, id, &element);
            }
        }
        Changed::ListSet(position, old) => drop(replace_at(body, position, &old)),
        Changed::ListInserted(position) => drop(take_at(body, position)),
        _ => {}
    }
}
