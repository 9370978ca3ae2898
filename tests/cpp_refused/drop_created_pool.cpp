// A pool that nobody holds ends at once.
// g++ says: ignoring return value
// clang++ says: ignoring return value

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

void make(std::error_code& error, FixedBlockMemoryPool& pool) {
#ifdef RIGHT
  pool = FixedBlockMemoryPool::try_create(PoolOptions(64, 8), error);
#else
  (void)pool;
  FixedBlockMemoryPool::try_create(PoolOptions(64, 8), error);
#endif
}
