// How long each single call takes: every call is timed by itself and counted by its ticks, the
// clock alone as well, so that what the clock takes can be subtracted.

#ifndef PEERS_LATENCY_HPP
#define PEERS_LATENCY_HPP

#include <sys/resource.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <array>
#include <atomic>
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

/// What was counted of calls and of the clock alone.
struct Readings {
  Counts calls, clock;
};

/// Replaces live blocks at random, each call timed; and the clock alone, now and then.
template <typename Local>
class TimedReplacement {
 public:
  TimedReplacement(Local& local, std::vector<void*>& live) : local_(local), live_(live) {}

  /// A few. The ticks are kept until it is known whether the core was shared: in a table so small
  /// that it disturbs nobody.
  void run() {
    for (std::size_t i = 0; i < replacements; ++i) {
      void*& block = live_[numbers_.below(live_.size())];
      // Read before the clock is: what is timed is the call, and not the table.
      void* const old = block;
      const std::uint64_t begin = ticks();
      local_.give(old);
      const std::uint64_t given = ticks();
      block = local_.take();
      const std::uint64_t taken = ticks();
      if (i % 4 == 0) clock_[i / 4] = ticks() - taken;
      if (block == nullptr) exhausted();
      use(block);
      // Or the next calls would be stopped while this write waits for its cache line.
      std::atomic_thread_fence(std::memory_order_seq_cst);
      calls_[2 * i] = given - begin;
      calls_[2 * i + 1] = taken - given;
    }
  }

  void count_for(Readings& readings) const {
    for (const std::uint64_t time : calls_) readings.calls.add(time);
    for (const std::uint64_t time : clock_) readings.clock.add(time);
  }

  static constexpr std::size_t replacements = 256;

 private:
  Local& local_;
  std::vector<void*>& live_;
  Numbers numbers_;
  std::array<std::uint64_t, 2 * replacements> calls_{};
  std::array<std::uint64_t, replacements / 4> clock_{};
};

/// The ticks of the first allocations, each with the first byte written, apart from the others; and
/// of these all, and those while the core was not shared.
template <typename Local>
Answer latency(Local& local, const Request& request) {
  Counts first;
  std::vector<void*> live(request.live, &local);
  for (void*& block : live) {
    const std::uint64_t begin = ticks();
    block = local.take();
    if (block == nullptr) exhausted();
    use(block);
    first.add(ticks() - begin);
  }
  TimedReplacement<Local> replacement(local, live);
  for (int i = 0; i < 200; ++i) replacement.run();
  Readings all, alone;
  const double waited_before = waited();
  const auto before = Disturbances::now();
  const auto replacements = static_cast<std::size_t>(request.amount * 1e6 / 2);
  bool was_shared = slices::is_shared();
  for (std::size_t done = 0; done < replacements; done += replacement.replacements) {
    replacement.run();
    const bool is_shared = slices::is_shared();
    replacement.count_for(all);
    if (!was_shared && !is_shared) replacement.count_for(alone);
    was_shared = slices::is_shared();
  }
  const auto after = Disturbances::now();
  const double kept_waiting = waited() - waited_before;
  for (void* block : live) local.give(block);
  return {{"tick", {nanoseconds_a_tick()}},
          {"first", first.pairs()},
          {"calls", all.calls.pairs()},
          {"clock", all.clock.pairs()},
          {"calls_alone", alone.calls.pairs()},
          {"clock_alone", alone.clock.pairs()},
          {"waited", {kept_waiting}},
          {"faults", {after.faults - before.faults}},
          {"switches", {after.switches - before.switches}}};
}

}  // namespace peers

#endif  // PEERS_LATENCY_HPP
