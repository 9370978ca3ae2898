// An object that is const can't be put into memory later.
// g++ says: template constraint failure
// clang++ says: constraints not satisfied

#include "memory_pool/memory_pool.hpp"

using namespace memory_pool;

#ifdef RIGHT
using Element = int;
#else
using Element = const int;
#endif

void give_back(const Allocator<Element>& allocator);
