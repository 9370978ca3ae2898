// The headers compile where macros are called min and max, as after a header of other systems.

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <span>
#include <string>
#include <system_error>

#define min(one, other) ((one) < (other) ? (one) : (other))
#define max(one, other) ((one) < (other) ? (other) : (one))

#include "../c/check.h"
#include "memory_pool/memory_pool.hpp"

namespace {

void options_are_limited_beside_macros() {
  memory_pool::MemoryResourceOptions options;
  memory_pool::MemoryResource resource(options.largest_block(SIZE_MAX));
  CHECK(resource.options().largest_required_pool_block == max(1 << 20, 8));
  resource.deallocate(resource.allocate(min(24, 32)), 24);
  CHECK(resource.stats().blocks_in_use == 0);
}

}  // namespace

int main() {
  options_are_limited_beside_macros();
  return CHECK_RESULT();
}
