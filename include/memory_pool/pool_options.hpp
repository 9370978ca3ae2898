// PoolOptions: what a pool is to be like, as a value that reads like a sentence.
//
//     PoolOptions options(sizeof(Packet), 1024);
//     options.growable_to(1 << 20).aligned_to(64).named("packets");
//     ConcurrentMemoryPool pool(options);
//
// Which threads may call is not said here: the class of the pool says it.

#ifndef MEMORY_POOL_POOL_OPTIONS_HPP
#define MEMORY_POOL_POOL_OPTIONS_HPP

#include <cstddef>
#include <cstdint>

#include "pool.h"

namespace memory_pool {

/// pool_options_t with words for its fields. No call fails: what is out of range is refused when
/// the pool is made. Every setter answers the object itself.
/// Thread-safety: that of a struct.
class PoolOptions {
 public:
  /// Without sizes: for classes that know the size of their blocks themselves.
  constexpr PoolOptions() noexcept = default;

  /// `capacity` blocks of `block_size` bytes each; both from 1 up.
  constexpr PoolOptions(std::size_t block_size, std::size_t capacity) noexcept {
    options_.block_size = block_size;
    options_.capacity = capacity;
  }

  /// Bytes that may be used in each block, from 1 up.
  constexpr PoolOptions& block_size(std::size_t bytes) noexcept {
    options_.block_size = bytes;
    return *this;
  }

  /// Blocks that are there from the start, from 1 up; 0 in a buffer: as many as fit.
  constexpr PoolOptions& capacity(std::size_t blocks) noexcept {
    options_.capacity = blocks;
    return *this;
  }

  /// Blocks that the pool may grow to, by itself or by grow(), from the capacity up; 0: it does
  /// not grow. No block moves.
  constexpr PoolOptions& growable_to(std::size_t blocks) noexcept {
    options_.max_capacity = blocks;
    return *this;
  }

  /// The pool grows as far as the address space, or its buffer, goes.
  constexpr PoolOptions& growable() noexcept { return growable_to(SIZE_MAX); }

  /// Alignment of every block: a power of two up to 1 GiB; 0: what the block size gives.
  constexpr PoolOptions& aligned_to(std::size_t bytes) noexcept {
    options_.alignment = bytes;
    return *this;
  }

  /// For the log; copied when the pool is made, so it must stay until then. nullptr: "pool".
  constexpr PoolOptions& named(const char* name) noexcept {
    options_.name = name;
    return *this;
  }

  /// The caller is trusted, whatever the class of the pool says: POOL_CHECKS_NONE.
  constexpr PoolOptions& unchecked() noexcept {
    options_.checks = POOL_CHECKS_NONE;
    return *this;
  }

  /// Everything is checked, whatever the class of the pool says: POOL_CHECKS_FULL.
  constexpr PoolOptions& fully_checked() noexcept {
    options_.checks = POOL_CHECKS_FULL;
    return *this;
  }

  /// Beyond the last block, and where the pool can't grow, blocks come from the heap.
  constexpr PoolOptions& overflowing_to_heap() noexcept {
    options_.on_exhausted = POOL_EXHAUSTED_HEAP;
    return *this;
  }

  /// A misuse ends the program; by default it is logged and answered with its status.
  constexpr PoolOptions& aborting_on_misuse() noexcept {
    options_.on_misuse = POOL_MISUSE_ABORT;
    return *this;
  }

  /// A pool that is destroyed while blocks are live ends the program; by default it is logged.
  constexpr PoolOptions& aborting_on_leak() noexcept {
    options_.on_leak = POOL_LEAK_ABORT;
    return *this;
  }

  /// A pool with live blocks is not destroyed: destroy() answers POOL_ERR_IN_USE, and the
  /// destructor of its object leaves it and its blocks behind.
  constexpr PoolOptions& kept_while_in_use() noexcept {
    options_.on_leak = POOL_LEAK_REFUSE;
    return *this;
  }

  /// Takes memory when the pool is made and when it grows, not when a block is first touched.
  constexpr PoolOptions& prefaulted() noexcept { return with_flag(POOL_PREFAULT); }

  /// Keeps all memory out of swap, or refuses.
  constexpr PoolOptions& locked_in_memory() noexcept { return with_flag(POOL_LOCK_MEMORY); }

  /// Pages of 2 MiB, where the system has them.
  constexpr PoolOptions& on_huge_pages() noexcept { return with_flag(POOL_HUGE_PAGES); }

  /// Inaccessible pages before and after the blocks.
  constexpr PoolOptions& with_guard_pages() noexcept { return with_flag(POOL_GUARD_PAGES); }

  /// The pool lives in `bytes` bytes at `buffer` with all it has, which stay until it is destroyed.
  constexpr PoolOptions& in_buffer(void* buffer, std::size_t bytes) noexcept {
    options_.buffer = buffer;
    options_.buffer_bytes = bytes;
    return *this;
  }

  /// The pool has its memory from these functions; the struct must stay until the pool is made.
  constexpr PoolOptions& from(const pool_source_t& source) noexcept {
    options_.source = &source;
    return *this;
  }
  PoolOptions& from(const pool_source_t&&) = delete;

  /// For the functions of pool.h.
  [[nodiscard]] constexpr const pool_options_t& c_options() const noexcept { return options_; }

 private:
  constexpr PoolOptions& with_flag(std::uint32_t flag) noexcept {
    options_.flags |= flag;
    return *this;
  }

  pool_options_t options_ = POOL_OPTIONS_INIT;
};

}  // namespace memory_pool

#endif  // MEMORY_POOL_POOL_OPTIONS_HPP
