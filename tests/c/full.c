/* POOL_CHECKS_FULL in all three modes: a watched pool is a pool, with the same sizes, the same
   figures and every block of its capacity, and it tells who did what. */

#define _DEFAULT_SOURCE
#include "threads.h"

enum { BLOCK_SIZE = 40, QUARANTINE = 256 };

static uint32_t threading;
static int lines;
static char last_line[600];

static void listen(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level;
  ++lines;
  strncpy(last_line, message, sizeof last_line - 1);
}

static pool_options_t options_of(size_t capacity, size_t max_capacity) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = BLOCK_SIZE;
  options.capacity = capacity;
  options.max_capacity = max_capacity;
  options.threading = threading;
  options.checks = POOL_CHECKS_FULL;
  return options;
}

static pool_t *create(const pool_options_t *options) {
  pool_t *pool = NULL;
  CHECK(pool_create_with(options, &pool) == POOL_OK);
  return pool;
}

static pool_t *pool_of(size_t capacity, size_t max_capacity) {
  const pool_options_t options = options_of(capacity, max_capacity);
  return create(&options);
}

static pool_stats_t stats_of(const pool_t *pool) {
  pool_stats_t stats = {.struct_size = sizeof stats};
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  return stats;
}

static void finish(pool_t *pool) {
  CHECK(pool_validate(pool) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK);
}

/* --- sizes ------------------------------------------------------------------------------------ */

/* The stride alone is another one: there are bytes behind each block that nobody may write. */
static void the_sizes_are_those_of_other_pools(void) {
  const size_t alignments[] = {0, 1, 8, 16, 64, 4096};
  for (size_t size = 1; size <= 200; size += size < 40 ? 1 : 13) {
    for (size_t i = 0; i < sizeof alignments / sizeof alignments[0]; ++i) {
      pool_options_t options = options_of(3, 5);
      options.block_size = size;
      options.alignment = alignments[i];
      pool_t *watched = create(&options);
      options.checks = POOL_CHECKS_STANDARD;
      pool_t *other = create(&options);
      const pool_stats_t a = stats_of(watched), b = stats_of(other);
      CHECK(a.block_size == size && a.alignment == b.alignment);
      CHECK(a.capacity == 3 && a.max_capacity == b.max_capacity);
      CHECK(a.stride >= size + 8 && a.stride % a.alignment == 0);
      CHECK(a.stride < size + 8 + a.alignment && b.stride <= a.stride);
      char *block = pool_allocate(watched);
      CHECK(block != NULL && (uintptr_t)block % a.alignment == 0);
      memset(block, 0x41, size); /* all of it is the caller's */
      CHECK(pool_deallocate(watched, block) == POOL_OK);
      finish(watched);
      finish(other);
    }
  }
}

/* --- the quarantine --------------------------------------------------------------------------- */

/* Blocks that wait are no reason to answer NULL. */
static void every_block_can_be_had_while_all_wait(size_t capacity) {
  pool_t *pool = pool_of(capacity, 0);
  void **blocks = calloc(capacity + 1, sizeof *blocks);
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < capacity; ++i) {
      blocks[i] = pool_allocate(pool);
      CHECK(blocks[i] != NULL);
    }
    CHECK(pool_allocate(pool) == NULL && pool_in_use(pool) == capacity);
    for (size_t i = 0; i < capacity; ++i) CHECK(pool_deallocate(pool, blocks[i]) == POOL_OK);
    CHECK(pool_available(pool) == capacity);
  }
  CHECK(stats_of(pool).failures == 3 && stats_of(pool).peak_in_use == capacity);
  free(blocks);
  finish(pool);
}

/* The block comes again after as many others as the quarantine holds, not before. */
static void a_block_that_came_back_waits(void) {
  pool_t *pool = pool_of(2 * QUARANTINE, 0);
  void *first = pool_allocate(pool);
  CHECK(pool_deallocate(pool, first) == POOL_OK);
  size_t others = 0;
  for (; others < 4 * QUARANTINE; ++others) {
    void *block = pool_allocate(pool);
    const int is_first = block == first;
    CHECK(pool_deallocate(pool, block) == POOL_OK);
    if (is_first) break;
  }
  CHECK(QUARANTINE <= others && others < 4 * QUARANTINE);
  finish(pool);
}

