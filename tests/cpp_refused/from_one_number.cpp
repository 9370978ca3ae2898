// Options need both sizes, or each by its name.
// g++ says: no matching function for call to 'memory_pool::PoolOptions::PoolOptions(int)'
// clang++ says: no matching conversion for functional-style cast from 'int'

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

PoolOptions eight_bytes() {
#ifdef RIGHT
  return PoolOptions().block_size(8);
#else
  return PoolOptions(8);
#endif
}
