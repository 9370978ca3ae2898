/* pool_fail_after: so many allocations succeed, then every one fails, whichever call it is made by,
   until that is taken back; no block is lost, and all that is no allocation is as always. */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "memory_pool/pool_inline.h"

enum { CAPACITY = 300, SIZE = 48 };

typedef struct {
  uint32_t threading, checks;
  bool is_in_buffer;
} kind_t;

typedef struct {
  kind_t kind;
  pool_t *pool;
  pool_cache_t *cache;           /* NULL: such a pool has none */
  pool_single_view_t *view;      /* closed, where such a pool has none */
  bool is_inlined;
  pool_cache_view_t *cache_view; /* as above */
} subject_t;

static size_t purposes = 0, errors = 0;

static void hear(void *user_data, int32_t level, const char *message) {
  (void)user_data;
  if (strstr(message, "failed on purpose") != NULL) {
    CHECK(level == POOL_LOG_DEBUG);
    ++purposes;
  }
  if (level == POOL_LOG_ERROR) ++errors;
}

static subject_t subject_of(kind_t kind) {
  static unsigned char buffer[POOL_STATIC_BYTES_LOCK_FREE(SIZE, CAPACITY)];
  subject_t subject = {.kind = kind, .cache_view = pool_inline_closed_cache()};
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = SIZE;
  options.capacity = CAPACITY;
  options.threading = kind.threading;
  options.checks = kind.checks;
  if (kind.is_in_buffer) {
    options.buffer = buffer;
    options.buffer_bytes = sizeof buffer;
  }
  CHECK(pool_create_with(&options, &subject.pool) == POOL_OK);
  /* The level is a constant where calls are inlined. */
  subject.view = malloc(sizeof *subject.view); /* stays where it is while the pool lives */
  if (subject.view == NULL) abort();
  subject.is_inlined =
      kind.checks == POOL_CHECKS_NONE
          ? pool_inline_single(subject.pool, POOL_CHECKS_NONE, subject.view)
          : pool_inline_single(subject.pool, POOL_CHECKS_STANDARD, subject.view);
  if (kind.threading == POOL_THREADS_SAFE && !kind.is_in_buffer) {
    subject.cache = pool_cache_create(subject.pool);
    subject.cache_view = pool_inline_cache(subject.cache);
    CHECK(subject.cache != NULL);
  }
  return subject;
}

/* --- the calls that hand out a block ---------------------------------------------------------- */

typedef void *(*taker_t)(const subject_t *subject);

static void *by_call(const subject_t *subject) { return pool_allocate(subject->pool); }

static void *zeroed(const subject_t *subject) { return pool_allocate_zeroed(subject->pool); }

static void *by_many(const subject_t *subject) {
  void *block = NULL;
  return pool_allocate_many(subject->pool, &block, 1) == 1 ? block : NULL;
}

static void *wait_within(const subject_t *subject, uint64_t timeout) {
  void *block = &block;
  const pool_status_t status = pool_allocate_wait(subject->pool, timeout, &block);
  CHECK(status == (block == NULL ? POOL_ERR_EXHAUSTED : POOL_OK));
  return block;
}

static void *at_once(const subject_t *subject) { return wait_within(subject, 0); }

static void *for_ever(const subject_t *subject) { return wait_within(subject, UINT64_MAX); }

static void *by_cache(const subject_t *subject) {
  return subject->cache == NULL ? by_call(subject) : pool_cache_allocate(subject->cache);
}

static void *inlined(const subject_t *subject) {
  return subject->kind.checks == POOL_CHECKS_NONE
             ? pool_inline_allocate(subject->pool, subject->view, POOL_CHECKS_NONE)
             : pool_inline_allocate(subject->pool, subject->view, POOL_CHECKS_STANDARD);
}

static void *by_inlined_cache(const subject_t *subject) {
  return subject->cache == NULL ? inlined(subject)
                                : pool_inline_cache_allocate(subject->cache, subject->cache_view);
}

