// A processor for each thread that is measured. One that the system moves finds the caches of the
// other processor cold, and how often it is moved is luck: of the machine, not of an allocator.

#ifndef PEERS_PROCESSOR_HPP
#define PEERS_PROCESSOR_HPP

#include <sched.h>

/// Keeps the calling thread on one of the processors that it may use, until this is destroyed.
/// Where there are fewer, or the system refuses, the thread runs wherever it is sent.
class OnProcessor {
 public:
  /// `number` counts from 0, among those that the thread may use.
  explicit OnProcessor(unsigned number) {
    CPU_ZERO(&before_);
    sched_getaffinity(0, sizeof before_, &before_);
    for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
      if (!CPU_ISSET(processor, &before_) || number-- > 0) continue;
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(processor, &one);
      is_bound_ = sched_setaffinity(0, sizeof one, &one) == 0;
      return;
    }
  }
  OnProcessor(const OnProcessor&) = delete;
  OnProcessor& operator=(const OnProcessor&) = delete;
  ~OnProcessor() {
    if (is_bound_) sched_setaffinity(0, sizeof before_, &before_);
  }

 private:
  cpu_set_t before_;
  bool is_bound_ = false;
};

#endif  // PEERS_PROCESSOR_HPP
