// What is ours in MemoryResource: size classes, figures, misuse, limits. What the standard demands
// is in pool_resource_behaviour.cpp.

#include "memory_pool/memory_resource.hpp"

#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../c/check.h"
#include "recording_resource.hpp"

namespace {

using memory_pool::ConcurrentMemoryResource;
using memory_pool::MemoryResource;
using memory_pool::MemoryResourceOptions;
using memory_pool::detail::class_bytes;
using memory_pool::detail::class_of;
using memory_pool::detail::kClassesMax;

/// The log, from `level` on, while this is there.
class Log {
 public:
  explicit Log(int level = POOL_LOG_WARN) {
    pool_set_log_callback(
        [](void* log, std::int32_t, const char* message) {
          static_cast<Log*>(log)->text_ += std::string(message) + '\n';
        },
        this, level);
  }
  ~Log() { pool_set_log_callback(nullptr, nullptr, POOL_LOG_WARN); }
  Log(const Log&) = delete;

  [[nodiscard]] bool says(std::string_view words) const {
    return text_.find(words) != std::string::npos;
  }
  /// Whether it says `words` and nothing else since the last time.
  [[nodiscard]] bool said_once(std::string_view words) {
    const std::string text = std::exchange(text_, {});
    return text.find(words) != std::string::npos && text.find('\n') == text.size() - 1;
  }
  [[nodiscard]] bool is_silent() const { return text_.empty(); }

 private:
  std::string text_;
};

template <typename Resource>
void options_that_are_not_possible_are_an_error_at_once() {
  try {
    Resource resource(static_cast<std::pmr::memory_resource*>(nullptr));
    CHECK(false);
  } catch (const memory_pool::Error& error) {
    CHECK(error.code() == memory_pool::Status::null_argument);
  }
}

template <typename Resource>
void a_misuse_is_reported_and_changes_nothing() {
  Log log;
  RecordingResource upstream;
  Resource resource(MemoryResourceOptions().named("orders"), &upstream);
  char elsewhere[64];
  void* const small = resource.allocate(48, 8);
  void* const large = resource.allocate(5000, 8);
  const std::string_view small_pool = "pool \"orders 48\"";
  resource.deallocate(elsewhere, 48, 8);
  CHECK(log.said_once(small_pool));
  resource.deallocate(static_cast<char*>(small) + 8, 48, 8);
  CHECK(log.said_once(small_pool));
  resource.deallocate(small, 64, 8);  // other bytes than were allocated
  CHECK(log.said_once("pool \"orders 64\""));
  resource.deallocate(small, 5000, 8);
  CHECK(log.said_once("is no block of this pool"));
  resource.deallocate(large, 5001, 8);
  CHECK(log.said_once("is no block of this pool"));
  resource.deallocate(large, 5000, 16);
  CHECK(log.said_once("is no block of this pool"));
  resource.deallocate(large, 48, 8);
  CHECK(log.said_once(small_pool));
  CHECK(upstream.live() == 2 && resource.stats().blocks_in_use == 1);
  resource.deallocate(small, 48, 8);
  resource.deallocate(large, 5000, 8);
  CHECK(log.is_silent() && upstream.live() == 1);  // the table of large blocks
  resource.deallocate(small, 48, 8);
  CHECK(log.said_once("is free already (double free)"));
  resource.deallocate(large, 5000, 8);
  CHECK(log.said_once("is no block of this pool"));
}

template <typename Resource>
void more_bytes_than_there_can_be_are_bad_alloc_and_no_matter_of_the_upstream() {
  RecordingResource upstream;
  Resource resource(&upstream);
  for (const std::size_t bytes : {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2 + 1}) {
    for (const std::size_t alignment : {1, 16, 64, 4096}) {
      try {
        [[maybe_unused]] void* const block = resource.allocate(bytes, alignment);
        CHECK(false);
      } catch (const std::bad_alloc&) {
        CHECK(upstream.live() == 0 && resource.stats().upstream_bytes == 0);
      }
    }
  }
}

template <typename Resource>
void blocks_of_the_smallest_pool_are_not_taken_for_large_ones() {
  Log log;
  Resource resource(MemoryResourceOptions().largest_block(8));
  void* const block = resource.allocate(8, 8);
  resource.deallocate(block, 9, 8);
  CHECK(log.said_once("is no block of this pool") && resource.stats().blocks_in_use == 1);
  resource.deallocate(block, 8, 8);
  CHECK(log.is_silent() && resource.stats().blocks_in_use == 0);
}

template <typename Resource>
void release_tells_nobody_of_leaks() {
  const Log log;
  Resource resource;
  for (std::size_t bytes = 1; bytes < 10000; bytes += 7) (void)resource.allocate(bytes, 1);
  resource.release();
  CHECK(resource.stats().pools == 0 && resource.stats().upstream_blocks == 0);
  (void)resource.allocate(100, 8);
  CHECK(resource.stats().pools == 1 && log.is_silent());
}

void sizes_rise_by_less_than_a_quarter_or_by_a_word() {
  for (std::size_t bytes = 1; bytes <= class_bytes(kClassesMax - 1); ++bytes) {
    const std::size_t size = class_bytes(class_of(bytes, 1));
    CHECK(size >= bytes && (size - bytes < 8 || 4 * (size - bytes) < bytes));
    if (bytes == size) CHECK(class_of(bytes + 1, 1) == class_of(bytes, 1) + 1);
  }
}

void a_request_goes_to_the_first_class_that_is_large_and_aligned_enough() {
  for (std::size_t alignment = 1; alignment <= 8192; alignment *= 2) {
    std::size_t first = 0;
    for (std::size_t bytes = 0; bytes <= 10000; ++bytes) {
      while (class_bytes(first) < bytes || class_bytes(first) % alignment != 0) ++first;
      CHECK(class_of(bytes, alignment) == first);
    }
  }
  for (const std::size_t bytes : {SIZE_MAX, SIZE_MAX - 4096, (std::size_t{1} << 20) + 1}) {
    for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
      CHECK(class_of(bytes, alignment) >= kClassesMax);
    }
  }
}

