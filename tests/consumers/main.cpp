// A user's program in C++, with both headers of the project.

#include <common/logging.hpp>
#include <cstdio>
#include <memory_pool/fixed_block_memory_pool.hpp>

int main() {
  memory_pool::FixedBlockMemoryPool pool(64, 4);
  void* block = pool.allocate();
  LOG_DEBUG("in use: ", pool.in_use());
  if (!pool.owns(block) || pool.in_use() != 1) return 1;
  pool.deallocate(block);
  if (pool.in_use() != 0 || pool_version() != POOL_VERSION_NUMBER) return 1;
  std::puts("C++ works with memory_pool " POOL_VERSION_STRING);
  return 0;
}
