// What every pool class does, whichever it is: errors, moves, emptiness, many at once, figures.

#include <array>
#include <cstring>
#include <set>
#include <type_traits>
#include <utility>

#include "../c/check.h"
#include "memory_pool/memory_pool.hpp"

namespace {

using memory_pool::PoolOptions;
using memory_pool::Status;

template <typename Pool>
void bad_options_are_an_error_by_exception_and_by_code() {
  for (const PoolOptions& options :
       {PoolOptions(), PoolOptions(0, 1), PoolOptions(1, 0), PoolOptions(SIZE_MAX, 1),
        PoolOptions(64, 10).aligned_to(48), PoolOptions(64, 10).growable_to(9)}) {
    std::error_code code;
    CHECK(!Pool::try_create(options, code) && code == Status::invalid_argument);
    try {
      Pool pool(options);
      CHECK(false);
    } catch (const memory_pool::Error& error) {
      CHECK(error.code() == code);
    }
  }
}

template <typename Pool>
void memory_that_is_not_there_is_bad_alloc_and_a_code() {
  const PoolOptions options(std::size_t{1} << 20, std::size_t{1} << 31);
  std::error_code code;
  CHECK(!Pool::try_create(options, code) && code == std::errc::not_enough_memory);
  try {
    Pool pool(options);
    CHECK(false);
  } catch (const std::bad_alloc&) {
    CHECK(true);
  }
}

template <typename Pool>
void a_pool_that_could_be_created_clears_the_code() {
  std::error_code code = Status::exhausted;
  Pool pool = Pool::try_create(PoolOptions(64, 10), code);
  CHECK(!code && pool && pool.capacity() == 10);
}

template <typename Pool>
void is_empty(Pool& pool) {
  int other = 0;
  std::array<void*, 3> blocks = {&other, nullptr, &other};
  CHECK(!pool && pool.handle() == nullptr);
  CHECK(pool.block_size() == 0 && pool.stride() == 0 && pool.alignment() == 0);
  CHECK(pool.capacity() == 0 && pool.in_use() == 0 && pool.available() == 0);
  CHECK(!pool.owns(&other) && pool.stats().capacity == 0);
  CHECK(pool.try_allocate() == nullptr && pool.try_allocate_zeroed() == nullptr);
  CHECK(pool.allocate_many(blocks) == 0 && blocks[0] == &other);
  CHECK(pool.deallocate(&other) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool.deallocate_many(blocks) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool.reset() == POOL_ERR_NULL_ARGUMENT && pool.grow(1) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool.trim() == POOL_ERR_NULL_ARGUMENT && pool.validate() == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool.fail_after(0) == POOL_ERR_NULL_ARGUMENT);
  bool thrown = false;
  try {
    (void)!pool.allocate();
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown && pool.destroy() == POOL_OK && pool.release() == nullptr);
}

template <typename Pool>
void a_pool_that_moved_leaves_an_empty_one() {
  Pool none;
  is_empty(none);
  Pool first(64, 4);
  void* block = first.allocate();
  pool_t* handle = first.handle();
  Pool second(std::move(first));
  is_empty(first);
  CHECK(second.handle() == handle && second.owns(block));
  first = std::move(second);
  is_empty(second);
  CHECK(first.deallocate(block) == POOL_OK && first.destroy() == POOL_OK);
  is_empty(first);
}

template <typename Pool>
void two_pools_change_places() {
  Pool one(64, 4), other(128, 8);
  swap(one, other);
  CHECK(one.block_size() == 128 && other.block_size() == 64);
  one.swap(one);
  CHECK(one.block_size() == 128 && one.capacity() == 8);
}

template <typename Pool>
void a_pool_can_be_released_to_c() {
  Pool pool(64, 4);
  void* block = pool.allocate();
  pool_t* handle = pool.release();
  is_empty(pool);
  CHECK(pool_deallocate(handle, block) == POOL_OK && pool_destroy(handle) == POOL_OK);
}

template <typename Pool>
void blocks_come_and_go_in_numbers() {
  Pool pool(32, 100);
  std::array<void*, 120> blocks{};
  CHECK(pool.allocate_many(blocks) == 100 && pool.available() == 0);
  CHECK(blocks[99] != nullptr && blocks[100] == nullptr);
  CHECK(std::set<void*>(blocks.begin(), blocks.end()).size() == 101);
  CHECK(pool.deallocate_many(blocks) == POOL_OK && pool.in_use() == 0);
  CHECK(pool.allocate_many({}) == 0 && pool.deallocate_many({}) == POOL_OK);
  CHECK(pool.validate() == POOL_OK);
}

template <typename Pool>
void a_zeroed_block_is_zero() {
  Pool pool(24, 1);
  const std::array<char, 24> zero{};
  for (int i = 0; i < 3; ++i) {
    void* block = i == 0 ? pool.try_allocate_zeroed() : pool.allocate_zeroed();
    CHECK(std::memcmp(block, zero.data(), zero.size()) == 0);
    std::memset(block, 0x5a, zero.size());
    CHECK(pool.deallocate(block) == POOL_OK);
  }
}

template <typename Pool>
void the_figures_are_those_of_the_pool() {
  Pool pool(PoolOptions(100, 64).growable());
  CHECK(pool.block_size() == 100 && pool.stride() >= 100 && pool.stride() % pool.alignment() == 0);
  for (int i = 0; i < 10; ++i) (void)!pool.allocate();
  const pool_stats_t stats = pool.stats();
  CHECK(stats.block_size == 100 && stats.stride == pool.stride());
  CHECK(stats.in_use == 10 && stats.allocations == 10 && pool.available() == 54);
  CHECK(pool.reset() == POOL_OK && pool.in_use() == 0);
  std::size_t bytes = 1;
  CHECK(pool.trim(&bytes) == POOL_OK && bytes % 4096 == 0 && pool.trim() == POOL_OK);
  CHECK(pool.grow(36) == POOL_OK && pool.capacity() == 100 && pool.validate() == POOL_OK);
}

template <typename Pool, std::size_t words>
void one_class() {
  static_assert(!std::is_copy_constructible_v<Pool> && !std::is_copy_assignable_v<Pool>);
  static_assert(std::is_nothrow_move_constructible_v<Pool>);
  static_assert(std::is_nothrow_move_assignable_v<Pool> && std::is_nothrow_swappable_v<Pool>);
  static_assert(!std::is_convertible_v<Pool, bool> && !std::is_convertible_v<int, Pool>);
  static_assert(sizeof(Pool) == words * sizeof(void*));
  bad_options_are_an_error_by_exception_and_by_code<Pool>();
  memory_that_is_not_there_is_bad_alloc_and_a_code<Pool>();
  a_pool_that_could_be_created_clears_the_code<Pool>();
  a_pool_that_moved_leaves_an_empty_one<Pool>();
  two_pools_change_places<Pool>();
  a_pool_can_be_released_to_c<Pool>();
  blocks_come_and_go_in_numbers<Pool>();
  a_zeroed_block_is_zero<Pool>();
  the_figures_are_those_of_the_pool<Pool>();
}

}  // namespace

int main() {
  pool_set_log_callback(nullptr, nullptr, 0);
  one_class<memory_pool::FixedBlockMemoryPool, 12>();
  one_class<memory_pool::UncheckedFixedBlockMemoryPool, 12>();
  one_class<memory_pool::ConcurrentMemoryPool, 1>();
  one_class<memory_pool::LockFreeMemoryPool, 1>();
  return CHECK_RESULT();
}
