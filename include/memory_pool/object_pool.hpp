// ObjectPool: objects of one type, each in a block of a pool.
//
//     ObjectPool<Session> sessions(1000);
//     Session* session = sessions.create(socket);   // as new Session(socket), or std::bad_alloc
//     sessions.destroy(session);                    // as delete; twice is an error code
//     auto owned = sessions.make(socket);           // std::unique_ptr, destroys itself
//
// The objects that are live when the pool ends are destroyed, lowest address first.

#ifndef MEMORY_POOL_OBJECT_POOL_HPP
#define MEMORY_POOL_OBJECT_POOL_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "basic_pool.hpp"

namespace memory_pool {

/// What a pool can hold: no array, no reference, no function, not void, neither const nor volatile.
/// The type may still be incomplete, so that a class can name the pool of its own objects.
template <typename T>
concept Poolable = std::is_object_v<T> && !std::is_array_v<T> &&
                   std::is_same_v<T, std::remove_cv_t<T>>;

namespace detail {

/// What can be made of `Args` by parentheses, or, as an aggregate, by braces.
template <typename T, typename... Args>
concept MadeOf = std::is_constructible_v<T, Args...> || requires(Args&&... args) {
  T{std::forward<Args>(args)...};
};

template <typename T, typename... Args>
inline constexpr bool is_nothrow_made_of = [] {
  if constexpr (std::is_constructible_v<T, Args...>) {
    return std::is_nothrow_constructible_v<T, Args...>;
  } else {
    return noexcept(T{std::declval<Args>()...});
  }
}();

/// Gives a block back, unless an object came to be in it.
struct BlockGuard {
  pool_t* pool;
  void* block;

  BlockGuard(pool_t* pool, void* block) noexcept : pool(pool), block(block) {}
  BlockGuard(const BlockGuard&) = delete;
  BlockGuard& operator=(const BlockGuard&) = delete;
  ~BlockGuard() {
    if (block != nullptr) pool_deallocate(pool, block);
  }
};

template <typename T, typename... Args>
T* construct(pool_t* pool, void* block, Args&&... args) {
  BlockGuard guard(pool, block);
  T* object = nullptr;
  if constexpr (std::is_constructible_v<T, Args...>) {
    object = ::new (block) T(std::forward<Args>(args)...);
  } else {
    object = ::new (block) T{std::forward<Args>(args)...};
  }
  guard.block = nullptr;
  return object;
}

/// Looks before the destructor runs: what is no live object stays as it is. `give` gets the block.
template <typename T, typename Give>
pool_status_t destroy(pool_t* pool, T* object, Give give) noexcept {
  static_assert(std::is_destructible_v<T>, "a pool must be able to destroy its objects");
  const pool_status_t status = pool_check_block(pool, object);
  if (status != POOL_OK || object == nullptr) return status;
  object->~T();
  return give(object);
}

template <typename T>
pool_status_t destroy(pool_t* pool, T* object) noexcept {
  return destroy(pool, object, [pool](void* block) { return pool_deallocate(pool, block); });
}

/// Calls a function with one object after the other. An exception ends the walk, and waits for the
/// library to be left.
template <typename T, typename Function>
class Visitor {
 public:
  explicit Visitor(Function& function) noexcept : function_(function) {}

  pool_status_t walk(pool_t* pool) {
    const pool_status_t status = pool_for_each_live(pool, &call, this);
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    return status;
  }

 private:
  static bool call(void* self, void* block) noexcept {
    auto& visitor = *static_cast<Visitor*>(self);
    T& object = *static_cast<T*>(block);
#if defined(__cpp_exceptions)
    try {
      return visitor.goes_on(object);
    } catch (...) {
      visitor.thrown_ = std::current_exception();
      return false;
    }
#else
    return visitor.goes_on(object);
#endif
  }

  bool goes_on(T& object) {
    if constexpr (std::is_same_v<std::invoke_result_t<Function&, T&>, bool>) {
      return function_(object);
    } else {
      function_(object);
      return true;
    }
  }

  Function& function_;
  std::exception_ptr thrown_;
};

}  // namespace detail

/// Destroys an object of a pool: for smart pointers. A misuse, such as an object that was destroyed
/// already or whose pool has ended, is logged, and nothing is done.
/// Thread-safety: that of the pool.
template <Poolable T>
class ObjectDeleter {
 public:
  /// Of no pool: for a pointer that is still null.
  ObjectDeleter() noexcept = default;

  explicit ObjectDeleter(pool_t* pool) noexcept : pool_(pool) {}

