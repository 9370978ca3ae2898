// A timeout has a unit.
// g++ says: no matching function for call to
// clang++ says: no matching member function for call to 'try_allocate_for'

#include <chrono>

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

void* take(ConcurrentMemoryPool& pool) {
#ifdef RIGHT
  return pool.try_allocate_for(std::chrono::milliseconds(5));
#else
  return pool.try_allocate_for(5);
#endif
}
