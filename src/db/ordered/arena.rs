//! Numbered things that come and go, in pages: growth never copies them all, and what is left lies together.
//!
//! Invariant: every page but the last is full, none is empty; so the numbers are those below `len`, without a gap.

use std::ops::{Index, IndexMut};

/// How many lie in one page.
const PAGE_LEN: usize = 128;

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Arena<T> {
    pages: Vec<Vec<T>>,
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

impl<T: Clone> Clone for Arena<T> {
    /// A copy has no room for more.
    fn clone(&self) -> Self {
        let pages = self.pages.clone();
        let room = pages.iter().map(Vec::capacity).sum();
        Self { pages, room }
    }
}

impl<T> Arena<T> {
    /// All of them, by their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten()
    }

    pub fn len(&self) -> usize {
        let full = self.pages.len().saturating_sub(1) * PAGE_LEN;
        full + self.pages.last().map_or(0, Vec::len)
    }

    /// Memory of the pages, without what their things own.
    pub fn len_bytes(&self) -> usize {
        self.pages.capacity() * size_of::<Vec<T>>() + self.room * size_of::<T>()
    }

    /// Puts one in behind the others; its number.
    pub fn push(&mut self, thing: T) -> u32 {
        let number = self.len() as u32;
        let is_first = self.pages.len() <= 1;
        match self.pages.last_mut() {
            Some(page) if page.len() < PAGE_LEN => {
                if page.len() == page.capacity() {
                    // Only the first page, and the last of a copy, is ever smaller than a full one.
                    let more = page.len().min(PAGE_LEN - page.len());
                    page.reserve_exact(more);
                    self.room += more;
                }
                page.push(thing);
            }
            _ => {
                let room = if is_first && self.pages.is_empty() {
                    1
                } else {
                    PAGE_LEN
                };
                let mut page = Vec::with_capacity(room);
                page.push(thing);
                self.pages.push(page);
                self.room += room;
            }
        }
        number
    }

    /// Takes one out; the last one has its number from now on.
    pub fn swap_remove(&mut self, number: u32) -> Option<T> {
        let page = self.pages.last_mut()?;
        let last = page.pop()?;
        if page.is_empty() {
            self.room -= page.capacity();
            self.pages.pop();
            self.pages.shrink_to(self.pages.len() * 2);
        } else if self.pages.len() == 1 {
            let page = &mut self.pages[0];
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

    /// Takes the last one out.
    pub fn pop(&mut self) -> Option<T> {
        let last = self.len().checked_sub(1)?;
        self.swap_remove(last as u32)
    }
}

impl<T> Index<u32> for Arena<T> {
    type Output = T;

    #[inline]
    fn index(&self, number: u32) -> &T {
        &self.pages[number as usize / PAGE_LEN][number as usize % PAGE_LEN]
    }
}

impl<T> IndexMut<u32> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, number: u32) -> &mut T {
        &mut self.pages[number as usize / PAGE_LEN][number as usize % PAGE_LEN]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_gaps_and_room_is_what_pages_have() {
        let (mut arena, mut model) = (Arena::default(), Vec::new());
        let mut state = 1_u32;
        for step in 0..20_000_u32 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if step % 97 == 0 {
                arena = arena.clone();
                assert!(arena.iter().eq(&model));
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
            let room: usize = arena.pages.iter().map(Vec::capacity).sum();
            assert_eq!(arena.room, room);
            if let Some(number) = model.len().checked_sub(1) {
                let number = state as usize % (number + 1);
                assert_eq!(arena[number as u32], model[number]);
            }
        }
        while arena.pop().is_some() {}
        assert_eq!((arena.len(), arena.room), (0, 0));
        assert_eq!(arena.swap_remove(0), None);
    }
}
