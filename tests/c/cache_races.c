/* Explicit caches against thieves: one thread works on the fast path of its cache while another
   closes all magazines, again and again. No block is had twice, none lost, and none missed. */

#define _GNU_SOURCE /* pthread_barrier_t, cpu_set_t */

#include <sched.h>

#include "threads.h"

enum {
  BLOCK_SIZE = 64,
  BLOCKS = 200,
  AT_ONCE = 16,
  TRIMS = 20000 / THREADS_FEWER,
  LONGEST_PAUSE = 500,
  CACHES = 100,
  ROUNDS = 2000 / THREADS_FEWER,
  EXCHANGES = 100 /* after so many the pool gives its magazines room again */
};

static watched_t watched;

/* On a processor of its own, if there are two: threads that take turns seldom race. */
static void stay_apart(size_t number) {
  cpu_set_t all, one;
  if (THREADS_FEWER > 1) return; /* a tool may run one at a time, wherever it is */
  MUST(sched_getaffinity(0, sizeof all, &all) == 0);
  size_t skipped = number % (size_t)CPU_COUNT(&all);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &all) || skipped-- > 0) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    (void)sched_setaffinity(0, sizeof one, &one); /* refused: then they race less */
    return;
  }
}

static void *had(void *block, uint64_t stamp) {
  MUST(block != NULL);
  own(&watched, block, stamp);
  return block;
}

static void give_with(pool_cache_t *cache, void *block) {
  disown(&watched, block);
  MUST(pool_cache_deallocate(cache, block) == POOL_OK);
}

/* --- trimming --------------------------------------------------------------------------------- */

static atomic_bool is_trimming;

static void take_and_give_at_once(pool_cache_t *cache) {
  void *blocks[AT_ONCE];
  for (size_t i = 0; i < AT_ONCE; ++i) blocks[i] = pool_cache_allocate(cache);
  for (size_t i = 0; i < AT_ONCE; ++i) {
    MUST(blocks[i] != NULL);
    for (size_t j = 0; j < i; ++j) MUST(blocks[i] != blocks[j]);
  }
  for (size_t i = 0; i < AT_ONCE; ++i) MUST(pool_cache_deallocate(cache, blocks[i]) == POOL_OK);
}

/* Nothing is written to the blocks: the more of the time is spent inside calls, the better. */
static void work_with_a_cache(void) {
  pool_cache_t *cache = pool_cache_create(watched.pool);
  while (atomic_load_explicit(&is_trimming, memory_order_relaxed)) take_and_give_at_once(cache);
  MUST(pool_cache_destroy(cache) == POOL_OK);
}

static void pause_for(uint32_t turns) {
  for (volatile uint32_t i = 0; i < turns; ++i) continue;
}

/* By a thread that has no magazine in this pool, and never had one. */
static void trim(void) {
  uint64_t state = 1;
  for (size_t i = 0; i < TRIMS; ++i) {
    MUST(pool_trim(watched.pool, NULL) == POOL_OK);
    pause_for(chance(&state) % LONGEST_PAUSE);
  }
  atomic_store(&is_trimming, false);
}

static void work_or_trim(size_t number, void *unused) {
  (void)unused;
  stay_apart(number);
  if (number == 0) work_with_a_cache();
  if (number == 1) trim();
}

static void a_pool_of_caches_alone_can_be_trimmed(void) {
  watched = watched_pool(&MODES[0], BLOCK_SIZE, BLOCKS);
  atomic_store(&is_trimming, true);
  together(2, work_or_trim, NULL);
  all_blocks_are_there(&watched, 0);
  end(&watched);
}

/* --- NULL is exact ---------------------------------------------------------------------------- */

static pool_cache_t *caches[CACHES];
static atomic_size_t asked, moving, answered; /* the round that each is in */

/* Looks often before it lets others run, who keep the processor for long on a busy machine. */
static void await(atomic_size_t *step, size_t round) {
  for (size_t looks = 1; atomic_load(step) < round; ++looks) {
    if (looks % 2000 == 0) sched_yield();
  }
}

/* One block into the magazine of this thread, the other one into its cache. */
static void fill_both(pool_cache_t *cache, size_t round) {
  for (int i = 0; i < EXCHANGES; ++i) {
    void *first = had(pool_allocate(watched.pool), stamp_of(0, round));
    void *second = had(pool_cache_allocate(cache), stamp_of(1, round));
    give(&watched, first);
    give_with(cache, second);
  }
}

/* Never holds more than one of the two, wherever the other one lies. */
static void move_blocks(void) {
  for (size_t i = 0; i < CACHES; ++i) caches[i] = pool_cache_create(watched.pool);
  for (size_t round = 1; round <= ROUNDS; ++round) {
    await(&asked, round);
    fill_both(caches[0], round);
    void *block = pool_allocate(watched.pool);
    atomic_store(&moving, round);
    while (atomic_load(&answered) < round) {
      MUST(block != NULL && pool_deallocate(watched.pool, block) == POOL_OK);
      block = pool_cache_allocate(caches[0]);
      MUST(block != NULL && pool_cache_deallocate(caches[0], block) == POOL_OK);
      block = pool_allocate(watched.pool);
    }
    MUST(block != NULL && pool_deallocate(watched.pool, block) == POOL_OK);
  }
}

/* So there is one for this thread at every moment, which goes back past its own magazine. */
static void ask_for_one(void) {
  for (size_t round = 1; round <= ROUNDS; ++round) {
    atomic_store(&asked, round);
    await(&moving, round);
    pause_for(round % 50 * 20);
    void *block = had(pool_allocate(watched.pool), stamp_of(2, round));
    disown(&watched, block);
    MUST(pool_deallocate_many(watched.pool, &block, 1) == POOL_OK);
    atomic_store(&answered, round);
  }
}

static void move_or_ask(size_t number, void *unused) {
  (void)unused;
  stay_apart(number);
  if (number == 0) move_blocks();
  if (number == 1) ask_for_one();
}

static void a_block_that_moves_between_magazines_is_found(void) {
  watched = watched_pool(&MODES[0], BLOCK_SIZE, 2);
  together(2, move_or_ask, NULL);
  pool_stats_t stats = {.struct_size = sizeof stats};
  CHECK(pool_get_stats(watched.pool, &stats) == POOL_OK && stats.failures == 0);
  all_blocks_are_there(&watched, 0);
  end(&watched);
}

int main(void) {
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  a_pool_of_caches_alone_can_be_trimmed();
  a_block_that_moves_between_magazines_is_found();
  CHECK(atomic_load(&error_lines) == 0);
  return CHECK_RESULT();
}
