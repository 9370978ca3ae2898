/* Explicit caches of many threads: what idle ones hold can be had by anybody, blocks cross from
   cache to cache while others trim and look, and caches that are forgotten lose nothing. */

#define _DEFAULT_SOURCE /* pthread_barrier_t */

#include <sched.h>

#include "crew.h"

enum { BLOCK_SIZE = 64, THREADS = 4, BLOCKS = 1000, CACHES = 1000, BOXES = 8 };

typedef struct {
  watched_t watched;
  pool_cache_t *caches[CACHES];
  atomic_int working;
  size_t turns;
  _Atomic(void *) boxes[BOXES];
} shared_t;

static void take_and_give_with(pool_cache_t *cache, watched_t *watched, size_t number) {
  enum { MANY = BLOCKS / THREADS };
  void *blocks[MANY];
  for (size_t i = 0; i < MANY; ++i) {
    blocks[i] = pool_cache_allocate(cache);
    MUST(blocks[i] != NULL); /* it has no more than its part */
    own(watched, blocks[i], stamp_of(number, i));
  }
  for (size_t i = 0; i < MANY; ++i) {
    disown(watched, blocks[i]);
    MUST(pool_cache_deallocate(cache, blocks[i]) == POOL_OK);
  }
}

static void fill_a_cache(size_t number, void *argument) {
  shared_t *shared = argument;
  if (shared->caches[number] == NULL) {
    shared->caches[number] = pool_cache_create(shared->watched.pool);
    MUST(shared->caches[number] != NULL);
  }
  take_and_give_with(shared->caches[number], &shared->watched, number);
}

static void count_all(size_t number, void *argument) {
  census_t census = {argument, 0};
  count_blocks(0xffd - number, &census);
}

/* Its owner lives, and has free blocks in it; that is no reason why others should not have them. */
static void idle_caches_keep_nothing(void) {
  static shared_t shared;
  crew_t crew;
  shared.watched = watched_pool(&MODES[0], BLOCK_SIZE, BLOCKS);
  begin_crew(&crew, THREADS);
  for (int round = 0; round < 5; ++round) {
    do_together(&crew, fill_a_cache, &shared);
    all_blocks_are_there(&shared.watched, 0);
    do_alone(&crew, 0, fill_a_cache, &shared);
    do_alone(&crew, 1, count_all, &shared.watched);
  }
  do_together(&crew, fill_a_cache, &shared);
  for (int i = 0; i < THREADS; ++i) CHECK(pool_cache_destroy(shared.caches[i]) == POOL_OK);
  all_blocks_are_there(&shared.watched, 0);
  end_crew(&crew);
  end(&shared.watched);
}

/* Threads end and leave their caches behind, which the end of the pool ends. */
static void forgotten_caches_lose_nothing(void) {
  static shared_t shared;
  shared.watched = watched_pool(&MODES[0], BLOCK_SIZE, BLOCKS);
  for (int round = 0; round < 10; ++round) {
    memset(shared.caches, 0, sizeof shared.caches);
    together(THREADS, fill_a_cache, &shared);
    if (round % 3 == 0) all_blocks_are_there(&shared.watched, 0);
  }
  all_blocks_are_there(&shared.watched, 0);
  pool_cache_t *left = shared.caches[0];
  end(&shared.watched);
  CHECK(atomic_load(&error_lines) == 0);
  CHECK(pool_cache_allocate(left) == NULL && pool_cache_destroy(left) == POOL_ERR_STALE_HANDLE);
  CHECK(atomic_exchange(&error_lines, 0) == 2);
}

