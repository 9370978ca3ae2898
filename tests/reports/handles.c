/* One call with a handle that is none, and what was answered. tests/reports.rs knows what is to be
 * said.
 *     handles FUNCTION null|stale|garbage|block */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory_pool/pool.h"

static bool swallow(void *user_data, const char *bytes, size_t count) {
  (void)user_data, (void)bytes, (void)count;
  return true;
}

static bool go_on(void *user_data, void *block) {
  (void)user_data, (void)block;
  return true;
}

/* A pool that lived, or its cache; a word that never was a handle; the address of a block. */
static void *handle_of(const char *kind, bool is_cache) {
  pool_t *pool = pool_create(64, 4);
  pool_cache_t *cache = pool_cache_create(pool);
  void *block = pool_allocate(pool);
  if (strcmp(kind, "null") == 0) return NULL;
  if (strcmp(kind, "garbage") == 0) return (void *)(uintptr_t)0x4141414141414140;
  if (strcmp(kind, "block") == 0) return block;
  if (pool_deallocate(pool, block) != POOL_OK || pool_destroy(pool) != POOL_OK) exit(2);
  return is_cache ? (void *)cache : (void *)pool;
}

#define CALL(function, call) \
  if (strcmp(name, #function) == 0) return (long)(call)

static long call(const char *name, void *handle) {
  pool_t *pool = handle;
  pool_cache_t *cache = handle;
  pool_stats_t stats = {.struct_size = sizeof stats};
  void *blocks[1] = {&stats};
  CALL(pool_destroy, pool_destroy(pool));
  CALL(pool_allocate, pool_allocate(pool) != NULL);
  CALL(pool_allocate_zeroed, pool_allocate_zeroed(pool) != NULL);
  CALL(pool_deallocate, pool_deallocate(pool, &stats));
  CALL(pool_reset, pool_reset(pool));
  CALL(pool_allocate_many, pool_allocate_many(pool, blocks, 1));
  CALL(pool_deallocate_many, pool_deallocate_many(pool, blocks, 1));
  CALL(pool_allocate_wait, pool_allocate_wait(pool, UINT64_MAX, &blocks[0]));
  CALL(pool_cache_create, pool_cache_create(pool) != NULL);
  CALL(pool_grow, pool_grow(pool, 1));
  CALL(pool_trim, pool_trim(pool, NULL));
  CALL(pool_get_stats, pool_get_stats(pool, &stats));
  CALL(pool_owns, pool_owns(pool, &stats));
  CALL(pool_block_size, pool_block_size(pool));
  CALL(pool_stride, pool_stride(pool));
  CALL(pool_alignment, pool_alignment(pool));
  CALL(pool_capacity, pool_capacity(pool));
  CALL(pool_in_use, pool_in_use(pool));
  CALL(pool_available, pool_available(pool));
  CALL(pool_validate, pool_validate(pool));
  CALL(pool_for_each_live, pool_for_each_live(pool, go_on, NULL));
  CALL(pool_log_live, pool_log_live(pool));
  CALL(pool_write_snapshot, pool_write_snapshot(pool, POOL_SNAPSHOT_TEXT, swallow, NULL));
  CALL(pool_check_block, pool_check_block(pool, &stats));
  CALL(pool_fail_after, pool_fail_after(pool, 0));
  CALL(pool_set_report_callback, pool_set_report_callback(pool, NULL, NULL));
  CALL(pool_single_view, pool_single_view(pool, 1, POOL_CHECKS_STANDARD, NULL));
  CALL(pool_cache_allocate, pool_cache_allocate(cache) != NULL);
  CALL(pool_cache_deallocate, pool_cache_deallocate(cache, &stats));
  CALL(pool_cache_destroy, pool_cache_destroy(cache));
  CALL(pool_cache_view, pool_cache_view(cache, 1) != NULL);
  exit(2);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const bool is_cache = strncmp(argv[1], "pool_cache_", 11) == 0 &&
                        strcmp(argv[1], "pool_cache_create") != 0;
  printf("answer %ld\n", call(argv[1], handle_of(argv[2], is_cache)));
  return 0;
}
