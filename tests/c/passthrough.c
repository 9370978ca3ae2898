/* MEMORY_POOL_CHECKS=passthrough: every block comes from the heap, and the pool is the same for its
   program: capacity, figures, errors. */

#define _POSIX_C_SOURCE 200809L /* setenv */

#include <memory_pool/pool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { SIZE = 24, FIRST = 4, CAPACITY = 9 };

static pool_t *created(uint32_t threading, uint32_t on_exhausted) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = SIZE;
  options.capacity = FIRST;
  options.max_capacity = CAPACITY;
  options.alignment = 32;
  options.threading = threading;
  options.on_exhausted = on_exhausted;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  return pool;
}

static pool_stats_t stats_of(pool_t *pool) {
  pool_stats_t stats = {.struct_size = sizeof stats};
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  return stats;
}

static bool counts(void *user_data, void *block) {
  memset(block, 1, SIZE);
  ++*(size_t *)user_data;
  return true;
}

static void errors_are_found(uint32_t threading) {
  pool_t *pool = created(threading, POOL_EXHAUSTED_NULL);
  char *block = pool_allocate(pool);
  CHECK(pool_deallocate(pool, block + 1) == POOL_ERR_INTERIOR_POINTER);
  CHECK(pool_deallocate(pool, &pool) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_in_use(pool) == 1 && pool_deallocate(pool, NULL) == POOL_OK);
  CHECK(pool_deallocate(pool, block) == POOL_OK && pool_in_use(pool) == 0);
  CHECK(pool_deallocate(pool, block) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_destroy(pool) == POOL_OK);
}

static void capacity_and_figures_are_exact(uint32_t threading) {
  pool_t *pool = created(threading, POOL_EXHAUSTED_NULL);
  void *blocks[CAPACITY + 1];
  for (int turn = 0; turn < 3; ++turn) {
    size_t live = 0;
    CHECK(pool_allocate_many(pool, blocks, CAPACITY + 1) == CAPACITY);
    CHECK(pool_capacity(pool) == CAPACITY && pool_available(pool) == 0);
    for (int i = 0; i < CAPACITY; ++i) CHECK((uintptr_t)blocks[i] % 32 == 0);
    CHECK(pool_for_each_live(pool, counts, &live) == POOL_OK && live == CAPACITY);
    CHECK(pool_validate(pool) == POOL_OK && pool_owns(pool, blocks[0]));
    const pool_stats_t stats = stats_of(pool);
    CHECK(stats.in_use == CAPACITY && stats.peak_in_use == CAPACITY);
    CHECK(stats.heap_blocks == CAPACITY && stats.failures == (uint64_t)turn + 1);
    CHECK(stats.allocations - stats.deallocations == CAPACITY);
    if (turn == 1) CHECK(pool_reset(pool) == POOL_OK);
    if (turn != 1) CHECK(pool_deallocate_many(pool, blocks, CAPACITY) == POOL_OK);
    CHECK(pool_in_use(pool) == 0 && pool_available(pool) == CAPACITY);
  }
  CHECK(pool_destroy(pool) == POOL_OK);
}

static void who_waits_gets_a_block(uint32_t threading) {
  pool_t *pool = created(threading, POOL_EXHAUSTED_NULL);
  void *blocks[CAPACITY], *block = NULL;
  CHECK(pool_allocate_many(pool, blocks, CAPACITY) == CAPACITY);
  CHECK(pool_allocate_wait(pool, 1000, &block) == POOL_ERR_TIMED_OUT && block == NULL);
  CHECK(pool_deallocate(pool, blocks[0]) == POOL_OK);
  CHECK(pool_allocate_wait(pool, 1000, &blocks[0]) == POOL_OK && blocks[0] != NULL);
  CHECK(pool_deallocate_many(pool, blocks, CAPACITY) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

static void a_cache_takes_part(void) {
  pool_t *pool = created(POOL_THREADS_SAFE, POOL_EXHAUSTED_NULL);
  pool_cache_t *cache = pool_cache_create(pool);
  void *block = pool_cache_allocate(cache);
  CHECK(cache != NULL && block != NULL && pool_in_use(pool) == 1);
  CHECK(pool_cache_deallocate(cache, block) == POOL_OK && pool_in_use(pool) == 0);
  CHECK(pool_cache_destroy(cache) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

static void the_heap_goes_on_where_it_may(void) {
  pool_t *pool = created(POOL_THREADS_SINGLE, POOL_EXHAUSTED_HEAP);
  void *blocks[2 * CAPACITY];
  CHECK(pool_allocate_many(pool, blocks, 2 * CAPACITY) == 2 * CAPACITY);
  CHECK(stats_of(pool).heap_blocks == 2 * CAPACITY);
  CHECK(pool_deallocate_many(pool, blocks, 2 * CAPACITY) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK);
}

int main(void) {
  setenv("MEMORY_POOL_CHECKS", "passthrough", 1);
  setenv("MEMORY_POOL_LOG", "off", 1);
  for (uint32_t threading = 0; threading <= POOL_THREADS_LOCK_FREE; ++threading) {
    errors_are_found(threading);
    capacity_and_figures_are_exact(threading);
    if (threading != POOL_THREADS_SINGLE) who_waits_gets_a_block(threading);
  }
  a_cache_takes_part();
  the_heap_goes_on_where_it_may();
  return CHECK_RESULT();
}
