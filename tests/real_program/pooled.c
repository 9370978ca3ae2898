/*
 * The memory of somebody else's program from pools: what fits comes from the pool of the next
 * size, what is larger from the heap, and whose a pointer is the pools know themselves. Jansson
 * is told by its own hook, its tests by pooled.h.
 *
 * At the end of the program a line with figures is added to the file POOLED_REPORT, below the
 * lines that the library logged.
 */

#include <inttypes.h>
#include <jansson.h>
#include <memory_pool/pool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pooled.h"

/* Here the names are those of the heap. */
#undef malloc
#undef calloc
#undef realloc
#undef free

#define SIZES 5
static const size_t sizes[SIZES] = {16, 32, 64, 128, 256};
static pool_t *pools[SIZES];

static void report(const char *line) {
  FILE *file = fopen(getenv("POOLED_REPORT"), "a");
  if (file == NULL) abort();
  fprintf(file, "%s\n", line);
  fclose(file);
}

static void logged(void *user_data, int32_t level, const char *message) {
  (void)user_data;
  (void)level;
  report(message);
}

/* Before main, and before anything that Jansson allocates. */
__attribute__((constructor)) static void create_pools(void) {
  pool_set_log_callback(logged, NULL, POOL_LOG_WARN);
  pool_options_t options = POOL_OPTIONS_INIT;
  options.capacity = 8;
  options.max_capacity = 1 << 20;
  if (strcmp(getenv("POOLED_THREADING"), "single") == 0) options.threading = POOL_THREADS_SINGLE;
  for (size_t i = 0; i < SIZES; i++) {
    options.block_size = sizes[i];
    if (pool_create_with(&options, &pools[i]) != POOL_OK) abort();
  }
  json_set_alloc_funcs(pooled_malloc, pooled_free);
}

/* A block that the program still has is a line of the log, by pool_destroy. */
__attribute__((destructor)) static void destroy_pools(void) {
  uint64_t taken = 0, given = 0;
  for (size_t i = 0; i < SIZES; i++) {
    pool_stats_t stats = {0};
    stats.struct_size = sizeof stats;
    if (pool_validate(pools[i]) != POOL_OK) abort();
    if (pool_get_stats(pools[i], &stats) != POOL_OK) abort();
    taken += stats.allocations;
    given += stats.deallocations;
    if (pool_destroy(pools[i]) != POOL_OK) abort();
  }
  char line[100];
  snprintf(line, sizeof line, "figures: %" PRIu64 " taken, %" PRIu64 " given", taken, given);
  report(line);
}

/* NULL: it is not from a pool. */
static pool_t *owner(const void *memory) {
  for (size_t i = 0; i < SIZES; i++) {
    if (pool_owns(pools[i], memory)) return pools[i];
  }
  return NULL;
}

void *pooled_malloc(size_t bytes) {
  for (size_t i = 0; i < SIZES; i++) {
    if (bytes <= sizes[i]) return pool_allocate(pools[i]);
  }
  return malloc(bytes);
}

void *pooled_calloc(size_t count, size_t bytes) {
  if (bytes != 0 && count > SIZE_MAX / bytes) return NULL;
  void *memory = pooled_malloc(count * bytes);
  return memory == NULL ? NULL : memset(memory, 0, count * bytes);
}

void *pooled_realloc(void *memory, size_t bytes) {
  pool_t *pool = owner(memory);
  if (memory != NULL && pool == NULL) return realloc(memory, bytes);
  size_t before = memory == NULL ? 0 : pool_block_size(pool);
  if (memory != NULL && bytes <= before) return memory;
  void *larger = pooled_malloc(bytes);
  if (memory == NULL || larger == NULL) return larger;
  memcpy(larger, memory, before);
  pooled_free(memory);
  return larger;
}

void pooled_free(void *memory) {
  pool_t *pool = owner(memory);
  if (pool == NULL) {
    free(memory);
  } else {
    (void)pool_deallocate(pool, memory);
  }
}
