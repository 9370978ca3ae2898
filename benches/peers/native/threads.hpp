// The scenarios of several threads, started anew for each turn: each warms up, waits for the
// others, and is measured.
//
// Nanoseconds are the processors' together: of n threads on c processors, the time that passed
// times the smaller of both, for each pair of calls of any thread. So a peer that scales has the
// same figure with any number of threads.

#ifndef PEERS_THREADS_HPP
#define PEERS_THREADS_HPP

#include <atomic>
#include <barrier>
#include <memory>
#include <optional>

#include "../../native/ring.hpp"
#include "one_thread.hpp"
#include "processor.hpp"

namespace peers {

using slices::Slices;

constexpr double warm_up_milliseconds = 5;
/// Blocks that threads may keep aside or have under way.
constexpr std::size_t aside = 100000;

/// What a thread has done since the barrier.
struct Done {
  double rate = 0, rate_alone = 0, part_alone = 0;
  double waited = 0;
};

/// Starts threads and measures what `work(slices, milliseconds)` does in each after a warm-up; it
/// adds the pairs that it did to its slices. `make_work` is called in the thread.
template <typename MakeWork>
Answer on_threads(const Request& request, MakeWork make_work) {
  const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
  // More threads than processors wait for each other, and are the system's to place.
  const bool fit = request.threads <= processors;
  std::barrier<> everyone(static_cast<std::ptrdiff_t>(request.threads));
  Slices::Sharing sharing{0};
  std::vector<Done> done(request.threads);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < request.threads; ++i) {
    threads.emplace_back([&, i] {
      std::optional<OnProcessor> bound;
      if (fit) bound.emplace(i);
      auto work = make_work(i);
      {
        Slices warm_up;
        work(warm_up, warm_up_milliseconds);
      }
      everyone.arrive_and_wait();
      const double before = waited();
      Slices slices(&sharing);
      work(slices, request.amount);
      done[i] = {slices.rate(), slices.rate_alone(), slices.part_alone(), waited() - before};
      // What is live is given back when no one is measured any more.
      everyone.arrive_and_wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
  Done all{0, 0, 1, 0};
  for (const Done& one : done) {
    all.rate += one.rate;
    all.rate_alone += one.rate_alone;
    all.part_alone = std::min(all.part_alone, one.part_alone);
    all.waited = std::max(all.waited, one.waited);
  }
  const double at_once = std::min(request.threads, processors);
  if (!fit) return {{"nanoseconds", {at_once / all.rate}}};
  const double rate = all.part_alone < enough_alone ? all.rate : all.rate_alone;
  return {{"nanoseconds", {at_once / rate}},
          {"alone", {all.part_alone}},
          {"waited", {all.waited}}};
}

/// Each thread replaces blocks of its own at random.
template <bool written, typename Peer>
Answer churn(Peer& peer, const Request& request) {
  using Local = decltype(peer.local());
  struct Work {
    Local local;
    Replacement<written, Local> replacement;
    Work(Peer& peer, std::size_t live, unsigned i)
        : local(peer.local()), replacement(local, live, i) {}
  };
  return on_threads(request, [&](unsigned i) {
    return [work = std::make_unique<Work>(peer, request.live, i)](Slices& slices, double time) {
      do slices.add(static_cast<double>(work->replacement.run()));
      while (slices.elapsed() < time * 1e6);
    };
  });
}

/// Between two looks at the clock.
constexpr int some = 1000;

/// Sends blocks for so long, then a null pointer.
template <typename Local>
void produce(Local& local, Ring& ring, Slices& slices, double milliseconds) {
  do {
    for (int i = 0; i < some; ++i) ring.send(take_and_use(local));
    slices.add(0);
  } while (slices.elapsed() < milliseconds * 1e6);
  ring.send(nullptr);
  ring.tell();
}

/// Gives blocks back until there is a null pointer.
template <typename Local>
void consume(Local& local, Ring& ring, Slices& slices) {
  int pairs = 0;
  while (void* block = ring.receive()) {
    if (*static_cast<volatile std::uint64_t*>(block) != 1) std::abort();
    local.give(block);
    if (++pairs < some) continue;
    slices.add(pairs);
    pairs = 0;
  }
}

/// One thread of two takes blocks and writes a word in each; the other reads it and gives them
/// back. A pair of calls is two threads' work, and counts half of it.
template <typename Peer>
Answer handover(Peer& peer, const Request& request) {
  const auto rings = std::make_unique<Ring[]>(request.threads / 2);
  Answer answer = on_threads(request, [&](unsigned i) {
    using Local = decltype(peer.local());
    return [local = std::make_unique<Local>(peer.local()), &ring = rings[i / 2],
            produces = i % 2 == 0](Slices& slices, double milliseconds) {
      produces ? produce(*local, ring, slices, milliseconds) : consume(*local, ring, slices);
    };
  });
  answer[0].second[0] /= 2;
  return answer;
}

/// Each thread sends the blocks that it takes to any of the others, and gives back what it is sent.
template <typename Local>
class Exchange {
 public:
  Exchange(Local local, Ring* rings, unsigned threads, unsigned own)
      : local_(std::move(local)), rings_(rings), threads_(threads), own_(own), numbers_(own) {}

  /// Counts those that it gave back.
  void operator()(Slices& slices, double milliseconds) {
    do {
      double pairs = 0;
      for (int i = 0; i < some; ++i) pairs += step();
      slices.add(pairs);
    } while (slices.elapsed() < milliseconds * 1e6);
  }

  /// Gives back what is still there, when nobody sends any more.
  void drain() {
    for (unsigned other = 0; other < threads_; ++other) {
      Ring& ring = rings_[other * threads_ + own_];
      ring.tell();
      void* block;
      while (ring.try_receive(block)) local_.give(block);
    }
  }

 private:
  double step() {
    double given = 0;
    void* block = take_and_use(local_);
    const std::size_t to = numbers_.below(threads_);
    if (to == own_ || !rings_[own_ * threads_ + to].try_send(block)) {
      local_.give(block);
      given += 1;
    }
    next_ = (next_ + 1) % threads_;
    for (int i = 0; i < 2 && rings_[next_ * threads_ + own_].try_receive(block); ++i) {
      local_.give(block);
      given += 1;
    }
    return given;
  }

  Local local_;
  Ring* rings_;
  unsigned threads_, own_;
  unsigned next_ = 0;
  Numbers numbers_;
};

template <typename Peer>
Answer all_to_all(Peer& peer, const Request& request) {
  using Local = decltype(peer.local());
  const unsigned threads = request.threads;
  const auto rings = std::make_unique<Ring[]>(threads * threads);
  const Answer answer = on_threads(request, [&](unsigned i) {
    auto exchange = std::make_unique<Exchange<Local>>(peer.local(), rings.get(), threads, i);
    return [exchange = std::move(exchange)](Slices& slices, double milliseconds) {
      (*exchange)(slices, milliseconds);
    };
  });
  for (unsigned i = 0; i < threads; ++i) {
    Exchange<Local>(peer.local(), rings.get(), threads, i).drain();
  }
  return answer;
}

}  // namespace peers

#endif  // PEERS_THREADS_HPP