/* --- two threads give one block back at once -------------------------------------------------- */

enum { ROUNDS = 20000 / THREADS_FEWER };

typedef struct {
  pool_t *pool;
  pthread_barrier_t turn;
  void *block;
  int given[2];
} race_t;

static void race(size_t number, void *shared) {
  race_t *race = shared;
  for (int round = 0; round < ROUNDS; ++round) {
    pthread_barrier_wait(&race->turn);
    const pool_status_t status = pool_deallocate(race->pool, race->block);
    race->given[number] += status == POOL_OK;
    if (status != POOL_OK && status != POOL_ERR_DOUBLE_FREE) abort();
    pthread_barrier_wait(&race->turn);
    if (number == 0) race->block = pool_allocate(race->pool);
  }
}

static void of_two_threads_one_succeeds(void) {
  race_t shared = {.pool = pool_of(4, 0)};
  CHECK(pthread_barrier_init(&shared.turn, NULL, 2) == 0);
  pool_set_log_callback(NULL, NULL, 0);
  shared.block = pool_allocate(shared.pool);
  together(2, race, &shared);
  CHECK(shared.given[0] + shared.given[1] == ROUNDS);
  CHECK(pool_in_use(shared.pool) == 1);
  CHECK(pool_deallocate(shared.pool, shared.block) == POOL_OK);
  const pool_stats_t stats = stats_of(shared.pool);
  CHECK(stats.allocations == ROUNDS + 1 && stats.deallocations == ROUNDS + 1);
  finish(shared.pool);
  pthread_barrier_destroy(&shared.turn);
  pool_set_log_callback(listen, NULL, POOL_LOG_WARN);
}

/* --- all that a pool can do ------------------------------------------------------------------- */

static bool count(void *user_data, void *block) {
  (void)block;
  ++*(size_t *)user_data;
  return true;
}

static void many_reset_grow_and_the_walk_work(void) {
  void *blocks[6];
  size_t live = 0, trimmed = 1;
  pool_t *pool = pool_of(4, 8);
  CHECK(pool_allocate_many(pool, blocks, 4) == 4);
  CHECK(pool_grow(pool, 1) == POOL_OK && pool_capacity(pool) == 5);
  CHECK(pool_allocate_many(pool, blocks + 4, 2) == 2 && pool_capacity(pool) > 5); /* by itself */
  CHECK(pool_deallocate_many(pool, blocks, 3) == POOL_OK && pool_in_use(pool) == 3);
  CHECK(pool_for_each_live(pool, count, &live) == POOL_OK && live == 3);
  CHECK(pool_owns(pool, blocks[0]) && pool_owns(pool, blocks[5]));
  CHECK(!pool_owns(pool, (char *)blocks[5] + 1) && !pool_owns(pool, &live));
  CHECK(pool_check_block(pool, blocks[5]) == POOL_OK);
  CHECK(pool_trim(pool, &trimmed) == POOL_OK && trimmed == 0);
  CHECK(pool_reset(pool) == POOL_OK && pool_in_use(pool) == 0);
  CHECK(pool_allocate_many(pool, blocks, 6) == 6);
  CHECK(pool_deallocate_many(pool, blocks, 6) == POOL_OK);
  const pool_stats_t stats = stats_of(pool);
  CHECK(stats.allocations == 12 && stats.deallocations == 12 && stats.peak_in_use == 6);
  CHECK(stats.in_use == 0 && stats.available == stats.capacity && stats.failures == 0);
  finish(pool);
}

static void a_zeroed_block_is_zero_and_a_fresh_one_is_not(void) {
  pool_t *pool = pool_of(2, 0);
  unsigned char *fresh = pool_allocate(pool), *zeroed = pool_allocate_zeroed(pool);
  for (int i = 0; i < BLOCK_SIZE; ++i) CHECK(fresh[i] == 0xCD && zeroed[i] == 0);
  CHECK(pool_deallocate(pool, fresh) == POOL_OK && pool_deallocate(pool, zeroed) == POOL_OK);
  finish(pool);
}

