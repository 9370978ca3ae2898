// A block that nobody holds is lost.
// g++ says: ignoring return value
// clang++ says: ignoring return value

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

void take(FixedBlockMemoryPool& pool, void*& block) {
#ifdef RIGHT
  block = pool.allocate();
#else
  (void)block;
  pool.allocate();
#endif
}
