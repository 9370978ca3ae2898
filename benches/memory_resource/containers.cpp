// Containers of the standard on memory resources: ours, the standard's pools, new and delete, in
// one process and in turn, so that a change of the machine's speed meets all alike.
//
//     containers [turns]

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <unordered_map>
#include <vector>

#include "memory_pool/memory_resource.hpp"

namespace {

using Resource = std::pmr::memory_resource;

/// Pseudo-random keys, the same for every contestant.
class Keys {
 public:
  int next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int>((state_ >> 33) % kKeys);
  }
  static constexpr std::uint64_t kKeys = 1'000'000;

 private:
  std::uint64_t state_ = 0x9E3779B97F4A7C15u;
};

/// A thousand elements; one comes at the end and one goes at the front.
class ListChurn {
 public:
  explicit ListChurn(Resource* resource) : list_(1000, 0, resource) {}
  static constexpr int kSteps = 1'000'000;
  void run() {
    for (int step = 0; step < kSteps; ++step) {
      list_.push_back(step);
      list_.pop_front();
    }
  }

 private:
  std::pmr::list<int> list_;
};

/// Of a million keys about half are there; one at random is inserted, or erased if it is there.
template <typename Map>
class RandomKeys {
 public:
  explicit RandomKeys(Resource* resource) : map_(resource) {
    for (std::uint64_t step = 0; step < 3 * Keys::kKeys; ++step) toggle();
  }
  static constexpr int kSteps = 200'000;
  void run() {
    for (int step = 0; step < kSteps; ++step) toggle();
  }

 private:
  void toggle() {
    const int key = keys_.next();
    const auto [place, is_new] = map_.try_emplace(key, key);
    if (!is_new) map_.erase(place);
  }

  Keys keys_;
  Map map_;
};

struct Contestant {
  const char* name;
  Resource* resource;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

constexpr std::size_t kContestants = 5;
using Turns = std::array<std::vector<double>, kContestants>;

/// Which place of a row is to be at most so much of which other, turn by turn.
struct Target {
  std::size_t who;
  std::size_t to;
  double at_most;
};

double median_ratio(const Turns& turns, std::size_t who, std::size_t to) {
  std::vector<double> ratios;
  for (std::size_t turn = 0; turn < turns[who].size(); ++turn) {
    ratios.push_back(turns[who][turn] / turns[to][turn]);
  }
  return median(ratios);
}

template <typename Workload>
Turns measure(const std::array<Contestant, kContestants>& contestants, int count) {
  std::vector<std::unique_ptr<Workload>> workloads;
  for (const Contestant& one : contestants) {
    workloads.push_back(std::make_unique<Workload>(one.resource));
    workloads.back()->run();
  }
  Turns turns;
  for (int turn = 0; turn < count; ++turn) {
    for (std::size_t who = 0; who < kContestants; ++who) {
      const auto start = std::chrono::steady_clock::now();
      workloads[who]->run();
      const std::chrono::duration<double, std::nano> took =
          std::chrono::steady_clock::now() - start;
      turns[who].push_back(took.count() / Workload::kSteps);
    }
  }
  return turns;
}

void print(const char* workload, const Turns& turns, const std::array<Target, 2>& targets,
           const std::array<Contestant, kContestants>& contestants) {
  std::printf("%-24s", workload);
  for (const auto& one : turns) std::printf("%14.1f", median(one));
  std::printf("\n");
  for (const Target& target : targets) {
    const double ratio = median_ratio(turns, target.who, target.to);
    std::printf("  %s / %s: %.2f (target %.2f: %s)\n", contestants[target.who].name,
                contestants[target.to].name, ratio, target.at_most,
                ratio <= target.at_most ? "met" : "MISSED");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int turns = argc > 1 ? std::atoi(argv[1]) : 25;
  memory_pool::MemoryResource ours;
  memory_pool::ConcurrentMemoryResource concurrent;
  std::pmr::unsynchronized_pool_resource unsynchronized;
  std::pmr::synchronized_pool_resource synchronized;
  const std::array<Contestant, kContestants> contestants = {{
      {"ours", &ours},
      {"concurrent", &concurrent},
      {"unsync. pools", &unsynchronized},
      {"sync. pools", &synchronized},
      {"new, delete", std::pmr::new_delete_resource()},
  }};
  std::printf("Nanoseconds a step; medians of %d turns, everyone in turn.\n\n%-24s", turns, "");
  for (const Contestant& one : contestants) std::printf("%14s", one.name);
  std::printf("\n");
  const auto list = measure<ListChurn>(contestants, turns);
  print("list: push and pop", list, {{{0, 4, 0.6}, {0, 2, 0.35}}}, contestants);
  const auto map = measure<RandomKeys<std::pmr::map<int, int>>>(contestants, turns);
  print("map: insert or erase", map, {{{0, 4, 0.95}, {0, 2, 0.85}}}, contestants);
  const auto hashed = measure<RandomKeys<std::pmr::unordered_map<int, int>>>(contestants, turns);
  print("unordered_map: the same", hashed, {{{0, 4, 0.95}, {0, 2, 0.85}}}, contestants);
}
