// How long each single call takes: every call is timed by itself and counted by its ticks, the
// clock alone as well, so that what the clock takes can be subtracted.

#ifndef PEERS_LATENCY_HPP
#define PEERS_LATENCY_HPP

#include <sys/resource.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <map>

#include "one_thread.hpp"

namespace peers {

/// The cheapest clock that is good enough: the processor's counter, read when what stands before
/// is done and before what follows begins.
inline std::uint64_t ticks() {
#if defined(__x86_64__)
  _mm_lfence();
  const std::uint64_t now = __rdtsc();
  _mm_lfence();
  return now;
#else
  return static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
#endif
}

/// By comparison with the clock of the system.
inline double nanoseconds_a_tick() {
  const auto start = Clock::now();
  const std::uint64_t first = ticks();
  while (nanoseconds_since(start) < 20e6) {}
  const double elapsed = nanoseconds_since(start);
  return elapsed / static_cast<double>(ticks() - first);
}

/// How often each number of ticks was seen.
class Counts {
 public:
  Counts() : few_(1 << 16) {}

  void add(std::uint64_t ticks) {
    if (ticks < few_.size()) [[likely]] {
      ++few_[ticks];
    } else {
      ++many_[ticks];
    }
  }

  /// Ticks and times, one after the other.
  std::vector<double> pairs() const {
    std::vector<double> pairs;
    for (std::size_t ticks = 0; ticks < few_.size(); ++ticks) {
      if (few_[ticks] == 0) continue;
      pairs.insert(pairs.end(), {static_cast<double>(ticks), static_cast<double>(few_[ticks])});
    }
    for (const auto& [ticks, times] : many_) {
      pairs.insert(pairs.end(), {static_cast<double>(ticks), static_cast<double>(times)});
    }
    return pairs;
  }

 private:
  std::vector<std::uint64_t> few_;
  std::map<std::uint64_t, std::uint64_t> many_;
};

/// Page faults and how often others took the processor, of this process until now.
struct Disturbances {
  double faults, switches;
  static Disturbances now() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return {static_cast<double>(usage.ru_minflt), static_cast<double>(usage.ru_nivcsw)};
  }
};

/// Live blocks are replaced at random, each call timed; and the clock alone, now and then.
template <typename Local>
void replace(Local& local, std::vector<void*>& live, std::size_t times, Counts& calls,
             Counts& clock) {
  Numbers numbers;
  for (std::size_t i = 0; i < times; ++i) {
    void*& block = live[numbers.below(live.size())];
    const std::uint64_t begin = ticks();
    local.give(block);
    const std::uint64_t given = ticks();
    block = local.take();
    const std::uint64_t taken = ticks();
    if (i % 4 == 0) clock.add(ticks() - taken);
    if (block == nullptr) exhausted();
    use(block);
    calls.add(given - begin);
    calls.add(taken - given);
  }
}

/// The ticks of the first allocations, each with the first byte written, apart from the others.
template <typename Local>
Answer latency(Local& local, const Request& request) {
  Counts first, calls, clock, warm_up;
  std::vector<void*> live(request.live, &local);
  for (void*& block : live) {
    const std::uint64_t begin = ticks();
    block = local.take();
    if (block == nullptr) exhausted();
    use(block);
    first.add(ticks() - begin);
  }
  replace(local, live, 100000, warm_up, warm_up);
  const double waited_before = waited();
  const auto before = Disturbances::now();
  replace(local, live, static_cast<std::size_t>(request.amount * 1e6 / 2), calls, clock);
  const auto after = Disturbances::now();
  const double kept_waiting = waited() - waited_before;
  for (void* block : live) local.give(block);
  return {{"tick", {nanoseconds_a_tick()}}, {"first", first.pairs()}, {"calls", calls.pairs()},
          {"clock", clock.pairs()},         {"waited", {kept_waiting}},
          {"faults", {after.faults - before.faults}},
          {"switches", {after.switches - before.switches}}};
}

}  // namespace peers

#endif  // PEERS_LATENCY_HPP