static const taker_t TAKERS[] = {by_call,  zeroed,   by_many, at_once,
                                 for_ever, by_cache, inlined, by_inlined_cache};
enum { TAKERS_COUNT = sizeof TAKERS / sizeof *TAKERS };

/* --- the calls that take one back ------------------------------------------------------------- */

static pool_status_t give(const subject_t *subject, void *block, int way) {
  pool_t *const pool = subject->pool;
  const bool is_checked = subject->kind.checks != POOL_CHECKS_NONE;
  switch (subject->cache == NULL ? way % 3 : way % 5) {
    case 0: return pool_deallocate(pool, block);
    case 1: return pool_deallocate_many(pool, &block, 1);
    case 2:
      return is_checked ? pool_inline_deallocate(pool, subject->view, POOL_CHECKS_STANDARD, block)
                        : pool_inline_deallocate(pool, subject->view, POOL_CHECKS_NONE, block);
    case 3: return pool_cache_deallocate(subject->cache, block);
    default: return pool_inline_cache_deallocate(subject->cache, subject->cache_view, block);
  }
}

static pool_stats_t stats_of(const subject_t *subject) {
  pool_stats_t stats = {.struct_size = sizeof stats};
  CHECK(pool_get_stats(subject->pool, &stats) == POOL_OK);
  return stats;
}

/* Every block can be had, once each, and one more can't. */
static void all_are_there(const subject_t *subject) {
  static void *blocks[CAPACITY + 1];
  const size_t others = pool_in_use(subject->pool), free_blocks = CAPACITY - others;
  CHECK(pool_validate(subject->pool) == POOL_OK);
  for (size_t i = 0; i < free_blocks; ++i) {
    blocks[i] = by_inlined_cache(subject);
    if (blocks[i] == NULL) CHECK(!"a block is lost");
    if (blocks[i] != NULL) memset(blocks[i], 0xa5, SIZE);
  }
  CHECK(pool_available(subject->pool) == 0 && by_inlined_cache(subject) == NULL);
  for (size_t i = 0; i < free_blocks; ++i) CHECK(give(subject, blocks[i], (int)i) == POOL_OK);
  CHECK(pool_in_use(subject->pool) == others && pool_validate(subject->pool) == POOL_OK);
}

static void end(subject_t *subject) {
  CHECK(pool_fail_after(subject->pool, UINT64_MAX) == POOL_OK);
  all_are_there(subject);
  CHECK(pool_in_use(subject->pool) == 0 && pool_destroy(subject->pool) == POOL_OK);
  free(subject->view);
}

/* --- what is tried with every kind of pool ---------------------------------------------------- */

static void a_pool_that_is_none_is_an_error(kind_t kind) {
  subject_t subject = subject_of(kind);
  int local = 0;
  const size_t before = errors;
  CHECK(pool_fail_after(NULL, 0) == POOL_ERR_NULL_ARGUMENT && errors == before + 1);
  CHECK(pool_fail_after((pool_t *)&local, 0) == POOL_ERR_STALE_HANDLE && errors == before + 2);
  CHECK(pool_fail_after((pool_t *)((char *)subject.pool + 1), 0) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_fail_after(subject.pool, 0) == POOL_OK && errors == before + 3);
  /* While its keys are others, no other handle is its own. */
  for (int bit = 0; bit < (int)sizeof(uintptr_t) * 8; ++bit) {
    pool_t *const other = (pool_t *)((uintptr_t)subject.pool ^ (uintptr_t)1 << bit);
    CHECK(pool_deallocate(other, NULL) == POOL_ERR_STALE_HANDLE);
  }
  CHECK(pool_destroy(subject.pool) == POOL_OK);
  free(subject.view);
  CHECK(pool_fail_after(subject.pool, 0) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_fail_after(subject.pool, UINT64_MAX) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_deallocate(subject.pool, NULL) == POOL_ERR_STALE_HANDLE);
}