template <typename Resource>
void the_upstream_sees_large_requests_alone_and_as_they_came() {
  RecordingResource upstream;
  Resource resource(MemoryResourceOptions().largest_block(1000), &upstream);
  CHECK(resource.options().largest_required_pool_block == 1024);
  std::vector<void*> blocks;
  for (std::size_t bytes = 0; bytes <= 1024; ++bytes) blocks.push_back(resource.allocate(bytes, 8));
  CHECK(upstream.allocations() == 0 && resource.stats().pools == resource.class_count());
  void* const large = resource.allocate(1025, 1);
  CHECK(upstream.last().bytes == 1025 && upstream.last().alignment == 1);
  void* const wide = resource.allocate(8, 2048);
  CHECK(upstream.last().bytes == 8 && upstream.last().alignment == 2048);
  CHECK(resource.stats().upstream_blocks == 2 && resource.stats().upstream_bytes == 1033);
  resource.deallocate(wide, 8, 2048);
  resource.deallocate(large, 1025, 1);
  CHECK(upstream.live() == 1 && resource.stats().upstream_bytes == 0);
  for (std::size_t bytes = 0; bytes <= 1024; ++bytes) resource.deallocate(blocks[bytes], bytes, 8);
  CHECK(resource.stats().blocks_in_use == 0);
}

template <typename Resource>
void every_large_block_is_found_again() {
  RecordingResource upstream;
  Resource resource(MemoryResourceOptions().largest_block(64), &upstream);
  std::vector<void*> blocks(3000);
  for (std::size_t round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = resource.allocate(65 + i % 99, 8);
    CHECK(resource.stats().upstream_blocks == blocks.size());
    // In an order that meets entries in the middle of their rows too.
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const std::size_t place = i * 1009 % blocks.size();
      resource.deallocate(blocks[place], 65 + place % 99, 8);
    }
    CHECK(upstream.live() == 1 && resource.stats().upstream_blocks == 0);
  }
}