  void operator()(T* object) const noexcept { detail::destroy(pool_, object); }

 private:
  pool_t* pool_ = nullptr;
};

/// Owns an object of a pool; two words. It follows a pool object that is moved, and should end
/// before the pool does: the pool's end is the object's too.
/// std::shared_ptr takes it over, with a control block from the heap.
template <Poolable T>
using ObjectPointer = std::unique_ptr<T, ObjectDeleter<T>>;

/// Objects of type T in blocks of one pool. Use it by its names below. An object whose pool was
/// moved away, or that never had one, is empty, as a BasicPool is.
///
/// An object is destroyed as what it was created as: destroying it through a pointer to a base is
/// not supported, even where the base has a virtual destructor.
/// Thread-safety: that of BasicPool; clear() and for_each() while no other thread creates or
/// destroys.
template <Poolable T, std::uint32_t threading>
class BasicObjectPool {
 public:
  using Pool = BasicPool<threading, POOL_CHECKS_STANDARD>;
  using Pointer = ObjectPointer<T>;

  /// Empty.
  BasicObjectPool() noexcept = default;

  /// Room for `capacity` objects. Throws as BasicPool does.
  explicit BasicObjectPool(std::size_t capacity)
      : BasicObjectPool(PoolOptions().capacity(capacity)) {}

  /// As `options` say, whose block size and alignment are raised to what T needs. Throws as
  /// BasicPool does. Where nothing is checked, by unchecked() or by MEMORY_POOL_CHECKS, the pool
  /// does not know its live objects: see clear().
  explicit BasicObjectPool(const PoolOptions& options) : pool_(fit(options)) {}

  /// The same; or empty, with the reason in `error`. Does not throw.
  BasicObjectPool(const PoolOptions& options, std::error_code& error) noexcept
      : pool_(Pool::try_create(fit(options), error)) {}

  /// How large the buffer of such a pool must be; 0 when the options are refused, which is logged.
  [[nodiscard]] static std::size_t bytes_needed(const PoolOptions& options) noexcept {
    return Pool::bytes_needed(fit(options));
  }

  /// `other` is empty afterwards. Objects stay where they are.
  BasicObjectPool(BasicObjectPool&& other) noexcept = default;

  /// The objects that this pool had are destroyed.
  BasicObjectPool& operator=(BasicObjectPool&& other) noexcept {
    BasicObjectPool(std::move(other)).swap(*this);
    return *this;
  }

  /// Destroys the objects that are live, as clear() does.
  ~BasicObjectPool() {
    if (pool_) clear();
  }

  /// An object made of `args`; whoever forgets it leaves it to the pool's end. Throws
  /// std::bad_alloc when no block is free, and what the constructor throws: then the block is free
  /// again.
  template <typename... Args>
    requires detail::MadeOf<T, Args...>
  T* create(Args&&... args) {
    return detail::construct<T>(handle(), pool_.allocate(), std::forward<Args>(args)...);
  }

  /// As create(), but nullptr when no block is free.
  template <typename... Args>
    requires detail::MadeOf<T, Args...>
  T* try_create(Args&&... args) noexcept(detail::is_nothrow_made_of<T, Args...>) {
    void* block = pool_.try_allocate();
    if (block == nullptr) return nullptr;
    return detail::construct<T>(handle(), block, std::forward<Args>(args)...);
  }

  /// Destroys an object and makes its block free; nullptr is fine. Constant time. A misuse is found
  /// before the destructor runs: it is logged, changes nothing, and is answered with its status, as
  /// by BasicPool::deallocate().
  pool_status_t destroy(T* object) noexcept {
    return detail::destroy(handle(), object, [this](void* block) {
      return pool_.deallocate(block);
    });
  }

  /// As create(), owned by the answer.
  template <typename... Args>
    requires detail::MadeOf<T, Args...>
  [[nodiscard]] Pointer make(Args&&... args) {
    return own(create(std::forward<Args>(args)...));
  }

  /// As try_create(), owned by the answer.
  template <typename... Args>
    requires detail::MadeOf<T, Args...>
  [[nodiscard]] Pointer try_make(Args&&... args) noexcept(detail::is_nothrow_made_of<T, Args...>) {
    return own(try_create(std::forward<Args>(args)...));
  }

  /// A smart pointer that owns `object`, which create() answered, or nullptr.
  [[nodiscard]] Pointer own(T* object) noexcept { return Pointer(object, deleter()); }

  /// Destroys objects of this pool.
  [[nodiscard]] ObjectDeleter<T> deleter() const noexcept { return ObjectDeleter<T>(handle()); }

