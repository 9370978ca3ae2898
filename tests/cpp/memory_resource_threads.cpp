// ConcurrentMemoryResource by many threads at once: the first block of every size, blocks that
// another thread gives back, and pools that are full while others go on.

#include <array>
#include <atomic>
#include <cstring>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "../c/check.h"
#include "memory_pool/memory_resource.hpp"
#include "recording_resource.hpp"

namespace {

using memory_pool::ConcurrentMemoryResource;
using memory_pool::MemoryResourceOptions;

constexpr int kThreads = 4;

template <typename Work>
void by_all_threads(const Work& work) {
  std::vector<std::thread> threads;
  for (int number = 0; number < kThreads; ++number) threads.emplace_back(work, number);
  for (std::thread& thread : threads) thread.join();
}

struct Block {
  unsigned char* address = nullptr;
  std::size_t bytes = 0;

  [[nodiscard]] bool is_marked(int mark) const {
    for (std::size_t i = 0; i < bytes; ++i) {
      if (address[i] != static_cast<unsigned char>(mark)) return false;
    }
    return true;
  }
};

Block marked_block(std::pmr::memory_resource& resource, std::size_t bytes, int mark) {
  auto* const address = static_cast<unsigned char*>(resource.allocate(bytes, 8));
  std::memset(address, mark, bytes);
  return {address, bytes};
}

void a_pool_is_made_once_although_all_ask_at_once() {
  for (int round = 0; round < 20; ++round) {
    ConcurrentMemoryResource resource;
    std::atomic<int> arrived = 0;
    by_all_threads([&](int) {
      ++arrived;
      while (arrived < kThreads) std::this_thread::yield();
      for (std::size_t bytes = 8; bytes <= 4096; bytes += 8) (void)resource.allocate(bytes, 8);
    });
    CHECK(resource.stats().pools == resource.class_count());
    CHECK(resource.stats().blocks_in_use == kThreads * 512);
  }
}

/// Each thread puts marked blocks on shelves and gives those back that it finds there, which are
/// mostly those of others.
void trade(ConcurrentMemoryResource& resource, std::size_t bytes_max, int steps) {
  std::array<std::mutex, 64> locks;
  std::array<std::vector<std::pair<Block, int>>, 64> shelves;
  std::atomic<int> broken = 0;
  by_all_threads([&](int number) {
    auto random = static_cast<std::uint32_t>(number) + 1;
    for (int step = 0; step < steps; ++step) {
      random = random * 1664525u + 1013904223u;
      const std::size_t bytes = (random >> 8) % bytes_max;
      const Block block = marked_block(resource, bytes, number);
      std::vector<std::pair<Block, int>> found;
      {
        const std::size_t place = (random >> 4) % shelves.size();
        const std::lock_guard lock(locks[place]);
        shelves[place].emplace_back(block, number);
        if (shelves[place].size() > 16) found.swap(shelves[place]);
      }
      for (const auto& [other, mark] : found) {
        if (!other.is_marked(mark)) ++broken;
        resource.deallocate(other.address, other.bytes, 8);
      }
    }
  });
  for (const auto& shelf : shelves) {
    for (const auto& [block, mark] : shelf) {
      if (!block.is_marked(mark)) ++broken;
      resource.deallocate(block.address, block.bytes, 8);
    }
  }
  CHECK(broken == 0);
  CHECK(resource.stats().blocks_in_use == 0 && resource.stats().upstream_blocks == 0);
}

/// The upstream is called under a lock: a map that knows no threads may stand behind it.
void threads_give_back_what_others_allocated() {
  RecordingResource upstream;
  ConcurrentMemoryResource resource(&upstream);
  trade(resource, 6000, 20000);
}

void threads_share_pools_that_are_full() {
  RecordingResource upstream;
  const auto options = MemoryResourceOptions().first_blocks(1).growable_to(16 * 256);
  ConcurrentMemoryResource resource(options, &upstream);
  trade(resource, 256, 20000);
  CHECK(upstream.allocations() > 1000);
}

void containers_of_many_threads_share_a_resource() {
  ConcurrentMemoryResource resource;
  std::pmr::list<int> handed_over(&resource);
  std::mutex mutex;
  by_all_threads([&](int number) {
    std::pmr::map<int, int> map(&resource);
    std::pmr::list<int> list(&resource);
    for (int i = 0; i < 20000; ++i) {
      map[i * 31 % 1009] = i;
      list.push_back(number);
    }
    const std::lock_guard lock(mutex);
    handed_over.splice(handed_over.end(), list);
  });
  CHECK(handed_over.size() == kThreads * 20000);
  handed_over.clear();
  CHECK(resource.stats().blocks_in_use == 0);
}

}  // namespace

int main() {
  a_pool_is_made_once_although_all_ask_at_once();
  threads_give_back_what_others_allocated();
  threads_share_pools_that_are_full();
  containers_of_many_threads_share_a_resource();
  return CHECK_RESULT();
}
