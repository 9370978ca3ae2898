// ConcurrentObjectPool: threads create objects and destroy those of others.

#include <array>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "../c/check.h"
#include "memory_pool/object_pool.hpp"

namespace {

using memory_pool::ConcurrentObjectPool;
using memory_pool::ObjectPointer;

constexpr std::size_t kThreads = 4;
constexpr std::size_t kTurns = 5000;
constexpr std::size_t kCapacity = 64;

std::atomic<int> live = 0;
std::atomic<int> broken = 0;

// Whoever else wrote into the block would break the sum.
class Message {
 public:
  Message(std::size_t from, std::size_t number) : from_(from), number_(number) {
    sum_ = from + number;
    // Relaxed: counted, and read when the threads are joined.
    live.fetch_add(1, std::memory_order_relaxed);
  }
  ~Message() {
    // Relaxed, both: as above.
    if (sum_ != from_ + number_) broken.fetch_add(1, std::memory_order_relaxed);
    live.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  std::size_t from_, number_, sum_;
};

// Where a thread leaves an object for whoever comes next.
class Shelf {
 public:
  ObjectPointer<Message> exchange(std::size_t place, ObjectPointer<Message> object) {
    const std::lock_guard lock(mutex_);
    objects_[place].swap(object);
    return object;
  }

 private:
  std::mutex mutex_;
  std::array<ObjectPointer<Message>, 16> objects_;
};

void work(std::size_t thread, ConcurrentObjectPool<Message>& pool, Shelf& shelf) {
  for (std::size_t turn = 0; turn < kTurns; ++turn) {
    Message* own = pool.try_create(thread, turn);
    if (own != nullptr && pool.destroy(own) != POOL_OK) ++broken;
    // Ends here, and was made in any thread.
    const auto last = shelf.exchange(turn % 16, pool.try_make(thread, turn));
  }
}

void objects_cross_threads() {
  ConcurrentObjectPool<Message> pool(kCapacity);
  {
    Shelf shelf;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] { work(i, pool, shelf); });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(broken == 0 && live == static_cast<int>(pool.size()) && pool.size() <= 16);
  }
  CHECK(live == 0 && pool.size() == 0 && pool.available() == kCapacity);
  for (std::size_t i = 0; i < kCapacity; ++i) CHECK(pool.create(0U, i) != nullptr);
  CHECK(pool.try_create(0U, 0U) == nullptr && pool.pool().validate() == POOL_OK);
  CHECK(pool.clear() == POOL_OK && live == 0 && broken == 0);
}

}  // namespace

int main() {
  objects_cross_threads();
  return CHECK_RESULT();
}
