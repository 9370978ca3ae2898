// What benches/inlined.rs measures of two threads: explicit caches of a safe pool, whose calls are
// inlined, and mimalloc, in turn. Prints a line for each turn: the scenario, the allocator,
// nanoseconds a pair.
//     inlined_threads <turns>

#include "inlined.hpp"

#include <barrier>
#include <memory>
#include <thread>
#include <vector>

#include "memory_pool/concurrent_memory_pool.hpp"
#include "ring.hpp"

namespace {

using namespace inlined;

constexpr std::size_t kCapacity = 20000;
constexpr std::uint32_t kLive = 1000;  // of each thread
constexpr int kPairs = 1000000;
constexpr int kWarmUp = 100000;

/// A pool, which threads call by a cache of their own.
struct Cached {
  static constexpr const char* kName = "cache";
  static bool is_there() { return true; }

  struct Calls {
    memory_pool::PoolCache cache;
    explicit Calls(Cached& from) : cache(from.pool.cache()) {}
    void* allocate() { return cache.try_allocate(); }
    void deallocate(void* block) { cache.deallocate(block); }
  };

  memory_pool::ConcurrentMemoryPool pool{kBytes, kCapacity};
};

/// The same of what needs no pool.
struct General {
  static constexpr const char* kName = Mimalloc::kName;
  static bool is_there() { return Mimalloc::is_there(); }

  struct Calls : Mimalloc {
    explicit Calls(General&) : Mimalloc(0) {}
  };
};

/// A thread replaces one of its own blocks at random.
template <typename Calls>
[[gnu::noinline]] double replace(Calls& calls, std::vector<void*>& blocks, int pairs) {
  static const std::vector<std::uint32_t> places = random_places(8192, kLive);
  void** const live = blocks.data();
  const auto start = Clock::now();
  for (int i = 0; i < pairs; ++i) {
    void*& block = live[places[static_cast<std::size_t>(i) % 8192]];
    calls.deallocate(block);
    block = calls.allocate();
    use(block);
  }
  return nanoseconds_since(start) / pairs;
}

template <typename Pool>
double churn() {
  Pool pool;
  std::barrier together(2);
  double taken[2] = {};
  const auto work = [&](int number) {
    typename Pool::Calls calls(pool);
    std::vector<void*> blocks(kLive);
    for (void*& block : blocks) block = calls.allocate();
    replace(calls, blocks, kWarmUp);
    together.arrive_and_wait();
    taken[number] = replace(calls, blocks, kPairs);
    together.arrive_and_wait();
    for (void* block : blocks) calls.deallocate(block);
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  return (taken[0] + taken[1]) / 2;
}

/// One thread takes blocks and writes a word in each, another reads the word and gives them back.
template <typename Pool>
double handover() {
  Pool pool;
  const auto ring = std::make_unique<Ring>();
  constexpr std::uint64_t kAll = kWarmUp + kPairs;
  std::thread producer([&] {
    typename Pool::Calls calls(pool);
    for (std::uint64_t count = 0; count < kAll; ++count) {
      void* block = calls.allocate();
      *static_cast<volatile std::uint64_t*>(block) = count;
      ring->send(block);
    }
    ring->tell();
  });
  typename Pool::Calls calls(pool);
  Clock::time_point start;
  for (std::uint64_t count = 0; count < kAll; ++count) {
    if (count == kWarmUp) start = Clock::now();
    void* block = ring->receive();
    if (*static_cast<volatile std::uint64_t*>(block) != count) std::abort();
    calls.deallocate(block);
  }
  const double taken = nanoseconds_since(start) / kPairs;
  producer.join();
  return taken;
}

template <typename Pool>
void measure() {
  if (!Pool::is_there()) return;
  print("churn", Pool::kName, churn<Pool>());
  print("handover", Pool::kName, handover<Pool>());
}

}  // namespace

int main(int count, char** words) {
  const int turns = count > 1 ? std::atoi(words[1]) : 25;
  for (int turn = 0; turn < turns; ++turn) {
    measure<Cached>();
    measure<General>();
  }
}
