// PoolCache: free blocks of a pool for one thread, which takes and gives them without a look-up.
//
//     ConcurrentMemoryPool pool(64, 1000);
//     PoolCache cache = pool.cache();   // in the thread that uses it
//     void* block = cache.allocate();
//     cache.deallocate(block);

#ifndef MEMORY_POOL_POOL_CACHE_HPP
#define MEMORY_POOL_POOL_CACHE_HPP

#include <utility>

#include "error.hpp"
#include "pool.h"
#include "pool_inline.h"

namespace memory_pool {

/// A cache of a pool, as pool_cache_create makes it. A block may be allocated with it and given
/// back to the pool itself, and the other way round. It should end before its pool: the pool's end
/// is the cache's too, after which its calls, and its destructor, log a stale handle and do
/// nothing else. A pool object that is moved takes its caches along.
/// Thread-safety: the thread that allocates or deallocates first owns it; only that one may.
class PoolCache {
 public:
  /// Empty: as after a move.
  PoolCache() noexcept = default;

  /// A cache of `pool`, which is of POOL_THREADS_SAFE and not in a buffer. Throws std::bad_alloc
  /// when it can't be made; the log says why.
  explicit PoolCache(pool_t* pool) : cache_(pool_cache_create(pool)) {
    if (cache_ == nullptr) detail::raise_no_block();
    view_ = pool_inline_cache(cache_);
  }

  PoolCache(const PoolCache&) = delete;
  PoolCache& operator=(const PoolCache&) = delete;

  /// `other` is empty afterwards.
  PoolCache(PoolCache&& other) noexcept
      : cache_(std::exchange(other.cache_, nullptr)),
        view_(std::exchange(other.view_, pool_inline_closed_cache())) {}

  PoolCache& operator=(PoolCache&& other) noexcept {
    PoolCache(std::move(other)).swap(*this);
    return *this;
  }

  /// The free blocks go back to the pool; those that are live stay so.
  ~PoolCache() { pool_cache_destroy(cache_); }

  /// A free block, uninitialised. Throws std::bad_alloc when none is free in the whole pool.
  [[nodiscard]] void* allocate() {
    void* block = try_allocate();
    if (block == nullptr) [[unlikely]] detail::raise_no_block();
    return block;
  }

  /// A free block, or nullptr when none is free.
  [[nodiscard]] void* try_allocate() noexcept {
    return pool_inline_cache_allocate(cache_, view_);
  }

  /// Gives any live block of the pool back; nullptr is fine. A misuse is logged, changes nothing,
  /// and is answered with its status.
  pool_status_t deallocate(void* block) noexcept {
    return pool_inline_cache_deallocate(cache_, view_, block);
  }

  /// Whether there is a cache. A call on an empty one is logged and fails.
  explicit operator bool() const noexcept { return cache_ != nullptr; }

  void swap(PoolCache& other) noexcept {
    std::swap(cache_, other.cache_);
    std::swap(view_, other.view_);
  }
  friend void swap(PoolCache& one, PoolCache& other) noexcept { one.swap(other); }

  /// For the functions of pool.h. The cache stays this object's.
  [[nodiscard]] pool_cache_t* handle() const noexcept { return cache_; }

 private:
  pool_cache_t* cache_ = nullptr;
  pool_cache_view_t* view_ = pool_inline_closed_cache();
};

}  // namespace memory_pool

#endif  // MEMORY_POOL_POOL_CACHE_HPP
