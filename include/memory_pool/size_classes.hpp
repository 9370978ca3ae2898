// Which block size serves a request: part of memory_resource.hpp.
//
// The sizes are 8, 16, 24, ..., 64 bytes, then four for each doubling: 80, 96, 112, 128, 160, ...
// So a block is less than a quarter larger than what is asked of it, or up to 7 bytes below 64.

#ifndef MEMORY_POOL_SIZE_CLASSES_HPP
#define MEMORY_POOL_SIZE_CLASSES_HPP

#include <bit>
#include <cstddef>

namespace memory_pool::detail {

/// There are no larger classes: 1 MiB.
inline constexpr std::size_t kLargestClassBytes = std::size_t{1} << 20;
inline constexpr std::size_t kClassesMax = 64;

/// The first class whose blocks have `bytes` and are aligned to `alignment`, a power of two. A
/// class is as aligned as its size is divisible, so it is the class of `bytes` rounded up to
/// `alignment`: above 64, a multiple of `alignment` is either itself a size, or between two that
/// are multiples too. A block of 0 bytes is one of 1.
constexpr std::size_t class_of(std::size_t bytes, std::size_t alignment) noexcept {
  const std::size_t last = (bytes - (bytes != 0)) | (alignment - 1);  // the size rounded up, - 1
  const auto doubling = static_cast<std::size_t>(std::bit_width(last | 32)) - 1;
  return (doubling - 5) * 4 + (last >> (doubling - 2));
}

/// The bytes of a block of class `index`.
constexpr std::size_t class_bytes(std::size_t index) noexcept {
  if (index < 4) return 8 * (index + 1);
  return (index % 4 + 5) << (index / 4 + 2);
}

static_assert(class_bytes(kClassesMax - 1) == kLargestClassBytes);
static_assert(class_of(kLargestClassBytes, 1) == kClassesMax - 1);

}  // namespace memory_pool::detail

#endif  // MEMORY_POOL_SIZE_CLASSES_HPP
