// What make() answers owns one object, and would not destroy the others of an array.
// g++ says: conversion from
// clang++ says: no viable conversion

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

void own(ObjectPool<int>& pool) {
#ifdef RIGHT
  std::unique_ptr<int, ObjectDeleter<int>> owner = pool.make(1);
#else
  std::unique_ptr<int[], ObjectDeleter<int>> owner = pool.make(1);
#endif
}
