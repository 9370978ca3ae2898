//! Free blocks whose links are gone: their OS page was given back to the system.
//!
//! ```text
//!   head ─► page 7 ─► page 3 ─► page 4      links, one word a page, outside the pages
//! ```
//!
//! Linking such a block would take the page's memory again. So the page waits as a whole, on a
//! stack, until the free list is empty; then its blocks, a bounded number, are linked.

use core::cell::Cell;
use core::ptr::NonNull;

/// A stack of OS pages.
pub(crate) struct WaitingPages {
    /// The page on top, plus 1; or 0.
    head: Cell<usize>,
    blocks: Cell<usize>,
    links: Cell<NonNull<usize>>,
}

impl WaitingPages {
    pub(crate) const fn new() -> Self {
        Self { head: Cell::new(0), blocks: Cell::new(0), links: Cell::new(NonNull::dangling()) }
    }

    /// How many blocks wait.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks.get()
    }

    /// Empties the stack, and keeps its links at `links` from now on.
    ///
    /// # Safety
    /// * `links` has a word for each page that will be pushed, for as long as the stack is used
    ///   without another call of this function.
    pub(crate) unsafe fn restart(&self, links: NonNull<usize>) {
        self.clear();
        self.links.set(links);
    }

    pub(crate) fn clear(&self) {
        self.head.set(0);
        self.blocks.set(0);
    }

    /// Adds a page on which so many blocks wait.
    pub(crate) fn push(&self, page: usize, blocks: usize) {
        // SAFETY: there is a word for each page, by the contract of `restart`.
        unsafe { *self.links.get().as_ptr().wrapping_add(page) = self.head.get() };
        self.head.set(page + 1);
        self.blocks.set(self.blocks.get() + blocks);
    }

    /// Takes the page on top. The caller says how many blocks left with it.
    pub(crate) fn pop(&self) -> Option<usize> {
        let page = self.head.get().checked_sub(1)?;
        // SAFETY: the page was pushed, so its word was written.
        self.head.set(unsafe { *self.links.get().as_ptr().wrapping_add(page) });
        Some(page)
    }

    /// The pages, from the top.
    pub(crate) fn pages(&self) -> impl Iterator<Item = usize> {
        let mut next = self.head.get();
        core::iter::from_fn(move || {
            let page = next.checked_sub(1)?;
            // SAFETY: as in `pop`.
            next = unsafe { *self.links.get().as_ptr().wrapping_add(page) };
            Some(page)
        })
    }

    /// So many blocks wait no longer.
    pub(crate) fn left(&self, blocks: usize) {
        self.blocks.set(self.blocks.get() - blocks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_in_is_the_first_out() {
        let mut links = [usize::MAX; 10];
        let waiting = WaitingPages::new();
        assert_eq!(waiting.pop(), None);
        // SAFETY: pages 0 to 9 have a word, and the array outlives the stack's use.
        unsafe { waiting.restart(NonNull::from(&mut links).cast()) };
        [3, 0, 9].iter().for_each(|&page| waiting.push(page, 2));
        assert_eq!(waiting.blocks(), 6);
        assert!(waiting.pages().eq([9, 0, 3]));
        let popped = [9, 0, 3].map(|page| (waiting.pop(), page));
        assert!(popped.iter().all(|&(got, page)| got == Some(page)));
        waiting.left(6);
        assert_eq!((waiting.pop(), waiting.blocks()), (None, 0));
    }
}
