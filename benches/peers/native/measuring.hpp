// What every scenario needs: what is asked for, clocks, and how far a reading can be trusted.

#ifndef PEERS_MEASURING_HPP
#define PEERS_MEASURING_HPP

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../../native/numbers.hpp"
#include "slices.hpp"

namespace peers {

/// What the driver asks for, in one line.
struct Request {
  std::string scenario;
  std::size_t block_size = 0;
  std::size_t live = 0;
  unsigned threads = 1;
  /// Milliseconds to be measured; of `latency`, millions of operations.
  double amount = 0;
  /// Of patterns and churn: a word is written into each block. In the others it always is.
  bool written = false;
};

/// What a pool is made for. Those without a limit need not look at the numbers of blocks.
struct Shape {
  std::size_t block_size;
  /// There from the start.
  std::size_t initial;
  /// Never are more live, or kept aside by threads.
  std::size_t maximum;
};

/// What a peer can do beside taking and giving blocks on one thread.
struct Abilities {
  /// Any thread may call, and give what another took.
  bool any_thread = false;
  /// It is a pool that a program makes, and not there from the start of the process.
  bool is_made = true;
  /// It can begin small.
  bool grows = true;
};

/// A value of an answer: its name and its numbers.
using Value = std::pair<std::string, std::vector<double>>;
/// Empty: the peer can't do that.
using Answer = std::vector<Value>;

/// For the compiler: the block goes somewhere.
inline void keep(void* block) { asm volatile("" : : "r"(block) : "memory"); }

/// A word is written into the block.
inline void use(void* block) {
  *static_cast<volatile std::uint64_t*>(block) = 1;
  keep(block);
}

/// A null block is fast to take, and is not to win by it.
[[noreturn]] inline void exhausted() {
  std::fputs("no blocks left\n", stderr);
  std::abort();
}

using slices::Clock;
using slices::nanoseconds_since;

/// How long the scheduler has kept this thread waiting since it started, in nanoseconds: others
/// had the processors. A thread that sleeps is not kept waiting. 0 where the system doesn't say.
inline double waited() {
  std::FILE* file = std::fopen("/proc/thread-self/schedstat", "r");
  if (file == nullptr) return 0;
  double ran = 0, kept_waiting = 0;
  const bool known = std::fscanf(file, "%lf %lf", &ran, &kept_waiting) == 2;
  std::fclose(file);
  return known ? kept_waiting : 0;
}

/// Where threads had their cores for themselves for less of the time, all of it counts.
constexpr double enough_alone = 0.05;

/// `waited_before` is what `waited` answered before the first slice.
inline Answer answer_of(const slices::Slices& slices, double waited_before) {
  const double alone = slices.part_alone();
  const double rate = alone < enough_alone ? slices.rate() : slices.rate_alone();
  return {{"nanoseconds", {1 / rate}},
          {"alone", {alone}},
          {"waited", {waited() - waited_before}}};
}

/// Repeats `run`, which answers how many operations it did, for so many milliseconds.
template <typename Run>
Answer timed(double milliseconds, Run run) {
  run();  // Not timed: others have had the caches since the last turn.
  const double before = waited();
  slices::Slices slices;
  do slices.add(static_cast<double>(run())); while (!slices.are_enough(milliseconds * 1e6));
  return answer_of(slices, before);
}

/// More than a block for every other one, for what threads keep aside.
inline Shape shape_for(const Request& request, std::size_t aside) {
  const std::size_t blocks = request.live * request.threads + aside;
  return {request.block_size, blocks, blocks};
}

}  // namespace peers

#endif  // PEERS_MEASURING_HPP
