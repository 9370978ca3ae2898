// A pool holds objects, and a reference is none.
// g++ says: template constraint failure
// clang++ says: constraints not satisfied

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

#ifdef RIGHT
using Numbers = ConcurrentObjectPool<int>;
#else
using Numbers = ConcurrentObjectPool<int&>;
#endif
