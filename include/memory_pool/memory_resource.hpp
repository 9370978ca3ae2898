// MemoryResource and ConcurrentMemoryResource: pools for every small size, as a
// std::pmr::memory_resource.
//
//     memory_pool::MemoryResource resource;  // was: std::pmr::unsynchronized_pool_resource
//     std::pmr::map<int, std::pmr::string> names(&resource);
//
// A request goes to the pool of its size class (size_classes.hpp), which is made when it is first
// needed, grows in place and checks what comes back. The upstream serves what no pool can: requests
// above the largest block, and those for which a pool gets no more memory from the system.

#ifndef MEMORY_POOL_MEMORY_RESOURCE_HPP
#define MEMORY_POOL_MEMORY_RESOURCE_HPP

#include <algorithm>
#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <mutex>
#include <type_traits>

#include "error.hpp"
#include "memory_resource_options.hpp"
#include "pool.h"
#include "size_classes.hpp"
#include "upstream_blocks.hpp"

namespace memory_pool {

/// The figures of all pools of a resource together, and of its upstream.
struct MemoryResourceStats {
  std::size_t pools;            // that were made
  std::size_t blocks_in_use;    // live blocks of pools
  std::size_t bytes_in_use;     // what they take
  std::size_t reserved_bytes;   // address space of the pools
  std::size_t resident_bytes;   // in memory now, as the kernel counts
  std::size_t upstream_blocks;  // live blocks of the upstream
  std::size_t upstream_bytes;   // what was asked of it for them
};

namespace detail {

struct NoMutex {
  void lock() noexcept {}
  void unlock() noexcept {}
};

}  // namespace detail

/// Behaves as the standard's pool resources. A misuse in deallocate (a double free, a pointer from
/// elsewhere, other bytes than were allocated) is reported as a pool reports it and changes
/// nothing; it is never thrown.
/// Thread-safety: `threading` is one of POOL_THREADS_SINGLE and POOL_THREADS_SAFE. Making, ending
/// and release() are for one thread, while no other call is under way. The upstream is called under
/// a lock, by one thread at a time.
template <std::uint32_t threading>
  requires(threading == POOL_THREADS_SINGLE || threading == POOL_THREADS_SAFE)
class BasicMemoryResource : public std::pmr::memory_resource {
 public:
  /// With the default resource as upstream, as it is now.
  BasicMemoryResource() : BasicMemoryResource(MemoryResourceOptions()) {}

  explicit BasicMemoryResource(std::pmr::memory_resource* upstream)
      : BasicMemoryResource(MemoryResourceOptions(), upstream) {}

  /// Takes no memory yet. Throws Error when an option is not possible (POOL_ERR_UNSUPPORTED), and
  /// when the upstream, which must stay as long as the resource, is nullptr. A template, so that
  /// braces are the standard's options.
  template <std::same_as<MemoryResourceOptions> Options>
  explicit BasicMemoryResource(
      const Options& options,
      std::pmr::memory_resource* upstream = std::pmr::get_default_resource())
      : class_count_(classes_of(options)), options_(options), upstream_(upstream) {
    if (upstream == nullptr) detail::raise(POOL_ERR_NULL_ARGUMENT);
    const pool_options_t first = options_.pool_of(detail::class_bytes(0), threading);
    std::size_t bytes = 0;
    const pool_status_t status = pool_bytes_needed(&first, &bytes);
    if (status != POOL_OK) detail::raise(status);
    send_all_blocks_to_pools();
  }

  explicit BasicMemoryResource(
      const std::pmr::pool_options& options,
      std::pmr::memory_resource* upstream = std::pmr::get_default_resource())
      : BasicMemoryResource(MemoryResourceOptions(options), upstream) {}

  BasicMemoryResource(const BasicMemoryResource&) = delete;
  BasicMemoryResource& operator=(const BasicMemoryResource&) = delete;

  /// Gives everything back, as release().
  ~BasicMemoryResource() override { release(); }

