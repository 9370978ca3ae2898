// ConcurrentMemoryPool: blocks of one size, for any thread at any time.
//
//     ConcurrentMemoryPool pool(PoolOptions(sizeof(Packet), 1024).named("packets"));
//     void* block = pool.allocate();       // in one thread
//     pool.deallocate(block);              // in another
//     void* next = pool.try_allocate_for(std::chrono::milliseconds(5));
//
// What it can do stands in basic_pool.hpp.

#ifndef MEMORY_POOL_CONCURRENT_MEMORY_POOL_HPP
#define MEMORY_POOL_CONCURRENT_MEMORY_POOL_HPP

#include "basic_pool.hpp"

namespace memory_pool {

/// Keeps free blocks by thread. Finds every sequential misuse.
/// Thread-safety: any thread at any time; any thread may give any block back.
using ConcurrentMemoryPool = BasicPool<POOL_THREADS_SAFE, POOL_CHECKS_STANDARD>;

/// Without a lock, without thread-local state. Finds every sequential misuse.
/// Thread-safety: any thread at any time, signal handlers too (they must not wait, nor let an
/// exception out); reset(), trim() and validate() while no other call is under way.
using LockFreeMemoryPool = BasicPool<POOL_THREADS_LOCK_FREE, POOL_CHECKS_STANDARD>;

}  // namespace memory_pool

#endif  // MEMORY_POOL_CONCURRENT_MEMORY_POOL_HPP
