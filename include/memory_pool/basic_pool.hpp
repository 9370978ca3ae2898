// BasicPool: what every pool class is. Use it by the names of fixed_block_memory_pool.hpp and
// concurrent_memory_pool.hpp.
//
// The pool owns memory, never objects: constructing and destroying them is the caller's. Three
// things throw, and say so: a constructor, allocate...() without try_, and cache(). All else
// answers a status, or nothing where nothing can fail.

#ifndef MEMORY_POOL_BASIC_POOL_HPP
#define MEMORY_POOL_BASIC_POOL_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "error.hpp"
#include "pool.h"
#include "pool_cache.hpp"
#include "pool_inline.h"
#include "pool_options.hpp"
#include "snapshot.hpp"

namespace memory_pool {
namespace detail {

/// What has the shape of a std::chrono::duration. The type itself is not named, because <chrono>
/// costs every user of this header more time to compile than the rest of it.
template <typename T>
concept IsDuration = requires(const T& duration) {
  static_cast<long double>(duration.count());
  T::period::num / T::period::den;
};

/// A duration in nanoseconds, rounded up; 0 if negative or no number, UINT64_MAX (for ever) if it
/// is longer than 584 years.
template <IsDuration Duration>
constexpr std::uint64_t nanoseconds_of(const Duration& duration) noexcept {
  const auto count = static_cast<long double>(duration.count());
  if (!(count > 0)) return 0;
  const long double exact = count * Duration::period::num * 1e9L / Duration::period::den;
  if (exact >= 18446744073709551615.0L) return UINT64_MAX;
  const auto whole = static_cast<std::uint64_t>(exact);
  return static_cast<long double>(whole) < exact ? whole + 1 : whole;
}

/// A pool, or none, and how its hot calls are made. What is moved from has none.
template <std::uint32_t threading, std::uint32_t checks>
class Calls {
 public:
  Calls() noexcept = default;
  Calls(Calls&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
  Calls& operator=(Calls&& other) noexcept {
    pool_ = std::exchange(other.pool_, nullptr);
    return *this;
  }

  [[nodiscard]] pool_t* pool() const noexcept { return pool_; }
  void set(pool_t* pool) noexcept { pool_ = pool; }
  void end() noexcept {}

  [[nodiscard]] void* allocate() noexcept { return pool_allocate(pool_); }
  pool_status_t deallocate(void* block) noexcept { return pool_deallocate(pool_, block); }

 private:
  pool_t* pool_ = nullptr;
};

/// With one owner they are inlined, where the pool is as the class says. The library knows where
/// the words are, and is told when they move.
template <std::uint32_t checks>
class Calls<POOL_THREADS_SINGLE, checks> {
 public:
  Calls() noexcept = default;
  Calls(Calls&& other) noexcept { set(std::exchange(other.pool_, nullptr)); }
  Calls& operator=(Calls&& other) noexcept {
    set(std::exchange(other.pool_, nullptr));
    return *this;
  }

  [[nodiscard]] pool_t* pool() const noexcept { return pool_; }
  void set(pool_t* pool) noexcept {
    pool_ = pool;
    view_ = POOL_INLINE_CLOSED;
    if (pool != nullptr) pool_inline_single(pool, checks, &view_);
  }
  /// Before the pool goes on without this.
  void end() noexcept {
    if (pool_ != nullptr) pool_inline_end(pool_, checks);
  }

  /// As pool_inline_allocate(), which would have the pool read before it is needed.
  [[nodiscard]] void* allocate() noexcept {
#if POOL_INLINE_CALLS
    void* block = nullptr;
    if (pool_detail_take(&view_, checks, &block)) [[likely]] return block;
#endif
    return pool_allocate(pool_);
  }
  pool_status_t deallocate(void* block) noexcept {
#if POOL_INLINE_CALLS
    if (pool_detail_give(&view_, checks, block)) [[likely]] return POOL_OK;
#endif
    return pool_deallocate(pool_, block);
  }

 private:
  pool_single_view_t view_ = POOL_INLINE_CLOSED;
  pool_t* pool_ = nullptr;
};

}  // namespace detail

/// A pool of fixed-size blocks. `threading` is one of POOL_THREADS_*; `checks` is one of
/// POOL_CHECKS_*, unless the options ask for another. An object whose pool was moved away, or that
/// never had one, is empty: false, all its sizes are 0, allocations fail, and a deallocation
/// answers POOL_ERR_NULL_ARGUMENT; each such call is logged.
/// Thread-safety: as `threading` says, if nothing else is said. Making, moving, swapping and ending
/// an object is for one thread, while no other call is under way.
template <std::uint32_t threading, std::uint32_t checks>
class BasicPool {
 public:
  /// Empty.
  BasicPool() noexcept = default;

  /// Room for `capacity` blocks of `block_size` bytes each. Throws std::bad_alloc when the system
  /// gives no memory, and Error when a size is 0 or beyond the address space.
  BasicPool(std::size_t block_size, std::size_t capacity)
      : BasicPool(PoolOptions(block_size, capacity)) {}

