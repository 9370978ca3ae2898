// A queue of pointers from one thread to one other, made to cost little beside an allocator.
//
// Each side counts on a cache line of its own, tells the other of a burst at a time, and remembers
// what it last read of the other's, so that lines change hands only when a side runs out of slots.
// It then looks away for a moment: a side that waited for one slot at a time would take the line
// from the other at each block. Bursts are what the rings of packet drivers pass on; a queue that
// tells of each block takes more time than most allocators do (docs/benchmarks has the handover of
// blocks that nobody allocates).

#ifndef BENCHES_RING_HPP
#define BENCHES_RING_HPP

#include <array>
#include <atomic>
#include <cstddef>
#include <thread>

/// One thread sends, one receives.
class Ring {
 public:
  static constexpr std::size_t slots = 2048;
  static constexpr std::size_t burst = 32;
  // Or a sender that finds no room could have blocks that it did not tell of.
  static_assert(slots % burst == 0);

  /// Answers false if there is no room.
  bool try_send(void* block) {
    if (sender_.own == sender_.others + slots) {
      sender_.others = received_.count.load(std::memory_order_acquire);
      if (sender_.own == sender_.others + slots) return false;
    }
    blocks_[sender_.own++ % slots] = block;
    if (sender_.own % burst == 0) tell();
    return true;
  }

  /// Tells the receiver what was sent, though it is not a whole burst. By the sender.
  void tell() { sent_.count.store(sender_.own, std::memory_order_release); }

  /// Answers false if nothing is there.
  bool try_receive(void*& block) {
    if (receiver_.own == receiver_.others) {
      receiver_.others = sent_.count.load(std::memory_order_acquire);
      if (receiver_.own == receiver_.others) return false;
    }
    block = blocks_[receiver_.own++ % slots];
    if (receiver_.own % burst == 0) {
      received_.count.store(receiver_.own, std::memory_order_release);
    }
    return true;
  }

  void send(void* block) {
    for (unsigned attempt = 1; !try_send(block); ++attempt) look_away(attempt);
  }

  void* receive() {
    void* block;
    for (unsigned attempt = 1; !try_receive(block); ++attempt) look_away(attempt);
    return block;
  }

 private:
  // Alone on its cache line, and on the next, which some processors fetch with it.
  struct alignas(128) Counter {
    std::atomic<std::size_t> count{0};
  };
  struct alignas(128) Side {
    std::size_t own = 0;
    std::size_t others = 0;
  };

  static void spin() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  // Who has waited in vain for long lets others run: the other side may have no processor.
  static void look_away(unsigned attempt) {
    for (int i = 0; i < 32; ++i) spin();
    if (attempt % 16 == 0) std::this_thread::yield();
  }

  Counter sent_, received_;
  Side sender_, receiver_;
  std::array<void*, slots> blocks_{};
};

#endif  // BENCHES_RING_HPP
