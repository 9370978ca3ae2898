// A pool of one owner does not become one that threads share.
// g++ says: no matching function for call to 'swap(
// clang++ says: no matching function for call to 'swap'

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

void exchange(FixedBlockMemoryPool& one, FixedBlockMemoryPool& other,
              ConcurrentMemoryPool& shared) {
#ifdef RIGHT
  (void)shared;
  swap(one, other);
#else
  (void)other;
  swap(one, shared);
#endif
}