static void beyond_the_last_block_the_heap_gives(void) {
  pool_options_t options = options_of(1, 0);
  options.on_exhausted = POOL_EXHAUSTED_HEAP;
  pool_t *pool = create(&options);
  void *own = pool_allocate(pool);
  char *other = pool_allocate(pool);
  CHECK(own != NULL && other != NULL && stats_of(pool).heap_blocks == 1);
  memset(other, 0x41, BLOCK_SIZE);
  CHECK(pool_deallocate(pool, other + 1) == POOL_ERR_INTERIOR_POINTER);
  CHECK(pool_deallocate(pool, other) == POOL_OK && pool_deallocate(pool, own) == POOL_OK);
  finish(pool);
}

static void a_cache_works_and_keeps_nothing(void) {
  pool_t *pool = pool_of(2, 0);
  pool_cache_t *cache = pool_cache_create(pool);
  void *a = pool_cache_allocate(cache), *b = pool_cache_allocate(cache);
  CHECK(a != NULL && b != NULL && pool_cache_allocate(cache) == NULL);
  CHECK(pool_cache_deallocate(cache, a) == POOL_OK && pool_in_use(pool) == 1);
  CHECK(pool_cache_deallocate(cache, a) == POOL_ERR_DOUBLE_FREE);
  CHECK(pool_deallocate(pool, b) == POOL_OK && pool_cache_destroy(cache) == POOL_OK);
  finish(pool);
}

typedef struct {
  pool_t *pool;
  void *block;
} waited_t;

/* The second gives the only block back, and the first gets it. */
static void wait_or_give(size_t number, void *shared) {
  waited_t *waited = shared;
  void *block = NULL;
  if (number == 1) {
    MUST(pool_deallocate(waited->pool, waited->block) == POOL_OK);
  } else {
    MUST(pool_allocate_wait(waited->pool, UINT64_MAX, &block) == POOL_OK);
    MUST(block == waited->block && *(unsigned char *)block == 0xCD);
  }
}

static void who_waits_gets_a_block(void) {
  waited_t waited = {.pool = pool_of(1, 0)};
  waited.block = pool_allocate(waited.pool);
  void *none = NULL;
  CHECK(pool_allocate_wait(waited.pool, 0, &none) == POOL_ERR_TIMED_OUT);
  for (int i = 0; i < 20; ++i) together(2, wait_or_give, &waited);
  CHECK(pool_deallocate(waited.pool, waited.block) == POOL_OK);
  finish(waited.pool);
}

/* In a caller's buffer there is no room for what full checks keep. */
static void a_pool_in_a_buffer_says_that_its_checks_are_standard(void) {
  static unsigned char memory[1 << 13];
  pool_options_t options = options_of(4, 0);
  options.buffer = memory;
  options.buffer_bytes = sizeof memory;
  lines = 0;
  pool_t *pool = create(&options);
  CHECK(lines == 1 && strstr(last_line, "standard") != NULL);
  char *block = pool_allocate(pool);
  CHECK(pool_stride(pool) == BLOCK_SIZE && pool_deallocate(pool, block) == POOL_OK);
  CHECK(pool_deallocate(pool, block) == POOL_ERR_DOUBLE_FREE);
  finish(pool);
}

/* --- reports ---------------------------------------------------------------------------------- */

/* The last report, copied; `thread` and `sequence` of each site, 0 where there is none. */
typedef struct {
  int count;
  pool_status_t status;
  size_t index;
  ptrdiff_t offset;
  int64_t threads[3];
  uint64_t sequences[3];
} heard_t;

