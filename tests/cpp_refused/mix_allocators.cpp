// An allocator for one thread does not become one for several, which shares its pools.
// g++ says: no matching function for call to
// clang++ says: no matching conversion for functional-style cast

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

std::size_t live(const Allocator<int>& single) {
#ifdef RIGHT
  return Allocator<long>(single).in_use();
#else
  return ConcurrentAllocator<int>(single).in_use();
#endif
}
