// Objects of a thread's that use a pool while the thread ends: one that is older than what the
// library has for the thread, and so destroyed after it, and one that is younger. No block is lost.

#include <memory_pool/pool.h>

#include <cstddef>
#include <set>
#include <thread>
#include <vector>

#include "../c/check.h"

namespace {

constexpr std::size_t blocks = 500;
constexpr int threads = 200;

pool_t *pool;

/// Takes and gives back more than a thread may keep, and some that it may.
void use(std::size_t count) {
  std::vector<void *> taken;
  for (std::size_t i = 0; i < count; ++i) taken.push_back(pool_allocate(pool));
  CHECK(std::set<void *>(taken.begin(), taken.end()).size() == count);
  for (void *block : taken) CHECK(block != nullptr && pool_deallocate(pool, block) == POOL_OK);
}

struct uses_a_pool {
  void *kept = nullptr;

  ~uses_a_pool() {
    CHECK(kept != nullptr && pool_deallocate(pool, kept) == POOL_OK);
    use(200);
    use(1);
  }
};

thread_local uses_a_pool older;
thread_local uses_a_pool younger;

void live_for_a_moment() {
  older.kept = nullptr;  // makes the object, before the thread uses the pool
  older.kept = pool_allocate(pool);
  use(50);
  younger.kept = pool_allocate(pool);
}

/// All blocks, each once.
void census() {
  std::set<void *> taken;
  CHECK(pool_in_use(pool) == 0 && pool_validate(pool) == POOL_OK);
  while (void *block = pool_allocate(pool)) taken.insert(block);
  CHECK(taken.size() == blocks && pool_in_use(pool) == blocks);
  for (void *block : taken) CHECK(pool_deallocate(pool, block) == POOL_OK);
}

}  // namespace

int main() {
  for (const auto threading : {POOL_THREADS_SAFE, POOL_THREADS_LOCK_FREE}) {
    pool_options_t options = POOL_OPTIONS_INIT;
    options.block_size = 64;
    options.capacity = blocks;
    options.threading = threading;
    CHECK(pool_create_with(&options, &pool) == POOL_OK);
    for (int i = 0; i < threads; ++i) {
      std::thread(live_for_a_moment).join();
      census();
    }
    CHECK(pool_destroy(pool) == POOL_OK);
  }
  return CHECK_RESULT();
}
