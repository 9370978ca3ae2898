// PoolOptions: each word sets its field, also of a temporary and at compile time; a pool is as its
// options say.

#include "memory_pool/pool_options.hpp"

#include <cstdlib>
#include <cstring>
#include <string>
#include <type_traits>

#include "../c/check.h"
#include "memory_pool/concurrent_memory_pool.hpp"
#include "memory_pool/fixed_block_memory_pool.hpp"

namespace {

using memory_pool::ConcurrentMemoryPool;
using memory_pool::PoolOptions;
using memory_pool::UncheckedFixedBlockMemoryPool;

static_assert(std::is_trivially_copyable_v<PoolOptions>);
static_assert(std::is_nothrow_default_constructible_v<PoolOptions>);
static_assert(!std::is_convertible_v<int, PoolOptions>);
static_assert(PoolOptions().c_options().struct_size == sizeof(pool_options_t));

constexpr PoolOptions kPackets = PoolOptions(64, 1024).growable_to(1 << 20).aligned_to(64);
static_assert(kPackets.c_options().block_size == 64 && kPackets.c_options().capacity == 1024);
static_assert(kPackets.c_options().max_capacity == 1 << 20);
static_assert(kPackets.c_options().alignment == 64);
static_assert(PoolOptions().growable().c_options().max_capacity == SIZE_MAX);

/// The fields that were set, as bytes: all others are as they are by default.
bool sets_only(const PoolOptions& options, std::uint32_t pool_options_t::* field,
               std::uint32_t value) {
  pool_options_t expected = POOL_OPTIONS_INIT;
  expected.*field = value;
  return std::memcmp(&options.c_options(), &expected, sizeof expected) == 0;
}

void each_word_sets_its_field_and_no_other() {
  using Options = pool_options_t;
  CHECK(sets_only(PoolOptions().unchecked(), &Options::checks, POOL_CHECKS_NONE));
  CHECK(sets_only(PoolOptions().fully_checked(), &Options::checks, POOL_CHECKS_FULL));
  CHECK(sets_only(PoolOptions().overflowing_to_heap(), &Options::on_exhausted,
                  POOL_EXHAUSTED_HEAP));
  CHECK(sets_only(PoolOptions().aborting_on_misuse(), &Options::on_misuse, POOL_MISUSE_ABORT));
  CHECK(sets_only(PoolOptions().aborting_on_leak(), &Options::on_leak, POOL_LEAK_ABORT));
  CHECK(sets_only(PoolOptions().kept_while_in_use(), &Options::on_leak, POOL_LEAK_REFUSE));
  CHECK(sets_only(PoolOptions().prefaulted(), &Options::flags, POOL_PREFAULT));
  CHECK(sets_only(PoolOptions().locked_in_memory(), &Options::flags, POOL_LOCK_MEMORY));
  CHECK(sets_only(PoolOptions().on_huge_pages(), &Options::flags, POOL_HUGE_PAGES));
  CHECK(sets_only(PoolOptions().with_guard_pages(), &Options::flags, POOL_GUARD_PAGES));
  CHECK(sets_only(PoolOptions().prefaulted().with_guard_pages().prefaulted(), &Options::flags,
                  POOL_PREFAULT | POOL_GUARD_PAGES));
}

void a_copy_goes_its_own_way() {
  PoolOptions options(64, 10);
  PoolOptions copy = options.named("one");
  copy.capacity(20).block_size(32).named("other");
  CHECK(options.c_options().capacity == 10 && options.c_options().block_size == 64);
  CHECK(copy.c_options().capacity == 20 && copy.c_options().block_size == 32);
  CHECK(std::strcmp(options.c_options().name, "one") == 0);
  CHECK(&options.growable() == &options);
}

void a_pool_grows_as_far_as_its_options_say() {
  FixedBlockMemoryPool pool(PoolOptions(sizeof(int), 10).growable_to(25).aligned_to(64));
  CHECK(pool.capacity() == 10 && pool.stats().max_capacity == 25 && pool.alignment() == 64);
  CHECK(pool.grow(16) == POOL_ERR_INVALID_ARGUMENT && pool.capacity() == 10);
  CHECK(pool.grow(15) == POOL_OK && pool.capacity() == 25);
}

void a_full_pool_goes_to_the_heap_if_told_so() {
  FixedBlockMemoryPool pool(PoolOptions(64, 1).overflowing_to_heap());
  void* inside = pool.allocate();
  void* beyond = pool.allocate();
  CHECK(pool.stats().heap_blocks == 1 && pool.in_use() == 2);
  CHECK(pool.deallocate(inside) == POOL_OK && pool.deallocate(beyond) == POOL_OK);
}

/// What the log says of a pool with a leak.
std::string leak_of(PoolOptions options) {
  std::string lines;
  const auto keep = [](void* all, std::int32_t, const char* line) {
    static_cast<std::string*>(all)->append(line).append("\n");
  };
  pool_set_log_callback(keep, &lines, POOL_LOG_WARN);
  {
    FixedBlockMemoryPool pool(options);
    (void)!pool.allocate();
  }
  pool_set_log_callback(nullptr, nullptr, 0);
  return lines;
}

void the_log_calls_a_pool_by_its_name() {
  char name[] = "packets";
  const PoolOptions options = PoolOptions(64, 10).named(name);
  CHECK(leak_of(options).find("packets") != std::string::npos);
}

void a_pool_that_is_kept_while_in_use_outlives_its_object() {
  pool_t* kept = nullptr;
  void* block = nullptr;
  {
    FixedBlockMemoryPool pool(PoolOptions(64, 2).kept_while_in_use());
    block = pool.allocate();
    kept = pool.handle();
    CHECK(pool.destroy() == POOL_ERR_IN_USE && pool.handle() == kept);
  }
  CHECK(pool_in_use(kept) == 1 && pool_deallocate(kept, block) == POOL_OK);
  CHECK(pool_destroy(kept) == POOL_OK);
}

void options_are_stronger_than_the_class_where_they_say_something() {
  // A pool of one owner that checks has a byte more a block than one that trusts. What is not as
  // its class says is not inlined, so it has no room for blocks at hand either.
  const auto metadata = [](const auto& pool) { return pool.stats().metadata_bytes; };
  FixedBlockMemoryPool checked(64, 10000);
  UncheckedFixedBlockMemoryPool unchecked(64, 10000);
  FixedBlockMemoryPool told(PoolOptions(64, 10000).unchecked());
  CHECK(metadata(checked) > metadata(unchecked) && metadata(told) <= metadata(unchecked));
}

template <typename Pool>
void a_pool_lives_in_a_buffer_of_the_size_that_its_class_asks() {
  static unsigned char memory[1 << 16];
  PoolOptions options(48, 100);
  CHECK(Pool::bytes_needed(PoolOptions()) == 0);
  const std::size_t bytes = Pool::bytes_needed(options);
  CHECK(bytes > 4800 && bytes < sizeof memory);
  std::error_code error;
  CHECK(!Pool::try_create(options.in_buffer(memory, bytes - 1), error) && error);
  Pool pool(options.in_buffer(memory, bytes));
  void* block = pool.allocate();
  CHECK(block >= memory && block < memory + bytes);
  CHECK(pool.deallocate(block) == POOL_OK);
}

void a_pool_has_its_memory_from_the_source() {
  static std::size_t reserved = 0;
  pool_source_t source{};
  source.struct_size = sizeof source;
  source.page_bytes = 4096;
  source.reserve = [](void*, std::size_t bytes) {
    reserved = bytes;
    return std::aligned_alloc(4096, bytes);
  };
  source.release = [](void*, void* start, std::size_t) { std::free(start); };
  ConcurrentMemoryPool pool(PoolOptions(64, 1000).from(source));
  CHECK(reserved >= 64000);
  void* block = pool.allocate_zeroed();
  CHECK(block != nullptr && pool.deallocate(block) == POOL_OK);
}

}  // namespace

int main() {
  pool_set_log_callback(nullptr, nullptr, 0);
  each_word_sets_its_field_and_no_other();
  a_copy_goes_its_own_way();
  a_pool_grows_as_far_as_its_options_say();
  a_full_pool_goes_to_the_heap_if_told_so();
  the_log_calls_a_pool_by_its_name();
  a_pool_that_is_kept_while_in_use_outlives_its_object();
  options_are_stronger_than_the_class_where_they_say_something();
  a_pool_lives_in_a_buffer_of_the_size_that_its_class_asks<FixedBlockMemoryPool>();
  a_pool_lives_in_a_buffer_of_the_size_that_its_class_asks<ConcurrentMemoryPool>();
  a_pool_lives_in_a_buffer_of_the_size_that_its_class_asks<memory_pool::LockFreeMemoryPool>();
  a_pool_has_its_memory_from_the_source();
  return CHECK_RESULT();
}
