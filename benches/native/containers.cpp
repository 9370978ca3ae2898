// What benches/containers.rs measures: containers of the standard library with several allocators,
// everyone in turn. Prints a line for each turn: the scenario, the allocator, nanoseconds.
//     containers <turns>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <memory_resource>

#include "containers.hpp"
#include "memory_pool/allocator.hpp"
#include "memory_pool/fixed_block_memory_pool.hpp"

namespace {

using Clock = std::chrono::steady_clock;

/// Nanoseconds a step.
template <typename Scenario>
double turn_of(Scenario& scenario, int steps) {
  const auto start = Clock::now();
  for (int i = 0; i < steps; ++i) scenario.step();
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / steps;
}

/// Each allocator has a container of its own, which stays, and its turns.
template <template <typename> typename Scenario, typename Element>
void measure(const char* name, int turns, int steps) {
  std::pmr::unsynchronized_pool_resource resource;
  memory_pool::FixedBlockMemoryPool pool(memory_pool::PoolOptions(64, 1 << 20));
  Scenario<std::allocator<Element>> standard{{}};
  Scenario<std::pmr::polymorphic_allocator<Element>> pmr{&resource};
  Scenario<memory_pool::Allocator<Element>> own{{}};
  Scenario<memory_pool::ConcurrentAllocator<Element>> concurrent{{}};
  Scenario<memory_pool::Allocator<Element>> given{pool};
  for (int turn = 0; turn < turns; ++turn) {
    std::printf("%s\tstd\t%f\n", name, turn_of(standard, steps));
    std::printf("%s\tpmr\t%f\n", name, turn_of(pmr, steps));
    std::printf("%s\tAllocator\t%f\n", name, turn_of(own, steps));
    std::printf("%s\tConcurrent\t%f\n", name, turn_of(concurrent, steps));
    std::printf("%s\tgiven pool\t%f\n", name, turn_of(given, steps));
  }
}

}  // namespace

int main(int count, char** words) {
  const int turns = count > 1 ? std::atoi(words[1]) : 25;
  measure<List, int>("list", turns, 1000000);
  measure<Map, Pair>("map", turns, 100000);
  measure<Hashed, Pair>("unordered_map", turns, 100000);
}
