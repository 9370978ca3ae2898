/* Prints every size that a caller can see, for many requests. */

#include <stdio.h>

#include "memory_pool/pool.h"

static void print_sizes(size_t block_size, size_t alignment, size_t capacity, uint32_t checks) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_stats_t stats = {0};
  pool_t *pool = NULL;
  options.block_size = block_size;
  options.alignment = alignment;
  options.capacity = capacity;
  options.checks = checks;
  options.threading = POOL_THREADS_SINGLE;
  stats.struct_size = sizeof stats;
  if (pool_create_with(&options, &pool) != POOL_OK) return;
  if (pool_get_stats(pool, &stats) != POOL_OK) return;
  printf("%zu %zu %zu %u: %zu %zu %zu %zu %zu %zu %zu\n", block_size, alignment, capacity,
         (unsigned)checks, pool_block_size(pool), pool_stride(pool), pool_alignment(pool),
         pool_capacity(pool), pool_available(pool), stats.reserved_bytes, stats.metadata_bytes);
  pool_destroy(pool);
}

int main(void) {
  printf("%zu %zu\n", sizeof(pool_options_t), sizeof(pool_stats_t));
  for (size_t block_size = 1; block_size <= 5000; block_size += 1 + block_size / 8) {
    for (size_t alignment = 0; alignment <= 8192; alignment = alignment ? alignment * 8 : 1) {
      for (size_t capacity = 1; capacity <= 100000; capacity *= 99) {
        print_sizes(block_size, alignment, capacity, POOL_CHECKS_STANDARD);
        print_sizes(block_size, alignment, capacity, POOL_CHECKS_NONE);
      }
    }
  }
  return 0;
}