static void each_call_succeeds_as_often_as_it_should(kind_t kind) {
  subject_t subject = subject_of(kind);
  void *blocks[8];
  for (int taker = 0; taker < TAKERS_COUNT; ++taker) {
    for (size_t successes = 0; successes < 4; ++successes) {
      const pool_stats_t before = stats_of(&subject);
      const size_t told = purposes, complaints = errors;
      CHECK(pool_fail_after(subject.pool, successes) == POOL_OK);
      for (size_t i = 0; i < successes; ++i) {
        blocks[i] = TAKERS[taker](&subject);
        CHECK(blocks[i] != NULL);
      }
      for (int i = 0; i < 5; ++i) CHECK(TAKERS[taker](&subject) == NULL);
      CHECK(purposes == told + 5 && errors == complaints);
      for (size_t i = 0; i < successes; ++i) CHECK(give(&subject, blocks[i], (int)i) == POOL_OK);
      CHECK(TAKERS[taker](&subject) == NULL); /* what came back is not handed out either */
      const pool_stats_t after = stats_of(&subject);
      CHECK(after.failures == before.failures + 6);
      CHECK(after.allocations == before.allocations + successes);
      CHECK(after.deallocations == before.deallocations + successes);
      CHECK(after.in_use == 0 && pool_validate(subject.pool) == POOL_OK);
      CHECK(pool_fail_after(subject.pool, UINT64_MAX) == POOL_OK);
    }
    all_are_there(&subject);
  }
  end(&subject);
}

/* One count for all calls, and many that are asked for at once get what is left. */
static void all_calls_count_down_together(kind_t kind) {
  subject_t subject = subject_of(kind);
  void *blocks[CAPACITY];
  CHECK(pool_fail_after(subject.pool, TAKERS_COUNT) == POOL_OK);
  for (int i = 0; i < TAKERS_COUNT; ++i) CHECK((blocks[i] = TAKERS[i](&subject)) != NULL);
  for (int i = 0; i < TAKERS_COUNT; ++i) CHECK(TAKERS[i](&subject) == NULL);
  for (int i = 0; i < TAKERS_COUNT; ++i) CHECK(give(&subject, blocks[i], i) == POOL_OK);
  CHECK(pool_fail_after(subject.pool, 7) == POOL_OK);
  const size_t told = purposes;
  CHECK(pool_allocate_many(subject.pool, blocks, 20) == 7 && purposes == told + 1);
  CHECK(pool_allocate_many(subject.pool, blocks + 7, 20) == 0 && purposes == told + 2);
  CHECK(pool_deallocate_many(subject.pool, blocks, 7) == POOL_OK);
  end(&subject);
}

static void free_blocks(kind_t kind, size_t at_hand);

/* Blocks that wait wherever a pool has them are not found, and are there afterwards. */
static void what_was_free_before_is_not_handed_out(kind_t kind) {
  free_blocks(kind, 0);
  free_blocks(kind, 1);
  free_blocks(kind, CAPACITY - 1);
  free_blocks(kind, CAPACITY);
}

static void free_blocks(kind_t kind, size_t at_hand) {
  subject_t subject = subject_of(kind);
  void *blocks[CAPACITY];
  for (size_t i = 0; i < CAPACITY; ++i) CHECK((blocks[i] = by_inlined_cache(&subject)) != NULL);
  for (size_t i = 0; i < CAPACITY; ++i) {
    CHECK(give(&subject, blocks[i], i < at_hand ? 2 : (int)i) == POOL_OK);
  }
  for (int i = 0; i < 3; ++i) {
    CHECK(pool_fail_after(subject.pool, 0) == POOL_OK);
    for (int taker = 0; taker < TAKERS_COUNT; ++taker) CHECK(TAKERS[taker](&subject) == NULL);
    CHECK(pool_available(subject.pool) == CAPACITY && pool_validate(subject.pool) == POOL_OK);
    CHECK(pool_trim(subject.pool, NULL) == POOL_OK && by_call(&subject) == NULL);
    CHECK(pool_fail_after(subject.pool, UINT64_MAX) == POOL_OK);
    all_are_there(&subject);
  }
  end(&subject);
}

