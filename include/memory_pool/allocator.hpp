// Allocator: what standard containers take their nodes from a pool with.
//
//     std::map<int, Order, std::less<int>, Allocator<std::pair<const int, Order>>> orders;
//
//     FixedBlockMemoryPool pool(node_layout_of<std::list<Order>>().size, 1000);
//     std::list<Order, Allocator<Order>> queue(pool);
//
// One object comes from a pool. Arrays, and objects that are too large or too aligned for it, come
// from operator new. Which one it was is told by the type and the count, in both directions.

#ifndef MEMORY_POOL_ALLOCATOR_HPP
#define MEMORY_POOL_ALLOCATOR_HPP

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include "no_block.hpp"
#include "pool.h"
#include "pool_set.hpp"

namespace memory_pool {

template <std::uint32_t threading, std::uint32_t checks>
class BasicPool;

namespace detail {

/// What an allocator can be of: a type of objects that can be put into memory, maybe not known yet.
template <typename T>
concept IsPlainObject = std::is_object_v<T> && !std::is_array_v<T> &&
                        std::is_same_v<T, std::remove_cv_t<T>>;

/// An allocator for several threads is over no pool for one.
constexpr bool may_be_over(std::uint32_t threading, std::uint32_t pool_threading) noexcept {
  return threading == POOL_THREADS_SINGLE || pool_threading != POOL_THREADS_SINGLE;
}

}  // namespace detail

/// An allocator of the standard, [allocator.requirements]. `threading` is one of POOL_THREADS_*.
///
/// Made without a pool, it has growable ones of its own, one for each size of object, which it
/// shares with its copies and rebinds: they are equal, and the last of them ends the pools. It
/// trusts its caller, as std::allocator does, and logs the blocks that are live at the end.
/// Made over a pool, it shares that pool, which must outlive it: what does not fit a block comes
/// from operator new, and a pool without a free block is std::bad_alloc, because its capacity is a
/// promise. A misuse is the pool's to report; nothing is thrown.
///
/// A container that is moved or swapped takes its allocator along. One that is copied gets pools of
/// its own, or shares the given one; one that is assigned to keeps its allocator.
/// Thread-safety: as `threading` says for all who share the pools, or as the given pool says.
/// Copies may be made and ended by any thread.
template <detail::IsPlainObject T, std::uint32_t threading>
class BasicAllocator {
 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using propagate_on_container_copy_assignment = std::false_type;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;
  using is_always_equal = std::false_type;

  template <typename U>
  struct rebind {
    using other = BasicAllocator<U, threading>;
  };

  /// With pools of its own, each made when the first object of its size is allocated. Throws
  /// std::bad_alloc.
  BasicAllocator() : set_(detail::PoolSet::create(threading)) {}

  /// Over `pool`, which must outlive the allocator. nullptr and dead handles are logged, and have
  /// memory for arrays only.
  explicit BasicAllocator(pool_t* pool) noexcept : pool_(pool), fits_(fits(pool)) {}

  /// Over the pool that the object has now.
  template <std::uint32_t pool_threading, std::uint32_t checks>
    requires(detail::may_be_over(threading, pool_threading))
  BasicAllocator(BasicPool<pool_threading, checks>& pool) noexcept
      : BasicAllocator(pool.handle()) {}

  template <std::uint32_t pool_threading, std::uint32_t checks>
    requires(detail::may_be_over(threading, pool_threading))
  BasicAllocator(const BasicPool<pool_threading, checks>&& pool) = delete;

  /// Shares the pools of `other`, which stays what it was, also when it is moved.
  BasicAllocator(const BasicAllocator& other) noexcept
      : set_(held(other.set_)), pool_(other.pool_), shelf_(other.shelf_), fits_(other.fits_) {}

  /// The same, for objects of another type.
  template <typename U>
  BasicAllocator(const BasicAllocator<U, threading>& other) noexcept
      : set_(held(other.set_)), pool_(other.pool_), fits_(set_ == nullptr && fits(pool_)) {}

  BasicAllocator& operator=(const BasicAllocator& other) noexcept {
    detail::PoolSet* const old = set_;
    set_ = held(other.set_);
    pool_ = other.pool_;
    shelf_ = other.shelf_;
    fits_ = other.fits_;
    if (old != nullptr) old->drop();
    return *this;
  }

  ~BasicAllocator() {
    if (set_ != nullptr) set_->drop();
  }

  /// Memory for `count` objects. Throws std::bad_alloc, std::bad_array_new_length.
  [[nodiscard]] T* allocate(std::size_t count) {
    if (count == 1 && shelf_ != nullptr) [[likely]] {
      void* const block = shelf_->take();
      if (block != nullptr) [[likely]] return static_cast<T*>(block);
    }
    return static_cast<T*>(count == 1 ? allocate_one() : allocate_upstream(count));
  }

