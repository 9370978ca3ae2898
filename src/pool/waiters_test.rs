//! The line, as far as one thread can see it.

use core::ptr::NonNull;

use super::waiters::{Waiter, Waiters};
use crate::base::error::Error;

#[test]
fn who_came_first_is_served_first_and_who_leaves_is_not_served() {
    let block = |number: usize| NonNull::new(core::ptr::without_provenance_mut(number));
    let (waiters, all) = (Waiters::new(), [(); 4].map(|()| Waiter::new()));
    assert!(waiters.is_empty());
    for waiter in &all {
        // SAFETY: both live to the end of the test.
        unsafe { waiters.push(waiter) };
    }
    waiters.remove(&all[1]);
    waiters.remove(&all[3]);
    waiters.remove(&all[1]);
    [block(1), None, block(3)].into_iter().for_each(|block| waiters.serve(block));
    let served = all.each_ref().map(Waiter::served);
    assert_eq!(served, [block(1).map(Ok), None, Some(Err(Error::Exhausted)), None]);
    assert!(waiters.is_empty());
}
