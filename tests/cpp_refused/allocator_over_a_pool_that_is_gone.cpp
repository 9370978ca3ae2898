// An allocator uses the pool long after the line that makes it.
// g++ says: use of deleted function
// clang++ says: call to deleted constructor

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

std::size_t live() {
  FixedBlockMemoryPool pool(64, 8);
#ifdef RIGHT
  Allocator<int> allocator(pool);
#else
  Allocator<int> allocator(FixedBlockMemoryPool(64, 8));
#endif
  return allocator.in_use();
}
