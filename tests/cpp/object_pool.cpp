// ObjectPool and ConcurrentObjectPool: objects come to be, end once, and end in order.

#include "memory_pool/object_pool.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "../c/check.h"

namespace {

using memory_pool::BasicObjectPool;
using memory_pool::ConcurrentObjectPool;
using memory_pool::ObjectPointer;
using memory_pool::ObjectPool;
using memory_pool::PoolOptions;
using memory_pool::Status;

// Every Tracked counts, and says when it ends. The constructor throws when it is told to.
struct Tracked {
  static inline int live = 0;
  static inline bool throws = false;
  static inline std::vector<const Tracked*> ended;

  explicit Tracked(int number = 0) : number(number), text(40, 'x') {
    if (throws) throw std::runtime_error("on purpose");
    ++live;
  }
  Tracked(const Tracked&) = delete;
  ~Tracked() {
    --live;
    ended.push_back(this);
  }

  int number;
  std::string text;  // leaks if the destructor does not run
};

// A test begins with nothing, and leaves no object behind.
void run(void (*test)()) {
  Tracked::throws = false;
  Tracked::ended.clear();
  test();
  CHECK(Tracked::live == 0);
}

template <typename Error>
bool throws(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error&) {
    return true;
  }
  return false;
}

// --- errors ------------------------------------------------------------------------------------

template <template <typename> typename Pool>
void a_constructor_that_throws_changes_nothing() {
  constexpr std::size_t kCapacity = 5;
  Pool<Tracked> pool(kCapacity);
  for (std::size_t count = 0; count < kCapacity; ++count) {
    Tracked::throws = true;
    CHECK(throws<std::runtime_error>([&] { (void)!pool.create(1); }));
    CHECK(throws<std::runtime_error>([&] { (void)!pool.try_create(1); }));
    CHECK(throws<std::runtime_error>([&] { (void)pool.make(1); }));
    CHECK(throws<std::runtime_error>([&] { (void)pool.try_make(1); }));
    CHECK(pool.size() == count && pool.available() == kCapacity - count);
    CHECK(pool.capacity() == kCapacity && pool.pool().validate() == POOL_OK);
    CHECK(Tracked::live == static_cast<int>(count) && Tracked::ended.empty());
    Tracked::throws = false;
    CHECK(pool.create(2) != nullptr);
  }
  Tracked::throws = true;  // no block, so nothing is constructed either
  CHECK(throws<std::bad_alloc>([&] { (void)!pool.create(1); }));
  CHECK(throws<std::bad_alloc>([&] { (void)pool.make(1); }));
  CHECK(pool.try_create(1) == nullptr && pool.try_make(1) == nullptr);
  CHECK(pool.size() == kCapacity && Tracked::live == static_cast<int>(kCapacity));
}

template <template <typename> typename Pool>
void a_misuse_is_found_before_the_destructor_runs() {
  Pool<Tracked> pool(4), other(4);
  Tracked* object = pool.create(1);
  Tracked* neighbour = pool.create(2);
  Tracked local(3);
  CHECK(other.destroy(object) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool.destroy(&local) == POOL_ERR_FOREIGN_POINTER);
  auto* inside = reinterpret_cast<Tracked*>(&object->text);
  CHECK(pool.destroy(inside) == POOL_ERR_INTERIOR_POINTER);
  CHECK(Tracked::ended.empty() && Tracked::live == 3 && pool.size() == 2);
  CHECK(pool.destroy(nullptr) == POOL_OK && pool.destroy(object) == POOL_OK);
  for (int i = 0; i < 3; ++i) CHECK(pool.destroy(object) == POOL_ERR_DOUBLE_FREE);
  CHECK(Tracked::ended == std::vector<const Tracked*>{object} && Tracked::live == 2);
  CHECK(pool.destroy(neighbour) == POOL_OK && pool.pool().validate() == POOL_OK);
  CHECK(pool.owns(object) && !pool.owns(&local));
}

template <template <typename> typename Pool>
void bad_options_are_an_error_by_exception_and_by_code() {
  for (const PoolOptions& options :
       {PoolOptions(), PoolOptions().capacity(10).aligned_to(3),
        PoolOptions().capacity(10).growable_to(9), PoolOptions(SIZE_MAX, 1)}) {
    std::error_code code;
    Pool<Tracked> none(options, code);
    CHECK(!none && code == Status::invalid_argument);
    CHECK(throws<memory_pool::Error>([&] { Pool<Tracked> pool(options); }));
  }
  std::error_code code = Status::exhausted;
  Pool<Tracked> pool(PoolOptions().capacity(10), code);
  CHECK(pool && !code && pool.capacity() == 10);
  CHECK(throws<memory_pool::Error>([&] { Pool<Tracked> pool(0); }));
}

