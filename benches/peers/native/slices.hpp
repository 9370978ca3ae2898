// Time, measured in slices, of which those count in which nobody shared the core.
//
// A virtual processor is often one of the two threads of a core, and the other may be anybody's.
// While that one works, code that fills the core takes up to twice as long and code that waits for
// memory hardly longer, and single calls are stopped for 100 ns now and then: ratios change by half
// with what a neighbour does. No figure of the system tells; a probe does: additions that do not
// wait for each other take half as long again on half a core. It looks at the core alone, not at
// what is measured, so that it chooses times and not outcomes: the same for everyone.
//
//     probe | slice of 50 us | probe | slice ...      a slice counts between two quick probes

#ifndef PEERS_SLICES_HPP
#define PEERS_SLICES_HPP

#include <algorithm>
#include <atomic>
#include <chrono>

namespace slices {

using Clock = std::chrono::steady_clock;

inline double nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

/// The time of additions that fill a core, in nanoseconds. One copy: where a loop lies changes how
/// long it takes.
[[gnu::noinline]] inline double probe() {
  unsigned long a = 0, b = 0, c = 0, d = 0, e = 0, f = 0;
  const auto start = Clock::now();
  for (int i = 0; i < 3000; ++i) {
    ++a, ++b, ++c, ++d, ++e, ++f;
    asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
  }
  return nanoseconds_since(start);
}

/// The shortest that a probe took in this process. Looked for at the first call, for longer than
/// neighbours usually work without a break.
inline std::atomic<double>& quickest_probe() {
  static std::atomic<double> quickest = [] {
    const auto start = Clock::now();
    double shortest = probe();
    while (nanoseconds_since(start) < 30e6) shortest = std::min(shortest, probe());
    return shortest;
  }();
  return quickest;
}

/// Whether somebody else works on the calling thread's core.
inline bool is_shared() {
  std::atomic<double>& quickest = quickest_probe();
  const double now = probe();
  if (now < quickest.load(std::memory_order_relaxed)) {
    quickest.store(now, std::memory_order_relaxed);
  }
  return now > 1.1 * quickest.load(std::memory_order_relaxed);
}

/// What a thread did in which time.
class Slices {
 public:
  /// Of threads that work together, how many share their core with somebody else.
  using Sharing = std::atomic<unsigned>;

  /// Begins the first one. Of threads that work together, slices count in which all of `threads`
  /// have their cores for themselves.
  explicit Slices(Sharing* threads = nullptr) : threads_(threads == nullptr ? &own_ : threads) {
    begin();
  }
  Slices(const Slices&) = delete;
  Slices& operator=(const Slices&) = delete;
  ~Slices() { threads_->fetch_sub(is_counted_, std::memory_order_relaxed); }

  /// What was done since the last one was begun. Ends it and begins the next when it is long
  /// enough.
  void add(double operations) {
    operations_ += operations;
    if (nanoseconds_since(start_) < long_enough) return;
    end();
    start_ = Clock::now();
  }

  /// For those who measure only now and then.
  void begin() {
    was_shared_ = look();
    start_ = Clock::now();
  }
  void end(double operations) {
    operations_ += operations;
    end();
  }

  /// So many nanoseconds were measured: enough, if half of them count; four times as many else.
  bool are_enough(double nanoseconds) const {
    if (all_.elapsed < nanoseconds) return false;
    return alone_.elapsed >= nanoseconds / 2 || all_.elapsed >= 4 * nanoseconds;
  }

  /// All nanoseconds that were measured.
  double elapsed() const { return all_.elapsed; }
  /// The part of them in which the core was not shared.
  double part_alone() const { return all_.elapsed > 0 ? alone_.elapsed / all_.elapsed : 0; }
  /// Operations a nanosecond while it was not, and in all the time.
  double rate_alone() const { return alone_.rate(); }
  double rate() const { return all_.rate(); }

 private:
  struct Sum {
    double elapsed = 0, operations = 0;
    double rate() const { return elapsed > 0 ? operations / elapsed : 0; }
    void add(double more_elapsed, double more_operations) {
      elapsed += more_elapsed;
      operations += more_operations;
    }
  };
  static constexpr double long_enough = 50e3;

  void end() {
    const double elapsed = nanoseconds_since(start_);
    const bool shared = look();
    if (!shared && !was_shared_) alone_.add(elapsed, operations_);
    all_.add(elapsed, operations_);
    was_shared_ = shared;
    operations_ = 0;
  }

  bool look() {
    const bool shared = is_shared();
    if (shared && !is_counted_) threads_->fetch_add(1, std::memory_order_relaxed);
    if (!shared && is_counted_) threads_->fetch_sub(1, std::memory_order_relaxed);
    is_counted_ = shared;
    return threads_->load(std::memory_order_relaxed) > 0;
  }

  Sharing own_{0};
  Sharing* threads_;
  bool is_counted_ = false;
  Clock::time_point start_;
  double operations_ = 0;
  bool was_shared_ = false;
  Sum all_, alone_;
};

}  // namespace slices

#endif  // PEERS_SLICES_HPP
