// Numbers that look random and are the same for everyone.

#ifndef BENCHES_NUMBERS_HPP
#define BENCHES_NUMBERS_HPP

#include <cstddef>
#include <cstdint>

/// A linear congruential generator, of which the high half is good enough to pick a place.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed = 0) : state_(seed * 2 + 0x9E3779B97F4A7C15u) {}

  std::size_t below(std::size_t end) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(((state_ >> 32) * end) >> 32);
  }

 private:
  std::uint64_t state_;
};

#endif  // BENCHES_NUMBERS_HPP
