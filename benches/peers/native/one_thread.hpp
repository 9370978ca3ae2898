// The scenarios of one thread, compiled anew for each peer, so that what can be inlined is.
//
// The patterns come in two forms: the calls alone, and with a word written into each block.

#ifndef PEERS_ONE_THREAD_HPP
#define PEERS_ONE_THREAD_HPP

#include "measuring.hpp"

namespace peers {

template <bool written, typename Local>
inline void* take(Local& local) {
  void* block = local.take();
  if (block == nullptr) [[unlikely]] exhausted();
  if constexpr (written) {
    use(block);
  } else {
    keep(block);
  }
  return block;
}

template <typename Local>
inline void* take_and_use(Local& local) {
  return take<true>(local);
}

/// One block, taken and given back.
template <typename Local>
Answer pair(Local& local, const Request& request) {
  return timed(request.amount, [&local] {
    for (int i = 0; i < 1000; ++i) local.give(take<false>(local));
    return 1000;
  });
}

/// So many are taken and given back, the newest first or the oldest. A peer that gives back all at
/// once does it in `end_of_burst`.
template <bool newest_first, bool written, typename Local>
Answer burst(Local& local, const Request& request) {
  std::vector<void*> live(request.live);
  return timed(request.amount, [&] {
    for (void*& block : live) block = take<written>(local);
    if constexpr (requires { local.end_of_burst(); }) {
      local.end_of_burst();
    } else if constexpr (newest_first) {
      for (auto last = live.rbegin(); last != live.rend(); ++last) local.give(*last);
    } else {
      for (void* block : live) local.give(block);
    }
    return live.size();
  });
}

/// So many stay live; one at random is given back and replaced.
template <bool written, typename Local>
class Replacement {
 public:
  Replacement(Local& local, std::size_t count, std::uint64_t seed)
      : local_(local), live_(count), order_(std::min<std::size_t>(count, 1 << 22)) {
    Numbers numbers(seed);
    for (void*& block : live_) block = take_and_use(local_);
    for (auto& place : order_) place = static_cast<std::uint32_t>(numbers.below(count));
  }
  Replacement(const Replacement&) = delete;
  ~Replacement() {
    for (void* block : live_) local_.give(block);
  }

  /// A thousand or so, and how many.
  std::size_t run() {
    const std::size_t end = std::min(next_ + 1024, order_.size());
    const std::size_t count = end - next_;
    for (; next_ < end; ++next_) {
      void*& block = live_[order_[next_]];
      local_.give(block);
      block = take<written>(local_);
    }
    if (next_ == order_.size()) next_ = 0;
    return count;
  }

 private:
  Local& local_;
  std::vector<void*> live_;
  std::vector<std::uint32_t> order_;
  std::size_t next_ = 0;
};

template <bool written, typename Local>
Answer random(Local& local, const Request& request) {
  Replacement<written, Local> replacement(local, request.live, 0);
  // As often as there are blocks, as long as that is soon done: the peer's order is a used one.
  for (std::size_t done = 0; done < std::min<std::size_t>(request.live, 1 << 20);) {
    done += replacement.run();
  }
  return timed(request.amount, [&replacement] { return replacement.run(); });
}

/// While other memory has the processor's caches: a few blocks are taken, written from end to end
/// and given back. The blocks that wait lie anywhere.
template <typename Local>
Answer cold(Local& local, const Request& request) {
  constexpr std::size_t blocks_a_time = 64, other_bytes = 48 << 20;
  std::vector<void*> live(request.live);
  for (void*& block : live) block = take_and_use(local);
  Numbers numbers;
  for (std::size_t i = live.size(); i > 1; --i) std::swap(live[i - 1], live[numbers.below(i)]);
  for (void* block : live) local.give(block);
  std::vector<char> other(other_bytes);
  const double before = waited();
  const auto start = Clock::now();
  slices::Slices slices;
  do {
    for (std::size_t i = 0; i < other.size(); i += 64) ++other[i];
    slices.begin();
    for (std::size_t i = 0; i < blocks_a_time; ++i) {
      std::memset(live[i] = take_and_use(local), 1, request.block_size);
    }
    for (std::size_t i = 0; i < blocks_a_time; ++i) local.give(live[i]);
    slices.end(blocks_a_time);
  } while (nanoseconds_since(start) < request.amount * 1e6);
  return answer_of(slices, before);
}

/// From a pool that begins with 1024 blocks: so many are taken, and none is given back before.
template <typename Local>
Answer growth(Local& local, const Request& request) {
  std::vector<void*> live(request.live, &local);
  const double before = waited();
  const auto start = Clock::now();
  for (void*& block : live) block = take_and_use(local);
  const double elapsed = nanoseconds_since(start);
  const double kept_waiting = waited() - before;
  for (void* block : live) local.give(block);
  return {{"nanoseconds", {elapsed / static_cast<double>(live.size())}},
          {"waited", {kept_waiting}}};
}

/// Bytes of this process that are in memory, without those of files, such as its code.
inline double resident() {
  std::FILE* file = std::fopen("/proc/self/smaps_rollup", "r");
  if (file == nullptr) return 0;
  char line[256];
  double sum = 0, kibibytes = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::sscanf(line, "Pss_Anon: %lf kB", &kibibytes) == 1) sum += kibibytes;
    if (std::sscanf(line, "Pss_Shmem: %lf kB", &kibibytes) == 1) sum += kibibytes;
  }
  std::fclose(file);
  return sum * 1024;
}

/// What so many blocks, written from end to end, take of memory beside their own bytes, and what
/// is kept when they were given back; bytes a block. They are taken twice, because some note down
/// only what came back. `before` is what the process had without.
template <typename Local>
Answer memory(Local& local, const Request& request, std::vector<void*>& live, double before) {
  for (void*& block : live) std::memset(block = take_and_use(local), 1, request.block_size);
  for (void* block : live) local.give(block);
  for (void*& block : live) std::memset(block = take_and_use(local), 1, request.block_size);
  const double full = resident();
  for (void* block : live) local.give(block);
  const double count = static_cast<double>(live.size());
  const double own = count * static_cast<double>(request.block_size);
  return {{"beside", {(full - before - own) / count}}, {"kept", {(resident() - before) / count}}};
}

}  // namespace peers

#endif  // PEERS_ONE_THREAD_HPP
