// The inlined calls of the C++ classes: a pool that is not as its class says is the library's, and
// what is inlined moves with the object.

#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "../c/check.h"
#include "memory_pool/concurrent_memory_pool.hpp"
#include "memory_pool/fixed_block_memory_pool.hpp"
#include "memory_pool/object_pool.hpp"

namespace {

using namespace memory_pool;

void other_checks_than_the_class_says_are_obeyed() {
  for (const char* checks : {"none", "standard"}) {
    setenv("MEMORY_POOL_CHECKS", checks, 1);
    FixedBlockMemoryPool checked(64, 4);
    UncheckedFixedBlockMemoryPool unchecked(64, 4);
    unsetenv("MEMORY_POOL_CHECKS");
    const bool is_checked = checks[0] == 's';
    void* one = checked.allocate();
    void* other = unchecked.allocate();
    CHECK(checked.deallocate(one) == POOL_OK && unchecked.deallocate(other) == POOL_OK);
    if (is_checked) CHECK(checked.deallocate(one) == POOL_ERR_DOUBLE_FREE);
    if (is_checked) CHECK(unchecked.deallocate(other) == POOL_ERR_DOUBLE_FREE);
    CHECK(checked.in_use() == 0 && unchecked.in_use() == 0);
  }
  FixedBlockMemoryPool trusting(PoolOptions(64, 4).unchecked());
  CHECK(trusting.deallocate(trusting.allocate()) == POOL_OK && trusting.in_use() == 0);
}

template <typename Pool>
void blocks_at_hand_move_with_the_pool() {
  Pool pool(64, 3000);
  std::vector<void*> blocks;
  for (int i = 0; i < 3000; ++i) blocks.push_back(pool.allocate());
  for (void* block : blocks) CHECK(pool.deallocate(block) == POOL_OK);
  Pool moved(std::move(pool));
  CHECK(pool.try_allocate() == nullptr);
  CHECK(pool.deallocate(blocks[0]) == POOL_ERR_NULL_ARGUMENT);
  for (void*& block : blocks) block = moved.allocate();
  CHECK(moved.try_allocate() == nullptr && moved.in_use() == 3000);
  Pool other(64, 1);
  swap(moved, other);
  void* const of_other = moved.allocate();
  CHECK(moved.try_allocate() == nullptr && moved.deallocate(of_other) == POOL_OK);
  for (void* block : blocks) CHECK(other.deallocate(block) == POOL_OK);
  pool_t* const released = other.release();
  CHECK(other.try_allocate() == nullptr);
  for (void*& block : blocks) block = pool_allocate(released);
  CHECK(pool_allocate(released) == nullptr && pool_in_use(released) == 3000);
  CHECK(pool_reset(released) == POOL_OK && pool_destroy(released) == POOL_OK);
  CHECK(moved.destroy() == POOL_OK && moved.try_allocate() == nullptr);
}

// The library's calls by the handle, beside the object's, and an end of the pool that way.
template <typename Pool>
void the_handle_and_the_object_are_one_pool() {
  Pool pool(64, 2000);
  std::vector<void*> blocks;
  for (int i = 0; i < 2000; ++i) blocks.push_back(pool.allocate());
  for (int i = 0; i < 1999; ++i) CHECK(pool.deallocate(blocks[i]) == POOL_OK);
  CHECK(pool_in_use(pool.handle()) == 1 && pool.stats().deallocations == 1999);
  CHECK(pool.validate() == POOL_OK && pool.deallocate(blocks[1999]) == POOL_OK);
  CHECK(pool_destroy(pool.handle()) == POOL_OK);
  CHECK(pool.try_allocate() == nullptr && pool.deallocate(blocks[0]) == POOL_ERR_STALE_HANDLE);
}

// The pool goes on when its object is gone.
void a_pool_that_stays_keeps_what_was_at_hand() {
  pool_t* handle = nullptr;
  void* live = nullptr;
  {
    FixedBlockMemoryPool pool(PoolOptions(64, 100).kept_while_in_use());
    handle = pool.handle();
    live = pool.allocate();
    CHECK(pool.deallocate(pool.allocate()) == POOL_OK && pool.destroy() == POOL_ERR_IN_USE);
    CHECK(pool.deallocate(pool.allocate()) == POOL_OK);
  }
  CHECK(pool_in_use(handle) == 1 && pool_validate(handle) == POOL_OK);
  CHECK(pool_deallocate(handle, live) == POOL_OK && pool_destroy(handle) == POOL_OK);
}

// create() is inlined, destroy() asks the library before the destructor runs.
void objects_and_blocks_share_the_pool() {
  ObjectPool<int> pool(2000);
  std::vector<int*> objects;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 2000; ++i) objects.push_back(pool.create(i));
    CHECK(pool.try_create(1) == nullptr && pool.size() == 2000);
    for (int* object : objects) CHECK(pool.destroy(object) == POOL_OK);
    CHECK(pool.destroy(objects[0]) == POOL_ERR_DOUBLE_FREE && pool.size() == 0);
    objects.clear();
  }
}

void a_cache_moves_and_dies_with_its_pool() {
  ConcurrentMemoryPool pool(64, 100);
  PoolCache first = pool.cache();
  void* const block = first.allocate();
  PoolCache second(std::move(first));
  CHECK(first.try_allocate() == nullptr && first.deallocate(block) == POOL_ERR_NULL_ARGUMENT);
  CHECK(second.deallocate(block) == POOL_OK);
  CHECK(second.deallocate(block) == POOL_ERR_DOUBLE_FREE && pool.in_use() == 0);
  std::vector<void*> all;
  std::thread([&] {
    while (void* taken = pool.try_allocate()) all.push_back(taken);
  }).join();
  CHECK(all.size() == 100 && second.try_allocate() == nullptr);
  for (void* taken : all) CHECK(second.deallocate(taken) == POOL_OK);
  CHECK(pool.in_use() == 0 && pool.destroy() == POOL_OK);
  // Another pool, and its cache, may have the places of those that ended.
  ConcurrentMemoryPool next(64, 100);
  PoolCache its_cache = next.cache();
  void* const its_block = its_cache.allocate();
  CHECK(second.try_allocate() == nullptr);
  CHECK(second.deallocate(its_block) == POOL_ERR_STALE_HANDLE && next.in_use() == 1);
  CHECK(its_cache.deallocate(its_block) == POOL_OK);
}

}  // namespace

int main() {
  pool_set_log_callback(nullptr, nullptr, 0);
  other_checks_than_the_class_says_are_obeyed();
  blocks_at_hand_move_with_the_pool<FixedBlockMemoryPool>();
  blocks_at_hand_move_with_the_pool<UncheckedFixedBlockMemoryPool>();
  the_handle_and_the_object_are_one_pool<FixedBlockMemoryPool>();
  the_handle_and_the_object_are_one_pool<UncheckedFixedBlockMemoryPool>();
  a_pool_that_stays_keeps_what_was_at_hand();
  objects_and_blocks_share_the_pool();
  a_cache_moves_and_dies_with_its_pool();
  return CHECK_RESULT();
}
