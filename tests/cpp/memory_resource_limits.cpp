// MemoryResource where address space is short: pools are small or not made at all, what they can't
// give is the upstream's, and in the end there is std::bad_alloc; nothing is lost.

#include <sys/resource.h>

#include <vector>

#include "../c/check.h"
#include "memory_pool/memory_resource.hpp"

namespace {

template <typename Resource>
void little_address_space_is_shared_by_pools_and_upstream() {
  Resource resource;
  std::vector<void*> blocks;
  for (int i = 0; i < 100000; ++i) blocks.push_back(resource.allocate(64, 64));
  for (std::size_t bytes = 1; bytes <= 4096; ++bytes) {
    resource.deallocate(resource.allocate(bytes, 1), bytes, 1);
  }
  const memory_pool::MemoryResourceStats stats = resource.stats();
  CHECK(stats.pools == resource.class_count());
  CHECK(stats.blocks_in_use >= 10000 && stats.upstream_blocks >= 10000);
  CHECK(stats.blocks_in_use + stats.upstream_blocks == blocks.size());
  CHECK(stats.reserved_bytes < std::size_t{200} << 20);
  for (void* block : blocks) resource.deallocate(block, 64, 64);
  CHECK(resource.stats().blocks_in_use == 0 && resource.stats().upstream_blocks == 0);
}

template <typename Resource>
void without_memory_there_is_bad_alloc_and_then_it_goes_on() {
  Resource resource;
  std::vector<void*> blocks;
  blocks.reserve(1 << 20);
  bool is_thrown = false;
  try {
    while (blocks.size() < blocks.capacity()) blocks.push_back(resource.allocate(4096, 8));
  } catch (const std::bad_alloc&) {
    is_thrown = true;
  }
  CHECK(is_thrown && blocks.size() > 1000);
  for (void* block : blocks) resource.deallocate(block, 4096, 8);
  CHECK(resource.stats().blocks_in_use == 0 && resource.stats().upstream_blocks == 0);
  void* const block = resource.allocate(4096, 8);
  resource.deallocate(block, 4096, 8);
  resource.release();
}

}  // namespace

int main() {
  pool_set_log_callback(nullptr, nullptr, 0);
  const rlimit limit = {std::size_t{512} << 20, RLIM_INFINITY};
  if (setrlimit(RLIMIT_AS, &limit) != 0) return 1;
  little_address_space_is_shared_by_pools_and_upstream<memory_pool::MemoryResource>();
  little_address_space_is_shared_by_pools_and_upstream<memory_pool::ConcurrentMemoryResource>();
  without_memory_there_is_bad_alloc_and_then_it_goes_on<memory_pool::MemoryResource>();
  without_memory_there_is_bad_alloc_and_then_it_goes_on<memory_pool::ConcurrentMemoryResource>();
  return CHECK_RESULT();
}