  /// As `options` say. Throws std::bad_alloc when the system gives no memory, and Error when an
  /// option is out of its range or not possible; the log says which.
  explicit BasicPool(const PoolOptions& options) {
    const pool_status_t status = create(options);
    if (status != POOL_OK) detail::raise(status);
  }

  /// As `options` say; or empty, with the reason in `error`. Does not throw.
  [[nodiscard]] static BasicPool try_create(const PoolOptions& options,
                                            std::error_code& error) noexcept {
    BasicPool pool;
    error = error_code_of(pool.create(options));
    return pool;
  }

  /// How large the buffer of such a pool must be; 0 when the options are refused, which is logged.
  [[nodiscard]] static std::size_t bytes_needed(const PoolOptions& options) noexcept {
    const pool_options_t all = complete(options);
    std::size_t bytes = 0;
    pool_bytes_needed(&all, &bytes);
    return bytes;
  }

  BasicPool(const BasicPool&) = delete;
  BasicPool& operator=(const BasicPool&) = delete;

  /// `other` is empty afterwards. Blocks and caches stay where they are.
  BasicPool(BasicPool&& other) noexcept = default;

  BasicPool& operator=(BasicPool&& other) noexcept {
    BasicPool(std::move(other)).swap(*this);
    return *this;
  }

  /// Blocks that are still live are logged; their memory is gone.
  ~BasicPool() {
    if (pool_destroy(own_.pool()) == POOL_ERR_IN_USE) own_.end();
  }

  /// Ends the pool now, and leaves the object empty. Errors, after which the pool is as it was:
  /// POOL_ERR_IN_USE (threads wait for a block, or kept_while_in_use() and live blocks).
  pool_status_t destroy() noexcept {
    const pool_status_t status = pool_destroy(own_.pool());
    if (status == POOL_OK) own_.set(nullptr);
    return status;
  }

  /// A free block: block_size() bytes, uninitialised. Throws std::bad_alloc when none is free.
  [[nodiscard]] void* allocate() { return given(try_allocate()); }

  /// A free block, or nullptr when none is free.
  [[nodiscard]] void* try_allocate() noexcept { return own_.allocate(); }

  /// As allocate(), with block_size() bytes that are 0.
  [[nodiscard]] void* allocate_zeroed() { return given(try_allocate_zeroed()); }

  /// As try_allocate(), with block_size() bytes that are 0.
  [[nodiscard]] void* try_allocate_zeroed() noexcept { return pool_allocate_zeroed(own_.pool()); }

  /// Gives a block back; nullptr is fine. A misuse is logged, changes nothing, and is answered
  /// with its status: POOL_ERR_DOUBLE_FREE, POOL_ERR_FOREIGN_POINTER, POOL_ERR_INTERIOR_POINTER.
  pool_status_t deallocate(void* block) noexcept { return own_.deallocate(block); }

  /// Fills `blocks` from its start and answers how many it got; fewer only when no more are free.
  [[nodiscard]] std::size_t allocate_many(std::span<void*> blocks) noexcept {
    return pool_allocate_many(own_.pool(), blocks.data(), blocks.size());
  }

  /// Gives blocks back; entries that are nullptr are passed over. Answers the status of the first
  /// bad entry; the others still go back.
  pool_status_t deallocate_many(std::span<void* const> blocks) noexcept {
    return pool_deallocate_many(own_.pool(), blocks.data(), blocks.size());
  }

  /// A block, for which the thread sleeps until one is free. Throws Error when that can't be:
  /// POOL_ERR_UNSUPPORTED (a freestanding build), POOL_ERR_NULL_ARGUMENT (an empty pool),
  /// POOL_ERR_EXHAUSTED (fail_after()).
  [[nodiscard]] void* allocate_wait() requires(threading != POOL_THREADS_SINGLE) {
    return wait_or_raise(UINT64_MAX);
  }

  /// As allocate_wait(), for at most `timeout`, a std::chrono::duration; 0 and less do not wait.
  /// Throws Error also when none became free in time: POOL_ERR_TIMED_OUT.
  template <detail::IsDuration Duration>
  [[nodiscard]] void* allocate_for(const Duration& timeout)
    requires(threading != POOL_THREADS_SINGLE)
  {
    return wait_or_raise(detail::nanoseconds_of(timeout));
  }

  /// As allocate_for(), but answers nullptr where that throws.
  template <detail::IsDuration Duration>
  [[nodiscard]] void* try_allocate_for(const Duration& timeout) noexcept
    requires(threading != POOL_THREADS_SINGLE)
  {
    void* block = nullptr;
    pool_allocate_wait(own_.pool(), detail::nanoseconds_of(timeout), &block);
    return block;
  }

  /// A cache for the calling thread. Throws std::bad_alloc when it can't be made: a pool in a
  /// buffer has none, and neither has an empty one; the log says why.
  [[nodiscard]] PoolCache cache() requires(threading == POOL_THREADS_SAFE) {
    return PoolCache(own_.pool());
  }

