/* The live blocks of one pool at a time, each stamped: whether one came twice or was changed, and
   whether the pool still has all the others to give. */

#ifndef TESTS_LIVE_BLOCKS_H
#define TESTS_LIVE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { BLOCK_SIZE = 64, BLOCKS_ON_A_PAGE = 4096 / BLOCK_SIZE, LIVE_MAX = 4000000 };

static uint64_t *live[LIVE_MAX];
static size_t live_count = 0;

/* A pool of such blocks. */
static inline pool_options_t options_of(size_t capacity, size_t max_capacity, uint32_t checks) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = BLOCK_SIZE;
  options.capacity = capacity;
  options.max_capacity = max_capacity;
  options.threading = POOL_THREADS_SINGLE;
  options.checks = checks;
  return options;
}

static inline void stamp(size_t place) {
  for (int word = 0; word < BLOCK_SIZE / 8; ++word) live[place][word] = place;
}

static inline void keep(void *block) {
  CHECK(block != NULL && live_count < LIVE_MAX);
  if (block == NULL || live_count == LIVE_MAX) return;
  live[live_count] = block;
  stamp(live_count++);
}

static inline void take(pool_t *pool, size_t blocks) {
  for (size_t i = 0; i < blocks; ++i) keep(pool_allocate(pool));
}

static inline void give_back_all_but(pool_t *pool, size_t remain) {
  while (live_count > remain) CHECK(pool_deallocate(pool, live[--live_count]) == POOL_OK);
}

/* Of three pages of blocks, one is given back, one by half, one not; from `end` on, all are. */
static inline void give_back_pages(pool_t *pool, size_t end) {
  size_t kept = 0;
  for (size_t i = 0; i < live_count; ++i) {
    const size_t turn = i / BLOCKS_ON_A_PAGE % 3;
    if (i >= end || turn == 0 || (turn == 1 && i % 2 == 0)) {
      CHECK(pool_deallocate(pool, live[i]) == POOL_OK);
    } else {
      live[kept] = live[i];
      stamp(kept++);
    }
  }
  live_count = kept;
}

/* It is valid, counts its blocks rightly, and has every free block to give, each once. */
static inline void is_whole(pool_t *pool) {
  const size_t before = live_count;
  CHECK(pool_validate(pool) == POOL_OK && pool_in_use(pool) == before);
  take(pool, pool_available(pool));
  /* Neither what was live before nor a block that came twice has lost its stamp. */
  for (size_t i = 0; i < live_count; ++i) {
    for (int word = 0; word < BLOCK_SIZE / 8; ++word) CHECK(live[i][word] == i);
  }
  CHECK(pool_validate(pool) == POOL_OK && pool_available(pool) == 0);
  give_back_all_but(pool, before);
  CHECK(pool_validate(pool) == POOL_OK && pool_in_use(pool) == before);
}

static inline size_t resident(const pool_t *pool) {
  pool_stats_t stats = {0};
  stats.struct_size = sizeof stats;
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  return stats.resident_bytes;
}

#endif
