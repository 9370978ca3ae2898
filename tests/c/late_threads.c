/* Threads that call a pool when they are all but gone, after everybody who is told of the end of a
   thread was told: their caches still work and are still theirs, and nothing is kept for them. */

#define _DEFAULT_SOURCE /* pthread_barrier_t */

#include "threads.h"

enum {
  BLOCK_SIZE = 64,
  AT_A_TIME = 4,
  BLOCKS_A_THREAD = 200,
  BLOCKS = AT_A_TIME * BLOCKS_A_THREAD,
  ROUNDS = 1 + 50 / THREADS_FEWER,
  FEW = 52 + 448 / THREADS_FEWER,
  MANY = 4 * FEW
};

/* What a thread leaves to be done at its end. */
typedef struct {
  size_t number;
  pool_cache_t *cache;
  void *blocks[BLOCKS_A_THREAD];
} will_t;

static watched_t watched;

/* --- caches ----------------------------------------------------------------------------------- */

/* Some keys are older than what the library has for threads, some younger. */
static pthread_key_t cache_keys[2];

static void *taken_with(will_t *will, uint64_t turn) {
  void *block = pool_cache_allocate(will->cache);
  MUST(block != NULL);
  own(&watched, block, stamp_of(will->number, turn));
  return block;
}

static void give_with(will_t *will, void *block) {
  disown(&watched, block);
  MUST(pool_cache_deallocate(will->cache, block) == POOL_OK);
}

static void end_a_cache(void *argument) {
  will_t *will = argument;
  for (size_t i = 0; i < BLOCKS_A_THREAD; ++i) give_with(will, will->blocks[i]);
  give_with(will, taken_with(will, BLOCKS_A_THREAD + 1));
  MUST(pool_cache_destroy(will->cache) == POOL_OK);
}

static void leave_a_cache(size_t number, void *shared) {
  will_t *will = (will_t *)shared + number;
  *will = (will_t){.number = number, .cache = pool_cache_create(watched.pool)};
  MUST(pthread_setspecific(cache_keys[number % 2], will) == 0);
  for (size_t i = 0; i < BLOCKS_A_THREAD; ++i) will->blocks[i] = taken_with(will, i + 1);
}

static void a_cache_works_to_the_end_of_its_thread(void) {
  static will_t wills[AT_A_TIME];
  for (int round = 0; round < ROUNDS; ++round) {
    together(AT_A_TIME, leave_a_cache, wills);
    MUST(pool_in_use(watched.pool) == 0);
  }
  all_blocks_are_there(&watched, 0);
}

/* --- magazines -------------------------------------------------------------------------------- */

static pthread_key_t late_key;

static void call_for_the_first_time(void *argument) {
  const uint64_t *stamp = argument;
  void *block = take(&watched, *stamp);
  MUST(block != NULL);
  give(&watched, block);
}

static void call_at_the_end_alone(size_t number, void *unused) {
  static uint64_t stamps[AT_A_TIME];
  (void)unused;
  stamps[number] = stamp_of(number, 1);
  MUST(pthread_setspecific(late_key, &stamps[number]) == 0);
}

static size_t metadata_after(int threads) {
  pool_stats_t stats = {.struct_size = sizeof stats};
  for (int i = 0; i < threads; i += AT_A_TIME) together(AT_A_TIME, call_at_the_end_alone, NULL);
  CHECK(pool_get_stats(watched.pool, &stats) == POOL_OK);
  return stats.metadata_bytes;
}

static void nothing_is_kept_for_threads_that_came_late(void) {
  const size_t after_few = metadata_after(FEW);
  /* The magazines' memory doubles when it grows; one thread more at a time can make it do so. */
  CHECK(metadata_after(MANY - FEW) <= 2 * after_few);
  all_blocks_are_there(&watched, 0);
}

int main(void) {
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  MUST(pthread_key_create(&cache_keys[0], end_a_cache) == 0);
  watched = watched_pool(&MODES[0], BLOCK_SIZE, BLOCKS);
  all_blocks_are_there(&watched, 0);
  MUST(pthread_key_create(&cache_keys[1], end_a_cache) == 0);
  MUST(pthread_key_create(&late_key, call_for_the_first_time) == 0);
  a_cache_works_to_the_end_of_its_thread();
  nothing_is_kept_for_threads_that_came_late();
  end(&watched);
  CHECK(atomic_load(&error_lines) == 0);
  return CHECK_RESULT();
}
