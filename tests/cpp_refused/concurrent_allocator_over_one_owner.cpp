// Threads that share an allocator do not share a pool of one owner.
// g++ says: no matching function for call to
// clang++ says: no matching conversion for functional-style cast

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

std::size_t live(FixedBlockMemoryPool& single, ConcurrentMemoryPool& safe) {
#ifdef RIGHT
  (void)single;
  return ConcurrentAllocator<int>(safe).in_use();
#else
  (void)safe;
  return ConcurrentAllocator<int>(single).in_use();
#endif
}
