// MemoryResourceOptions: what a memory resource is to be like.
//
//     MemoryResource resource(MemoryResourceOptions().largest_block(512).named("orders"));

#ifndef MEMORY_POOL_MEMORY_RESOURCE_OPTIONS_HPP
#define MEMORY_POOL_MEMORY_RESOURCE_OPTIONS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory_resource>

#include "pool.h"
#include "size_classes.hpp"

namespace memory_pool {
namespace detail {

/// "memory_resource 64": what the log calls one of many pools.
class PoolName {
 public:
  constexpr explicit PoolName(const char* text) noexcept {
    while (length_ < kNameBytes && text[length_] != '\0') {
      text_[length_] = text[length_];
      ++length_;
    }
  }

  constexpr void append(std::size_t number) noexcept {
    std::size_t unit = 1;
    while (number / unit >= 10) unit *= 10;
    text_[length_++] = ' ';
    for (; unit > 0; unit /= 10) text_[length_++] = static_cast<char>('0' + number / unit % 10);
  }

  [[nodiscard]] constexpr const char* text() const noexcept { return text_; }

 private:
  static constexpr std::size_t kNameBytes = 40;
  static constexpr std::size_t kNumberBytes = 8;  // a space, and 1 MiB at most

  std::size_t length_ = 0;
  char text_[kNameBytes + kNumberBytes + 1] = {};
};

}  // namespace detail

/// Words for how each pool of a resource is made. Every setter answers the object itself.
/// Thread-safety: that of a struct.
class MemoryResourceOptions {
 public:
  constexpr MemoryResourceOptions() noexcept = default;

  /// What the standard's pool resources are asked: largest_required_pool_block is largest_block(),
  /// and a pool begins with at most max_blocks_per_chunk blocks; 0 is the default of either.
  constexpr explicit MemoryResourceOptions(const std::pmr::pool_options& options) noexcept {
    const std::size_t largest = options.largest_required_pool_block;
    if (options.max_blocks_per_chunk != 0) first_blocks_max_ = options.max_blocks_per_chunk;
    if (largest != 0) largest_block(largest);
  }

  /// The largest request that a pool serves, in bytes, rounded up to a size class; at most 1 MiB,
  /// also if more is asked. Default: 4096.
  constexpr MemoryResourceOptions& largest_block(std::size_t bytes) noexcept {
    const std::size_t most = (std::min)(bytes, detail::kLargestClassBytes);
    largest_block_ = detail::class_bytes(detail::class_of(most, 1));
    return *this;
  }

  /// Blocks that a pool has when it is made; it grows by steps of its own. 0: 64 KiB of them.
  constexpr MemoryResourceOptions& first_blocks(std::size_t blocks) noexcept {
    first_blocks_ = blocks;
    return *this;
  }

  /// How far each pool may grow, in bytes; what is more comes from the upstream, and costs more.
  /// It is address space that is reserved, not memory; where the system refuses it, 4 MiB. Default:
  /// 2 GiB; 2 MiB on a 32-bit processor.
  constexpr MemoryResourceOptions& growable_to(std::size_t bytes) noexcept {
    growable_to_ = bytes;
    return *this;
  }

  /// For the log, where the block size of the pool stands behind it; copied, cut after 40 bytes.
  /// nullptr: "memory_resource".
  constexpr MemoryResourceOptions& named(const char* name) noexcept {
    name_ = detail::PoolName(name != nullptr ? name : kName);
    return *this;
  }

  /// The caller is trusted: POOL_CHECKS_NONE.
  constexpr MemoryResourceOptions& unchecked() noexcept {
    checks_ = POOL_CHECKS_NONE;
    return *this;
  }

  /// Everything is checked: POOL_CHECKS_FULL.
  constexpr MemoryResourceOptions& fully_checked() noexcept {
    checks_ = POOL_CHECKS_FULL;
    return *this;
  }

  /// A misuse ends the program; by default it is logged, and nothing is changed.
  constexpr MemoryResourceOptions& aborting_on_misuse() noexcept {
    on_misuse_ = POOL_MISUSE_ABORT;
    return *this;
  }

  /// As the standard names it: what the setters came to.
  [[nodiscard]] constexpr std::pmr::pool_options standard_options() const noexcept {
    std::pmr::pool_options options;
    options.max_blocks_per_chunk = first_blocks_of(detail::class_bytes(0));
    options.largest_required_pool_block = largest_block_;
    return options;
  }

  /// What the log calls the pool of blocks of `bytes`.
  [[nodiscard]] constexpr detail::PoolName name_of(std::size_t bytes) const noexcept {
    detail::PoolName name = name_;
    name.append(bytes);
    return name;
  }

  /// The options of the pool of blocks of `bytes`, without a name.
  [[nodiscard]] constexpr pool_options_t pool_of(std::size_t bytes,
                                                 std::uint32_t threading) const noexcept {
    pool_options_t options = POOL_OPTIONS_INIT;
    options.block_size = bytes;
    options.capacity = first_blocks_of(bytes);
    options.max_capacity = std::clamp(growable_to_ / bytes, options.capacity, kBlocksMax);
    // Said, because what a pool does by itself ends at the OS page.
    options.alignment = bytes & (~bytes + 1);
    options.threading = threading;
    options.checks = checks_;
    options.on_misuse = on_misuse_;
    return options;
  }

 private:
  static constexpr const char* kName = "memory_resource";
  static constexpr std::size_t kFirstBytes = std::size_t{64} << 10;
  static constexpr bool kIsWide = sizeof(std::size_t) > 4;
  // A pool of several threads numbers its blocks in half a word.
  static constexpr std::size_t kBlocksMax = (std::size_t{1} << (4 * sizeof(std::size_t))) - 2;

  [[nodiscard]] constexpr std::size_t first_blocks_of(std::size_t bytes) const noexcept {
    if (first_blocks_ != 0) return (std::min)(first_blocks_, kBlocksMax);
    return std::clamp<std::size_t>(kFirstBytes / bytes, 1, first_blocks_max_);
  }

  std::size_t largest_block_ = 4096;
  std::size_t first_blocks_ = 0;
  std::size_t first_blocks_max_ = SIZE_MAX;
  std::size_t growable_to_ = std::size_t{2} << (kIsWide ? 30 : 20);
  detail::PoolName name_{kName};
  std::uint32_t checks_ = POOL_CHECKS_STANDARD;
  std::uint32_t on_misuse_ = POOL_MISUSE_RETURN;
};

}  // namespace memory_pool

#endif  // MEMORY_POOL_MEMORY_RESOURCE_OPTIONS_HPP