static void keep(void *user_data, const pool_report_t *report) {
  heard_t *heard = user_data;
  const pool_site_t *sites[3] = {report->allocated, report->deallocated, report->here};
  const int reports = heard->count;
  *heard = (heard_t){.count = reports + 1, .status = report->status, .index = report->index,
                     .offset = report->offset};
  for (int i = 0; i < 3; ++i) {
    const pool_site_t *site = sites[i];
    if (site == NULL) continue;
    heard->threads[i] = site->thread;
    heard->sequences[i] = site->sequence;
    CHECK(site->frames != NULL && site->frame_count > 0 && site->nanoseconds > 0);
    for (size_t frame = 0; frame < site->frame_count; ++frame) CHECK(site->frames[frame] != NULL);
  }
}

static void heard(heard_t *last, pool_status_t status, size_t index, ptrdiff_t offset) {
  CHECK(last->count == 1 && last->status == status);
  CHECK(last->index == index && last->offset == offset);
  last->count = 0;
}

static void a_report_says_who_had_the_block(void) {
  heard_t last = {0};
  pool_t *pool = pool_of(4, 0);
  CHECK(pool_set_report_callback(pool, keep, &last) == POOL_OK);
  char *first = pool_allocate(pool), *second = pool_allocate(pool); /* operations 1 and 2 */
  const size_t index = second > first;
  CHECK(pool_deallocate(pool, &last) == POOL_ERR_FOREIGN_POINTER);
  heard(&last, POOL_ERR_FOREIGN_POINTER, SIZE_MAX, 0);
  CHECK(last.threads[0] == 0 && last.threads[1] == 0 && last.threads[2] != 0);
  const int64_t self = last.threads[2];
  CHECK(pool_deallocate(pool, second + 3) == POOL_ERR_INTERIOR_POINTER);
  heard(&last, POOL_ERR_INTERIOR_POINTER, index, 3);
  CHECK(last.threads[0] == self && last.sequences[0] == 2 && last.threads[1] == 0);
  second[BLOCK_SIZE] = 0x41;
  CHECK(pool_deallocate(pool, second) == POOL_ERR_CORRUPTED); /* operation 3 */
  heard(&last, POOL_ERR_CORRUPTED, index, BLOCK_SIZE);
  CHECK(last.sequences[0] == 2 && last.sequences[1] == 3 && last.threads[2] == 0);
  CHECK(pool_deallocate(pool, second) == POOL_ERR_DOUBLE_FREE);
  heard(&last, POOL_ERR_DOUBLE_FREE, index, 0);
  CHECK(last.sequences[0] == 2 && last.sequences[1] == 3 && last.threads[1] == self);
  CHECK(last.threads[2] == self && last.sequences[2] == 0); /* no operation of the pool's */
  first[-1] = 0x41;
  CHECK(pool_validate(pool) == POOL_ERR_CORRUPTED);
  heard(&last, POOL_ERR_CORRUPTED, 0, -1);
  CHECK(pool_deallocate(pool, first) == POOL_ERR_CORRUPTED);
  CHECK(pool_set_report_callback(pool, NULL, NULL) == POOL_OK);
  finish(pool);
}

int main(void) {
  const uint32_t all[] = {POOL_THREADS_SAFE, POOL_THREADS_SINGLE, POOL_THREADS_LOCK_FREE};
  pool_set_log_callback(listen, NULL, POOL_LOG_WARN);
  for (int i = 0; i < 3; ++i) {
    threading = all[i];
    the_sizes_are_those_of_other_pools();
    every_block_can_be_had_while_all_wait(1);
    every_block_can_be_had_while_all_wait(QUARANTINE);
    every_block_can_be_had_while_all_wait(QUARANTINE + 100);
    a_block_that_came_back_waits();
    many_reset_grow_and_the_walk_work();
    a_zeroed_block_is_zero_and_a_fresh_one_is_not();
    a_pool_in_a_buffer_says_that_its_checks_are_standard();
    a_report_says_who_had_the_block();
    if (threading != POOL_THREADS_LOCK_FREE) beyond_the_last_block_the_heap_gives();
    if (threading == POOL_THREADS_SAFE) a_cache_works_and_keeps_nothing();
    if (threading == POOL_THREADS_SINGLE) continue;
    of_two_threads_one_succeeds();
    who_waits_gets_a_block();
  }
  return CHECK_RESULT();
}
