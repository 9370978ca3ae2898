// An object of a pool goes back to the pool: std::default_delete would give it to the heap.
// g++ says: conversion from
// clang++ says: no viable conversion

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

void own(ObjectPool<int>& pool) {
#ifdef RIGHT
  ObjectPointer<int> owner = pool.make(1);
#else
  std::unique_ptr<int> owner = pool.make(1);
#endif
}
