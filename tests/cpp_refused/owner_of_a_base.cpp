// An object is destroyed as what it was created as, not as its base.
// g++ says: conversion from
// clang++ says: no viable conversion

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

struct Base {
  virtual ~Base() = default;
};
struct Derived : Base {};

void own(ObjectPool<Derived>& pool) {
#ifdef RIGHT
  ObjectPointer<Derived> owner = pool.make();
#else
  ObjectPointer<Base> owner = pool.make();
#endif
}