template <typename Pool>
void is_empty(Pool& pool) {
  Tracked local(0);
  CHECK(!pool && pool.handle() == nullptr && pool.size() == 0 && pool.capacity() == 0);
  CHECK(pool.in_use() == 0 && pool.available() == 0 && !pool.owns(&local));
  CHECK(pool.try_create(1) == nullptr && pool.try_make(1) == nullptr);
  CHECK(throws<std::bad_alloc>([&] { (void)!pool.create(1); }));
  CHECK(pool.destroy(&local) == POOL_ERR_NULL_ARGUMENT && Tracked::live == 1);
  CHECK(pool.clear() == POOL_ERR_NULL_ARGUMENT && pool.grow(1) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool.for_each([](Tracked&) {}) == POOL_ERR_NULL_ARGUMENT);
}

template <template <typename> typename Pool>
void a_pool_that_moved_leaves_an_empty_one() {
  Pool<Tracked> none;
  is_empty(none);
  Tracked::ended.clear();
  Pool<Tracked> first(4);
  Tracked* object = first.create(7);
  Pool<Tracked> second(std::move(first));
  CHECK(!first && second.owns(object) && object->number == 7);
  Pool<Tracked> third(8);
  Tracked* other = third.create(8);
  third = std::move(second);  // its own objects end
  CHECK(Tracked::ended == std::vector<const Tracked*>{other});
  CHECK(!second && third.capacity() == 4 && third.owns(object));
  swap(first, third);
  CHECK(first.destroy(object) == POOL_OK && Tracked::live == 0);
  is_empty(third);
}

// --- the end -----------------------------------------------------------------------------------

template <template <typename> typename Pool>
void the_end_destroys_what_is_live_in_address_order() {
  std::vector<const Tracked*> live;
  {
    Pool<Tracked> pool(PoolOptions().capacity(50).growable_to(200));
    for (int i = 0; i < 150; ++i) live.push_back(pool.create(i));
    for (std::size_t i = 0; i < live.size(); i += 3) {
      CHECK(pool.destroy(const_cast<Tracked*>(live[i])) == POOL_OK);
      live[i] = nullptr;
    }
    std::erase(live, nullptr);
    for (int i = 0; i < 10; ++i) live.push_back(pool.create(i));
    Tracked::ended.clear();
  }
  std::sort(live.begin(), live.end(), std::less<>());
  CHECK(Tracked::ended == live && Tracked::live == 0);
}

template <template <typename> typename Pool>
void the_end_reaches_objects_on_the_heap() {
  {
    Pool<Tracked> pool(PoolOptions().capacity(2).overflowing_to_heap());
    for (int i = 0; i < 20; ++i) CHECK(pool.create(i) != nullptr);
    CHECK(pool.size() == 20 && pool.capacity() == 2);
  }
  CHECK(Tracked::live == 0 && Tracked::ended.size() == 20);
}

// Each owns the next one: ends come from inside of ends.
struct Link {
  ObjectPointer<Link> next;  // of its own kind, which is not complete yet
  Tracked tracked;
};

template <template <typename> typename Pool>
void objects_may_own_each_other() {
  Pool<Link> pool(100);
  ObjectPointer<Link> head;
  for (int i = 0; i < 100; ++i) {
    auto link = pool.make();
    link->next = std::move(head);
    head = std::move(link);
  }
  CHECK(Tracked::live == 100 && pool.available() == 0);
  head.reset();
  CHECK(Tracked::live == 0 && pool.size() == 0);
  head = pool.make();
  head->next = pool.make();
  (void)head.release();
  CHECK(pool.clear() == POOL_OK && Tracked::live == 0 && Tracked::ended.size() == 102);
}

struct Plain {
  int number;
  double factor;
};

template <template <typename> typename Pool>
void clear_makes_all_free_again() {
  Pool<Tracked> pool(10);
  Pool<Plain> plain(10);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 10; ++i) CHECK(pool.create(i)->number == i);
    for (int i = 0; i < 10; ++i) CHECK(plain.create(i, 0.5)->number == i);
    CHECK(pool.try_create(1) == nullptr && plain.try_create(1, 2.0) == nullptr);
    CHECK(pool.clear() == POOL_OK && pool.available() == 10 && Tracked::live == 0);
    CHECK(plain.clear() == POOL_OK && plain.available() == 10);
  }
}

