// What the copies of an allocator share: a pool for each block size that they ask for. Part of
// allocator.hpp.
//
// In front of each pool of one owner stands a shelf: free blocks, linked through their first word,
// that the program takes and gives without a call of the library. The pool counts them as live;
// the shelf knows better.

#ifndef MEMORY_POOL_POOL_SET_HPP
#define MEMORY_POOL_POOL_SET_HPP

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "no_block.hpp"
#include "pool.h"

namespace memory_pool::detail {

// The address sanitizer should see every block come and go, so nothing lies on a shelf then.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kUnderAddressSanitizer = true;
#elif defined(__has_feature)
inline constexpr bool kUnderAddressSanitizer = __has_feature(address_sanitizer);
#else
inline constexpr bool kUnderAddressSanitizer = false;
#endif

/// A pool of blocks of one size, and the shelf before it.
/// Thread-safety: that of the pool; but a shelf that is in use is for one thread at a time.
class Shelf {
 public:
  /// Larger or more aligned blocks have no shelf: an OS page.
  static constexpr std::size_t kBytesMax = 4096;

  /// Blocks of `bytes` bytes, a multiple of `alignment`, which is at least that of a pointer.
  /// Throws std::bad_alloc when the system gives no memory.
  Shelf(std::size_t bytes, std::size_t alignment, std::uint32_t threading)
      : bytes_(bytes), alignment_(alignment), is_in_use_(should_be_in_use(threading)) {
    pool_options_t options = POOL_OPTIONS_INIT;
    options.block_size = bytes;
    options.alignment = alignment;
    options.capacity = batch();
    options.threading = threading;
    options.on_exhausted = POOL_EXHAUSTED_HEAP;
    options.name = "allocator";
    // The program may have less address space than that; beyond a span there is the heap.
    for (std::size_t span = span_of_one_more(); pool_ == nullptr; span /= 16) {
      if (span < kSpanBytesMin) raise_no_block();
      options.max_capacity = span / bytes;
      pool_create_with(&options, &pool_);
    }
    // Relaxed, here and below: a count, which orders nothing.
    count_.fetch_add(1, std::memory_order_relaxed);
  }

  Shelf(const Shelf&) = delete;
  Shelf& operator=(const Shelf&) = delete;

  /// Blocks that are still live are logged.
  ~Shelf() {
    if (is_in_use_ && live_ == 0) {
      pool_reset(pool_);
    } else {
      while (first_ != nullptr) pool_deallocate(pool_, pop());
    }
    pool_destroy(pool_);
    count_.fetch_sub(1, std::memory_order_relaxed);
  }

  [[nodiscard]] bool has(std::size_t bytes, std::size_t alignment) const noexcept {
    return bytes_ == bytes && alignment_ == alignment;
  }

  /// A block from the shelf, or nullptr when none lies there.
  [[nodiscard]] void* take() noexcept {
    if (first_ == nullptr) [[unlikely]] return nullptr;
    ++live_;
    return pop();
  }

  /// A block from wherever there is one, or nullptr when the system gives no memory.
  [[nodiscard]] void* allocate() noexcept {
    if (!is_in_use_) return pool_allocate(pool_);
    if (first_ == nullptr) restock();
    return take();
  }

  /// Gives back what take() or allocate() answered.
  void deallocate(void* block) noexcept {
    if (!is_in_use_) [[unlikely]] {
      pool_deallocate(pool_, block);
      return;
    }
    push(block);
    --live_;
  }

  /// Blocks that are live.
  [[nodiscard]] std::size_t live() const noexcept {
    return is_in_use_ ? live_ : pool_in_use(pool_);
  }

  Shelf* next = nullptr;  // the one that its set made before

 private:
  static constexpr std::size_t kBatchMax = 32;
  static constexpr bool kIsWide = sizeof(void*) > 4;
  static constexpr std::size_t kSpanBytes = std::size_t{1} << (kIsWide ? 34 : 26);
  static constexpr std::size_t kSpanBytesMin = std::size_t{1} << 20;
  static constexpr std::size_t kFullSpans = kIsWide ? 32 : 8;

  /// Half as much each time the shelves of the program have doubled: a million of them reserve less
  /// than a twentieth of the address space, which the rest of the program needs too.
  static std::size_t span_of_one_more() noexcept {
    const std::size_t others = count_.load(std::memory_order_relaxed);
    const std::size_t span = kSpanBytes >> std::bit_width(others / kFullSpans);
    return span < kSpanBytesMin ? kSpanBytesMin : span;
  }