  /// Makes every block free, the live ones too. Thread-safety: no other call under way.
  pool_status_t reset() noexcept { return pool_reset(own_.pool()); }

  /// Adds `blocks` to the capacity now, all of them or none. Errors: POOL_ERR_INVALID_ARGUMENT
  /// (beyond what the pool may grow to), POOL_ERR_OUT_OF_MEMORY.
  [[nodiscard]] pool_status_t grow(std::size_t blocks) noexcept {
    return pool_grow(own_.pool(), blocks);
  }

  /// Gives the OS pages that hold only free blocks back to the system; stores how many bytes in
  /// `*out_bytes`, unless that is nullptr. Errors: POOL_ERR_OUT_OF_MEMORY.
  pool_status_t trim(std::size_t* out_bytes = nullptr) noexcept {
    return pool_trim(own_.pool(), out_bytes);
  }

  /// Lets every allocation fail after so many that succeed, for tests of what happens then, until
  /// this is called again; UINT64_MAX: none fails any more. See pool_fail_after.
  pool_status_t fail_after(std::uint64_t successes) noexcept {
    return pool_fail_after(handle(), successes);
  }

  /// Writes a picture of the pool at this moment in a format of POOL_SNAPSHOT_*: calls `write` with
  /// one std::string_view after the other until it answers false, if it answers bool. It may do
  /// with the pool what it likes; what it throws ends the writing and is thrown on. Errors:
  /// POOL_ERR_INVALID_ARGUMENT (no such format), POOL_ERR_OUT_OF_MEMORY. See pool_write_snapshot.
  template <typename Write>
    requires std::is_invocable_v<Write&, std::string_view>
  pool_status_t write_snapshot(std::uint32_t format, Write&& write) const {
    using Function = std::remove_reference_t<Write>;
    return detail::SnapshotWriter<Function>(write).write(handle(), format);
  }

  /// Checks every invariant: POOL_OK or POOL_ERR_CORRUPTED. Thread-safety: no other call under way.
  [[nodiscard]] pool_status_t validate() const noexcept { return pool_validate(own_.pool()); }

  /// The figures of the pool.
  [[nodiscard]] pool_stats_t stats() const noexcept {
    pool_stats_t stats{};
    stats.struct_size = sizeof stats;
    pool_get_stats(own_.pool(), &stats);
    return stats;
  }

  /// Bytes that may be used in each block.
  [[nodiscard]] std::size_t block_size() const noexcept { return pool_block_size(own_.pool()); }
  /// Bytes from the start of one block to the start of the next.
  [[nodiscard]] std::size_t stride() const noexcept { return pool_stride(own_.pool()); }
  /// Alignment of every block, in bytes.
  [[nodiscard]] std::size_t alignment() const noexcept { return pool_alignment(own_.pool()); }
  /// Blocks, free and live.
  [[nodiscard]] std::size_t capacity() const noexcept { return pool_capacity(own_.pool()); }
  /// Blocks that are live.
  [[nodiscard]] std::size_t in_use() const noexcept { return pool_in_use(own_.pool()); }
  /// Blocks that are free.
  [[nodiscard]] std::size_t available() const noexcept { return pool_available(own_.pool()); }
  /// Whether `pointer` is the start of a block of this pool, free or live.
  [[nodiscard]] bool owns(const void* pointer) const noexcept {
    return pool_owns(own_.pool(), pointer);
  }

  /// Whether there is a pool.
  explicit operator bool() const noexcept { return own_.pool() != nullptr; }

  /// For the functions of pool.h. The pool stays this object's.
  [[nodiscard]] pool_t* handle() const noexcept { return own_.pool(); }

  /// Leaves the pool to the caller, who ends it by pool_destroy; this object is empty afterwards.
  [[nodiscard]] pool_t* release() noexcept {
    pool_t* const pool = own_.pool();
    own_.end();
    own_.set(nullptr);
    return pool;
  }

  void swap(BasicPool& other) noexcept { std::swap(own_, other.own_); }
  friend void swap(BasicPool& one, BasicPool& other) noexcept { one.swap(other); }

 private:
  /// The options with what the class says.
  static pool_options_t complete(const PoolOptions& options) noexcept {
    pool_options_t all = options.c_options();
    all.threading = threading;
    if (all.checks == POOL_CHECKS_STANDARD) all.checks = checks;
    return all;
  }

  pool_status_t create(const PoolOptions& options) noexcept {
    const pool_options_t all = complete(options);
    pool_t* made = nullptr;
    const pool_status_t status = pool_create_with(&all, &made);
    own_.set(made);
    return status;
  }

  static void* given(void* block) {
    if (block == nullptr) [[unlikely]] detail::raise_no_block();
    return block;
  }

  void* wait_or_raise(std::uint64_t nanoseconds) {
    void* block = nullptr;
    const pool_status_t status = pool_allocate_wait(own_.pool(), nanoseconds, &block);
    if (status != POOL_OK) detail::raise(status);
    return block;
  }

  detail::Calls<threading, checks> own_;
};

}  // namespace memory_pool

#endif  // MEMORY_POOL_BASIC_POOL_HPP
