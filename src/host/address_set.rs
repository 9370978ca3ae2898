//! A set of addresses that says so when there is no memory for one more.

#![forbid(unsafe_code)]

use core::ptr::NonNull;
use std::collections::{HashSet, hash_set};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::vec;

/// Addresses that a set had, one after the other.
pub(crate) type Addresses = vec::IntoIter<NonNull<u8>>;

#[derive(Default)]
pub(crate) struct AddressSet(HashSet<NonNull<u8>, BuildHasherDefault<DefaultHasher>>);

impl AddressSet {
    /// Makes room for one more; `false`: there is no memory.
    pub(crate) fn reserve_one(&mut self) -> bool {
        self.0.try_reserve(1).is_ok()
    }

    /// For an address that [`reserve_one`](Self::reserve_one) made room for.
    pub(crate) fn insert(&mut self, address: NonNull<u8>) {
        self.0.insert(address);
    }

    pub(crate) fn remove(&mut self, address: NonNull<u8>) {
        self.0.remove(&address);
    }

    /// The address that was inserted, with what it may reach.
    pub(crate) fn get(&self, address: NonNull<u8>) -> Option<NonNull<u8>> {
        self.0.get(&address).copied()
    }

    pub(crate) fn iter(&self) -> hash_set::Iter<'_, NonNull<u8>> {
        self.0.iter()
    }

    /// All of them, in order; `None`: there is no memory for the list.
    pub(crate) fn sorted(&self) -> Option<Addresses> {
        let mut addresses = Vec::new();
        addresses.try_reserve_exact(self.0.len()).ok()?;
        addresses.extend(&self.0);
        addresses.sort_unstable();
        Some(addresses.into_iter())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
