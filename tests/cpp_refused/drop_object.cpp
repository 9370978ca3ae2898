// An object whose pointer is dropped can't be destroyed before its pool.
// g++ says: ignoring return value of
// clang++ says: ignoring return value of function declared with 'nodiscard' attribute

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

void drop(ObjectPool<int>& pool) {
#ifdef RIGHT
  const ObjectPointer<int> object = pool.make(1);
#else
  pool.create(1);
#endif
}
