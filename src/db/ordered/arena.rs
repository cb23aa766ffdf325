//! Numbered things that come and go, in pages: growth never copies them all, and what is left lies together. A copy shares the
//! pages; who writes to one that others have, too, writes to a copy of that.
//!
//! Invariant: every page but the last is full, none is empty; so the numbers are those below `len`, without a gap. A page's copy
//! has the room that the page has, and so have its things: what is counted of them stays right.

use std::ops::{Index, IndexMut};
use std::sync::Arc;

use crate::db::shared;

/// What lies in pages.
pub(super) trait Paged: Sized {
    /// How many lie in one page: what is copied together.
    const PAGE_LEN: usize;

    /// A copy with as much room.
    fn copy(&self) -> Self;
}

/// See the head of the file.
#[derive(Debug)]
struct Page<T>(Vec<T>);

impl<T: Paged> Clone for Page<T> {
    fn clone(&self) -> Self {
        let mut copy = Vec::with_capacity(self.0.capacity());
        copy.extend(self.0.iter().map(T::copy));
        Self(copy)
    }
}

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Arena<T> {
    pages: Vec<Arc<Page<T>>>,
    /// Room in all pages together.
    room: usize,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self {
            pages: Vec::new(),
            room: 0,
        }
    }
}

impl<T> Clone for Arena<T> {
    /// A copy shares all pages.
    fn clone(&self) -> Self {
        Self {
            pages: shared::all(&self.pages),
            room: self.room,
        }
    }
}

impl<T: Paged> Arena<T> {
    #[cfg(test)]
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flat_map(|page| &page.0)
    }

    pub fn len(&self) -> usize {
        let full = self.pages.len().saturating_sub(1) * T::PAGE_LEN;
        full + self.pages.last().map_or(0, |page| page.0.len())
    }

    /// Memory of the pages, shared ones too, without what their things own.
    pub fn len_bytes(&self) -> usize {
        let pages = shared::len_bytes::<Page<T>>(self.pages.len(), self.pages.capacity());
        pages + self.room * size_of::<T>()
    }

    /// Puts one in behind the others; its number.
    pub fn push(&mut self, thing: T) -> u32 {
        let number = self.len() as u32;
        let is_first = self.pages.is_empty();
        match self.pages.last_mut() {
            Some(page) if page.0.len() < T::PAGE_LEN => {
                let page = &mut shared::own(page).0;
                if page.len() == page.capacity() {
                    // Only the first page is ever smaller than a full one.
                    let more = page.len().min(T::PAGE_LEN - page.len());
                    page.reserve_exact(more);
                    self.room += more;
                }
                page.push(thing);
            }
            _ => {
                let room = if is_first { 1 } else { T::PAGE_LEN };
                let mut page = Vec::with_capacity(room);
                page.push(thing);
                self.pages.push(Arc::new(Page(page)));
                self.room += room;
            }
        }
        number
    }

    /// Takes one out; the last one has its number from now on.
    pub fn swap_remove(&mut self, number: u32) -> Option<T> {
        let page = &mut shared::own(self.pages.last_mut()?).0;
        let last = page.pop()?;
        if page.is_empty() {
            self.room -= page.capacity();
            self.pages.pop();
            self.pages.shrink_to(self.pages.len() * 2);
        } else if self.pages.len() == 1 {
            let page = &mut shared::own(&mut self.pages[0]).0;
            if page.len() * 4 < page.capacity() {
                page.shrink_to(page.len() * 2);
                self.room = page.capacity();
            }
        }
        if number as usize == self.len() {
            Some(last)
        } else {
            Some(std::mem::replace(&mut self[number], last))
        }
    }

    /// Gives all of it up in pieces.
    pub fn into_pieces(self) -> Pieces<T> {
        Pieces {
            pages: self.pages,
            page: Vec::new(),
        }
    }

    /// Whether somebody else has the page of this one, too.
    #[cfg(test)]
    pub fn is_shared(&self, number: u32) -> bool {
        shared::is_shared(&self.pages[number as usize / T::PAGE_LEN])
    }
}

/// What is given up, from behind: one thing at a time; none instead of all things of a page that somebody else has, too.
#[derive(Debug)]
pub(super) struct Pieces<T> {
    pages: Vec<Arc<Page<T>>>,
    page: Vec<T>,
}

impl<T> Iterator for Pieces<T> {
    type Item = Option<T>;

    fn next(&mut self) -> Option<Option<T>> {
        if self.page.is_empty() {
            let Some(page) = shared::give_up(self.pages.pop()?) else {
                return Some(None);
            };
            self.page = page.0;
        }
        Some(self.page.pop())
    }
}

impl<T: Paged> Index<u32> for Arena<T> {
    type Output = T;

    #[inline]
    fn index(&self, number: u32) -> &T {
        &self.pages[number as usize / T::PAGE_LEN].0[number as usize % T::PAGE_LEN]
    }
}

impl<T: Paged> IndexMut<u32> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, number: u32) -> &mut T {
        let page = &mut self.pages[number as usize / T::PAGE_LEN];
        &mut shared::own(page).0[number as usize % T::PAGE_LEN]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::shared::COPIED;

    impl Paged for u32 {
        const PAGE_LEN: usize = 128;

        fn copy(&self) -> Self {
            *self
        }
    }

    #[test]
    fn numbers_have_no_gaps_and_room_is_what_pages_have() {
        let (mut arena, mut model) = (Arena::default(), Vec::<u32>::new());
        let mut old = (arena.clone(), model.clone());
        let mut state = 1_u32;
        for step in 0..20_000_u32 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if step % 97 == 0 {
                assert!(arena.iter().eq(&model));
                assert!(old.0.iter().eq(&old.1));
                old = (arena.clone(), model.clone());
                COPIED.set(0);
            }
            // Grows for a while, then shrinks to nothing.
            if (state >> 16) % 10 < if step < 8_000 { 7 } else { 3 } {
                assert_eq!(arena.push(state) as usize, model.len());
                model.push(state);
            } else if !model.is_empty() {
                let number = state >> 8;
                let number = number as usize % model.len();
                let gone = model.swap_remove(number);
                assert_eq!(arena.swap_remove(number as u32), Some(gone));
            }
            assert_eq!(arena.len(), model.len());
            assert!(COPIED.get() <= step as usize % 97 * 2 + 2);
            let room: usize = arena.pages.iter().map(|page| page.0.capacity()).sum();
            assert_eq!(arena.room, room);
            if let Some(number) = model.len().checked_sub(1) {
                let number = state as usize % (number + 1);
                assert_eq!(arena[number as u32], model[number]);
            }
        }
        // What is left, and a page for each that somebody else has, too.
        let (given_up, pages) = (arena.len(), arena.pages.len());
        let copy = arena.clone();
        assert_eq!(arena.into_pieces().flatten().count(), 0);
        assert_eq!(copy.clone().into_pieces().count(), pages);
        assert_eq!(copy.into_pieces().flatten().count(), given_up);
        assert_eq!(Arena::<u32>::default().swap_remove(0), None);
    }
}
