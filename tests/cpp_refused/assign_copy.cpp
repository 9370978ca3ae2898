// A pool has one owner: what is assigned must move.
// g++ says: use of deleted function
// clang++ says: overload resolution selected deleted operator '='

#include <utility>

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

void replace(ConcurrentMemoryPool& old, ConcurrentMemoryPool& next) {
#ifdef RIGHT
  old = std::move(next);
#else
  old = next;
#endif
}