/* Each is this thread's, and has had a block. */
static void a_thousand_caches(void) {
  static shared_t shared;
  shared.watched = watched_pool(&MODES[0], BLOCK_SIZE, CACHES);
  for (size_t i = 0; i < CACHES; ++i) {
    shared.caches[i] = pool_cache_create(shared.watched.pool);
    MUST(shared.caches[i] != NULL);
    void *block = pool_cache_allocate(shared.caches[i]);
    MUST(block != NULL && pool_cache_deallocate(shared.caches[i], block) == POOL_OK);
  }
  all_blocks_are_there(&shared.watched, 0);
  for (size_t i = 0; i < CACHES; i += 2) MUST(pool_cache_destroy(shared.caches[i]) == POOL_OK);
  for (size_t i = 1; i < CACHES; i += 2) {
    take_and_give_with(shared.caches[i], &shared.watched, i);
  }
  all_blocks_are_there(&shared.watched, 0);
  end(&shared.watched);
  /* One after the other: no handle comes again, none is used up. */
  pool_t *pool = pool_create(BLOCK_SIZE, 8);
  for (size_t i = 0; i < 20 * CACHES / THREADS_FEWER; ++i) {
    pool_cache_t *cache = pool_cache_create(pool);
    void *block = pool_cache_allocate(cache);
    MUST(block != NULL && pool_cache_deallocate(cache, block) == POOL_OK);
    MUST(cache != shared.caches[i % CACHES]);
    shared.caches[i % CACHES] = cache;
    MUST(pool_cache_destroy(cache) == POOL_OK);
  }
  CHECK(pool_available(pool) == 8 && pool_destroy(pool) == POOL_OK);
}

static void swap_and_give(shared_t *shared, size_t number) {
  pool_cache_t *cache = pool_cache_create(shared->watched.pool);
  uint64_t state = number;
  for (size_t turn = 0; turn < shared->turns; ++turn) {
    void *block = pool_cache_allocate(cache);
    MUST(block != NULL);
    own(&shared->watched, block, stamp_of(number, turn));
    block = atomic_exchange_explicit(&shared->boxes[chance(&state) % BOXES], block,
                                     memory_order_acq_rel);
    if (block == NULL) continue;
    disown(&shared->watched, block);
    MUST((number % 2 == 0 ? pool_cache_deallocate(cache, block)
                          : pool_deallocate(shared->watched.pool, block)) == POOL_OK);
  }
  if (number % 2 == 0) MUST(pool_cache_destroy(cache) == POOL_OK);
  atomic_fetch_sub(&shared->working, 1);
}

static void cross_or_look(size_t number, void *argument) {
  shared_t *shared = argument;
  if (number < THREADS) {
    swap_and_give(shared, number);
    return;
  }
  while (atomic_load(&shared->working) > 0) {
    MUST(pool_trim(shared->watched.pool, NULL) == POOL_OK);
    MUST(pool_in_use(shared->watched.pool) <= shared->watched.blocks);
    sched_yield();
  }
}

/* As many blocks as there are boxes and threads: thefts all the time. Or plenty. */
static void blocks_cross(size_t blocks) {
  static shared_t shared;
  memset(&shared, 0, sizeof shared);
  shared.watched = watched_pool(&MODES[0], BLOCK_SIZE, blocks);
  shared.turns = 200000 / THREADS_FEWER;
  atomic_store(&shared.working, THREADS);
  together(THREADS + 1, cross_or_look, &shared);
  for (int box = 0; box < BOXES; ++box) {
    if (shared.boxes[box] != NULL) give(&shared.watched, shared.boxes[box]);
  }
  pool_stats_t stats = {.struct_size = sizeof stats};
  CHECK(pool_get_stats(shared.watched.pool, &stats) == POOL_OK && stats.failures == 0);
  CHECK(stats.allocations == THREADS * shared.turns && stats.deallocations == stats.allocations);
  all_blocks_are_there(&shared.watched, 0);
  end(&shared.watched);
}

int main(void) {
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  idle_caches_keep_nothing();
  forgotten_caches_lose_nothing();
  a_thousand_caches();
  blocks_cross(BOXES + THREADS);
  blocks_cross(BLOCKS);
  CHECK(atomic_load(&error_lines) == 0);
  return CHECK_RESULT();
}
