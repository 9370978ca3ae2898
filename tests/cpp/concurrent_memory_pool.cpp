// ConcurrentMemoryPool and LockFreeMemoryPool: threads that share a pool, that wait for a block,
// and that have a cache of their own.

#include "memory_pool/concurrent_memory_pool.hpp"

#include <atomic>
#include <chrono>
#include <limits>
#include <mutex>
#include <ratio>
#include <set>
#include <thread>
#include <vector>

#include "../c/check.h"

namespace {

using memory_pool::ConcurrentMemoryPool;
using memory_pool::LockFreeMemoryPool;
using memory_pool::PoolCache;
using memory_pool::PoolOptions;
using memory_pool::Status;
using memory_pool::detail::nanoseconds_of;
using namespace std::chrono_literals;

constexpr int kThreads = 4;
constexpr std::size_t kBlocks = 300;

template <typename Rep, typename Period>
using Duration = std::chrono::duration<Rep, Period>;

static_assert(nanoseconds_of(0s) == 0 && nanoseconds_of(-1ns) == 0);
static_assert(nanoseconds_of(std::chrono::hours::min()) == 0);
static_assert(nanoseconds_of(1ns) == 1 && nanoseconds_of(100ms) == 100'000'000);
static_assert(nanoseconds_of(std::chrono::hours(24)) == 86'400'000'000'000);
static_assert(nanoseconds_of(std::chrono::nanoseconds::max()) == INT64_MAX);
static_assert(nanoseconds_of(std::chrono::seconds::max()) == UINT64_MAX);
static_assert(nanoseconds_of(std::chrono::hours::max()) == UINT64_MAX);
static_assert(nanoseconds_of(Duration<int, std::pico>(1)) == 1);
static_assert(nanoseconds_of(Duration<int, std::pico>(1001)) == 2);
static_assert(nanoseconds_of(Duration<double, std::milli>(0.5)) == 500'000);
static_assert(nanoseconds_of(Duration<double, std::ratio<1>>(1e300)) == UINT64_MAX);
static_assert(nanoseconds_of(Duration<float, std::ratio<1>>(-1e30F)) == 0);
static_assert(nanoseconds_of(Duration<float, std::ratio<1>>(
                  std::numeric_limits<float>::quiet_NaN())) == 0);
static_assert(nanoseconds_of(Duration<unsigned char, std::exa>(1)) == UINT64_MAX);

void no_block_in_time_is_an_answer_or_an_error() {
  ConcurrentMemoryPool pool(64, 1);
  void* block = pool.allocate();
  CHECK(pool.try_allocate_for(-1s) == nullptr && pool.try_allocate_for(0s) == nullptr);
  const auto before = std::chrono::steady_clock::now();
  CHECK(pool.try_allocate_for(2ms) == nullptr);
  CHECK(std::chrono::steady_clock::now() - before >= 2ms);
  try {
    (void)!pool.allocate_for(1us);
    CHECK(false);
  } catch (const memory_pool::Error& error) {
    CHECK(error.code() == Status::timed_out && error.code() == std::errc::timed_out);
  }
  CHECK(pool.deallocate(block) == POOL_OK);
}

void an_empty_pool_cannot_wait_and_has_no_cache() {
  ConcurrentMemoryPool none;
  CHECK(none.try_allocate_for(1h) == nullptr);
  int errors = 0;
  try {
    (void)!none.allocate_wait();
  } catch (const memory_pool::Error& error) {
    errors += error.code() == Status::null_argument;
  }
  try {
    PoolCache cache = none.cache();
  } catch (const std::bad_alloc&) {
    ++errors;
  }
  CHECK(errors == 2);
}

void a_pool_in_a_buffer_has_no_cache() {
  static unsigned char memory[1 << 15];
  ConcurrentMemoryPool pool(PoolOptions(64, 10).in_buffer(memory, sizeof memory));
  bool thrown = false;
  try {
    PoolCache cache = pool.cache();
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown);
}

template <typename Pool>
void a_thread_waits_until_another_gives_a_block_back() {
  Pool pool(64, 1);
  void* block = pool.allocate();
  void* got[3] = {};
  pool_status_t gone[3] = {-1, -1, -1};
  std::thread waits([&] {
    got[0] = pool.allocate_wait();
    gone[0] = pool.deallocate(got[0]);
    got[1] = pool.allocate_for(std::chrono::hours::max());
    gone[1] = pool.deallocate(got[1]);
    got[2] = pool.try_allocate_for(10s);
    gone[2] = pool.deallocate(got[2]);
  });
  std::this_thread::sleep_for(1ms);
  CHECK(pool.deallocate(block) == POOL_OK);
  waits.join();
  for (int i = 0; i < 3; ++i) CHECK(got[i] == block && gone[i] == POOL_OK);
}

/// Every thread stamps its blocks and finds its stamp again; half of the blocks are given back by
/// another thread.
template <typename Pool>
void threads_share_a_pool_and_no_block_has_two_owners() {
  Pool pool(PoolOptions(sizeof(std::size_t), kBlocks));
  std::atomic<int> wrong = 0;
  std::mutex mutex;
  std::vector<void*> handed_over;
  const auto work = [&](std::size_t stamp) {
    std::vector<std::size_t*> mine;
    for (int round = 0; round < 200000; ++round) {
      if (void* block = mine.size() < 50 ? pool.try_allocate() : nullptr) {
        mine.push_back(new (block) std::size_t(stamp));
        continue;
      }
      for (std::size_t i = 0; i < mine.size(); ++i) {
        wrong += *mine[i] != stamp;
        if (i % 2 == 0) {
          wrong += pool.deallocate(mine[i]) != POOL_OK;
          continue;
        }
        const std::lock_guard<std::mutex> guard(mutex);
        handed_over.push_back(mine[i]);
        if (handed_over.size() < 8) continue;
        wrong += pool.deallocate_many(handed_over) != POOL_OK;
        handed_over.clear();
      }
      mine.clear();
    }
    for (std::size_t* block : mine) wrong += pool.deallocate(block) != POOL_OK;
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(work, static_cast<std::size_t>(i));
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0 && pool.deallocate_many(handed_over) == POOL_OK);
  CHECK(pool.in_use() == 0 && pool.validate() == POOL_OK);
}

/// All blocks but those in use, each once.
void every_block_is_there(ConcurrentMemoryPool& pool) {
  std::set<void*> blocks;
  while (void* block = pool.try_allocate()) blocks.insert(block);
  CHECK(blocks.size() == kBlocks && pool.reset() == POOL_OK && pool.validate() == POOL_OK);
}

void threads_with_caches_of_their_own_lose_no_block() {
  ConcurrentMemoryPool pool(64, kBlocks);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&pool, &wrong] {
      PoolCache cache = pool.cache();
      for (int round = 0; round < 100000; ++round) {
        void* block = cache.allocate();
        wrong += (round % 2 == 0 ? cache.deallocate(block) : pool.deallocate(block)) != POOL_OK;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  every_block_is_there(pool);
}

void a_cache_finds_misuse_and_exhaustion() {
  ConcurrentMemoryPool pool(64, 2);
  PoolCache cache = pool.cache();
  void* one = cache.allocate();
  void* two = pool.allocate();
  CHECK(cache.try_allocate() == nullptr);
  bool thrown = false;
  try {
    (void)!cache.allocate();
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown && cache.deallocate(nullptr) == POOL_OK);
  CHECK(cache.deallocate(static_cast<char*>(one) + 1) == POOL_ERR_INTERIOR_POINTER);
  CHECK(cache.deallocate(one) == POOL_OK && cache.deallocate(one) == POOL_ERR_DOUBLE_FREE);
  CHECK(cache.deallocate(two) == POOL_OK && pool.in_use() == 0);
}

void a_cache_moves_and_leaves_an_empty_one() {
  static_assert(!std::is_copy_constructible_v<PoolCache> && !std::is_copy_assignable_v<PoolCache>);
  static_assert(std::is_nothrow_move_constructible_v<PoolCache>);
  static_assert(std::is_nothrow_move_assignable_v<PoolCache>);
  ConcurrentMemoryPool pool(64, kBlocks);
  PoolCache first = pool.cache();
  void* block = first.allocate();
  PoolCache second(std::move(first));
  CHECK(!first && second && first.handle() == nullptr && first.try_allocate() == nullptr);
  CHECK(first.deallocate(block) == POOL_ERR_NULL_ARGUMENT);
  first = std::move(second);
  swap(first, second);
  ConcurrentMemoryPool moved = std::move(pool);
  CHECK(second.deallocate(block) == POOL_OK && moved.in_use() == 0);
  second = PoolCache();
  every_block_is_there(moved);
}

void a_cache_that_outlives_its_pool_is_stale() {
  PoolCache cache;
  {
    ConcurrentMemoryPool pool(64, 10);
    cache = pool.cache();
    CHECK(cache.deallocate(cache.allocate()) == POOL_OK);
  }
  CHECK(cache && cache.try_allocate() == nullptr);
  CHECK(cache.deallocate(&cache) == POOL_ERR_STALE_HANDLE);
}

}  // namespace

int main() {
  pool_set_log_callback(nullptr, nullptr, 0);
  no_block_in_time_is_an_answer_or_an_error();
  an_empty_pool_cannot_wait_and_has_no_cache();
  a_pool_in_a_buffer_has_no_cache();
  a_thread_waits_until_another_gives_a_block_back<ConcurrentMemoryPool>();
  a_thread_waits_until_another_gives_a_block_back<LockFreeMemoryPool>();
  threads_share_a_pool_and_no_block_has_two_owners<ConcurrentMemoryPool>();
  threads_share_a_pool_and_no_block_has_two_owners<LockFreeMemoryPool>();
  threads_with_caches_of_their_own_lose_no_block();
  a_cache_finds_misuse_and_exhaustion();
  a_cache_moves_and_leaves_an_empty_one();
  a_cache_that_outlives_its_pool_is_stale();
  return CHECK_RESULT();
}
