// What benches/containers.rs measures: containers of the standard library with several allocators,
// everyone in turn. Prints a line for each turn: the scenario, the allocator, nanoseconds.
//     containers <turns>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <unordered_map>

#include "memory_pool/allocator.hpp"
#include "memory_pool/fixed_block_memory_pool.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using Pair = std::pair<const int, int>;

/// xorshift: the same numbers for everyone.
struct Numbers {
  std::uint64_t state = 88172645463325252u;
  int below(int end) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<int>(state % static_cast<std::uint64_t>(end));
  }
};

template <typename Function>
double nanoseconds(int operations, Function function) {
  const auto start = Clock::now();
  for (int i = 0; i < operations; ++i) function();
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / operations;
}

/// One is pushed at the back, one popped at the front, while 1000 are live.
template <typename List>
struct Churn {
  List list;
  int next = 0;

  explicit Churn(const typename List::allocator_type& allocator) : list(1000, 7, allocator) {}
  double turn() {
    return nanoseconds(1000000, [&] {
      list.push_back(next++);
      list.pop_front();
    });
  }
};

/// One of 1 000 000 keys at random is erased if it is there, and inserted if it is not.
template <typename Map>
struct Random {
  Map map;
  Numbers numbers;

  explicit Random(const typename Map::allocator_type& allocator) : map(allocator) {
    while (map.size() < 500000) map.emplace(numbers.below(1000000), 0);
  }
  double turn() {
    return nanoseconds(100000, [&] {
      const int key = numbers.below(1000000);
      if (map.erase(key) == 0) map.emplace(key, key);
    });
  }
};

template <typename A>
using List = Churn<std::list<int, A>>;
template <typename A>
using Map = Random<std::map<int, int, std::less<int>, A>>;
template <typename A>
using Hashed = Random<std::unordered_map<int, int, std::hash<int>, std::equal_to<int>, A>>;

/// Each allocator has a container of its own, which stays, and its turns.
template <template <typename> typename Scenario, typename Element>
void measure(const char* name, int turns) {
  std::pmr::unsynchronized_pool_resource resource;
  memory_pool::FixedBlockMemoryPool pool(memory_pool::PoolOptions(64, 1 << 20));
  Scenario<std::allocator<Element>> standard{{}};
  Scenario<std::pmr::polymorphic_allocator<Element>> pmr{&resource};
  Scenario<memory_pool::Allocator<Element>> own{{}};
  Scenario<memory_pool::ConcurrentAllocator<Element>> concurrent{{}};
  Scenario<memory_pool::Allocator<Element>> given{pool};
  for (int turn = 0; turn < turns; ++turn) {
    std::printf("%s\tstd\t%f\n", name, standard.turn());
    std::printf("%s\tpmr\t%f\n", name, pmr.turn());
    std::printf("%s\tAllocator\t%f\n", name, own.turn());
    std::printf("%s\tConcurrent\t%f\n", name, concurrent.turn());
    std::printf("%s\tgiven pool\t%f\n", name, given.turn());
  }
}

}  // namespace

int main(int count, char** words) {
  const int turns = count > 1 ? std::atoi(words[1]) : 25;
  measure<List, int>("list", turns);
  measure<Map, Pair>("map", turns);
  measure<Hashed, Pair>("unordered_map", turns);
}
