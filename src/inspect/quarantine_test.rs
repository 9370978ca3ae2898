//! Tests of `quarantine.rs`, in a file of their own because tests of loom take that file as it is.

use core::ptr::NonNull;
use std::cell::RefCell;

use crate::base::ids::BlockIndex;
use crate::base::sync::AtomicU32;
use crate::inspect::quarantine::Quarantine;

fn with(length: usize, body: impl FnOnce(&Quarantine)) {
    let mut places: Vec<_> = (0..length).map(|_| AtomicU32::new(0)).collect();
    let start = NonNull::from(&mut *places).cast();
    // SAFETY: so many places, zero, for as long as the body runs.
    body(&unsafe { Quarantine::new(start, length) });
}

#[test]
fn the_first_that_came_is_the_first_to_leave() {
    with(3, |quarantine| {
        let freed = RefCell::new(vec![]);
        let put = |index| quarantine.put(BlockIndex(index), |free| freed.borrow_mut().push(free.0));
        [5, 0, 7].into_iter().for_each(put);
        assert!(freed.borrow().is_empty() && quarantine.count() == 3);
        [2, 5].into_iter().for_each(put);
        assert_eq!((freed.take(), quarantine.count()), (vec![5, 0], 3));
        let search = || quarantine.search(|| None, |index| index.0);
        assert_eq!([search(), search(), search(), search()], [Some(7), Some(2), Some(5), None]);
        assert_eq!(quarantine.count(), 0);
    });
}

#[test]
fn what_is_found_elsewhere_leaves_the_line_as_it_is() {
    with(2, |quarantine| {
        quarantine.put(BlockIndex(4), |_| panic!("nobody has waited"));
        assert_eq!(quarantine.search(|| Some(9), |index| index.0), Some(9));
        quarantine.clear();
        assert_eq!(quarantine.search(|| None, |index| index.0), None);
    });
}
