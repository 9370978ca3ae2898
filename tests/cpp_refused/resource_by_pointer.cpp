// A pointer to an upstream does not become a resource by itself.
// g++ says: invalid initialization of reference
// clang++ says: no matching function for call to 'classes_of'

#include "memory_pool/memory_resource.hpp"

using namespace memory_pool;

std::size_t classes_of(const MemoryResource& resource) { return resource.class_count(); }
std::size_t classes(std::pmr::memory_resource* upstream) {
#ifdef RIGHT
  return classes_of(MemoryResource(upstream));
#else
  return classes_of(upstream);
#endif
}
