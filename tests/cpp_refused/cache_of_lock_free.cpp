// Only a pool that keeps blocks by thread has caches.
// g++ says: no matching function for call to 'memory_pool::BasicPool<2, 0>::cache()'
// clang++ says: invalid reference to function 'cache': constraints not satisfied

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

PoolCache make(LockFreeMemoryPool& lock_free, ConcurrentMemoryPool& safe) {
#ifdef RIGHT
  (void)lock_free;
  return safe.cache();
#else
  (void)safe;
  return lock_free.cache();
#endif
}
