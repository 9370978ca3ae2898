// What a memory resource took from its upstream and has to give back: part of memory_resource.hpp.
//
// A table of addresses, not a list through the blocks: a request goes upstream as it came, nothing
// stands beside a block that its user could write over, and an address that is not in the table
// is known as a misuse without being read.

#ifndef MEMORY_POOL_UPSTREAM_BLOCKS_HPP
#define MEMORY_POOL_UPSTREAM_BLOCKS_HPP

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <new>

namespace memory_pool::detail {

struct UpstreamBlock {
  void* address;  // nullptr: the entry is free
  std::size_t bytes;
  std::size_t alignment;
};

/// Open addressing: an entry lies at the place of its hash, or in an unbroken row from there. At
/// most half the entries are taken.
/// Thread-safety: one thread at a time.
class UpstreamBlocks {
 public:
  explicit UpstreamBlocks(std::pmr::memory_resource* upstream) noexcept : upstream_(upstream) {}
  UpstreamBlocks(const UpstreamBlocks&) = delete;
  UpstreamBlocks& operator=(const UpstreamBlocks&) = delete;

  [[nodiscard]] std::pmr::memory_resource* upstream() const noexcept { return upstream_; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  /// A block of the upstream's, remembered. Throws what the upstream throws; nothing is lost then,
  /// because the room to remember it is made first.
  [[nodiscard]] void* allocate(std::size_t bytes, std::size_t alignment) {
    if (2 * (count_ + 1) > room_) grow();
    void* const address = upstream_->allocate(bytes, alignment);
    insert({address, bytes, alignment});
    bytes_ += bytes;
    ++count_;
    return address;
  }

  /// Gives a block back; false if it is none that was allocated in these words.
  bool deallocate(void* address, std::size_t bytes, std::size_t alignment) noexcept {
    if (count_ == 0) return false;
    const std::size_t place = place_of(address);
    const UpstreamBlock found = table_[place];
    if (found.address != address || found.bytes != bytes || found.alignment != alignment) {
      return false;
    }
    close_gap(place);
    bytes_ -= bytes;
    --count_;
    upstream_->deallocate(address, bytes, alignment);
    return true;
  }

  /// Gives everything back, the table too.
  void release() noexcept {
    for (std::size_t place = 0; place < room_; ++place) {
      const UpstreamBlock& block = table_[place];
      if (block.address != nullptr) {
        upstream_->deallocate(block.address, block.bytes, block.alignment);
      }
    }
    free_table(table_, room_);
    table_ = nullptr;
    room_ = count_ = bytes_ = 0;
  }

 private:
  static constexpr std::size_t kFirstRoom = 16;

  /// Where the row of an address begins: the high bits of a product, because the low bits of
  /// addresses are much alike.
  [[nodiscard]] std::size_t first_place_of(const void* address) const noexcept {
    const auto bits = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(address));
    return static_cast<std::size_t>((bits * 0x9E3779B97F4A7C15u) >> 32) & (room_ - 1);
  }

  [[nodiscard]] std::size_t after(std::size_t place) const noexcept {
    return (place + 1) & (room_ - 1);
  }

  /// Where an address is, or the free entry where it would be.
  [[nodiscard]] std::size_t place_of(const void* address) const noexcept {
    std::size_t place = first_place_of(address);
    while (table_[place].address != nullptr && table_[place].address != address) {
      place = after(place);
    }
    return place;
  }

  void insert(const UpstreamBlock& block) noexcept { table_[place_of(block.address)] = block; }

  /// Frees the entry at `gap`; those behind it whose row would be broken move up.
  void close_gap(std::size_t gap) noexcept {
    for (std::size_t place = after(gap); table_[place].address != nullptr; place = after(place)) {
      const std::size_t from_first = place - first_place_of(table_[place].address);
      const bool begins_behind_gap = (from_first & (room_ - 1)) < ((place - gap) & (room_ - 1));
      if (begins_behind_gap) continue;
      table_[gap] = table_[place];
      gap = place;
    }
    table_[gap] = {};
  }

  void grow() {
    UpstreamBlock* const old = table_;
    const std::size_t old_room = room_;
    const std::size_t room = old_room == 0 ? kFirstRoom : 2 * old_room;
    void* const memory = upstream_->allocate(room * sizeof(UpstreamBlock), alignof(UpstreamBlock));
    table_ = static_cast<UpstreamBlock*>(memory);
    room_ = room;
    for (std::size_t place = 0; place < room; ++place) ::new (table_ + place) UpstreamBlock{};
    for (std::size_t place = 0; place < old_room; ++place) {
      if (old[place].address != nullptr) insert(old[place]);
    }
    free_table(old, old_room);
  }

  void free_table(UpstreamBlock* table, std::size_t room) noexcept {
    if (table == nullptr) return;
    upstream_->deallocate(table, room * sizeof(UpstreamBlock), alignof(UpstreamBlock));
  }

  std::pmr::memory_resource* upstream_;
  UpstreamBlock* table_ = nullptr;
  std::size_t room_ = 0;  // a power of two, or 0
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace memory_pool::detail

#endif  // MEMORY_POOL_UPSTREAM_BLOCKS_HPP