/* A call that finds all blocks live is no success. */
static void who_finds_none_is_not_counted(kind_t kind) {
  subject_t subject = subject_of(kind);
  void *blocks[CAPACITY];
  for (size_t i = 0; i < CAPACITY; ++i) blocks[i] = by_call(&subject);
  CHECK(pool_fail_after(subject.pool, 2) == POOL_OK);
  const size_t told = purposes;
  for (int i = 0; i < 5; ++i) CHECK(by_call(&subject) == NULL && by_many(&subject) == NULL);
  CHECK(purposes == told);
  for (size_t i = 0; i < CAPACITY; ++i) CHECK(give(&subject, blocks[i], (int)i) == POOL_OK);
  for (int i = 0; i < 2; ++i) CHECK((blocks[i] = inlined(&subject)) != NULL);
  CHECK(inlined(&subject) == NULL && purposes == told + 1);
  for (int i = 0; i < 2; ++i) CHECK(give(&subject, blocks[i], 2) == POOL_OK);
  end(&subject);
}

static bool count(void *user_data, void *block) {
  CHECK(block != NULL);
  ++*(size_t *)user_data;
  return true;
}

/* With live blocks, all that is no allocation answers as always. */
static void nothing_else_changes(kind_t kind) {
  subject_t subject = subject_of(kind);
  const bool is_checked = kind.checks != POOL_CHECKS_NONE;
  void *blocks[10];
  size_t met = 0;
  for (int i = 0; i < 10; ++i) CHECK((blocks[i] = inlined(&subject)) != NULL);
  CHECK(give(&subject, blocks[8], 2) == POOL_OK && give(&subject, blocks[9], 2) == POOL_OK);
  CHECK(pool_fail_after(subject.pool, 0) == POOL_OK && inlined(&subject) == NULL);
  CHECK(pool_in_use(subject.pool) == 8 && pool_capacity(subject.pool) == CAPACITY);
  CHECK(pool_available(subject.pool) == CAPACITY - 8 && pool_block_size(subject.pool) == SIZE);
  for (int i = 0; i < 10; ++i) CHECK(pool_owns(subject.pool, blocks[i]));
  CHECK(!pool_owns(subject.pool, &met) && pool_check_block(subject.pool, blocks[0]) == POOL_OK);
  const pool_status_t walked = pool_for_each_live(subject.pool, count, &met);
  CHECK(walked == POOL_OK ? met == 8 : walked == POOL_ERR_UNSUPPORTED && !is_checked);
  for (int way = 0; is_checked && way < 5; ++way) {
    CHECK(give(&subject, blocks[9], way) == POOL_ERR_DOUBLE_FREE);
    CHECK(give(&subject, (char *)blocks[0] + 1, way) == POOL_ERR_INTERIOR_POINTER);
    CHECK(give(&subject, &met, way) == POOL_ERR_FOREIGN_POINTER);
    CHECK(give(&subject, NULL, way) == POOL_OK);
  }
  for (int i = 0; i < 5; ++i) CHECK(give(&subject, blocks[i], i) == POOL_OK);
  for (int way = 0; is_checked && way < 5; ++way) {
    CHECK(give(&subject, blocks[way], way) == POOL_ERR_DOUBLE_FREE);
  }
  CHECK(pool_in_use(subject.pool) == 3 && pool_validate(subject.pool) == POOL_OK);
  CHECK(pool_trim(subject.pool, NULL) == POOL_OK && pool_in_use(subject.pool) == 3);
  CHECK(pool_reset(subject.pool) == POOL_OK && pool_in_use(subject.pool) == 0);
  CHECK(inlined(&subject) == NULL && by_cache(&subject) == NULL);
  end(&subject);
}

