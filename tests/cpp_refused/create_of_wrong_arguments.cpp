// Arguments that no constructor takes are an error of the call, not of the pool.
// g++ says: no matching function for call to
// clang++ says: no matching member function for call to 'create'

#include <string>

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

std::string* create(ObjectPool<std::string>& pool) {
#ifdef RIGHT
  return pool.create(3, 'x');
#else
  return pool.create(3, "x", nullptr, 'x');
#endif
}
