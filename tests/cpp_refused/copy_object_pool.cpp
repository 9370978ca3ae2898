// A pool has one owner of its objects: it moves, and is not copied.
// g++ says: use of deleted function
// clang++ says: uses deleted function

#include <utility>

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

ObjectPool<int> second(ObjectPool<int>& first) {
#ifdef RIGHT
  return ObjectPool<int>(std::move(first));
#else
  return ObjectPool<int>(first);
#endif
}
