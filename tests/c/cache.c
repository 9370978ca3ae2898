/* Explicit caches: a cache is a way to its pool, which has all its blocks whatever caches hold,
   and a bad handle, a bad pointer or a wrong thread is an error that changes nothing. */

#define _DEFAULT_SOURCE /* pthread_barrier_t */

#include "threads.h"

enum { BLOCK_SIZE = 64, BLOCKS = 1000, CACHE_MAX = 255 };

static size_t errors(void) { return atomic_load(&error_lines); }

/* The condition, and one line in the log. */
#define REFUSED(condition)         \
  do {                             \
    const size_t before = errors(); \
    CHECK(condition);              \
    CHECK(errors() == before + 1); \
  } while (0)

static pool_options_t options_of(size_t capacity, size_t max_capacity, uint32_t on_exhausted) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = BLOCK_SIZE;
  options.capacity = capacity;
  options.max_capacity = max_capacity;
  options.on_exhausted = on_exhausted;
  return options;
}

static pool_t *created(const pool_options_t *options) {
  pool_t *pool = NULL;
  MUST(pool_create_with(options, &pool) == POOL_OK);
  return pool;
}

static pool_stats_t stats_of(const pool_t *pool) {
  pool_stats_t stats = {.struct_size = sizeof stats};
  MUST(pool_get_stats(pool, &stats) == POOL_OK);
  return stats;
}

static pool_cache_t *cache_of(pool_t *pool) {
  pool_cache_t *cache = pool_cache_create(pool);
  MUST(cache != NULL);
  return cache;
}

static void *take_with(pool_cache_t *cache, watched_t *watched, uint64_t stamp) {
  void *block = pool_cache_allocate(cache);
  if (block != NULL) own(watched, block, stamp);
  return block;
}

static void give_with(pool_cache_t *cache, watched_t *watched, void *block) {
  disown(watched, block);
  MUST(pool_cache_deallocate(cache, block) == POOL_OK);
}

/* --- blocks --------------------------------------------------------------------------------- */

/* Every block of the pool can be had through a cache, and through none, in any mixture. */
static void all_blocks_by_either_way(size_t blocks) {
  watched_t watched = watched_pool(&MODES[0], BLOCK_SIZE, blocks);
  pool_cache_t *cache = cache_of(watched.pool);
  void **held = calloc(blocks, sizeof *held);
  MUST(held != NULL);
  for (int ways = 0; ways < 4; ++ways) {
    for (size_t i = 0; i < blocks; ++i) {
      const bool with_cache = ways == 0 || (ways > 1 && i % 3 == 0);
      const uint64_t stamp = stamp_of(1, i);
      held[i] = with_cache ? take_with(cache, &watched, stamp) : take(&watched, stamp);
      MUST(held[i] != NULL && pool_in_use(watched.pool) == i + 1);
    }
    CHECK(pool_cache_allocate(cache) == NULL && pool_allocate(watched.pool) == NULL);
    for (size_t i = 0; i < blocks; ++i) {
      if (ways == 1 || (ways > 1 && i % 2 == 0)) {
        give_with(cache, &watched, held[i]);
      } else {
        give(&watched, held[i]);
      }
      MUST(pool_available(watched.pool) == i + 1);
    }
    all_blocks_are_there(&watched, 0);
  }
  const pool_stats_t before = stats_of(watched.pool);
  CHECK(pool_cache_destroy(cache) == POOL_OK);
  const pool_stats_t after = stats_of(watched.pool);
  CHECK(before.allocations == before.deallocations && after.allocations == before.allocations);
  CHECK(after.deallocations == before.deallocations && after.in_use == 0);
  all_blocks_are_there(&watched, 0);
  free(held);
  end(&watched);
}

