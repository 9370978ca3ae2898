// A memory resource stays where it is, because containers point to it.
// g++ says: use of deleted function
// clang++ says: call to deleted constructor

#include <utility>

#include "memory_pool/memory_resource.hpp"

using namespace memory_pool;

std::size_t classes_of_another(MemoryResource& first) {
#ifdef RIGHT
  MemoryResource second(first.upstream_resource());
#else
  MemoryResource second(std::move(first));
#endif
  return second.class_count();
}