  /// Gives all memory back to where it came from, also what is still in use: whoever holds a block
  /// must not touch it any more. The resource can be used as if it were new.
  void release() noexcept {
    for (std::atomic<pool_t*>& pool : pools_) {
      // Relaxed: no other call is under way.
      pool_t* const old = pool.exchange(nullptr, std::memory_order_relaxed);
      if (old == nullptr) continue;
      pool_reset(old);  // no block is live then, so that no leak is reported
      pool_destroy(old);
    }
    upstream_.release();
    small_upstream_blocks_ = 0;
    without_pool_ = 0;
    is_short_of_space_ = false;
    send_all_blocks_to_pools();
  }

  [[nodiscard]] std::pmr::memory_resource* upstream_resource() const noexcept {
    return upstream_.upstream();
  }

  /// As the standard names them; what the resource made of what it was asked.
  [[nodiscard]] std::pmr::pool_options options() const noexcept {
    return options_.standard_options();
  }

  /// How many sizes of blocks there are; the largest is options().largest_required_pool_block.
  [[nodiscard]] std::size_t class_count() const noexcept { return class_count_; }

  /// The figures of the pool of one size, of the smallest with `index` 0. All are 0 but block_size
  /// where there is no pool yet, and block_size too where there is no such class.
  [[nodiscard]] pool_stats_t class_stats(std::size_t index) const noexcept {
    pool_stats_t stats{};
    stats.struct_size = sizeof stats;
    if (index >= class_count()) return stats;
    stats.block_size = detail::class_bytes(index);
    if (pool_t* const pool = pool_at(index)) pool_get_stats(pool, &stats);
    return stats;
  }

  /// The sums. Time in proportion to the pages of the pools that are in memory.
  [[nodiscard]] MemoryResourceStats stats() const noexcept {
    MemoryResourceStats all{};
    for (std::size_t index = 0; index < class_count(); ++index) {
      const pool_stats_t one = class_stats(index);
      all.pools += one.capacity != 0;
      all.blocks_in_use += one.in_use;
      all.bytes_in_use += one.in_use * one.stride;
      all.reserved_bytes += one.reserved_bytes;
      all.resident_bytes += one.resident_bytes;
    }
    const std::lock_guard lock(mutex_);
    all.upstream_blocks = upstream_.count();
    all.upstream_bytes = upstream_.bytes();
    return all;
  }

