/* What else threads do at once with pools that any thread may call: misuse, growth, looking and
   trimming while others work, creating and destroying. */

#define _DEFAULT_SOURCE /* pthread_barrier_t */

#include "threads.h"

enum { THREADS = 4 };

static pool_options_t options_of(const struct mode *mode, size_t block_size, size_t capacity) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = block_size;
  options.capacity = capacity;
  options.threading = mode->threading;
  return options;
}

static pool_stats_t stats_of(const pool_t *pool) {
  pool_stats_t stats = {.struct_size = sizeof stats};
  MUST(pool_get_stats(pool, &stats) == POOL_OK);
  return stats;
}

/* --- misuse --------------------------------------------------------------------------------- */

enum { BLOCK_SIZE = 64, OWN_BLOCKS = 50, ROUNDS = 20, REPORTS_A_ROUND = BLOCK_SIZE - 1 + 3 };

typedef struct {
  watched_t watched;
  pool_t *other;
  pthread_barrier_t barrier;
  char *blocks[THREADS][OWN_BLOCKS];
  atomic_size_t reports; /* how many are due */
} misuse_t;

static void expect_report(misuse_t *misuse, pool_status_t got, pool_status_t expected) {
  MUST(got == expected);
  atomic_fetch_add_explicit(&misuse->reports, 1, memory_order_relaxed);
}

/* Pointers that are wrong whatever the others do meanwhile, between calls that are right. */
static void pass_bad_pointers(misuse_t *misuse, size_t number) {
  watched_t *watched = &misuse->watched;
  char *block = take(watched, stamp_of(number, 1));
  void *elsewhere = pool_allocate(misuse->other);
  MUST(block != NULL && elsewhere != NULL);
  for (int into = 1; into < BLOCK_SIZE; ++into) {
    const pool_status_t status = pool_deallocate(watched->pool, block + into);
    expect_report(misuse, status, POOL_ERR_INTERIOR_POINTER);
  }
  expect_report(misuse, pool_deallocate(watched->pool, elsewhere), POOL_ERR_FOREIGN_POINTER);
  expect_report(misuse, pool_deallocate(watched->pool, &block), POOL_ERR_FOREIGN_POINTER);
  expect_report(misuse, pool_deallocate(misuse->other, block), POOL_ERR_FOREIGN_POINTER);
  give(watched, block);
  MUST(pool_deallocate(misuse->other, elsewhere) == POOL_OK);
}

/* Each frees the blocks of the next thread, which freed them before. */
static void free_twice(misuse_t *misuse, size_t number) {
  for (int i = 0; i < OWN_BLOCKS; ++i) give(&misuse->watched, misuse->blocks[number][i]);
  pthread_barrier_wait(&misuse->barrier);
  for (int i = 0; i < OWN_BLOCKS; ++i) {
    void *block = misuse->blocks[(number + 1) % THREADS][i];
    expect_report(misuse, pool_deallocate(misuse->watched.pool, block), POOL_ERR_DOUBLE_FREE);
  }
}

static void take_own_blocks(misuse_t *misuse, size_t number) {
  for (int i = 0; i < OWN_BLOCKS; ++i) {
    misuse->blocks[number][i] = take(&misuse->watched, stamp_of(number, (uint64_t)i + 2));
    MUST(misuse->blocks[number][i] != NULL);
  }
}

static void use_badly(size_t number, void *shared) {
  misuse_t *misuse = shared;
  for (int round = 0; round < ROUNDS; ++round) pass_bad_pointers(misuse, number);
  take_own_blocks(misuse, number);
  /* From here on nobody allocates while a freed block is passed: it is nobody's new one. */
  pthread_barrier_wait(&misuse->barrier);
  free_twice(misuse, number);
}

static void misuse_is_found_and_changes_nothing(const struct mode *mode) {
  static misuse_t misuse;
  misuse.watched = watched_pool(mode, BLOCK_SIZE, THREADS * OWN_BLOCKS);
  misuse.other = pool_create(BLOCK_SIZE, THREADS);
  atomic_store(&misuse.reports, 0);
  MUST(pthread_barrier_init(&misuse.barrier, NULL, THREADS) == 0);
  const size_t before = atomic_load(&error_lines);
  together(THREADS, use_badly, &misuse);
  CHECK(atomic_load(&misuse.reports) >= THREADS * (ROUNDS * REPORTS_A_ROUND + OWN_BLOCKS));
  CHECK(atomic_load(&error_lines) - before == atomic_load(&misuse.reports));
  all_blocks_are_there(&misuse.watched, 0);
  CHECK(pool_in_use(misuse.other) == 0 && pool_destroy(misuse.other) == POOL_OK);
  pthread_barrier_destroy(&misuse.barrier);
  end(&misuse.watched);
}