  /// Who asks for checks by MEMORY_POOL_CHECKS wants every block checked, by the library.
  static bool should_be_in_use(std::uint32_t threading) noexcept {
    const char* const checks = std::getenv("MEMORY_POOL_CHECKS");
    const bool is_asked_for_checks = checks != nullptr && std::strcmp(checks, "none") != 0;
    return threading == POOL_THREADS_SINGLE && !kUnderAddressSanitizer && !is_asked_for_checks;
  }

  /// Blocks that come from the pool at once: at most an OS page of them.
  [[nodiscard]] std::size_t batch() const noexcept {
    const std::size_t on_a_page = kBytesMax / bytes_;
    return on_a_page < kBatchMax ? on_a_page : kBatchMax;
  }

  /// In the order in which the pool gives them, which is upwards at first.
  void restock() noexcept {
    void* blocks[kBatchMax];
    for (std::size_t left = pool_allocate_many(pool_, blocks, batch()); left > 0;) {
      push(blocks[--left]);
    }
  }

  void push(void* block) noexcept { first_ = ::new (block) Link{first_}; }

  void* pop() noexcept {
    Link* const block = first_;
    first_ = block->next;
    return block;
  }

  struct Link {
    Link* next;
  };

  inline static std::atomic<std::size_t> count_{0};  // of the shelves of the program

  Link* first_ = nullptr;
  std::size_t live_ = 0;  // taken from the shelf and not given back
  pool_t* pool_ = nullptr;
  std::size_t bytes_;
  std::size_t alignment_;
  bool is_in_use_;
};

/// The shelves of an allocator, its copies and rebinds, the newest first.
/// Thread-safety: any thread; what a shelf gives and takes is the shelf's matter.
class PoolSet {
 public:
  /// With one holder. Throws std::bad_alloc.
  [[nodiscard]] static PoolSet* create(std::uint32_t threading) { return new PoolSet(threading); }

  PoolSet(const PoolSet&) = delete;
  PoolSet& operator=(const PoolSet&) = delete;

  void hold() noexcept { holders_.fetch_add(1, std::memory_order_relaxed); }

  /// The last holder ends the set. Acquire and release: what all holders did comes before that.
  void drop() noexcept {
    if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  /// The shelf of a block size, or nullptr when nobody asked for one yet. Time in proportion to the
  /// sizes that were asked for, which are few.
  [[nodiscard]] Shelf* find(std::size_t bytes, std::size_t alignment) const noexcept {
    return find_from(newest_.load(std::memory_order_acquire), bytes, alignment);
  }

  /// The same, made when there is none. Throws std::bad_alloc.
  [[nodiscard]] Shelf* find_or_make(std::size_t bytes, std::size_t alignment) {
    Shelf* newest = newest_.load(std::memory_order_acquire);
    Shelf* found = find_from(newest, bytes, alignment);
    if (found != nullptr) return found;
    Shelf* const made = new Shelf(bytes, alignment, threading_);
    for (;;) {
      made->next = newest;
      // Release: who finds the shelf finds all of it. Acquire: as in find().
      if (newest_.compare_exchange_strong(newest, made, std::memory_order_acq_rel)) return made;
      found = find_from(newest, bytes, alignment);
      if (found == nullptr) continue;
      delete made;  // another thread was first: of each size there is one, or blocks would get lost
      return found;
    }
  }

  /// Blocks that are live, of all sizes.
  [[nodiscard]] std::size_t live() const noexcept {
    std::size_t count = 0;
    const Shelf* shelf = newest_.load(std::memory_order_acquire);
    for (; shelf != nullptr; shelf = shelf->next) count += shelf->live();
    return count;
  }

 private:
  explicit PoolSet(std::uint32_t threading) noexcept : threading_(threading) {}

  ~PoolSet() {
    Shelf* shelf = newest_.load(std::memory_order_relaxed);
    while (shelf != nullptr) {
      Shelf* const older = shelf->next;
      delete shelf;
      shelf = older;
    }
  }

  static Shelf* find_from(Shelf* shelf, std::size_t bytes, std::size_t alignment) noexcept {
    while (shelf != nullptr && !shelf->has(bytes, alignment)) shelf = shelf->next;
    return shelf;
  }

  std::atomic<std::size_t> holders_{1};
  std::atomic<Shelf*> newest_{nullptr};
  const std::uint32_t threading_;
};

}  // namespace memory_pool::detail

#endif  // MEMORY_POOL_POOL_SET_HPP
