// FixedBlockMemoryPool: blocks of one size, for one thread at a time.
//
//     FixedBlockMemoryPool pool(sizeof(Node), 8);
//     void* raw = pool.allocate();
//     Node* node = new (raw) Node{42, nullptr};
//     node->~Node();
//     pool.deallocate(node);
//
// The pool owns memory, never objects: constructing and destroying them is the caller's.

#ifndef MEMORY_POOL_FIXED_BLOCK_MEMORY_POOL_HPP
#define MEMORY_POOL_FIXED_BLOCK_MEMORY_POOL_HPP

#include <cstddef>
#include <cstdint>
#include <utility>

#include "error.hpp"
#include "pool.h"

namespace memory_pool {

/// A pool of fixed-size blocks. `checks` is POOL_CHECKS_STANDARD or POOL_CHECKS_NONE.
/// Thread-safety: one thread at a time; a lock of the caller's own counts.
template <std::uint32_t checks>
class BasicFixedBlockMemoryPool {
 public:
  /// Room for `capacity` blocks of `block_size` bytes each. Throws std::bad_alloc when the system
  /// gives no memory, and Error when a size is 0 or beyond the address space.
  BasicFixedBlockMemoryPool(std::size_t block_size, std::size_t capacity) {
    pool_options_t options = POOL_OPTIONS_INIT;
    options.block_size = block_size;
    options.capacity = capacity;
    options.threading = POOL_THREADS_SINGLE;
    options.checks = checks;
    const pool_status_t status = pool_create_with(&options, &pool_);
    if (status != POOL_OK) detail::raise(status);
  }

  BasicFixedBlockMemoryPool(const BasicFixedBlockMemoryPool&) = delete;
  BasicFixedBlockMemoryPool& operator=(const BasicFixedBlockMemoryPool&) = delete;

  /// `other` is empty afterwards: no call but destruction and assignment makes sense on it.
  BasicFixedBlockMemoryPool(BasicFixedBlockMemoryPool&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)) {}

  BasicFixedBlockMemoryPool& operator=(BasicFixedBlockMemoryPool&& other) noexcept {
    if (this != &other) {
      pool_destroy(pool_);
      pool_ = std::exchange(other.pool_, nullptr);
    }
    return *this;
  }

  /// Blocks that are still live are logged; their memory is gone.
  ~BasicFixedBlockMemoryPool() { pool_destroy(pool_); }

  /// A free block: block_size() bytes, uninitialised. Throws std::bad_alloc when none is free.
  [[nodiscard]] void* allocate() {
    void* block = pool_allocate(pool_);
    if (block == nullptr) detail::raise_no_block();
    return block;
  }

  /// A free block, or nullptr when none is free.
  [[nodiscard]] void* try_allocate() noexcept { return pool_allocate(pool_); }

  /// Gives a block back; nullptr is fine. A misuse is logged, changes nothing, and is answered
  /// with its status: POOL_ERR_DOUBLE_FREE, POOL_ERR_FOREIGN_POINTER, POOL_ERR_INTERIOR_POINTER.
  pool_status_t deallocate(void* block) noexcept { return pool_deallocate(pool_, block); }

  /// Bytes that may be used in each block.
  [[nodiscard]] std::size_t block_size() const noexcept { return pool_block_size(pool_); }
  /// Blocks, free and live.
  [[nodiscard]] std::size_t capacity() const noexcept { return pool_capacity(pool_); }
  /// Blocks that are live.
  [[nodiscard]] std::size_t in_use() const noexcept { return pool_in_use(pool_); }
  /// Blocks that are free.
  [[nodiscard]] std::size_t available() const noexcept { return pool_available(pool_); }
  /// Whether `pointer` is the start of a block of this pool, free or live.
  [[nodiscard]] bool owns(const void* pointer) const noexcept { return pool_owns(pool_, pointer); }
  /// For the functions of pool.h. The pool stays this object's.
  [[nodiscard]] pool_t* handle() const noexcept { return pool_; }

 private:
  pool_t* pool_ = nullptr;
};

/// Finds every sequential misuse.
using FixedBlockMemoryPool = BasicFixedBlockMemoryPool<POOL_CHECKS_STANDARD>;

/// Trusts its caller.
using UncheckedFixedBlockMemoryPool = BasicFixedBlockMemoryPool<POOL_CHECKS_NONE>;

}  // namespace memory_pool

// The name is used without its namespace in the programs this pool was made for.
using memory_pool::FixedBlockMemoryPool;

#endif  // MEMORY_POOL_FIXED_BLOCK_MEMORY_POOL_HPP
