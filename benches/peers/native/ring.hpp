// A queue of pointers from one thread to one other, made to cost little beside an allocator.
//
// Each side counts on a cache line of its own and remembers what it last read of the other's, so
// that lines change hands only when a side runs out of slots. It then looks away for a moment: a
// side that waited for one slot at a time would take the line from the other at each block.

#ifndef PEERS_RING_HPP
#define PEERS_RING_HPP

#include <array>
#include <atomic>
#include <cstddef>
#include <thread>

namespace peers {

inline void spin() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// One thread sends, one receives.
class Ring {
 public:
  static constexpr std::size_t slots = 2048;

  /// Answers false if there is no room.
  bool try_send(void* block) {
    if (sender_.own == sender_.others + slots) {
      sender_.others = received_.count.load(std::memory_order_acquire);
      if (sender_.own == sender_.others + slots) return false;
    }
    blocks_[sender_.own++ % slots] = block;
    sent_.count.store(sender_.own, std::memory_order_release);
    return true;
  }

  /// Answers false if nothing is there.
  bool try_receive(void*& block) {
    if (receiver_.own == receiver_.others) {
      receiver_.others = sent_.count.load(std::memory_order_acquire);
      if (receiver_.own == receiver_.others) return false;
    }
    block = blocks_[receiver_.own++ % slots];
    received_.count.store(receiver_.own, std::memory_order_release);
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

  // Who has waited in vain for long lets others run: the other side may have no processor.
  static void look_away(unsigned attempt) {
    for (int i = 0; i < 32; ++i) spin();
    if (attempt % 16 == 0) std::this_thread::yield();
  }

  Counter sent_, received_;
  Side sender_, receiver_;
  std::array<void*, slots> blocks_{};
};

}  // namespace peers

#endif  // PEERS_RING_HPP
