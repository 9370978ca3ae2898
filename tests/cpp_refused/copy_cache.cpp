// A cache belongs to one thread: it moves, and is not copied.
// g++ says: use of deleted function 'memory_pool::PoolCache::PoolCache(const
// clang++ says: uses deleted function

#include <utility>

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

PoolCache second(PoolCache& first) {
#ifdef RIGHT
  return PoolCache(std::move(first));
#else
  return PoolCache(first);
#endif
}