/* A live block outlives the cache that it came from; the free ones of the cache are the pool's. */
static void destroying_a_cache_loses_nothing(void) {
  watched_t watched = watched_pool(&MODES[0], BLOCK_SIZE, BLOCKS);
  void *live[100];
  pool_cache_t *cache = cache_of(watched.pool);
  for (size_t i = 0; i < 100; ++i) live[i] = take_with(cache, &watched, stamp_of(1, i));
  for (size_t i = 50; i < 100; ++i) give_with(cache, &watched, live[i]);
  const pool_stats_t before = stats_of(watched.pool);
  CHECK(before.in_use == 50 && before.available == BLOCKS - 50);
  CHECK(before.allocations == 100 && before.deallocations == 50 && before.failures == 0);
  CHECK(pool_cache_destroy(cache) == POOL_OK);
  const pool_stats_t after = stats_of(watched.pool);
  CHECK(after.in_use == 50 && after.allocations == 100 && after.deallocations == 50);
  CHECK(pool_validate(watched.pool) == POOL_OK);
  all_blocks_are_there(&watched, 50);
  for (int i = 0; i < 50; ++i) give(&watched, live[i]);
  all_blocks_are_there(&watched, 0);
  end(&watched);
}

static void reset_and_trim_reach_into_caches(void) {
  watched_t watched = watched_pool(&MODES[0], BLOCK_SIZE, BLOCKS);
  pool_cache_t *cache = cache_of(watched.pool);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < BLOCKS; ++i) MUST(pool_cache_allocate(cache) != NULL);
    CHECK(pool_cache_allocate(cache) == NULL && pool_reset(watched.pool) == POOL_OK);
    all_blocks_are_there(&watched, 0);
    void *block = pool_cache_allocate(cache);
    CHECK(pool_cache_deallocate(cache, block) == POOL_OK);
    CHECK(pool_trim(watched.pool, NULL) == POOL_OK);
    all_blocks_are_there(&watched, 0);
  }
  end(&watched);
}

