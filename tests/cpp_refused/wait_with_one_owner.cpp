// One owner would wait for itself.
// g++ says: no matching function for call to 'memory_pool::BasicPool<1, 0>::allocate_for
// clang++ says: no matching member function for call to 'allocate_for'

#include <chrono>

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

void* take(FixedBlockMemoryPool& one, ConcurrentMemoryPool& shared) {
#ifdef RIGHT
  (void)one;
  return shared.allocate_for(std::chrono::seconds(1));
#else
  (void)shared;
  return one.allocate_for(std::chrono::seconds(1));
#endif
}
