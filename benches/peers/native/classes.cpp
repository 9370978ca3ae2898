// The pools of this project by their C++ classes, inlined as far as the headers allow.
//     classes fixed|unchecked|cache|allocator|concurrent_allocator|given|memory_resource

#include "containers.hpp"
#include "memory_pool/allocator.hpp"
#include "memory_pool/concurrent_memory_pool.hpp"
#include "memory_pool/fixed_block_memory_pool.hpp"
#include "memory_pool/memory_resource.hpp"

namespace {

using namespace peers;
using memory_pool::PoolOptions;

/// What the call is inlined into: a thread's own pool or cache.
template <typename Owner>
struct Calls {
  Owner* owner;
  void* take() { return owner->try_allocate(); }
  void give(void* block) { owner->deallocate(block); }
};

PoolOptions options_of(const Shape& shape) {
  return PoolOptions(shape.block_size, shape.initial).growable_to(shape.maximum);
}

template <typename Class>
struct Owned {
  explicit Owned(const Shape& shape) : pool(options_of(shape)) {}
  Calls<Class> local() { return {&pool}; }
  Class pool;
};

/// A cache for each thread, over one pool.
struct Cached {
  struct Local {
    memory_pool::PoolCache cache;
    void* take() { return cache.try_allocate(); }
    void give(void* block) { cache.deallocate(block); }
  };

  explicit Cached(const Shape& shape) : pool(options_of(shape)) {}
  Local local() { return {pool.cache()}; }
  memory_pool::ConcurrentMemoryPool pool;
};

/// Large enough for a node of each container that is measured.
struct GivenPool {
  FixedBlockMemoryPool pool{64, 1 << 20};
  template <typename T>
  memory_pool::Allocator<T> allocator() { return pool; }
};

}  // namespace

int main(int, char** words) {
  using memory_pool::UncheckedFixedBlockMemoryPool;
  using Resource = Polymorphic<memory_pool::MemoryResource>;
  using Concurrent = Plain<memory_pool::ConcurrentAllocator>;
  return serve_one_of({{"fixed", scenarios(maker<Owned<FixedBlockMemoryPool>>(), {})},
                       {"unchecked", scenarios(maker<Owned<UncheckedFixedBlockMemoryPool>>(), {})},
                       {"cache", scenarios(maker<Cached>(), {.any_thread = true})},
                       {"allocator", containers<Plain<memory_pool::Allocator>>()},
                       {"concurrent_allocator", containers<Concurrent>()},
                       {"given", containers<GivenPool>()},
                       {"memory_resource", containers<Resource>()}},
                      words[1]);
}
