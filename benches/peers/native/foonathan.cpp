// The memory_pool of foonathan/memory, inlined as far as its headers allow.
//     foonathan pool|allocator

#include <foonathan/memory/heap_allocator.hpp>
#include <foonathan/memory/memory_pool.hpp>
#include <foonathan/memory/segregator.hpp>
#include <foonathan/memory/std_allocator.hpp>

#include "containers.hpp"

namespace {

using namespace peers;
namespace fm = foonathan::memory;

struct Pool {
  using Type = fm::memory_pool<fm::node_pool>;
  struct Local {
    Type* pool;
    void* take() { return pool->allocate_node(); }
    void give(void* block) { pool->deallocate_node(block); }
  };

  explicit Pool(const Shape& shape)
      : pool(shape.block_size, Type::min_block_size(shape.block_size, 1024)) {}
  Local local() { return {&pool}; }
  Type pool;
};

/// A pool for the nodes; arrays, such as the buckets of a hash table, come from the heap.
struct OverPool {
  using Segregated = fm::binary_segregator<fm::threshold_segregatable<Pool::Type>,
                                           fm::heap_allocator>;
  Segregated nodes{fm::make_segregator(
      fm::threshold(64, Pool::Type(64, Pool::Type::min_block_size(64, 1024))),
      fm::heap_allocator())};
  template <typename T>
  auto allocator() { return fm::std_allocator<T, Segregated>(nodes); }
};

}  // namespace

int main(int, char** words) {
  return serve_one_of({{"pool", scenarios(maker<Pool>(), {})},
                       {"allocator", containers<OverPool>()}},
                      words[1]);
}
