/* The calls of pool_inline.h: errors, figures and blocks are those of the library's calls, and both
   may be mixed. Of caches: tests/c/inline_cache.c. */

#define _POSIX_C_SOURCE 200112L /* setenv */

#include <memory_pool/pool_inline.h>
#include <stdlib.h>

#include "check.h"

enum { BLOCK_SIZE = 64, BLOCKS = 3000 };

static const uint32_t LEVELS[] = {POOL_CHECKS_STANDARD, POOL_CHECKS_NONE};

static int reports = 0;

static void count_report(void *user_data, const pool_report_t *report) {
  (void)user_data, (void)report;
  ++reports;
}

/* A pool, its view, and what it was made with. Pools are made one after the other, so they share
   the place of the view. */
typedef struct {
  pool_t *pool;
  pool_single_view_t *view;
  uint32_t checks;
} inlined_t;

static pool_single_view_t place;

static pool_options_t options_of(size_t block_size, size_t capacity, uint32_t checks) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = block_size;
  options.capacity = capacity;
  options.threading = POOL_THREADS_SINGLE;
  options.checks = checks;
  return options;
}

static inlined_t made(const pool_options_t *options) {
  inlined_t made = {NULL, &place, options->checks};
  CHECK(pool_create_with(options, &made.pool) == POOL_OK);
  CHECK(pool_inline_single(made.pool, made.checks, made.view) == POOL_INLINE_CALLS);
  pool_set_report_callback(made.pool, count_report, NULL);
  return made;
}

static inlined_t made_of(size_t block_size, size_t capacity, uint32_t checks) {
  const pool_options_t options = options_of(block_size, capacity, checks);
  return made(&options);
}

/* A constant level, as the header asks for. */
static void *take(inlined_t *from) {
  if (from->checks == POOL_CHECKS_NONE) {
    return pool_inline_allocate(from->pool, from->view, POOL_CHECKS_NONE);
  }
  return pool_inline_allocate(from->pool, from->view, POOL_CHECKS_STANDARD);
}

static pool_status_t give(inlined_t *to, void *block) {
  if (to->checks == POOL_CHECKS_NONE) {
    return pool_inline_deallocate(to->pool, to->view, POOL_CHECKS_NONE, block);
  }
  return pool_inline_deallocate(to->pool, to->view, POOL_CHECKS_STANDARD, block);
}

static bool is_closed(const pool_single_view_t *view) {
  return view->kept == NULL && view->top == view->low && view->floor_or_shift == UINTPTR_MAX;
}

static pool_stats_t stats_of(const inlined_t *of) {
  pool_stats_t stats = {.struct_size = sizeof stats};
  CHECK(pool_get_stats(of->pool, &stats) == POOL_OK);
  return stats;
}

static void has(const inlined_t *it, size_t in_use, uint64_t allocations) {
  const pool_stats_t stats = stats_of(it);
  CHECK(stats.in_use == in_use && pool_in_use(it->pool) == in_use);
  CHECK(stats.allocations == allocations && stats.deallocations == allocations - in_use);
  CHECK(stats.available == stats.capacity - in_use && pool_validate(it->pool) == POOL_OK);
}

/* --- errors --------------------------------------------------------------------------------- */

static void there_is_no_view_of_what_the_program_does_not_expect(void) {
  inlined_t it = made_of(BLOCK_SIZE, 10, POOL_CHECKS_STANDARD);
  pool_single_view_t other = POOL_INLINE_CLOSED;
  CHECK(!pool_single_view(it.pool, 0, POOL_CHECKS_STANDARD, &other));
  CHECK(!pool_single_view(it.pool, POOL_INLINE_VERSION + 1, POOL_CHECKS_STANDARD, &other));
  CHECK(!pool_single_view(it.pool, UINT32_MAX, POOL_CHECKS_STANDARD, &other));
  CHECK(!pool_single_view(it.pool, POOL_INLINE_VERSION, POOL_CHECKS_NONE, &other));
  CHECK(!pool_single_view(it.pool, POOL_INLINE_VERSION, POOL_CHECKS_FULL, &other));
  CHECK(!pool_single_view(it.pool, POOL_INLINE_VERSION, 77, &other));
  CHECK(!pool_single_view(NULL, POOL_INLINE_VERSION, POOL_CHECKS_STANDARD, &other));
  CHECK(!pool_single_view(it.pool, POOL_INLINE_VERSION, POOL_CHECKS_STANDARD, NULL));
  CHECK(is_closed(&other) && pool_destroy(it.pool) == POOL_OK);
  CHECK(!pool_single_view(it.pool, POOL_INLINE_VERSION, POOL_CHECKS_STANDARD, &other));
  const uint32_t others[] = {POOL_THREADS_SAFE, POOL_THREADS_LOCK_FREE};
  for (size_t i = 0; i < 2; ++i) {
    pool_options_t options = options_of(BLOCK_SIZE, 10, POOL_CHECKS_STANDARD);
    options.threading = others[i];
    pool_t *pool = NULL;
    CHECK(pool_create_with(&options, &pool) == POOL_OK);
    CHECK(!pool_inline_single(pool, POOL_CHECKS_STANDARD, &other) && is_closed(&other));
    CHECK(pool_destroy(pool) == POOL_OK);
  }
}

