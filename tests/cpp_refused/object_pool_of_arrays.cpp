// An array is no object that could be created and destroyed as one.
// g++ says: template constraint failure
// clang++ says: constraints not satisfied

#include <array>

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

#ifdef RIGHT
using Rows = ObjectPool<std::array<int, 4>>;
#else
using Rows = ObjectPool<int[4]>;
#endif