int lines = 0;
int leaks = 0;

void listen(void*, std::int32_t, const char* message) {
  ++lines;
  if (std::string(message).find("destroyed with 1 live block") != std::string::npos) ++leaks;
}

// A pool of one thread that checks nothing can't say where its objects are, and says that.
void without_checks_the_end_destroys_nothing_and_says_so() {
  alignas(Tracked) static std::array<unsigned char, 4096> buffer;  // stays after the end
  pool_set_log_callback(listen, nullptr, POOL_LOG_WARN);
  Tracked* object = nullptr;
  {
    const PoolOptions options = PoolOptions().capacity(4).unchecked();
    ObjectPool<Plain> plain(options);
    CHECK(plain.create(1, 2.0) != nullptr);  // nothing to run: the end is as quiet as ever
    ObjectPool<Tracked> pool(PoolOptions(options).in_buffer(buffer.data(), buffer.size()));
    object = pool.create(1);
    CHECK(pool.clear() == POOL_ERR_UNSUPPORTED && pool.size() == 1 && lines == 1);
    CHECK(pool.for_each([](Tracked&) { CHECK(false); }) == POOL_ERR_UNSUPPORTED);
  }
  CHECK(Tracked::live == 1 && leaks == 1 && lines == 4);
  object->~Tracked();
  pool_set_log_callback(nullptr, nullptr, 0);
}

// --- walks -------------------------------------------------------------------------------------

template <template <typename> typename Pool>
void for_each_meets_every_object_and_may_destroy_it() {
  Pool<Tracked> pool(10);
  std::vector<const Tracked*> live, met;
  for (int i = 0; i < 10; ++i) live.push_back(pool.create(i));
  std::sort(live.begin(), live.end(), std::less<>());
  const Pool<Tracked>& constant = pool;
  CHECK(constant.for_each([&](const Tracked& object) { met.push_back(&object); }) == POOL_OK);
  CHECK(met == live);
  met.clear();
  const auto stop = [&](Tracked& object) { return met.push_back(&object), met.size() < 3; };
  CHECK(pool.for_each(stop) == POOL_OK && met.size() == 3);
  int calls = 0;
  CHECK(throws<std::runtime_error>([&] {
    pool.for_each([&](Tracked&) {
      if (++calls == 4) throw std::runtime_error("on purpose");
    });
  }));
  CHECK(calls == 4 && pool.size() == 10);
  const auto odd = [&](Tracked& object) {
    if (object.number % 2 == 1) CHECK(pool.destroy(&object) == POOL_OK);
  };
  CHECK(pool.for_each(odd) == POOL_OK && pool.size() == 5 && Tracked::live == 5);
  const auto create = [&](Tracked&) { (void)!pool.try_create(1); };
  CHECK(pool.for_each(create) == POOL_OK && pool.size() == 10);
  CHECK(pool.clear() == POOL_OK && pool.pool().validate() == POOL_OK);
}

// --- smart pointers ----------------------------------------------------------------------------

template <template <typename> typename Pool>
void make_answers_an_owner() {
  static_assert(sizeof(ObjectPointer<Tracked>) == 2 * sizeof(void*));
  static_assert(std::is_same_v<typename Pool<Tracked>::Pointer, ObjectPointer<Tracked>>);
  Pool<Tracked> pool(4);
  auto first = pool.make(1);
  auto second = pool.try_make(2);
  CHECK(first->number == 1 && second->number == 2 && pool.size() == 2);
  Pool<Tracked> moved(std::move(pool));
  first = std::move(second);
  CHECK(Tracked::live == 1 && moved.size() == 1 && first->number == 2);
  std::shared_ptr<Tracked> shared = std::move(first);
  const std::shared_ptr<Tracked> again = shared;
  shared.reset();
  CHECK(Tracked::live == 1 && again->number == 2);
  CHECK(moved.own(moved.create(3))->number == 3 && moved.own(nullptr) == nullptr);
  std::vector<ObjectPointer<Tracked>> owners(2);
  for (auto& owner : owners) owner = moved.make();
  CHECK(moved.size() == 3);
  owners.clear();
  CHECK(moved.size() == 1);
}

template <template <typename> typename Pool>
void an_owner_that_outlives_the_pool_does_no_harm() {
  ObjectPointer<Tracked> left;
  {
    Pool<Tracked> pool(4);
    left = pool.make(1);
  }
  CHECK(Tracked::live == 0 && Tracked::ended.size() == 1);
  left.reset();
  CHECK(Tracked::live == 0 && Tracked::ended.size() == 1);
}

