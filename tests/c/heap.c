/* POOL_EXHAUSTED_HEAP: beyond the last block, blocks of the heap, as good as any. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 4, ALL = 50, BLOCK_SIZE = 40, ALIGNMENT = 256 };

static char last_message[600];

static void keep(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level;
  strncpy(last_message, message, sizeof last_message - 1);
}

static pool_stats_t stats_of(const pool_t *pool) {
  pool_stats_t stats = {0};
  stats.struct_size = sizeof stats;
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  return stats;
}

static void take_all(pool_t *pool, unsigned char **blocks) {
  for (int i = 0; i < ALL; ++i) {
    blocks[i] = pool_allocate(pool);
    CHECK(blocks[i] != NULL && (uintptr_t)blocks[i] % ALIGNMENT == 0);
    CHECK(pool_owns(pool, blocks[i]));
    memset(blocks[i], i, BLOCK_SIZE);
  }
}

static void counts_and_keeps_them_apart(pool_t *pool, unsigned char **blocks) {
  take_all(pool, blocks);
  CHECK(pool_capacity(pool) == CAPACITY && pool_in_use(pool) == ALL);
  CHECK(pool_available(pool) == 0);
  CHECK(stats_of(pool).heap_blocks == ALL - CAPACITY && stats_of(pool).peak_in_use == ALL);
  for (int i = 0; i < ALL; ++i) {
    for (int byte = 0; byte < BLOCK_SIZE; ++byte) CHECK(blocks[i][byte] == i);
  }
  /* A span block goes back to the span, a heap block to the heap. */
  CHECK(pool_deallocate(pool, blocks[2]) == POOL_OK && pool_available(pool) == 1);
  CHECK(stats_of(pool).heap_blocks == ALL - CAPACITY);
  CHECK(pool_deallocate(pool, blocks[20]) == POOL_OK && pool_available(pool) == 1);
  CHECK(stats_of(pool).heap_blocks == ALL - CAPACITY - 1 && !pool_owns(pool, blocks[20]));
  CHECK(pool_allocate(pool) == blocks[2]);
  CHECK(pool_in_use(pool) == ALL - 1 && pool_validate(pool) == POOL_OK);
}

static void misuse_is_found(pool_t *pool, unsigned char **blocks) {
  for (int into = 1; into < BLOCK_SIZE; ++into) {
    CHECK(pool_deallocate(pool, blocks[30] + into) == POOL_ERR_INTERIOR_POINTER);
    CHECK(strstr(last_message, "into the heap block") != NULL);
  }
  CHECK(pool_deallocate(pool, blocks[20]) == POOL_ERR_FOREIGN_POINTER); /* the heap's by now */
  CHECK(pool_deallocate(pool, &last_message) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_in_use(pool) == ALL - 1);
}

static void the_end_takes_them_along(pool_t *pool, unsigned char **blocks) {
  CHECK(pool_reset(pool) == POOL_OK && pool_in_use(pool) == 0);
  CHECK(stats_of(pool).heap_blocks == 0);
  CHECK(stats_of(pool).allocations == stats_of(pool).deallocations);
  take_all(pool, blocks);
  CHECK(pool_destroy(pool) == POOL_OK);
  CHECK(strstr(last_message, "50 live blocks") != NULL);
}

/* --- a source that runs dry ------------------------------------------------------------------- */

static bool may_grow;
static void *reserve(void *unused, size_t bytes) {
  static _Alignas(4096) unsigned char memory[1 << 18];
  (void)unused;
  return bytes <= sizeof memory ? memory : NULL;
}
static bool commit(void *unused, void *start, size_t bytes) {
  (void)unused, (void)start, (void)bytes;
  return may_grow;
}

static pool_t *growing_pool(uint32_t threading, size_t capacity, size_t more) {
  pool_source_t source = {.struct_size = sizeof source, .reserve = reserve, .commit = commit};
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = 1024;
  options.capacity = capacity;
  options.max_capacity = capacity + more;
  options.threading = threading;
  options.on_exhausted = POOL_EXHAUSTED_HEAP;
  options.source = &source;
  may_grow = true;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  return pool;
}

/* What is done first to blocks of both kinds, when all are live. */
typedef enum { LOOK, FREE_THE_SPAN, FREE_THE_HEAP, RESET, FIRST_STEPS } first_step_t;

/* Blocks of the heap first, because the pool can't grow, and then those that it grew by. */
static void the_peak_counts_both_kinds(uint32_t threading, first_step_t first_step) {
  enum { FIRST = 4 /* a page */, HEAP = 3, MORE = 40, SUM = FIRST + HEAP + MORE };
  pool_t *pool = growing_pool(threading, FIRST, MORE);
  void *blocks[SUM];
  may_grow = false;
  for (int i = 0; i < FIRST + HEAP; ++i) CHECK((blocks[i] = pool_allocate(pool)) != NULL);
  may_grow = true;
  CHECK(pool_grow(pool, MORE) == POOL_OK);
  CHECK(stats_of(pool).peak_in_use == FIRST + HEAP);
  for (int i = FIRST + HEAP; i < SUM; ++i) CHECK((blocks[i] = pool_allocate(pool)) != NULL);
  if (first_step == LOOK) {
    const pool_stats_t stats = stats_of(pool);
    CHECK(stats.heap_blocks == HEAP && stats.in_use == SUM && stats.peak_in_use == SUM);
  }
  if (first_step == RESET) {
    CHECK(pool_reset(pool) == POOL_OK);
  } else {
    /* Beginning with those of the heap, or after them. */
    const int begin = first_step == FREE_THE_HEAP ? FIRST : FIRST + HEAP;
    for (int i = 0; i < SUM; ++i) {
      CHECK(pool_deallocate(pool, blocks[(begin + i) % SUM]) == POOL_OK);
    }
  }
  CHECK(stats_of(pool).in_use == 0 && stats_of(pool).peak_in_use == SUM);
  CHECK(pool_destroy(pool) == POOL_OK);
}

int main(void) {
  unsigned char *blocks[ALL];
  const uint32_t levels[] = {POOL_CHECKS_STANDARD, POOL_CHECKS_NONE};
  pool_set_log_callback(keep, NULL, POOL_LOG_WARN);
  for (int level = 0; level < 2; ++level) {
    pool_options_t options = POOL_OPTIONS_INIT;
    pool_t *pool = NULL;
    options.block_size = BLOCK_SIZE;
    options.capacity = CAPACITY;
    options.alignment = ALIGNMENT;
    options.threading = POOL_THREADS_SINGLE;
    options.checks = levels[level];
    options.on_exhausted = POOL_EXHAUSTED_HEAP;
    CHECK(pool_create_with(&options, &pool) == POOL_OK);
    counts_and_keeps_them_apart(pool, blocks);
    misuse_is_found(pool, blocks);
    the_end_takes_them_along(pool, blocks);
  }
  for (int step = 0; step < FIRST_STEPS; ++step) {
    the_peak_counts_both_kinds(POOL_THREADS_SAFE, (first_step_t)step);
    the_peak_counts_both_kinds(POOL_THREADS_SINGLE, (first_step_t)step);
  }
  return CHECK_RESULT();
}