/* With a closed view, and whatever checks the program expects, the library decides. */
static void the_environment_overrides_what_the_program_expects(void) {
  const char *const values[] = {"none", "standard"};
  for (size_t i = 0; i < 2; ++i) {
    setenv("MEMORY_POOL_CHECKS", values[i], 1);
    const uint32_t expected = LEVELS[i];
    const pool_options_t options = options_of(BLOCK_SIZE, 10, expected);
    inlined_t it = {NULL, &place, expected};
    CHECK(pool_create_with(&options, &it.pool) == POOL_OK);
    CHECK(!pool_inline_single(it.pool, expected, it.view) && is_closed(it.view));
    void *const block = take(&it);
    CHECK(block != NULL && give(&it, block) == POOL_OK);
    if (expected == POOL_CHECKS_NONE) CHECK(give(&it, block) == POOL_ERR_DOUBLE_FREE);
    CHECK(pool_destroy(it.pool) == POOL_OK);
  }
  unsetenv("MEMORY_POOL_CHECKS");
}

/* The end of the pool closes its view, so a call with both is found. */
static void a_pool_that_ended_is_found(uint32_t checks) {
  inlined_t it = made_of(BLOCK_SIZE, BLOCKS, checks);
  void *const blocks[] = {take(&it), take(&it), take(&it)};
  for (int i = 0; i < 3; ++i) CHECK(give(&it, blocks[i]) == POOL_OK);
  CHECK(pool_destroy(it.pool) == POOL_OK && is_closed(it.view));
  CHECK(take(&it) == NULL && give(&it, blocks[0]) == POOL_ERR_STALE_HANDLE);
}

/* Each is found and reported once, wherever free blocks are, and changes nothing. */
static void every_misuse_is_found(size_t block_size) {
  inlined_t it = made_of(block_size, BLOCKS, POOL_CHECKS_STANDARD);
  static void *blocks[BLOCKS];
  for (int i = 0; i < BLOCKS - 1; ++i) blocks[i] = take(&it);
  for (int i = 0; i < 2000; ++i) CHECK(give(&it, blocks[i]) == POOL_OK);
  int outside = 0;
  char *const live = blocks[2500];
  char *const never = live + (ptrdiff_t)pool_stride(it.pool) * (BLOCKS - 1 - 2500);
  const struct {
    void *pointer;
    pool_status_t status;
  } bad[] = {
      {blocks[0], POOL_ERR_DOUBLE_FREE},      {blocks[1023], POOL_ERR_DOUBLE_FREE},
      {blocks[1999], POOL_ERR_DOUBLE_FREE},   {live + 1, POOL_ERR_INTERIOR_POINTER},
      {&outside, POOL_ERR_FOREIGN_POINTER},   {(void *)(uintptr_t)-1, POOL_ERR_FOREIGN_POINTER},
      {never, POOL_ERR_DOUBLE_FREE},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
    const int before = reports;
    CHECK(give(&it, bad[i].pointer) == bad[i].status && reports == before + 1);
    CHECK(pool_deallocate(it.pool, bad[i].pointer) == bad[i].status && reports == before + 2);
    CHECK(pool_check_block(it.pool, bad[i].pointer) == bad[i].status);
    has(&it, 999, BLOCKS - 1);
  }
  CHECK(give(&it, NULL) == POOL_OK && give(&it, live) == POOL_OK);
  CHECK(give(&it, live) == POOL_ERR_DOUBLE_FREE);
  has(&it, 998, BLOCKS - 1);
  CHECK(pool_reset(it.pool) == POOL_OK && pool_destroy(it.pool) == POOL_OK);
}