/* --- growth --------------------------------------------------------------------------------- */

enum { TAKEN_MAX = 20000 / THREADS_FEWER };

typedef struct {
  pool_t *pool;
  size_t bytes;
  size_t taken_max;
  void *blocks[THREADS][TAKEN_MAX];
  size_t counts[THREADS];
  pthread_barrier_t barrier;
} growth_t;

/* All blocks are live at once, so that what is written to one that two threads have is lost for one
   of them; and each goes back from another thread. */
static void take_check_give(size_t number, void *shared) {
  growth_t *growth = shared;
  size_t count = 0;
  while (count < growth->taken_max) {
    void *block = pool_allocate(growth->pool);
    if (block == NULL) break;
    write_stamp(block, growth->bytes, stamp_of(number, count));
    growth->blocks[number][count++] = block;
    if (number == 0 && count % 500 == 0) {
      const pool_status_t status = pool_grow(growth->pool, 10);
      MUST(status == POOL_OK || status == POOL_ERR_INVALID_ARGUMENT);
    }
  }
  growth->counts[number] = count;
  pthread_barrier_wait(&growth->barrier);
  const size_t next = (number + 1) % THREADS;
  for (size_t i = 0; i < growth->counts[next]; ++i) {
    void *block = growth->blocks[next][i];
    MUST(read_stamp(block, growth->bytes) == stamp_of(next, i));
  }
  pthread_barrier_wait(&growth->barrier);
  if (number == 0) {
    size_t live = 0;
    for (int i = 0; i < THREADS; ++i) live += growth->counts[i];
    MUST(pool_in_use(growth->pool) == live);
  }
  pthread_barrier_wait(&growth->barrier);
  for (size_t i = 0; i < growth->counts[next]; ++i) {
    MUST(pool_deallocate(growth->pool, growth->blocks[next][i]) == POOL_OK);
  }
}

static size_t grow_together(const pool_options_t *options, size_t taken_max, pool_t **pool) {
  static growth_t growth;
  size_t taken = 0;
  MUST(pool_create_with(options, &growth.pool) == POOL_OK);
  growth.bytes = pool_block_size(growth.pool);
  growth.taken_max = taken_max;
  MUST(pthread_barrier_init(&growth.barrier, NULL, THREADS) == 0);
  together(THREADS, take_check_give, &growth);
  pthread_barrier_destroy(&growth.barrier);
  for (int i = 0; i < THREADS; ++i) taken += growth.counts[i];
  CHECK(pool_in_use(growth.pool) == 0 && pool_validate(growth.pool) == POOL_OK);
  *pool = growth.pool;
  return taken;
}

static void growth_ends_at_the_last_block(const struct mode *mode, size_t block_size) {
  enum { MAX = TAKEN_MAX / 2 };
  pool_options_t options = options_of(mode, block_size, 1);
  pool_t *pool;
  options.max_capacity = MAX;
  CHECK(grow_together(&options, TAKEN_MAX, &pool) == MAX && pool_capacity(pool) == MAX);
  watched_t watched = watch(pool, MAX);
  all_blocks_are_there(&watched, 0);
  end(&watched);
}

