// A number is no pool: which size would it be?
// g++ says: invalid initialization of reference
// clang++ says: no matching function for call to 'capacity_of'

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

std::size_t capacity_of(const FixedBlockMemoryPool& pool) { return pool.capacity(); }
std::size_t eight() {
#ifdef RIGHT
  return capacity_of(FixedBlockMemoryPool(64, 8));
#else
  return capacity_of(8);
#endif
}
