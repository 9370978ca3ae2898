// A source must stay until the pool is made.
// g++ says: use of deleted function 'memory_pool::PoolOptions& memory_pool::PoolOptions::from
// clang++ says: call to deleted member function 'from'

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

PoolOptions from(const pool_source_t& kept) {
#ifdef RIGHT
  return PoolOptions(64, 8).from(kept);
#else
  (void)kept;
  return PoolOptions(64, 8).from(pool_source_t{});
#endif
}