static pool_status_t give_by_library(inlined_t *to, void *block) {
  return pool_deallocate(to->pool, block);
}

static pool_status_t give_by_many(inlined_t *to, void *block) {
  return pool_deallocate_many(to->pool, &block, 1);
}

static pool_status_t only_ask(inlined_t *of, void *block) {
  return pool_check_block(of->pool, block);
}

/* The ledger does not hear of the block that is kept, the first to come back; all that ask know. */
static void the_kept_block_is_free_for_everyone(size_t capacity, size_t others) {
  pool_status_t (*const calls[])(inlined_t *, void *) = {give, give_by_library, give_by_many,
                                                         only_ask};
  for (size_t call = 0; call < sizeof calls / sizeof *calls; ++call) {
    inlined_t it = made_of(BLOCK_SIZE, capacity, POOL_CHECKS_STANDARD);
    void *blocks[4];
    for (size_t i = 0; i < 4; ++i) blocks[i] = take(&it);
    for (size_t i = 0; i <= others; ++i) CHECK(give(&it, blocks[i]) == POOL_OK);
    CHECK(it.view->kept == (POOL_INLINE_CALLS ? blocks[0] : NULL));
    for (int time = 0; time < 2; ++time) {
      CHECK(calls[call](&it, blocks[0]) == POOL_ERR_DOUBLE_FREE);
      has(&it, 3 - others, 4);
    }
    /* Each free block comes once. */
    void *again[4];
    for (size_t i = 0; i <= others; ++i) again[i] = take(&it);
    for (size_t i = 0; i <= others; ++i) {
      for (size_t j = 0; j < i; ++j) CHECK(again[i] != again[j]);
      CHECK(again[i] == blocks[0] || again[i] == blocks[1] || again[i] == blocks[2]);
      CHECK(pool_check_block(it.pool, again[i]) == POOL_OK);
    }
    has(&it, 4, 5 + others);
    /* What the library keeps, or has on its list, comes back and is compared, too. */
    CHECK(pool_deallocate(it.pool, blocks[3]) == POOL_OK);
    CHECK(pool_deallocate(it.pool, blocks[3]) == POOL_ERR_DOUBLE_FREE);
    CHECK(give(&it, blocks[2]) == POOL_OK && give(&it, blocks[3]) == POOL_ERR_DOUBLE_FREE);
    has(&it, 2, 5 + others);
    CHECK(pool_reset(it.pool) == POOL_OK && pool_destroy(it.pool) == POOL_OK);
  }
}

/* Writes into free blocks break the list, which is noticed and made whole; what is at hand is not
   on it, and stays what it was. */
static void a_damaged_free_list_is_repaired(void) {
  inlined_t it = made_of(BLOCK_SIZE, BLOCKS, POOL_CHECKS_STANDARD);
  static void *blocks[BLOCKS];
  for (int i = 0; i < BLOCKS; ++i) blocks[i] = take(&it);
  for (int i = 0; i < BLOCKS / 2; ++i) CHECK(give(&it, blocks[i]) == POOL_OK);
  for (int i = BLOCKS / 2; i < BLOCKS; ++i) {
    CHECK(pool_deallocate(it.pool, blocks[i]) == POOL_OK);
  }
  for (int i = 0; i < BLOCKS; ++i) memset(blocks[i], 0x55, BLOCK_SIZE);
  const int before = reports;
  for (int i = 0; i < BLOCKS; ++i) CHECK(take(&it) != NULL);
  CHECK(take(&it) == NULL && reports > before);
  has(&it, BLOCKS, 2 * BLOCKS);
  CHECK(pool_reset(it.pool) == POOL_OK && pool_destroy(it.pool) == POOL_OK);
}

/* --- blocks --------------------------------------------------------------------------------- */

