/* Ten thousand threads that live for a moment: what they freed last is not lost with them, not even
   what they freed while they ended, and a pool that outlives them takes no more memory. */

#define _DEFAULT_SOURCE /* pthread_barrier_t */

#include "threads.h"

enum {
  THREADS = 10000 / THREADS_FEWER,
  AT_A_TIME = 64,
  BLOCKS_A_THREAD = 8,
  BOXES = 16,
  BLOCKS = AT_A_TIME * BLOCKS_A_THREAD + BOXES
};

static watched_t watched;
static _Atomic(void *) boxes[BOXES];
static pthread_key_t at_exit;

/* The system calls it while the thread ends, when other things of the thread's are gone already. */
static void free_at_exit(void *block) {
  give(&watched, block);
  block = take(&watched, stamp_of(AT_A_TIME, 0));
  MUST(block != NULL);
  give(&watched, block);
}

/* As many are live at most as there are blocks, so there is always one. Some are left in a box, for
   a later thread to free. */
static void *live_for_a_moment(void *argument) {
  const size_t number = (size_t)(uintptr_t)argument;
  void *blocks[BLOCKS_A_THREAD];
  for (size_t i = 0; i < BLOCKS_A_THREAD; ++i) {
    blocks[i] = take(&watched, stamp_of(number, i + 1));
    MUST(blocks[i] != NULL);
  }
  void *left = atomic_exchange_explicit(&boxes[number % BOXES], blocks[0], memory_order_acq_rel);
  if (left != NULL) give(&watched, left);
  for (size_t i = 2; i < BLOCKS_A_THREAD; ++i) give(&watched, blocks[i]);
  MUST(pthread_setspecific(at_exit, blocks[1]) == 0);
  return NULL;
}

static pool_stats_t stats_now(void) {
  pool_stats_t stats = {.struct_size = sizeof stats};
  CHECK(pool_get_stats(watched.pool, &stats) == POOL_OK);
  return stats;
}

/* So many threads, each of which begins when an earlier one has ended. */
static void short_threads(size_t count) {
  pthread_t threads[AT_A_TIME];
  pthread_attr_t small;
  MUST(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 256 << 10) == 0);
  for (size_t i = 0; i < count + AT_A_TIME; ++i) {
    pthread_t *thread = &threads[i % AT_A_TIME];
    void *number = (void *)(uintptr_t)(i % AT_A_TIME);
    if (i >= AT_A_TIME) MUST(pthread_join(*thread, NULL) == 0);
    if (i < count) MUST(pthread_create(thread, &small, live_for_a_moment, number) == 0);
  }
  pthread_attr_destroy(&small);
}

static size_t live_now(void) {
  size_t live = 0;
  for (int box = 0; box < BOXES; ++box) live += atomic_load(&boxes[box]) != NULL;
  return live;
}

int main(void) {
  MUST(pthread_key_create(&at_exit, free_at_exit) == 0);
  for (int mode = 0; mode < MODE_COUNT; ++mode) {
    watched = watched_pool(&MODES[mode], 64, BLOCKS);
    short_threads(AT_A_TIME);
    const pool_stats_t before = stats_now();
    short_threads(THREADS);
    const pool_stats_t after = stats_now();
    CHECK(live_now() == BOXES && after.in_use == BOXES && after.failures == 0);
    /* Magazines of 1152 bytes, for as many threads as there were at a time, and for this one. */
    CHECK(after.metadata_bytes <= before.metadata_bytes + 1152 * 2 * AT_A_TIME);
    CHECK(after.reserved_bytes == before.reserved_bytes);
    CHECK(after.allocations - before.allocations == (uint64_t)THREADS * (BLOCKS_A_THREAD + 1));
    all_blocks_are_there(&watched, BOXES);
    for (int box = 0; box < BOXES; ++box) give(&watched, atomic_exchange(&boxes[box], NULL));
    all_blocks_are_there(&watched, 0);
    end(&watched);
  }
  return CHECK_RESULT();
}
