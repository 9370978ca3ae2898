// FixedBlockMemoryPool: blocks of one size, for one thread at a time.
//
//     FixedBlockMemoryPool pool(sizeof(Node), 8);
//     void* raw = pool.allocate();
//     Node* node = new (raw) Node{42, nullptr};
//     node->~Node();
//     pool.deallocate(node);
//
// What it can do stands in basic_pool.hpp.

#ifndef MEMORY_POOL_FIXED_BLOCK_MEMORY_POOL_HPP
#define MEMORY_POOL_FIXED_BLOCK_MEMORY_POOL_HPP

#include "basic_pool.hpp"

namespace memory_pool {

/// Finds every sequential misuse.
/// Thread-safety: one thread at a time; a lock of the caller's own counts.
using FixedBlockMemoryPool = BasicPool<POOL_THREADS_SINGLE, POOL_CHECKS_STANDARD>;

/// Trusts its caller.
/// Thread-safety: one thread at a time; a lock of the caller's own counts.
using UncheckedFixedBlockMemoryPool = BasicPool<POOL_THREADS_SINGLE, POOL_CHECKS_NONE>;

}  // namespace memory_pool

// The name is used without its namespace in the programs this pool was made for.
using memory_pool::FixedBlockMemoryPool;

#endif  // MEMORY_POOL_FIXED_BLOCK_MEMORY_POOL_HPP