  /// Gives back what allocate(count) of an equal allocator answered.
  void deallocate(T* memory, std::size_t count) noexcept {
    if (count == 1 && shelf_ != nullptr) [[likely]] {
      shelf_->deallocate(memory);
    } else if (count == 1) {
      deallocate_one(memory);
    } else {
      deallocate_upstream(memory);
    }
  }

  /// The allocator of a container's copy: pools of its own, so that the copy may go to another
  /// thread; or over the same given pool. Throws std::bad_alloc.
  [[nodiscard]] BasicAllocator select_on_container_copy_construction() const {
    return set_ != nullptr ? BasicAllocator() : *this;
  }

  /// Blocks that are live in the pools, whoever allocated them.
  [[nodiscard]] std::size_t in_use() const noexcept {
    return set_ != nullptr ? set_->live() : pool_in_use(pool_);
  }

  /// Equal are those that share their pools: one gives back what another allocated.
  template <typename U>
  [[nodiscard]] bool operator==(const BasicAllocator<U, threading>& other) const noexcept {
    return set_ == other.set_ && pool_ == other.pool_;
  }

 private:
  template <detail::IsPlainObject, std::uint32_t>
  friend class BasicAllocator;

  static detail::PoolSet* held(detail::PoolSet* set) noexcept {
    if (set != nullptr) set->hold();
    return set;
  }

  // What needs sizeof(T) is a function: a container's T may be incomplete until it is used.

  /// Whether a block of the given pool holds a T. What is no live pool is said to, so that it is
  /// asked for a block, and the library reports it.
  static bool fits(const pool_t* pool) noexcept {
    const std::size_t bytes = pool_block_size(pool);
    return bytes == 0 || (sizeof(T) <= bytes && alignof(T) <= pool_alignment(pool));
  }

  static constexpr bool has_shelf() noexcept {
    return sizeof(T) <= detail::Shelf::kBytesMax && alignof(T) <= detail::Shelf::kBytesMax;
  }

  static constexpr std::size_t shelf_alignment() noexcept {
    return alignof(T) < alignof(void*) ? alignof(void*) : alignof(T);
  }

  static constexpr std::size_t shelf_bytes() noexcept {
    return (sizeof(T) + shelf_alignment() - 1) / shelf_alignment() * shelf_alignment();
  }

  [[gnu::noinline]] void* allocate_one() {
    if (set_ != nullptr ? !has_shelf() : !fits_) return allocate_upstream(1);
    if (set_ != nullptr && shelf_ == nullptr) {
      shelf_ = set_->find_or_make(shelf_bytes(), shelf_alignment());
    }
    void* const block = set_ != nullptr ? shelf_->allocate() : pool_allocate(pool_);
    if (block == nullptr) detail::raise_no_block();
    return block;
  }

  [[gnu::noinline]] void deallocate_one(void* block) noexcept {
    if (set_ != nullptr ? !has_shelf() : !fits_) return deallocate_upstream(block);
    if (set_ == nullptr) {
      pool_deallocate(pool_, block);
      return;
    }
    shelf_ = set_->find(shelf_bytes(), shelf_alignment());
    if (shelf_ != nullptr) shelf_->deallocate(block);
  }

  static void* allocate_upstream(std::size_t count) {
    if (count > SIZE_MAX / sizeof(T)) detail::raise_too_many();
    if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
      return ::operator new(count * sizeof(T), std::align_val_t{alignof(T)});
    } else {
      return ::operator new(count * sizeof(T));
    }
  }

  static void deallocate_upstream(void* memory) noexcept {
    if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
      ::operator delete(memory, std::align_val_t{alignof(T)});
    } else {
      ::operator delete(memory);
    }
  }

  detail::PoolSet* set_ = nullptr;  // pools of its own; nullptr over a given pool
  pool_t* pool_ = nullptr;          // the given pool
  detail::Shelf* shelf_ = nullptr;  // that of a T in the set, once it was needed
  bool fits_ = false;               // whether a T fits a block of the given pool
};

/// Thread-safety: one thread at a time for all who share the pools; a lock of the caller's own
/// counts. Containers that were made without a common allocator share none.
template <detail::IsPlainObject T>
using Allocator = BasicAllocator<T, POOL_THREADS_SINGLE>;

/// Thread-safety: any thread at any time, whoever shares the pools. For std::allocate_shared, whose
/// last pointer may end in any thread, and for containers that exchange nodes between threads.
template <detail::IsPlainObject T>
using ConcurrentAllocator = BasicAllocator<T, POOL_THREADS_SAFE>;

}  // namespace memory_pool

#endif  // MEMORY_POOL_ALLOCATOR_HPP