/* As many live blocks as there are, each once, by either call, with exact figures at every step. */
static void calls_may_be_mixed(inlined_t it, size_t capacity) {
  void **const blocks = calloc(capacity, sizeof *blocks);
  CHECK(blocks != NULL);
  uint64_t allocations = 0;
  for (int ways = 0; ways < 4; ++ways) {
    for (size_t i = 0; i < capacity; ++i) {
      const bool is_inlined = ways == 0 || (ways > 1 && i % 3 != 0);
      blocks[i] = is_inlined ? take(&it) : pool_allocate(it.pool);
      CHECK(blocks[i] != NULL && pool_in_use(it.pool) == i + 1);
      memset(blocks[i], (int)i, pool_block_size(it.pool));
    }
    allocations += capacity;
    CHECK(take(&it) == NULL && pool_allocate(it.pool) == NULL);
    has(&it, capacity, allocations);
    for (size_t i = 0; i < capacity; ++i) {
      CHECK(*(unsigned char *)blocks[i] == (unsigned char)i);
      const bool is_inlined = ways < 2 || i % 2 == 0;
      CHECK((is_inlined ? give(&it, blocks[i]) : pool_deallocate(it.pool, blocks[i])) == POOL_OK);
      if (i % 97 == 0) has(&it, capacity - i - 1, allocations);
    }
    has(&it, 0, allocations);
  }
  CHECK(pool_allocate_many(it.pool, blocks, capacity) == capacity);
  has(&it, capacity, allocations + capacity);
  CHECK(pool_deallocate_many(it.pool, blocks, capacity) == POOL_OK);
  has(&it, 0, allocations + capacity);
  CHECK(stats_of(&it).peak_in_use == capacity && pool_destroy(it.pool) == POOL_OK);
  free(blocks);
}

/* The words go from one view to the next, and what is at hand with them. */
static void a_pool_has_one_view_at_a_time(uint32_t checks) {
  inlined_t first = made_of(BLOCK_SIZE, BLOCKS, checks);
  static void *blocks[BLOCKS];
  for (int i = 0; i < BLOCKS; ++i) blocks[i] = take(&first);
  for (int i = 0; i < BLOCKS - 1; ++i) CHECK(give(&first, blocks[i]) == POOL_OK);
  has(&first, 1, BLOCKS);
  pool_single_view_t view;
  inlined_t second = {first.pool, &view, checks};
  CHECK(pool_inline_single(first.pool, checks, &view) == POOL_INLINE_CALLS);
  CHECK(is_closed(first.view));
  has(&second, 1, BLOCKS);
  for (int i = 0; i < 500; ++i) blocks[i] = take(i % 2 == 0 ? &first : &second);
  has(&second, 501, BLOCKS + 500);
  for (int i = 0; i < 500; ++i) CHECK(give(i % 3 == 0 ? &first : &second, blocks[i]) == POOL_OK);
  has(&second, 1, BLOCKS + 500);
  pool_inline_end(first.pool, checks);
  CHECK(is_closed(&view) && give(&first, blocks[BLOCKS - 1]) == POOL_OK);
  has(&first, 0, BLOCKS + 500);
  for (int i = 0; i < BLOCKS; ++i) CHECK(take(&second) != NULL);
  CHECK(take(&second) == NULL);
  has(&first, BLOCKS, 2 * BLOCKS + 500);
  CHECK(pool_reset(first.pool) == POOL_OK && pool_destroy(first.pool) == POOL_OK);
}

/* What is at hand is free for every call that looks at the whole pool. */
static void reset_trim_and_growth_know_what_is_at_hand(uint32_t checks) {
  pool_options_t options = options_of(BLOCK_SIZE, BLOCKS, checks);
  options.max_capacity = 2 * BLOCKS;
  inlined_t it = made(&options);
  static void *blocks[2 * BLOCKS];
  uint64_t allocations = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 2 * BLOCKS; ++i) blocks[i] = take(&it);
    allocations += 2 * BLOCKS;
    CHECK(blocks[2 * BLOCKS - 1] != NULL && pool_capacity(it.pool) == 2 * BLOCKS);
    for (int i = 10; i < 2 * BLOCKS; ++i) CHECK(give(&it, blocks[i]) == POOL_OK);
    has(&it, 10, allocations);
    if (round == 1) {
      CHECK(pool_reset(it.pool) == POOL_OK);
      has(&it, 0, allocations);
      continue;
    }
    size_t bytes = 0;
    CHECK(pool_trim(it.pool, &bytes) == POOL_OK && bytes > 0);
    has(&it, 10, allocations);
    for (int i = 0; i < 10; ++i) CHECK(give(&it, blocks[i]) == POOL_OK);
  }
  has(&it, 0, allocations);
  CHECK(pool_destroy(it.pool) == POOL_OK);
}

