// A pool that checks does not become one that trusts its caller.
// g++ says: no match for 'operator='
// clang++ says: no viable overloaded '='

#include <utility>

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

void replace(FixedBlockMemoryPool& old, UncheckedFixedBlockMemoryPool& unchecked) {
  FixedBlockMemoryPool checked(unchecked.block_size(), unchecked.capacity());
#ifdef RIGHT
  old = std::move(checked);
#else
  (void)checked;
  old = std::move(unchecked);
#endif
}