// --- sizes -------------------------------------------------------------------------------------

template <std::size_t alignment>
struct alignas(alignment) Aligned {
  unsigned char first = 1;
};

template <typename Pool, std::size_t alignment>
void each_is_aligned(const PoolOptions& options) {
  Pool pool(options);
  CHECK(pool.pool().block_size() >= sizeof(Aligned<alignment>));
  for (int i = 0; i < 9; ++i) {
    auto* object = pool.create();
    CHECK(reinterpret_cast<std::uintptr_t>(object) % alignment == 0 && object->first == 1);
  }
}

template <template <typename> typename Pool, std::size_t alignment>
void objects_are_aligned() {
  using Objects = Pool<Aligned<alignment>>;
  each_is_aligned<Objects, alignment>(PoolOptions().capacity(9));
  each_is_aligned<Objects, alignment>(PoolOptions().capacity(9).aligned_to(1));
  each_is_aligned<Objects, alignment>(PoolOptions().capacity(9).aligned_to(2 * alignment));
  each_is_aligned<Objects, alignment>(PoolOptions(alignment + 1, 9));
  each_is_aligned<Objects, alignment>(PoolOptions(1, 9));
  std::vector<unsigned char> buffer(Objects::bytes_needed(PoolOptions().capacity(9)));
  CHECK(buffer.size() >= 9 * alignment);
  each_is_aligned<Objects, alignment>(
      PoolOptions().capacity(9).in_buffer(buffer.data(), buffer.size()));
}

template <template <typename> typename Pool>
void options_of_size_are_kept_or_raised() {
  CHECK(Pool<Plain>(4).pool().block_size() == sizeof(Plain));
  CHECK(Pool<Plain>(PoolOptions(1, 4)).pool().block_size() == sizeof(Plain));
  CHECK(Pool<Plain>(PoolOptions(100, 4)).pool().block_size() == 100);
  CHECK(Pool<Plain>(PoolOptions().capacity(4).aligned_to(64)).pool().alignment() == 64);
  CHECK(Pool<Aligned<64>>(4).pool().alignment() == 64);
  Pool<Plain> growing(PoolOptions().capacity(4).growable_to(8));
  CHECK(growing.grow(4) == POOL_OK && growing.capacity() == 8 && growing.trim() == POOL_OK);
}

template <template <typename> typename Pool>
void one_class() {
  using Objects = Pool<Tracked>;
  static_assert(!std::is_copy_constructible_v<Objects> && !std::is_copy_assignable_v<Objects>);
  static_assert(std::is_nothrow_move_constructible_v<Objects>);
  static_assert(std::is_nothrow_move_assignable_v<Objects>);
  static_assert(std::is_nothrow_swappable_v<Objects> && sizeof(Objects) <= 12 * sizeof(void*));
  static_assert(!std::is_convertible_v<int, Objects> && !std::is_convertible_v<Objects, bool>);
  static_assert(noexcept(std::declval<Pool<Plain>&>().try_create(1, 2.0)));
  static_assert(!noexcept(std::declval<Objects&>().try_create(1)));
  run(a_constructor_that_throws_changes_nothing<Pool>);
  run(a_misuse_is_found_before_the_destructor_runs<Pool>);
  run(bad_options_are_an_error_by_exception_and_by_code<Pool>);
  run(a_pool_that_moved_leaves_an_empty_one<Pool>);
  run(the_end_destroys_what_is_live_in_address_order<Pool>);
  run(the_end_reaches_objects_on_the_heap<Pool>);
  run(objects_may_own_each_other<Pool>);
  run(clear_makes_all_free_again<Pool>);
  run(for_each_meets_every_object_and_may_destroy_it<Pool>);
  run(make_answers_an_owner<Pool>);
  run(an_owner_that_outlives_the_pool_does_no_harm<Pool>);
  run(objects_are_aligned<Pool, 1>);
  run(objects_are_aligned<Pool, 64>);
  run(objects_are_aligned<Pool, 4096>);
  run(objects_are_aligned<Pool, 16384>);
  run(options_of_size_are_kept_or_raised<Pool>);
}

}  // namespace

int main() {
  pool_set_log_callback(nullptr, nullptr, 0);
  one_class<ObjectPool>();
  one_class<ConcurrentObjectPool>();
  run(without_checks_the_end_destroys_nothing_and_says_so);
  return CHECK_RESULT();
}
