// FixedBlockMemoryPool and its unchecked twin: the same members, the same behaviour.

#include "memory_pool/fixed_block_memory_pool.hpp"

#include <new>
#include <set>
#include <type_traits>
#include <utility>

#include "../c/check.h"

namespace {

struct alignas(32) Wide {
  double values[5];
};

template <typename Pool>
void hands_out_every_block_once() {
  Pool pool(sizeof(Wide), 20);
  CHECK(pool.block_size() == sizeof(Wide) && pool.capacity() == 20);
  std::set<void*> blocks;
  for (int i = 0; i < 20; ++i) {
    void* block = pool.allocate();
    CHECK(reinterpret_cast<std::uintptr_t>(block) % alignof(Wide) == 0);
    CHECK(pool.owns(block));
    CHECK(blocks.insert(block).second);
    new (block) Wide{};
  }
  CHECK(pool.in_use() == 20 && pool.available() == 0);
  CHECK(pool.try_allocate() == nullptr);
  bool thrown = false;
  try {
    (void)!pool.allocate();
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown);
  for (void* block : blocks) CHECK(pool.deallocate(block) == POOL_OK);
  CHECK(pool.deallocate(nullptr) == POOL_OK);
  CHECK(pool.in_use() == 0 && pool_validate(pool.handle()) == POOL_OK);
}

template <typename Pool>
void moves_and_does_not_copy() {
  static_assert(!std::is_copy_constructible_v<Pool> && !std::is_copy_assignable_v<Pool>);
  static_assert(std::is_nothrow_move_constructible_v<Pool>);
  static_assert(std::is_nothrow_move_assignable_v<Pool>);
  Pool first(16, 4);
  void* block = first.allocate();
  Pool second(std::move(first));
  CHECK(first.handle() == nullptr);
  CHECK(second.owns(block) && second.in_use() == 1);
  Pool third(32, 1);
  pool_t* gone = third.handle();
  third = std::move(second);
  CHECK(pool_destroy(gone) == POOL_ERR_STALE_HANDLE);
  CHECK(second.handle() == nullptr);
  Pool& same = third;
  third = std::move(same);
  CHECK(third.deallocate(block) == POOL_OK);
}

void a_size_that_cannot_be_is_an_error() {
  for (auto [block_size, capacity] : {std::pair<std::size_t, std::size_t>{0, 1},
                                      {1, 0},
                                      {SIZE_MAX, 1},
                                      {16, SIZE_MAX}}) {
    pool_status_t status = POOL_OK;
    try {
      FixedBlockMemoryPool pool(block_size, capacity);
    } catch (const memory_pool::Error& error) {
      status = error.code().value();
      CHECK(error.code().category() == memory_pool::status_category());
      CHECK(error.code().message() == pool_status_string(status));
    }
    CHECK(status == POOL_ERR_INVALID_ARGUMENT);
  }
}

void memory_that_is_not_there_is_bad_alloc() {
  bool thrown = false;
  try {
    FixedBlockMemoryPool pool(4096, std::size_t{1} << 48);
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown);
}

void the_checked_class_finds_misuse() {
  FixedBlockMemoryPool pool(64, 4);
  char* block = static_cast<char*>(pool.allocate());
  CHECK(pool.deallocate(block + 1) == POOL_ERR_INTERIOR_POINTER);
  CHECK(pool.deallocate(&pool) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool.deallocate(block) == POOL_OK);
  CHECK(pool.deallocate(block) == POOL_ERR_DOUBLE_FREE);
}

}  // namespace

int main() {
  pool_set_log_callback(nullptr, nullptr, 0);
  hands_out_every_block_once<FixedBlockMemoryPool>();
  hands_out_every_block_once<memory_pool::UncheckedFixedBlockMemoryPool>();
  moves_and_does_not_copy<FixedBlockMemoryPool>();
  moves_and_does_not_copy<memory_pool::UncheckedFixedBlockMemoryPool>();
  a_size_that_cannot_be_is_an_error();
  memory_that_is_not_there_is_bad_alloc();
  the_checked_class_finds_misuse();
  return CHECK_RESULT();
}