  /// Destroys every object, lowest address first; an object that another one's destructor destroyed
  /// meanwhile is passed over. Errors: POOL_ERR_UNSUPPORTED, which is logged, when nothing is
  /// checked and T has a destructor to run: then nothing is done. Time in proportion to the blocks
  /// that were ever used.
  pool_status_t clear() noexcept {
    if constexpr (std::is_trivially_destructible_v<T>) {
      return pool_.reset();
    } else {
      return for_each([this](T& object) noexcept { destroy(std::addressof(object)); });
    }
  }

  /// Calls `function` with each object, lowest address first, until it answers false, if it answers
  /// bool. It may create objects, and destroy any, that at hand too. What it throws ends the walk
  /// and is thrown on. Errors: as of pool_for_each_live, which says what else happens meanwhile. An
  /// object that is being constructed or destroyed just now is met as well.
  template <typename Function>
    requires std::is_invocable_v<Function&, T&>
  pool_status_t for_each(Function&& function) {
    return detail::Visitor<T, std::remove_reference_t<Function>>(function).walk(handle());
  }

  template <typename Function>
    requires std::is_invocable_v<Function&, const T&>
  pool_status_t for_each(Function&& function) const {
    return detail::Visitor<const T, std::remove_reference_t<Function>>(function).walk(handle());
  }

  /// Adds room for `objects` now. Errors: as of BasicPool::grow().
  [[nodiscard]] pool_status_t grow(std::size_t objects) noexcept { return pool_.grow(objects); }

  /// Gives the OS pages without objects back to the system: BasicPool::trim().
  pool_status_t trim(std::size_t* out_bytes = nullptr) noexcept { return pool_.trim(out_bytes); }

  /// Lets no object be created any more after so many: BasicPool::fail_after().
  pool_status_t fail_after(std::uint64_t successes) noexcept { return pool_.fail_after(successes); }

  /// Writes a picture of the pool: BasicPool::write_snapshot().
  template <typename Write>
    requires std::is_invocable_v<Write&, std::string_view>
  pool_status_t write_snapshot(std::uint32_t format, Write&& write) const {
    return pool_.write_snapshot(format, write);
  }

  /// Objects that are live.
  [[nodiscard]] std::size_t size() const noexcept { return pool_.in_use(); }
  /// The same, by the name that it has for every pool.
  [[nodiscard]] std::size_t in_use() const noexcept { return pool_.in_use(); }
  /// Objects there is room for, live ones too.
  [[nodiscard]] std::size_t capacity() const noexcept { return pool_.capacity(); }
  /// Objects that can still be created without growth.
  [[nodiscard]] std::size_t available() const noexcept { return pool_.available(); }
  /// Whether `object` is, or was, an object of this pool. It is not read.
  [[nodiscard]] bool owns(const T* object) const noexcept { return pool_.owns(object); }

  /// Whether there is a pool.
  explicit operator bool() const noexcept { return static_cast<bool>(pool_); }

  /// Its sizes and figures.
  [[nodiscard]] const Pool& pool() const noexcept { return pool_; }

  /// For the functions of pool.h. The pool stays this object's.
  [[nodiscard]] pool_t* handle() const noexcept { return pool_.handle(); }

  void swap(BasicObjectPool& other) noexcept { pool_.swap(other.pool_); }
  friend void swap(BasicObjectPool& one, BasicObjectPool& other) noexcept { one.swap(other); }

 private:
  /// Without an alignment a block gets that of its size, up to an OS page; so it is only asked for
  /// where that is too little.
  static PoolOptions fit(PoolOptions options) noexcept {
    constexpr std::size_t kPage = 4096;
    const std::size_t asked = options.c_options().alignment;
    if (options.c_options().block_size < sizeof(T)) options.block_size(sizeof(T));
    const bool is_natural = options.c_options().block_size % alignof(T) == 0 && alignof(T) <= kPage;
    const bool is_power = (asked & (asked - 1)) == 0;
    if (asked == 0 ? !is_natural : is_power && asked < alignof(T)) options.aligned_to(alignof(T));
    return options;
  }

  Pool pool_;
};

/// Finds every sequential misuse. Thread-safety: one thread at a time.
template <Poolable T>
using ObjectPool = BasicObjectPool<T, POOL_THREADS_SINGLE>;

/// The same for any thread at any time; any thread may destroy any object.
template <Poolable T>
using ConcurrentObjectPool = BasicObjectPool<T, POOL_THREADS_SAFE>;

}  // namespace memory_pool

#endif  // MEMORY_POOL_OBJECT_POOL_HPP
