// What benches/inlined.rs measures of one thread: pools whose calls are inlined, everyone in turn.
// Prints a line for each turn: the scenario, the allocator, nanoseconds a pair.
//     inlined <turns>

#include "inlined.hpp"

#include <vector>

#if __has_include(<boost/pool/pool.hpp>)
#include <boost/pool/pool.hpp>
#endif

#include "memory_pool/fixed_block_memory_pool.hpp"

namespace {

using namespace inlined;

constexpr std::size_t kCapacity = 200000;

struct Checked {
  static constexpr const char* kName = "checked";
  memory_pool::FixedBlockMemoryPool pool;
  explicit Checked(std::size_t capacity) : pool(kBytes, capacity) {}
  static bool is_there() { return true; }
  void* allocate() { return pool.try_allocate(); }
  void deallocate(void* block) { pool.deallocate(block); }
};

struct Unchecked {
  static constexpr const char* kName = "unchecked";
  memory_pool::UncheckedFixedBlockMemoryPool pool;
  explicit Unchecked(std::size_t capacity) : pool(kBytes, capacity) {}
  static bool is_there() { return true; }
  void* allocate() { return pool.try_allocate(); }
  void deallocate(void* block) { pool.deallocate(block); }
};

#if __has_include(<boost/pool/pool.hpp>)
struct Boost {
  static constexpr const char* kName = "boost";
  boost::pool<> pool;
  explicit Boost(std::size_t capacity) : pool(kBytes, capacity) {}
  static bool is_there() { return true; }
  void* allocate() { return pool.malloc(); }
  void deallocate(void* block) { pool.free(block); }
};
#endif

/// The patterns, each with a pool of its own in a local variable. The first of the rounds warms the
/// pool up and is not measured.
template <typename Pool>
[[gnu::noinline]] double pair() {
  constexpr int kPairs = 1000000;
  Pool pool(kCapacity);
  Clock::time_point start;
  for (int round = 0; round < 2; ++round) {
    start = Clock::now();
    for (int i = 0; i < kPairs; ++i) {
      void* block = pool.allocate();
      use(block);
      pool.deallocate(block);
    }
  }
  return nanoseconds_since(start) / kPairs;
}

template <typename Pool>
[[gnu::noinline]] double burst(std::size_t count, int times, bool newest_first) {
  std::vector<void*> blocks(count);
  void** const live = blocks.data();
  Pool pool(kCapacity);
  Clock::time_point start;
  for (int round = 0; round < times + 2; ++round) {
    if (round == 2) start = Clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      live[i] = pool.allocate();
      use(live[i]);
    }
    if (newest_first) {
      for (std::size_t i = count; i > 0; --i) pool.deallocate(live[i - 1]);
    } else {
      for (std::size_t i = 0; i < count; ++i) pool.deallocate(live[i]);
    }
  }
  return nanoseconds_since(start) / (static_cast<double>(count) * times);
}

template <typename Pool>
[[gnu::noinline]] double random(int times) {
  static const std::vector<std::uint32_t> places = random_places(20000, 20000);
  std::vector<void*> blocks(places.size());
  void** const live = blocks.data();
  Pool pool(kCapacity);
  for (void*& block : blocks) block = pool.allocate();
  Clock::time_point start;
  for (int round = 0; round < times + 2; ++round) {
    if (round == 2) start = Clock::now();
    for (const std::uint32_t place : places) {
      pool.deallocate(live[place]);
      live[place] = pool.allocate();
      use(live[place]);
    }
  }
  const double taken = nanoseconds_since(start) / (static_cast<double>(places.size()) * times);
  for (void* block : blocks) pool.deallocate(block);
  return taken;
}

template <typename Pool>
void measure() {
  if (!Pool::is_there()) return;
  print("pair", Pool::kName, pair<Pool>());
  print("1000 LIFO", Pool::kName, burst<Pool>(1000, 1000, true));
  print("1000 FIFO", Pool::kName, burst<Pool>(1000, 1000, false));
  print("100 000 LIFO", Pool::kName, burst<Pool>(100000, 10, true));
  print("20 000 random", Pool::kName, random<Pool>(40));
}

}  // namespace

int main(int count, char** words) {
  const int turns = count > 1 ? std::atoi(words[1]) : 25;
  for (int turn = 0; turn < turns; ++turn) {
#if __has_include(<boost/pool/pool.hpp>)
    measure<Boost>();
#endif
    measure<Unchecked>();
    measure<Checked>();
    measure<Mimalloc>();
  }
}
