// Standard containers on pools, in three ways: a list with a pool of its own, a map over a given
// pool, whose capacity is a promise, and containers of std::pmr over pools of every small size.

#include <cstdio>
#include <functional>
#include <list>
#include <map>
#include <memory_resource>
#include <new>
#include <string>
#include <utility>

#include "memory_pool/allocator.hpp"
#include "memory_pool/fixed_block_memory_pool.hpp"
#include "memory_pool/memory_resource.hpp"
#include "memory_pool/node_layout.hpp"

namespace {

using memory_pool::Allocator;

/// One more template argument, and nothing else to set up: each node is a block of a pool that the
/// list has, and that grows.
void run_jobs() {
  std::list<int, Allocator<int>> jobs;
  for (int job = 0; job < 1000; ++job) jobs.push_back(job);
  jobs.remove_if([](int job) { return job % 10 != 0; });
  jobs.sort(std::greater<>());  // links nodes anew, and needs no memory
  std::printf("list: %zu jobs in %zu blocks, first %d, last %d\n", jobs.size(),
              jobs.get_allocator().in_use(), jobs.front(), jobs.back());
}

/// Over a given pool, which must outlive the map: as many nodes as it has blocks, and never one
/// from the heap.
void fill_prices() {
  using Prices = std::map<int, double, std::less<>, Allocator<std::pair<const int, double>>>;
  FixedBlockMemoryPool pool(memory_pool::node_layout_of<Prices>().size, 4);
  Prices prices(pool);
  try {
    for (int article = 1; article <= 5; ++article) prices[article] = article * 1.25;
  } catch (const std::bad_alloc&) {
    std::printf("map: full with %zu of %zu blocks\n", pool.in_use(), pool.capacity());
  }
  prices.erase(2);
  prices[5] = 6.25;  // takes the block of the one that was erased
  for (const auto& [article, price] : prices) std::printf("  article %d: %.2f\n", article, price);
}

/// Over a memory resource: whatever its size, what a container asks for comes from a pool, the
/// characters of long strings too. Large requests go to the heap.
void count_words() {
  memory_pool::MemoryResource resource;  // was: std::pmr::unsynchronized_pool_resource
  std::pmr::map<std::pmr::string, int> counts(&resource);
  const char* const words[] = {"pool", "of", "pool", "a-word-that-no-string-keeps-within-itself"};
  for (const char* word : words) ++counts[std::pmr::string(word, &resource)];

  for (const auto& [word, count] : counts) std::printf("  %s x%d\n", word.c_str(), count);
  std::printf("pmr: %zu words in %zu blocks of %zu pools\n", counts.size(),
              resource.stats().blocks_in_use, resource.stats().pools);
}

}  // namespace

int main() {
  run_jobs();
  fill_prices();
  count_words();
}
