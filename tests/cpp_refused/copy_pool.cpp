// A pool has one owner: it moves, and is not copied.
// g++ says: use of deleted function
// clang++ says: uses deleted function

#include <utility>

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

FixedBlockMemoryPool second(FixedBlockMemoryPool& first) {
#ifdef RIGHT
  return FixedBlockMemoryPool(std::move(first));
#else
  return FixedBlockMemoryPool(first);
#endif
}