static void a_cache_grows_its_pool_and_goes_to_the_heap(void) {
  enum { MAX = 20000 };
  static void *blocks[MAX + 10];
  const pool_options_t options = options_of(1, MAX, POOL_EXHAUSTED_HEAP);
  pool_t *pool = created(&options);
  pool_cache_t *cache = cache_of(pool);
  for (size_t i = 0; i < MAX + 10; ++i) {
    blocks[i] = pool_cache_allocate(cache);
    MUST(blocks[i] != NULL);
    write_stamp(blocks[i], BLOCK_SIZE, stamp_of(1, i));
  }
  CHECK(pool_capacity(pool) == MAX && stats_of(pool).heap_blocks == 10);
  REFUSED(pool_cache_deallocate(cache, (char *)blocks[MAX] + 1) == POOL_ERR_INTERIOR_POINTER);
  for (size_t i = 0; i < MAX + 10; ++i) {
    MUST(read_stamp(blocks[i], BLOCK_SIZE) == stamp_of(1, i));
    MUST(pool_cache_deallocate(cache, blocks[i]) == POOL_OK);
  }
  CHECK(stats_of(pool).heap_blocks == 0 && pool_in_use(pool) == 0);
  CHECK(pool_validate(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

static void without_checks_all_blocks_come_and_go(void) {
  static void *blocks[BLOCKS];
  pool_options_t options = options_of(BLOCKS, 0, POOL_EXHAUSTED_NULL);
  options.checks = POOL_CHECKS_NONE;
  pool_t *pool = created(&options);
  pool_cache_t *cache = cache_of(pool);
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < BLOCKS; ++i) {
      blocks[i] = i % 2 == 0 ? pool_cache_allocate(cache) : pool_allocate(pool);
      MUST(blocks[i] != NULL);
      write_stamp(blocks[i], BLOCK_SIZE, stamp_of(1, i));
    }
    CHECK(pool_cache_allocate(cache) == NULL && pool_allocate(pool) == NULL);
    for (size_t i = 0; i < BLOCKS; ++i) {
      MUST(read_stamp(blocks[i], BLOCK_SIZE) == stamp_of(1, i));
      MUST((i % 3 == 0 ? pool_deallocate(pool, blocks[i])
                       : pool_cache_deallocate(cache, blocks[i])) == POOL_OK);
    }
  }
  CHECK(pool_in_use(pool) == 0 && pool_validate(pool) == POOL_OK);
  CHECK(pool_cache_destroy(cache) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* --- misuse --------------------------------------------------------------------------------- */

static void bad_pointers_change_nothing(void) {
  watched_t watched = watched_pool(&MODES[0], BLOCK_SIZE, BLOCKS);
  pool_t *other = pool_create(BLOCK_SIZE, 1);
  pool_cache_t *cache = cache_of(watched.pool);
  char *block = take_with(cache, &watched, stamp_of(1, 1));
  char *freed = take_with(cache, &watched, stamp_of(1, 2));
  void *elsewhere = pool_allocate(other);
  for (int with_cache = 0; with_cache < 2; ++with_cache) {
    REFUSED(pool_cache_deallocate(cache, elsewhere) == POOL_ERR_FOREIGN_POINTER);
    REFUSED(pool_cache_deallocate(cache, &block) == POOL_ERR_FOREIGN_POINTER);
    REFUSED(pool_cache_deallocate(cache, block + 1) == POOL_ERR_INTERIOR_POINTER);
    REFUSED(pool_cache_deallocate(cache, block + BLOCK_SIZE - 1) == POOL_ERR_INTERIOR_POINTER);
    if (with_cache) give_with(cache, &watched, freed);
    if (!with_cache) give(&watched, freed);
    REFUSED(pool_cache_deallocate(cache, freed) == POOL_ERR_DOUBLE_FREE);
    REFUSED(pool_deallocate(watched.pool, freed) == POOL_ERR_DOUBLE_FREE);
    const size_t lines = errors();
    CHECK(pool_cache_deallocate(cache, NULL) == POOL_OK && errors() == lines);
    all_blocks_are_there(&watched, 1);
    freed = take_with(cache, &watched, stamp_of(1, 3));
  }
  give_with(cache, &watched, freed);
  give(&watched, block);
  REFUSED(pool_cache_deallocate(cache, block) == POOL_ERR_DOUBLE_FREE);
  all_blocks_are_there(&watched, 0);
  CHECK(pool_deallocate(other, elsewhere) == POOL_OK && pool_destroy(other) == POOL_OK);
  end(&watched);
}

static void is_no_cache(void *handle, pool_status_t expected) {
  pool_cache_t *cache = handle;
  int local = 0;
  REFUSED(pool_cache_allocate(cache) == NULL);
  REFUSED(pool_cache_deallocate(cache, &local) == expected);
  REFUSED(pool_cache_deallocate(cache, NULL) == expected);
  if (cache != NULL) REFUSED(pool_cache_destroy(cache) == expected);
}

static void is_no_pool(void *handle) {
  pool_t *pool = handle;
  int local = 0;
  REFUSED(pool_allocate(pool) == NULL);
  REFUSED(pool_deallocate(pool, &local) == POOL_ERR_STALE_HANDLE);
  REFUSED(pool_capacity(pool) == 0);
  REFUSED(pool_cache_create(pool) == NULL);
  REFUSED(pool_destroy(pool) == POOL_ERR_STALE_HANDLE);
}

static void bad_handles_are_found(void) {
  watched_t watched = watched_pool(&MODES[0], BLOCK_SIZE, BLOCKS);
  pool_cache_t *cache = cache_of(watched.pool);
  CHECK(pool_cache_destroy(NULL) == POOL_OK);
  is_no_cache(NULL, POOL_ERR_NULL_ARGUMENT);
  is_no_cache(&watched, POOL_ERR_STALE_HANDLE);
  is_no_cache(watched.pool, POOL_ERR_STALE_HANDLE);
  is_no_pool(cache);
  for (int step = -16; step <= 16; ++step) {
    void *near = (void *)((uintptr_t)cache + (uintptr_t)(intptr_t)step);
    if (step != 0) is_no_cache(near, POOL_ERR_STALE_HANDLE);
    if (step != 0) is_no_pool(near);
  }
  is_no_cache((void *)~(uintptr_t)cache, POOL_ERR_STALE_HANDLE);
  is_no_pool((void *)~(uintptr_t)cache);
  CHECK(pool_cache_destroy(cache) == POOL_OK);
  is_no_cache(cache, POOL_ERR_STALE_HANDLE);
  is_no_pool(cache);
  pool_cache_t *next = cache_of(watched.pool); /* where the other one was */
  CHECK(next != cache);
  is_no_cache(cache, POOL_ERR_STALE_HANDLE);
  all_blocks_are_there(&watched, 0);
  end(&watched);
  is_no_cache(next, POOL_ERR_STALE_HANDLE);
  is_no_cache(watched.pool, POOL_ERR_STALE_HANDLE);
}

static void only_safe_pools_of_the_system_have_caches(void) {
  static unsigned char buffer[POOL_STATIC_BYTES_LOCK_FREE(BLOCK_SIZE, 8)];
  const uint32_t threadings[] = {POOL_THREADS_SAFE, POOL_THREADS_SINGLE, POOL_THREADS_LOCK_FREE};
  for (int i = 0; i < 6; ++i) {
    pool_options_t options = options_of(8, 0, POOL_EXHAUSTED_NULL);
    options.threading = threadings[i % 3];
    options.buffer = i < 3 ? buffer : NULL;
    options.buffer_bytes = i < 3 ? sizeof buffer : 0;
    pool_t *pool = created(&options);
    if (i == 3) CHECK(pool_cache_create(pool) != NULL);
    if (i != 3) REFUSED(pool_cache_create(pool) == NULL);
    CHECK(pool_available(pool) == 8 && pool_destroy(pool) == POOL_OK);
  }
  REFUSED(pool_cache_create(NULL) == NULL);
}

/* --- another thread ------------------------------------------------------------------------- */

typedef struct {
  watched_t *watched;
  pool_cache_t *cache;
} theirs_t;

/* At the latest when the cache is empty, or full. */
static void use_the_cache_of_another(size_t number, void *shared) {
  theirs_t *theirs = shared;
  watched_t *watched = theirs->watched;
  void *blocks[BLOCKS];
  size_t count = 0;
  (void)number;
  const size_t before = errors();
  while (count <= CACHE_MAX && (blocks[count] = pool_cache_allocate(theirs->cache)) != NULL) {
    ++count;
  }
  MUST(count <= CACHE_MAX && errors() == before + 1);
  for (size_t i = 0; i < count; ++i) MUST(pool_deallocate(watched->pool, blocks[i]) == POOL_OK);
  for (size_t i = 0; i < CACHE_MAX + 1; ++i) MUST((blocks[i] = pool_allocate(watched->pool)));
  for (count = 0; count < CACHE_MAX + 1; ++count) {
    const pool_status_t status = pool_cache_deallocate(theirs->cache, blocks[count]);
    if (status == POOL_OK) continue;
    MUST(status == POOL_ERR_INVALID_ARGUMENT);
    break;
  }
  MUST(count <= CACHE_MAX && errors() == before + 2);
  for (; count < CACHE_MAX + 1; ++count) {
    MUST(pool_deallocate(watched->pool, blocks[count]) == POOL_OK);
  }
}

static void a_cache_has_one_owner(void) {
  watched_t watched = watched_pool(&MODES[0], BLOCK_SIZE, BLOCKS);
  theirs_t theirs = {&watched, cache_of(watched.pool)};
  void *held[BLOCKS];
  for (size_t most = 1; most <= BLOCKS; most *= 10) {
    for (size_t i = 0; i < most; ++i) held[i] = take_with(theirs.cache, &watched, stamp_of(1, i));
    for (size_t i = 1; i < most; ++i) give_with(theirs.cache, &watched, held[i]);
    together(1, use_the_cache_of_another, &theirs);
    all_blocks_are_there(&watched, 1);
    give_with(theirs.cache, &watched, held[0]);
    all_blocks_are_there(&watched, 0);
  }
  CHECK(pool_cache_destroy(theirs.cache) == POOL_OK);
  end(&watched);
}

int main(void) {
  const size_t capacities[] = {1, 2, 100, 245, 20000 / THREADS_FEWER};
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  for (int i = 0; i < 5; ++i) all_blocks_by_either_way(capacities[i]);
  destroying_a_cache_loses_nothing();
  reset_and_trim_reach_into_caches();
  without_checks_all_blocks_come_and_go();
  CHECK(errors() == 0);
  a_cache_grows_its_pool_and_goes_to_the_heap();
  bad_pointers_change_nothing();
  bad_handles_are_found();
  only_safe_pools_of_the_system_have_caches();
  a_cache_has_one_owner();
  return CHECK_RESULT();
}
