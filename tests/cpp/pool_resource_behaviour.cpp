// What the standard demands of a pool resource: [mem.res.pool.overview], [mem.res.pool.ctor],
// [mem.res.pool.mem], [mem.res.private]. The standard library's own two are the control: what is
// checked here is not fitted to ours.

#include <cstring>
#include <memory_resource>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

#include "../c/check.h"
#include "memory_pool/memory_resource.hpp"
#include "recording_resource.hpp"

namespace {

/// Through volatile, because compilers take the alignment of what allocate() answers for granted.
bool is_aligned(const void* block, std::size_t alignment) {
  const volatile std::uintptr_t address = reinterpret_cast<std::uintptr_t>(block);
  return address % alignment == 0;
}

template <typename Resource>
constexpr bool is_ours = std::is_same_v<Resource, memory_pool::MemoryResource> ||
                         std::is_same_v<Resource, memory_pool::ConcurrentMemoryResource>;

/// The resources of libstdc++ 12 serve 24 bytes aligned to 16 from the pool of 24 bytes, where
/// every other block is not: they are asked for multiples of the alignment alone.
template <typename Resource>
std::size_t bytes_to_ask(std::size_t bytes, std::size_t alignment) {
  return is_ours<Resource> ? bytes : (bytes + alignment - 1) / alignment * alignment;
}

struct Block {
  unsigned char* address;
  std::size_t bytes;
  std::size_t alignment;
  unsigned char mark;

  Block(std::pmr::memory_resource& resource, std::size_t bytes_, std::size_t alignment_, int mark_)
      : address(static_cast<unsigned char*>(resource.allocate(bytes_, alignment_))),
        bytes(bytes_), alignment(alignment_), mark(static_cast<unsigned char>(mark_)) {
    CHECK(address != nullptr && is_aligned(address, alignment));
    std::memset(address, mark, bytes);
  }
  /// Whether nobody else wrote to it.
  [[nodiscard]] bool is_intact() const {
    for (std::size_t i = 0; i < bytes; ++i) {
      if (address[i] != mark) return false;
    }
    return true;
  }
  void give_back_to(std::pmr::memory_resource& resource) const {
    CHECK(is_intact());
    resource.deallocate(address, bytes, alignment);
  }
};

template <typename Resource>
void an_exception_of_the_upstream_passes_and_nothing_is_lost() {
  for (std::size_t allowed = 0; allowed < 12; ++allowed) {
    RecordingResource upstream;
    Resource resource(&upstream);
    const std::size_t large = resource.options().largest_required_pool_block + 1;
    std::vector<Block> blocks;
    upstream.throw_after(allowed);
    bool is_thrown = false;
    try {
      for (int i = 0; i < 40; ++i) blocks.emplace_back(resource, large + blocks.size(), 16, i);
    } catch (const UpstreamIsOut&) {
      is_thrown = true;
    }
    CHECK(is_thrown && blocks.size() <= allowed);
    upstream.throw_after(SIZE_MAX);
    blocks.emplace_back(resource, large, 16, 7);
    for (const Block& block : blocks) block.give_back_to(resource);
    resource.release();
    CHECK(upstream.live() == 0);
  }
}

template <typename Resource>
void a_request_that_nobody_can_meet_is_bad_alloc() {
  for (const std::size_t bytes : {std::size_t{1} << 24, SIZE_MAX / 2}) {
    bool is_thrown = false;
    try {
      // Inside, because the control may ask its upstream from the start.
      Resource resource(std::pmr::null_memory_resource());
      [[maybe_unused]] void* const block = resource.allocate(bytes, 8);
    } catch (const std::bad_alloc&) {
      is_thrown = true;
    }
    CHECK(is_thrown);
  }
}

template <typename Resource>
void every_answer_is_aligned_and_nobody_elses() {
  RecordingResource upstream;
  Resource resource(&upstream);
  std::vector<Block> blocks;
  for (std::size_t bytes = 0; bytes <= 5000; ++bytes) {
    for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
      const std::size_t asked = bytes_to_ask<Resource>(bytes, alignment);
      blocks.emplace_back(resource, asked, alignment, static_cast<int>(blocks.size()));
    }
    if (bytes % 50 != 0) continue;
    for (const Block& block : blocks) block.give_back_to(resource);
    blocks.clear();
  }
}

template <typename Resource>
void a_request_of_nothing_is_a_block_of_its_own() {
  Resource resource;
  std::vector<void*> blocks;
  for (std::size_t alignment = 1; alignment <= 64; alignment *= 2) {
    for (int i = 0; i < 3; ++i) {
      blocks.push_back(resource.allocate(0, alignment));
      CHECK(blocks.back() != nullptr && is_aligned(blocks.back(), alignment));
    }
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    resource.deallocate(blocks[i], 0, std::size_t{1} << (i / 3));
  }
}

template <typename Resource>
void a_block_larger_than_the_largest_comes_from_the_upstream() {
  RecordingResource upstream;
  Resource resource(std::pmr::pool_options{0, 512}, &upstream);
  const std::size_t largest = resource.options().largest_required_pool_block;
  CHECK(largest >= 512);
  for (const std::size_t alignment : {1, 8, 64, 4096, 65536}) {
    const std::size_t asked = bytes_to_ask<Resource>(largest + 1, alignment);
    const Block block(resource, asked, alignment, 3);
    CHECK(upstream.last().bytes >= largest + 1 && upstream.last().alignment >= alignment);
    block.give_back_to(resource);
  }
}