static void growth_without_end(const struct mode *mode) {
  pool_options_t options = options_of(mode, 64, 1);
  pool_t *pool;
  options.max_capacity = SIZE_MAX;
  CHECK(grow_together(&options, TAKEN_MAX, &pool) == (size_t)THREADS * TAKEN_MAX);
  const size_t capacity = pool_capacity(pool);
  CHECK(capacity >= (size_t)THREADS * TAKEN_MAX && pool_available(pool) == capacity);
  for (size_t i = 0; i < capacity; ++i) CHECK(pool_allocate(pool) != NULL);
  CHECK(pool_capacity(pool) == capacity && pool_available(pool) == 0);
  CHECK(pool_allocate(pool) != NULL && pool_capacity(pool) > capacity);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* First the blocks of the pool, as far as it grows, then those of the heap. */
static void blocks_of_the_heap(const struct mode *mode, size_t max_capacity) {
  pool_options_t options = options_of(mode, 40, 100);
  pool_t *pool;
  options.max_capacity = max_capacity;
  options.on_exhausted = POOL_EXHAUSTED_HEAP;
  CHECK(grow_together(&options, TAKEN_MAX / 10, &pool) == THREADS * (size_t)(TAKEN_MAX / 10));
  CHECK(pool_capacity(pool) == max_capacity && stats_of(pool).heap_blocks == 0);
  CHECK(stats_of(pool).allocations == stats_of(pool).deallocations);
  for (size_t i = 0; i < max_capacity; ++i) CHECK(pool_allocate(pool) != NULL);
  CHECK(stats_of(pool).heap_blocks == 0 && pool_available(pool) == 0);
  CHECK(pool_allocate(pool) != NULL && stats_of(pool).heap_blocks == 1);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* --- looking and trimming while others work ------------------------------------------------- */

enum { BLOCKS = 4000, HELD_MAX = BLOCKS / THREADS, TURNS = 500000 / THREADS_FEWER };

typedef struct {
  watched_t watched;
  bool has_lock;
  atomic_int working;
  size_t taken[THREADS];
} busy_t;

/* Fills and empties in turn, so that whole pages become free and are used again. */
static void work_in_waves(busy_t *busy, size_t number) {
  static void *held[THREADS][HELD_MAX];
  size_t count = 0;
  bool up = true;
  for (uint64_t turn = 0; turn < TURNS; ++turn) {
    if (up) {
      held[number][count] = take(&busy->watched, stamp_of(number, turn));
      MUST(held[number][count++] != NULL);
      ++busy->taken[number];
    } else {
      give(&busy->watched, held[number][--count]);
    }
    if (count == (up ? HELD_MAX : 0)) up = !up;
  }
  while (count > 0) give(&busy->watched, held[number][--count]);
  atomic_fetch_sub(&busy->working, 1);
}

static void look(busy_t *busy) {
  pool_t *pool = busy->watched.pool;
  pool_stats_t last = stats_of(pool);
  do {
    size_t bytes = 0;
    if (busy->has_lock) MUST(pool_trim(pool, &bytes) == POOL_OK && bytes <= last.reserved_bytes);
    const pool_stats_t now = stats_of(pool);
    MUST(now.capacity == BLOCKS && now.in_use <= BLOCKS && now.available <= BLOCKS);
    MUST(now.peak_in_use <= BLOCKS && now.peak_in_use >= last.peak_in_use);
    MUST(now.allocations >= last.allocations && now.deallocations >= last.deallocations);
    MUST(now.failures == 0 && now.heap_blocks == 0);
    MUST(now.resident_bytes <= now.reserved_bytes && now.reserved_bytes == last.reserved_bytes);
    MUST(pool_in_use(pool) <= BLOCKS && pool_available(pool) <= BLOCKS);
    MUST(pool_capacity(pool) == BLOCKS && !pool_owns(pool, &bytes));
    last = now;
  } while (atomic_load(&busy->working) > 0);
}

static void work_or_look(size_t number, void *shared) {
  if (number < THREADS) {
    work_in_waves(shared, number);
  } else {
    look(shared);
  }
}

static void looking_disturbs_nobody(const struct mode *mode) {
  static busy_t busy;
  size_t taken = 0;
  busy.watched = watched_pool(mode, 64, BLOCKS);
  busy.has_lock = mode->has_lock;
  memset(busy.taken, 0, sizeof busy.taken);
  atomic_store(&busy.working, THREADS);
  together(THREADS + 1, work_or_look, &busy);
  for (int i = 0; i < THREADS; ++i) taken += busy.taken[i];
  const pool_stats_t stats = stats_of(busy.watched.pool);
  CHECK(stats.allocations == taken && stats.deallocations == taken && stats.failures == 0);
  CHECK(stats.in_use == 0 && stats.available == BLOCKS && stats.peak_in_use >= HELD_MAX);
  CHECK(pool_trim(busy.watched.pool, NULL) == POOL_OK);
  CHECK(stats_of(busy.watched.pool).resident_bytes < (size_t)BLOCKS * 64 / 4);
  all_blocks_are_there(&busy.watched, 0);
  end(&busy.watched);
}

int main(void) {
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  for (int mode = 0; mode < MODE_COUNT; ++mode) {
    misuse_is_found_and_changes_nothing(&MODES[mode]);
    growth_ends_at_the_last_block(&MODES[mode], 64);
    growth_ends_at_the_last_block(&MODES[mode], 1000);
    growth_without_end(&MODES[mode]);
    if (MODES[mode].has_lock) {
      blocks_of_the_heap(&MODES[mode], 100);
      blocks_of_the_heap(&MODES[mode], 500);
    }
    looking_disturbs_nobody(&MODES[mode]);
  }
  return CHECK_RESULT();
}
