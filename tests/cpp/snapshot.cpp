// write_snapshot() of the pool classes: piece by piece, until the function says no or throws.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "../c/check.h"
#include "memory_pool/memory_pool.hpp"

namespace {

using memory_pool::ConcurrentMemoryPool;
using memory_pool::FixedBlockMemoryPool;
using memory_pool::LockFreeMemoryPool;
using memory_pool::ObjectPool;
using memory_pool::UncheckedFixedBlockMemoryPool;

template <typename Pool>
void is_written(const Pool& pool, std::string_view blocks) {
  CHECK(pool.write_snapshot(3, [](std::string_view) {}) == POOL_ERR_INVALID_ARGUMENT);
  std::string text;
  CHECK(pool.write_snapshot(POOL_SNAPSHOT_JSON, [&](std::string_view piece) { text += piece; }) ==
        POOL_OK);
  CHECK(text.find("\"states\":{\"live\":2,") != std::string::npos);
  CHECK(text.find(blocks) != std::string::npos);
  int pieces = 0;
  const auto refuse = [&](std::string_view) { return ++pieces > 1; };
  CHECK(pool.write_snapshot(POOL_SNAPSHOT_HTML, refuse) == POOL_OK && pieces == 1);
  bool is_thrown = false;
  try {
    pool.write_snapshot(POOL_SNAPSHOT_TEXT,
                        [](std::string_view) { throw std::runtime_error("enough"); });
  } catch (const std::runtime_error&) {
    is_thrown = true;
  }
  CHECK(is_thrown);
}

template <typename Pool>
void a_pool_shows_its_blocks() {
  Pool pool(64, 100);
  CHECK(pool.allocate() != nullptr && pool.allocate() != nullptr);
  is_written(pool, "\"capacity\":100,");
  CHECK(pool.reset() == POOL_OK);
}

void a_pool_of_objects_does_too() {
  ObjectPool<std::string> pool(50);
  CHECK(pool.create("one") != nullptr && pool.create("two") != nullptr);
  is_written(pool, "\"capacity\":50,");
}

}  // namespace

int main() {
  a_pool_shows_its_blocks<FixedBlockMemoryPool>();
  a_pool_shows_its_blocks<UncheckedFixedBlockMemoryPool>();
  a_pool_shows_its_blocks<ConcurrentMemoryPool>();
  a_pool_shows_its_blocks<LockFreeMemoryPool>();
  a_pool_of_objects_does_too();
  return CHECK_RESULT();
}
