// fail_after() of the pool classes: what throws where no block is free does so then, what answers
// nullptr does that, and nothing is lost.

#include <array>
#include <chrono>
#include <list>
#include <memory>
#include <new>
#include <vector>

#include "../c/check.h"
#include "memory_pool/memory_pool.hpp"

namespace {

using memory_pool::Allocator;
using memory_pool::ConcurrentAllocator;
using memory_pool::ConcurrentMemoryPool;
using memory_pool::ConcurrentObjectPool;
using memory_pool::Error;
using memory_pool::FixedBlockMemoryPool;
using memory_pool::LockFreeMemoryPool;
using memory_pool::ObjectPool;
using memory_pool::PoolCache;
using memory_pool::PoolOptions;
using memory_pool::UncheckedFixedBlockMemoryPool;

constexpr std::size_t kCapacity = 100;

template <typename Function>
bool is_bad_alloc(Function&& function) {
  try {
    function();
  } catch (const std::bad_alloc&) {
    return true;
  }
  return false;
}

template <typename Pool>
void has_all_blocks(Pool& pool) {
  std::vector<void*> blocks;
  while (void* const block = pool.try_allocate()) blocks.push_back(block);
  CHECK(blocks.size() == kCapacity);
  for (void* const block : blocks) CHECK(pool.deallocate(block) == POOL_OK);
  CHECK(pool.in_use() == 0 && pool.validate() == POOL_OK);
}

template <typename Pool>
void every_allocation_fails_after_the_last_success() {
  Pool pool(64, kCapacity);
  std::array<void*, 4> blocks{};
  CHECK(pool.deallocate(pool.allocate()) == POOL_OK);
  for (int turn = 0; turn < 3; ++turn) {
    CHECK(pool.fail_after(3) == POOL_OK);
    blocks[0] = pool.allocate();
    CHECK(pool.allocate_many(blocks) == 2);
    CHECK(is_bad_alloc([&] { (void)!pool.allocate(); }));
    CHECK(is_bad_alloc([&] { (void)!pool.allocate_zeroed(); }));
    CHECK(pool.try_allocate() == nullptr && pool.try_allocate_zeroed() == nullptr);
    CHECK(pool.allocate_many(blocks) == 0 && pool.stats().failures >= 5);
    const std::size_t in_use = pool.in_use();
    CHECK(pool.deallocate(blocks[0]) == POOL_OK && pool.try_allocate() == nullptr);
    CHECK(pool.deallocate(blocks[1]) == POOL_OK && pool.in_use() == in_use - 2);
    CHECK(pool.reset() == POOL_OK && pool.try_allocate() == nullptr);
    CHECK(pool.fail_after(UINT64_MAX) == POOL_OK);
    has_all_blocks(pool);
  }
}

/// The object of the program holds a view of its pool, which goes along.
void a_pool_may_be_moved_meanwhile() {
  FixedBlockMemoryPool first(64, kCapacity);
  CHECK(first.deallocate(first.allocate()) == POOL_OK && first.fail_after(1) == POOL_OK);
  FixedBlockMemoryPool second(std::move(first));
  void* const block = second.try_allocate();
  CHECK(block != nullptr && second.try_allocate() == nullptr);
  CHECK(second.deallocate(block) == POOL_OK && second.try_allocate() == nullptr);
  CHECK(second.fail_after(UINT64_MAX) == POOL_OK);
  has_all_blocks(second);
}

template <typename Pool>
void nobody_waits() {
  Pool pool(64, kCapacity);
  CHECK(pool.fail_after(0) == POOL_OK);
  pool_status_t status = POOL_OK;
  try {
    (void)!pool.allocate_wait();
  } catch (const Error& error) {
    status = error.code().value();
  }
  CHECK(status == POOL_ERR_EXHAUSTED);
  CHECK(pool.try_allocate_for(std::chrono::hours(1)) == nullptr);
  CHECK(pool.fail_after(UINT64_MAX) == POOL_OK);
  has_all_blocks(pool);
}

void a_cache_fails_with_its_pool() {
  ConcurrentMemoryPool pool(64, kCapacity);
  PoolCache cache = pool.cache();
  std::vector<void*> blocks;
  for (int i = 0; i < 40; ++i) blocks.push_back(cache.allocate());
  for (void* const block : blocks) CHECK(cache.deallocate(block) == POOL_OK);
  CHECK(pool.fail_after(1) == POOL_OK);
  void* const block = cache.allocate();
  CHECK(cache.try_allocate() == nullptr && is_bad_alloc([&] { (void)!cache.allocate(); }));
  CHECK(cache.deallocate(block) == POOL_OK && cache.try_allocate() == nullptr);
  CHECK(pool.fail_after(UINT64_MAX) == POOL_OK && cache.deallocate(cache.allocate()) == POOL_OK);
  has_all_blocks(pool);
}

template <template <typename> typename Pool>
void no_object_is_made() {
  Pool<std::vector<int>> objects(kCapacity);
  auto first = objects.make(3, 7);
  CHECK(objects.fail_after(1) == POOL_OK);
  auto second = objects.make(4, 8);
  CHECK(objects.try_create() == nullptr && objects.try_make() == nullptr);
  CHECK(is_bad_alloc([&] { (void)!objects.create(); }));
  CHECK(is_bad_alloc([&] { (void)!objects.make(5, 9); }));
  CHECK(first->size() == 3 && second->back() == 8 && objects.size() == 2);
  first.reset();
  CHECK(objects.size() == 1 && objects.try_create() == nullptr);
  CHECK(objects.fail_after(UINT64_MAX) == POOL_OK);
  CHECK(objects.make(2, 5)->size() == 2);
  CHECK(objects.size() == 1);
}

/// A container that gets no node is as it was.
template <template <typename> typename Alloc, typename Pool>
void a_container_gets_no_node() {
  Pool pool(64, kCapacity);
  {
    std::list<int, Alloc<int>> list({1, 2, 3}, Alloc<int>(pool));
    CHECK(pool.fail_after(2) == POOL_OK);
    list.push_back(4);
    list.push_back(5);
    CHECK(is_bad_alloc([&] { list.push_back(6); }));
    list.pop_front();
    CHECK(is_bad_alloc([&] { list.push_front(6); }));
    CHECK(list.size() == 4 && list.front() == 2 && list.back() == 5 && pool.in_use() >= 4);
    CHECK(pool.fail_after(UINT64_MAX) == POOL_OK);
    list.push_back(6);
    CHECK(list.size() == 5);
  }
  has_all_blocks(pool);
}

}  // namespace

int main() {
  every_allocation_fails_after_the_last_success<FixedBlockMemoryPool>();
  every_allocation_fails_after_the_last_success<UncheckedFixedBlockMemoryPool>();
  every_allocation_fails_after_the_last_success<ConcurrentMemoryPool>();
  every_allocation_fails_after_the_last_success<LockFreeMemoryPool>();
  a_pool_may_be_moved_meanwhile();
  nobody_waits<ConcurrentMemoryPool>();
  nobody_waits<LockFreeMemoryPool>();
  a_cache_fails_with_its_pool();
  no_object_is_made<ObjectPool>();
  no_object_is_made<ConcurrentObjectPool>();
  a_container_gets_no_node<Allocator, FixedBlockMemoryPool>();
  a_container_gets_no_node<ConcurrentAllocator, ConcurrentMemoryPool>();
  return CHECK_RESULT();
}