template <typename Resource>
void release_gives_all_back_although_it_is_in_use(bool at_the_end) {
  RecordingResource upstream;
  {
    Resource resource(&upstream);
    for (int round = 0; round < 3; ++round) {
      for (std::size_t bytes = 8; bytes < 20000; bytes += 64) Block(resource, bytes, 8, round);
      CHECK(upstream.live() > 0);
      if (at_the_end) continue;
      resource.release();
      CHECK(upstream.live() == 0);
      CHECK(resource.upstream_resource() == &upstream);
    }
  }
  CHECK(upstream.live() == 0);
}

template <typename Resource>
void what_comes_back_is_used_again() {
  RecordingResource upstream;
  Resource resource(&upstream);
  std::size_t allocations = 0;
  for (int round = 0; round < 10; ++round) {
    std::vector<Block> blocks;
    for (int i = 0; i < 5000; ++i) {
      blocks.emplace_back(resource, static_cast<std::size_t>(i % 500), 8, i);
    }
    if (round == 1) allocations = upstream.allocations();
    for (const Block& block : blocks) block.give_back_to(resource);
  }
  CHECK(upstream.allocations() == allocations);
}

template <typename Resource>
void blocks_that_come_and_go_at_random_stay_whole() {
  RecordingResource upstream;
  Resource resource(std::pmr::pool_options{64, 2048}, &upstream);
  std::mt19937 random(42);
  std::vector<Block> live;
  for (int step = 0; step < 50000; ++step) {
    if (live.size() < 1000 && random() % 2 == 0) {
      const std::size_t bytes = random() % 10 == 0 ? random() % 9000 : random() % 300;
      const std::size_t alignment = std::size_t{1} << random() % 8;
      live.emplace_back(resource, bytes_to_ask<Resource>(bytes, alignment), alignment, step);
    } else if (!live.empty()) {
      std::swap(live[random() % live.size()], live.back());
      live.back().give_back_to(resource);
      live.pop_back();
    }
  }
  for (const Block& block : live) CHECK(block.is_intact());
}

template <typename Resource>
void a_resource_is_equal_to_itself_alone() {
  Resource one, other;
  CHECK(one == one && !(one == other) && one != other);
  CHECK(one.is_equal(one) && !one.is_equal(other));
  CHECK(!one.is_equal(*std::pmr::new_delete_resource()));
}

template <typename Resource>
void the_upstream_is_the_one_given_or_the_default_of_that_moment() {
  RecordingResource first, given;
  std::pmr::memory_resource* const old = std::pmr::set_default_resource(&first);
  Resource by_default, with_options(std::pmr::pool_options{}), told(&given);
  Resource all(std::pmr::pool_options{}, &given);
  Resource in_braces({.max_blocks_per_chunk = 10, .largest_required_pool_block = 64}, &given);
  Resource in_empty_braces({}, &given);
  std::pmr::set_default_resource(old);
  CHECK(by_default.upstream_resource() == &first && with_options.upstream_resource() == &first);
  CHECK(told.upstream_resource() == &given && all.upstream_resource() == &given);
  CHECK(in_braces.upstream_resource() == &given);
  CHECK(in_empty_braces.upstream_resource() == &given);
}

template <typename Resource>
void options_say_what_became_of_them() {
  const std::pmr::pool_options defaults = Resource().options();
  CHECK(defaults.max_blocks_per_chunk > 0 && defaults.largest_required_pool_block > 0);
  const std::pmr::pool_options small = Resource(std::pmr::pool_options{10, 100}).options();
  CHECK(small.max_blocks_per_chunk > 0 && small.largest_required_pool_block >= 100);
  const std::pmr::pool_options most{SIZE_MAX, SIZE_MAX};
  Resource resource(most);
  Block(resource, 100000, 8, 9).give_back_to(resource);
  CHECK(resource.options().largest_required_pool_block < SIZE_MAX);
}

template <typename Resource>
void one_resource() {
  using std::pmr::memory_resource;
  using std::pmr::pool_options;
  static_assert(std::is_base_of_v<memory_resource, Resource>);
  static_assert(!std::is_copy_constructible_v<Resource> && !std::is_move_constructible_v<Resource>);
  static_assert(!std::is_copy_assignable_v<Resource> && !std::is_move_assignable_v<Resource>);
  static_assert(!std::is_convertible_v<memory_resource*, Resource>);
  static_assert(!std::is_convertible_v<pool_options, Resource>);
  an_exception_of_the_upstream_passes_and_nothing_is_lost<Resource>();
  a_request_that_nobody_can_meet_is_bad_alloc<Resource>();
  every_answer_is_aligned_and_nobody_elses<Resource>();
  a_request_of_nothing_is_a_block_of_its_own<Resource>();
  a_block_larger_than_the_largest_comes_from_the_upstream<Resource>();
  release_gives_all_back_although_it_is_in_use<Resource>(false);
  release_gives_all_back_although_it_is_in_use<Resource>(true);
  what_comes_back_is_used_again<Resource>();
  blocks_that_come_and_go_at_random_stay_whole<Resource>();
  a_resource_is_equal_to_itself_alone<Resource>();
  the_upstream_is_the_one_given_or_the_default_of_that_moment<Resource>();
  options_say_what_became_of_them<Resource>();
}

}  // namespace

int main() {
  one_resource<std::pmr::unsynchronized_pool_resource>();
  one_resource<std::pmr::synchronized_pool_resource>();
  one_resource<memory_pool::MemoryResource>();
  one_resource<memory_pool::ConcurrentMemoryResource>();
  return CHECK_RESULT();
}