/* Room for addresses comes with the first view, and is counted. */
static void a_pool_that_nothing_is_inlined_of_pays_nothing(uint32_t checks) {
  const pool_options_t options = options_of(BLOCK_SIZE, BLOCKS, checks);
  inlined_t it = {NULL, &place, checks};
  CHECK(pool_create_with(&options, &it.pool) == POOL_OK);
  const pool_stats_t before = stats_of(&it);
  CHECK(pool_inline_single(it.pool, checks, it.view) == POOL_INLINE_CALLS);
  const pool_stats_t after = stats_of(&it);
  const size_t words = BLOCKS * sizeof(void *) * POOL_INLINE_CALLS;
  CHECK(after.metadata_bytes >= before.metadata_bytes + words);
  CHECK(after.reserved_bytes >= before.reserved_bytes + words);
  CHECK(after.metadata_bytes <= before.metadata_bytes + words + 65536);
  CHECK(pool_destroy(it.pool) == POOL_OK);
}

static bool count_block(void *user_data, void *block) {
  (void)block;
  ++*(size_t *)user_data;
  return true;
}

static void a_walk_meets_the_live_blocks_alone(void) {
  inlined_t it = made_of(BLOCK_SIZE, 10, POOL_CHECKS_STANDARD);
  void *const live = take(&it);
  void *const dead = take(&it);
  CHECK(give(&it, dead) == POOL_OK);
  size_t count = 0;
  CHECK(pool_for_each_live(it.pool, count_block, &count) == POOL_OK && count == 1);
  CHECK(pool_check_block(it.pool, live) == POOL_OK && give(&it, live) == POOL_OK);
  CHECK(pool_destroy(it.pool) == POOL_OK);
}

/* A pool in a buffer has room for its blocks, and keeps one at hand at most. */
static void a_pool_in_a_buffer_has_a_view_too(uint32_t checks) {
  static unsigned char buffer[POOL_STATIC_BYTES(24, 100)];
  pool_options_t options = options_of(24, 100, checks);
  options.buffer = buffer;
  options.buffer_bytes = sizeof buffer;
  calls_may_be_mixed(made(&options), 100);
}

static void blocks_beyond_the_last_come_from_the_heap(void) {
  pool_options_t options = options_of(BLOCK_SIZE, 2, POOL_CHECKS_STANDARD);
  options.on_exhausted = POOL_EXHAUSTED_HEAP;
  inlined_t it = made(&options);
  void *const blocks[] = {take(&it), take(&it), take(&it)};
  CHECK(blocks[2] != NULL && stats_of(&it).heap_blocks == 1);
  for (int i = 0; i < 3; ++i) CHECK(give(&it, blocks[i]) == POOL_OK);
  CHECK(give(&it, blocks[2]) == POOL_ERR_FOREIGN_POINTER && stats_of(&it).heap_blocks == 0);
  CHECK(pool_destroy(it.pool) == POOL_OK);
}

int main(void) {
  pool_set_log_callback(NULL, NULL, 0);
  there_is_no_view_of_what_the_program_does_not_expect();
  the_environment_overrides_what_the_program_expects();
  every_misuse_is_found(BLOCK_SIZE);
  every_misuse_is_found(100);
  for (size_t others = 0; others < 3; ++others) {
    the_kept_block_is_free_for_everyone(10, others);
    the_kept_block_is_free_for_everyone(BLOCKS * 10, others); /* in which the library keeps one */
  }
  a_damaged_free_list_is_repaired();
  for (size_t i = 0; i < 2; ++i) {
    static const size_t sizes[] = {1, 9, 64, 100, 4096};
    for (size_t j = 0; j < sizeof sizes / sizeof *sizes; ++j) {
      calls_may_be_mixed(made_of(sizes[j], 1, LEVELS[i]), 1);
      calls_may_be_mixed(made_of(sizes[j], BLOCKS, LEVELS[i]), BLOCKS); /* not all at hand */
    }
    a_pool_that_ended_is_found(LEVELS[i]);
    a_pool_that_nothing_is_inlined_of_pays_nothing(LEVELS[i]);
    a_pool_has_one_view_at_a_time(LEVELS[i]);
    reset_trim_and_growth_know_what_is_at_hand(LEVELS[i]);
    a_pool_in_a_buffer_has_a_view_too(LEVELS[i]);
  }
  a_walk_meets_the_live_blocks_alone();
  blocks_beyond_the_last_come_from_the_heap();
  return CHECK_RESULT();
}