template <typename Resource>
void a_full_pool_leaves_the_rest_to_the_upstream_until_that_is_back() {
  const Log log;
  RecordingResource upstream;
  Resource resource(MemoryResourceOptions().first_blocks(4).growable_to(64 * 8), &upstream);
  std::vector<void*> blocks(20);
  for (void*& block : blocks) block = resource.allocate(64, 64);
  CHECK(resource.stats().blocks_in_use == 8 && resource.stats().upstream_blocks == 12);
  void* const other = resource.allocate(16, 8);
  resource.deallocate(other, 16, 8);
  for (void* block : blocks) resource.deallocate(block, 64, 64);
  CHECK(resource.stats().blocks_in_use == 0 && upstream.live() == 1 && log.is_silent());
  const std::size_t allocations = upstream.allocations();
  resource.deallocate(resource.allocate(64, 64), 64, 64);
  CHECK(upstream.allocations() == allocations && resource.stats().blocks_in_use == 0);
}

template <typename Resource>
void figures_are_those_of_each_class() {
  Resource resource;
  CHECK(resource.class_count() == 32 && resource.options().largest_required_pool_block == 4096);
  CHECK(resource.class_stats(0).block_size == 8 && resource.class_stats(31).block_size == 4096);
  CHECK(resource.class_stats(32).block_size == 0 && resource.class_stats(7).capacity == 0);
  CHECK(resource.stats().reserved_bytes == 0);
  void* const block = resource.allocate(60, 4);
  std::memset(block, 1, 60);
  CHECK(resource.class_stats(7).block_size == 64 && resource.class_stats(7).in_use == 1);
  CHECK(resource.class_stats(7).capacity == 1024 && resource.class_stats(7).alignment == 64);
  CHECK(resource.stats().bytes_in_use == 64 && resource.stats().resident_bytes >= 4096);
  resource.deallocate(block, 60, 4);
  CHECK(resource.class_stats(7).deallocations == 1 && resource.stats().blocks_in_use == 0);
}

void pools_begin_as_large_as_they_are_told() {
  const std::pmr::pool_options standard{10, 100};
  MemoryResource by_default, exact(MemoryResourceOptions().first_blocks(10)), at_most(standard);
  CHECK(by_default.options().max_blocks_per_chunk == 8192);
  CHECK(at_most.options().max_blocks_per_chunk == 10);
  CHECK(at_most.options().largest_required_pool_block == 112);
  for (MemoryResource* const resource : {&by_default, &exact, &at_most}) {
    (void)resource->allocate(64, 8);
    CHECK(resource->class_stats(7).capacity == (resource == &by_default ? 1024 : 10));
  }
}

void names_are_copied_and_cut() {
  Log log;
  char name[] = "a name that is so long that it has to be cut in the log";
  MemoryResource resource(MemoryResourceOptions().named(name));
  name[0] = '?';
  resource.deallocate(&resource, 4096, 8);
  CHECK(log.said_once("pool \"a name that is so long that it has to be 4096\""));
  MemoryResource unnamed(MemoryResourceOptions().named(nullptr));
  unnamed.deallocate(&resource, 1, 1);
  CHECK(log.said_once("pool \"memory_resource 8\""));
}

void an_unchecked_resource_has_pools_that_trust() {
  MemoryResource checked, trusting(MemoryResourceOptions().unchecked());
  (void)checked.allocate(8, 8);
  (void)trusting.allocate(8, 8);
  CHECK(trusting.class_stats(0).metadata_bytes < checked.class_stats(0).metadata_bytes);
}

template <typename Resource>
void one_resource() {
  options_that_are_not_possible_are_an_error_at_once<Resource>();
  more_bytes_than_there_can_be_are_bad_alloc_and_no_matter_of_the_upstream<Resource>();
  a_misuse_is_reported_and_changes_nothing<Resource>();
  blocks_of_the_smallest_pool_are_not_taken_for_large_ones<Resource>();
  release_tells_nobody_of_leaks<Resource>();
  the_upstream_sees_large_requests_alone_and_as_they_came<Resource>();
  every_large_block_is_found_again<Resource>();
  a_full_pool_leaves_the_rest_to_the_upstream_until_that_is_back<Resource>();
  figures_are_those_of_each_class<Resource>();
}

}  // namespace

int main() {
  sizes_rise_by_less_than_a_quarter_or_by_a_word();
  a_request_goes_to_the_first_class_that_is_large_and_aligned_enough();
  one_resource<MemoryResource>();
  one_resource<ConcurrentMemoryResource>();
  pools_begin_as_large_as_they_are_told();
  names_are_copied_and_cut();
  an_unchecked_resource_has_pools_that_trust();
  return CHECK_RESULT();
}
