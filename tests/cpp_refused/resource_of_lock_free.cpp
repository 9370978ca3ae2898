// A resource that signal handlers could call would call its upstream under a lock there.
// g++ says: template constraint failure
// clang++ says: constraints not satisfied for class template

#include "memory_pool/memory_resource.hpp"

using namespace memory_pool;

#ifdef RIGHT
BasicMemoryResource<POOL_THREADS_SAFE> resource;
#else
BasicMemoryResource<POOL_THREADS_LOCK_FREE> resource;
#endif
