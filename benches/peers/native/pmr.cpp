// The pool resources of std::pmr, called by allocate, as polymorphic_allocator calls them.
//     pmr unsynchronized|synchronized

#include <memory_resource>

#include "worker.hpp"

namespace {

using namespace peers;

template <typename Resource>
struct Resources {
  struct Local {
    std::pmr::memory_resource* resource;
    std::size_t size;
    void* take() { return resource->allocate(size); }
    void give(void* block) { resource->deallocate(block, size); }
  };

  explicit Resources(const Shape& shape) : size(shape.block_size) {}
  Local local() { return {&resource, size}; }
  std::size_t size;
  Resource resource;
};

}  // namespace

int main(int, char** words) {
  using One = Resources<std::pmr::unsynchronized_pool_resource>;
  using Any = Resources<std::pmr::synchronized_pool_resource>;
  return serve_one_of({{"unsynchronized", scenarios(maker<One>(), {})},
                       {"synchronized", scenarios(maker<Any>(), {.any_thread = true})}},
                      words[1]);
}
