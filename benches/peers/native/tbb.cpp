// The memory_pool of oneTBB, and its allocators for containers.
//     tbb pool|scalable_allocator|pool_allocator

#define TBB_PREVIEW_MEMORY_POOL 1
#include <tbb/memory_pool.h>
#include <tbb/scalable_allocator.h>

#include "containers.hpp"

namespace {

using namespace peers;

struct Pool {
  using Type = tbb::memory_pool<std::allocator<char>>;
  struct Local {
    Type* pool;
    std::size_t size;
    void* take() { return pool->malloc(size); }
    void give(void* block) { pool->free(block); }
  };

  explicit Pool(const Shape& shape) : size(shape.block_size) {}
  Local local() { return {&pool, size}; }
  std::size_t size;
  Type pool;
};

struct OverPool {
  tbb::memory_pool<std::allocator<char>> pool;
  template <typename T>
  tbb::memory_pool_allocator<T> allocator() { return tbb::memory_pool_allocator<T>(pool); }
};

}  // namespace

int main(int, char** words) {
  return serve_one_of({{"pool", scenarios(maker<Pool>(), {.any_thread = true})},
                       {"scalable_allocator", containers<Plain<tbb::scalable_allocator>>()},
                       {"pool_allocator", containers<OverPool>()}},
                      words[1]);
}
