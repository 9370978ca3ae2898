// Options are no pool: who would own it?
// g++ says: no matching function for call to
// clang++ says: no matching conversion for functional-style cast

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

std::size_t live(const PoolOptions& options) {
  FixedBlockMemoryPool pool(options);
#ifdef RIGHT
  return Allocator<int>(pool).in_use();
#else
  return Allocator<int>(options).in_use();
#endif
}
