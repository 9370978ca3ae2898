// A library of the super-project that uses the pool behind its own face.

#include <memory_pool/fixed_block_memory_pool.hpp>

bool kv_store_round_trip() {
  FixedBlockMemoryPool pool(32, 2);
  pool.deallocate(pool.allocate());
  return pool.in_use() == 0;
}