/* Programs work on the words of the pool again, past the library. */
static void it_is_off_at_once(kind_t kind) {
  subject_t subject = subject_of(kind);
  void *block = by_inlined_cache(&subject);
  CHECK(pool_fail_after(subject.pool, UINT64_MAX) == POOL_OK); /* it was */
  for (int turn = 0; turn < 3; ++turn) {
    CHECK(pool_fail_after(subject.pool, 0) == POOL_OK && by_inlined_cache(&subject) == NULL);
    CHECK(pool_fail_after(subject.pool, UINT64_MAX - 1) == POOL_OK);
    CHECK(give(&subject, block, turn) == POOL_OK);
    CHECK((block = by_inlined_cache(&subject)) != NULL);
    CHECK(pool_fail_after(subject.pool, UINT64_MAX) == POOL_OK);
#if POOL_INLINE_CALLS
    if (subject.is_inlined) {
      CHECK(give(&subject, block, 2) == POOL_OK && subject.view->kept == block);
      CHECK(inlined(&subject) == block && subject.view->kept == NULL);
    }
#endif
  }
  CHECK(give(&subject, block, 0) == POOL_OK);
  end(&subject);
}

/* --- where there could be more blocks --------------------------------------------------------- */

static void neither_growth_nor_the_heap_helps(uint32_t threading, uint32_t on_exhausted) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = SIZE;
  options.capacity = 2;
  options.max_capacity = on_exhausted == POOL_EXHAUSTED_HEAP ? 0 : 5000;
  options.threading = threading;
  options.on_exhausted = on_exhausted;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  void *blocks[5] = {pool_allocate(pool), pool_allocate(pool), NULL, NULL, NULL};
  CHECK(pool_fail_after(pool, 2) == POOL_OK);
  for (int i = 2; i < 4; ++i) CHECK((blocks[i] = pool_allocate(pool)) != NULL);
  const size_t capacity = pool_capacity(pool);
  CHECK(pool_allocate(pool) == NULL && pool_allocate_many(pool, blocks + 4, 1) == 0);
  CHECK(pool_capacity(pool) == capacity && pool_in_use(pool) == 4);
  if (on_exhausted != POOL_EXHAUSTED_HEAP) {
    CHECK(pool_grow(pool, 10) == POOL_OK && pool_capacity(pool) == capacity + 10);
  }
  CHECK(pool_allocate(pool) == NULL && pool_validate(pool) == POOL_OK);
  CHECK(pool_fail_after(pool, UINT64_MAX) == POOL_OK && (blocks[4] = pool_allocate(pool)) != NULL);
  CHECK(pool_deallocate_many(pool, blocks, 5) == POOL_OK && pool_in_use(pool) == 0);
  CHECK(pool_destroy(pool) == POOL_OK);
}

int main(void) {
  pool_set_log_callback(hear, NULL, POOL_LOG_DEBUG);
  static const uint32_t THREADING[] = {POOL_THREADS_SINGLE, POOL_THREADS_SAFE,
                                       POOL_THREADS_LOCK_FREE};
  for (int i = 0; i < 12; ++i) {
    const uint32_t checks = i / 3 % 2 == 0 ? POOL_CHECKS_STANDARD : POOL_CHECKS_NONE;
    const kind_t kind = {THREADING[i % 3], checks, i >= 6};
    a_pool_that_is_none_is_an_error(kind);
    each_call_succeeds_as_often_as_it_should(kind);
    all_calls_count_down_together(kind);
    what_was_free_before_is_not_handed_out(kind);
    who_finds_none_is_not_counted(kind);
    nothing_else_changes(kind);
    it_is_off_at_once(kind);
  }
  for (int i = 0; i < 3; ++i) {
    neither_growth_nor_the_heap_helps(THREADING[i], POOL_EXHAUSTED_NULL);
    if (THREADING[i] == POOL_THREADS_LOCK_FREE) continue; /* has no heap blocks */
    neither_growth_nor_the_heap_helps(THREADING[i], POOL_EXHAUSTED_HEAP);
  }
  return CHECK_RESULT();
}