 protected:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    const std::size_t index = detail::class_of(bytes, alignment);
    if (index < class_count_) [[likely]] {
      if (pool_t* const pool = pool_at(index)) [[likely]] {
        if (void* const block = pool_allocate(pool)) [[likely]] return block;
      }
    }
    return allocate_slowly(bytes, alignment);
  }

  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
    const std::size_t index = detail::class_of(bytes, alignment);
    // Relaxed: who has a small block of the upstream's also sees what was stored before it left.
    if (index < direct_classes_.load(std::memory_order_relaxed)) [[likely]] {
      if (pool_t* const pool = pool_at(index)) [[likely]] {
        pool_deallocate(pool, block);
        return;
      }
    }
    deallocate_slowly(block, bytes, alignment);
  }

  [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

 private:
  using Mutex =
      std::conditional_t<threading == POOL_THREADS_SINGLE, detail::NoMutex, std::mutex>;

  /// What a pool may grow to where address space is short, in bytes.
  static constexpr std::size_t kShortOfSpaceBytes = std::size_t{4} << 20;

  static std::size_t classes_of(const MemoryResourceOptions& options) noexcept {
    return detail::class_of(options.standard_options().largest_required_pool_block, 1) + 1;
  }

  [[nodiscard]] pool_t* pool_at(std::size_t index) const noexcept {
    // Acquire: pairs with the Release in `make_pool`.
    return pools_[index].load(std::memory_order_acquire);
  }

  void send_all_blocks_to_pools() noexcept {
    // Relaxed: nobody has a small block of the upstream's.
    direct_classes_.store(class_count_, std::memory_order_relaxed);
  }

  /// The class has no pool yet, its pool is full, or there is no such class.
  [[gnu::cold, gnu::noinline]] void* allocate_slowly(std::size_t bytes, std::size_t alignment) {
    const std::size_t index = detail::class_of(bytes, alignment);
    const std::lock_guard lock(mutex_);
    // Operator new of some libraries rounds more than that up to next to nothing.
    if (bytes > PTRDIFF_MAX) detail::raise_no_block();
    if (index >= class_count_) return upstream_.allocate(bytes, alignment);
    if (pool_t* const pool = pool_of(index)) {
      if (void* const block = pool_allocate(pool)) return block;
    }
    void* const block = upstream_.allocate(bytes, alignment);
    ++small_upstream_blocks_;
    // Relaxed: the block leaves after this.
    direct_classes_.store(0, std::memory_order_relaxed);
    return block;
  }

  [[gnu::cold, gnu::noinline]] void deallocate_slowly(void* block, std::size_t bytes,
                                                      std::size_t alignment) {
    const std::size_t index = detail::class_of(bytes, alignment);
    pool_t* pool = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (upstream_.deallocate(block, bytes, alignment)) {
        if (index < class_count_ && --small_upstream_blocks_ == 0) send_all_blocks_to_pools();
        return;
      }
      pool = index < class_count_ ? pool_of(index) : stranger_to(block);
    }
    // Not under the lock: who hears of a misuse may call the resource.
    pool_deallocate(pool, block);
  }

  /// A pool that says of `block`, which is none of the upstream's, what it is. Under the lock.
  pool_t* stranger_to(void* block) noexcept {
    pool_t* const first = pool_of(0);
    return pool_owns(first, block) ? pool_of(1) : first;
  }

  /// The pool of a class, or nullptr if it can't be made. Under the lock.
  pool_t* pool_of(std::size_t index) noexcept {
    pool_t* const pool = pool_at(index);
    const bool is_refused = (without_pool_ >> index & 1) != 0;
    return pool != nullptr || is_refused ? pool : make_pool(index);
  }

  /// Where the system refuses address space it is short for all, and little is asked for from then
  /// on, once for each class: the rest is the upstream's. The log says so.
  pool_t* make_pool(std::size_t index) noexcept {
    const std::size_t bytes = detail::class_bytes(index);
    const detail::PoolName name = options_.name_of(bytes);
    pool_options_t options = options_.pool_of(bytes, threading);
    options.name = name.text();
    pool_t* pool = nullptr;
    if (!is_short_of_space_) {
      is_short_of_space_ = pool_create_with(&options, &pool) != POOL_OK;
    }
    if (is_short_of_space_) {
      options.max_capacity = (std::min)(options.max_capacity, kShortOfSpaceBytes / bytes);
      options.capacity = (std::min)(options.capacity, options.max_capacity);
      if (pool_create_with(&options, &pool) != POOL_OK) without_pool_ |= std::uint64_t{1} << index;
    }
    // Release: pairs with the Acquire in `pool_at`.
    pools_[index].store(pool, std::memory_order_release);
    return pool;
  }

  const std::size_t class_count_;
  // How many classes give their blocks straight back to their pools: all, or none while the
  // upstream serves small requests too.
  std::atomic<std::size_t> direct_classes_ = 0;
  std::array<std::atomic<pool_t*>, detail::kClassesMax> pools_{};
  const MemoryResourceOptions options_;
  // From here on under the lock.
  mutable Mutex mutex_;
  detail::UpstreamBlocks upstream_;
  std::size_t small_upstream_blocks_ = 0;
  std::uint64_t without_pool_ = 0;  // a bit for each class whose pool could not be made
  bool is_short_of_space_ = false;
};

/// Pools of one owner.
/// Thread-safety: one thread at a time; a lock of the caller's own counts.
using MemoryResource = BasicMemoryResource<POOL_THREADS_SINGLE>;

/// Pools that keep free blocks by thread.
/// Thread-safety: any thread at any time, and any thread may give any block back; but ending and
/// release() while no other call is under way.
using ConcurrentMemoryResource = BasicMemoryResource<POOL_THREADS_SAFE>;

}  // namespace memory_pool

#endif  // MEMORY_POOL_MEMORY_RESOURCE_HPP
