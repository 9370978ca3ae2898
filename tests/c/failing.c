/* Every call that gets memory fails once at its k-th use, and from there on, for every k until
   none fails: what is refused is refused with its status and one line, what can be done otherwise
   is done, nothing leaks, no live block changes, and the pool goes on. */

#define _GNU_SOURCE /* madvise, mincore, syscall, fork */

#include <sys/wait.h>

#include "check.h"
#include "failing_calls.h"
#include "live_blocks.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 100, MAX = 20000, MORE = 15000, STEPS_MAX = 500 };

static size_t lines = 0;

static void count(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level, (void)message;
  ++lines;
}

static pool_t *created(const pool_options_t *options) {
  pool_t *pool = NULL;
  CHECK(pool_create_with(options, &pool) == POOL_OK);
  lines = 0;
  return pool;
}

static void end(pool_t *pool) {
  give_back_all_but(pool, 0);
  CHECK(pool_destroy(pool) == POOL_OK);
}

/* For address space alone less will do, where the pool asks for as much as there is, or for pages
   of a kind that there may be none of. What only saves time or memory, or looks at it, is done
   otherwise or not at all. */
static bool is_refusal(int failed, const pool_options_t *options) {
  const bool less = options->max_capacity == SIZE_MAX || (options->flags & POOL_HUGE_PAGES);
  if (less && !failing_plan.all_after) failed &= ~MMAP;
  return failed & (MMAP | MPROTECT | MLOCK | HEAP);
}

static int create(const pool_options_t *options) {
  pool_t *pool = NULL;
  lines = 0;
  start_failing();
  const pool_status_t status = pool_create_with(options, &pool);
  const int failed = stop_failing();
  const bool refused = is_refusal(failed, options);
  CHECK(status == (refused ? POOL_ERR_OUT_OF_MEMORY : POOL_OK));
  CHECK((pool == NULL) == refused && lines == refused);
  if (pool == NULL) return failed;
  if (options->flags & POOL_PREFAULT) CHECK(resident(pool) >= CAPACITY * BLOCK_SIZE);
  is_whole(pool);
  end(pool);
  return failed;
}

static int grow_by_call(const pool_options_t *options) {
  pool_t *pool = created(options);
  take(pool, CAPACITY / 2);
  start_failing();
  const pool_status_t status = pool_grow(pool, MORE);
  const int failed = stop_failing();
  const bool refused = is_refusal(failed, options);
  CHECK(status == (refused ? POOL_ERR_OUT_OF_MEMORY : POOL_OK) && lines == refused);
  CHECK(pool_capacity(pool) == CAPACITY + (refused ? 0 : MORE));
  is_whole(pool);
  if (refused) CHECK(pool_grow(pool, MORE) == POOL_OK);
  if (options->flags & POOL_PREFAULT) CHECK(resident(pool) >= (CAPACITY + MORE) * BLOCK_SIZE);
  is_whole(pool);
  end(pool);
  return failed;
}

static int grow_when_dry(const pool_options_t *options) {
  pool_t *pool = created(options);
  take(pool, CAPACITY);
  start_failing();
  void *block = pool_allocate(pool);
  const int failed = stop_failing();
  const bool refused = is_refusal(failed, options);
  CHECK((block == NULL) == refused && lines == refused);
  CHECK((pool_capacity(pool) == CAPACITY) == refused);
  if (block != NULL) keep(block);
  is_whole(pool);
  take(pool, MAX - live_count);
  CHECK(pool_allocate(pool) == NULL && pool_capacity(pool) == MAX);
  is_whole(pool);
  end(pool);
  return failed;
}

static int grow_for_many(const pool_options_t *options) {
  enum { MANY = 3 * CAPACITY };
  void *blocks[MANY];
  pool_t *pool = created(options);
  start_failing();
  const size_t got = pool_allocate_many(pool, blocks, MANY);
  const int failed = stop_failing();
  const bool refused = is_refusal(failed, options);
  CHECK(got == (refused ? CAPACITY : MANY) && lines == refused);
  for (size_t i = 0; i < got; ++i) keep(blocks[i]);
  is_whole(pool);
  end(pool);
  return failed;
}

/* With the heap to turn to, only an allocation that got nothing there either is refused. */
static int grow_or_take_from_the_heap(const pool_options_t *options) {
  pool_t *pool = created(options);
  take(pool, CAPACITY);
  start_failing();
  void *block = pool_allocate(pool);
  const int failed = stop_failing();
  CHECK((block == NULL) == (failed != 0 && failing_plan.all_after));
  CHECK(lines == (failed != 0));
  if (block != NULL) keep(block);
  is_whole(pool);
  end(pool);
  return failed;
}

static int take_from_the_heap(const pool_options_t *options) {
  enum { BEYOND = 50 };
  pool_t *pool = created(options);
  void *blocks[BEYOND];
  size_t refused = 0;
  take(pool, CAPACITY);
  start_failing();
  for (int i = 0; i < BEYOND; ++i) {
    blocks[i] = pool_allocate(pool);
    refused += blocks[i] == NULL;
    CHECK(lines == refused);
  }
  const int failed = stop_failing();
  CHECK((refused > 0) == (failed != 0) && (failing_plan.all_after || refused <= 1));
  for (int i = 0; i < BEYOND; ++i) {
    if (blocks[i] != NULL) keep(blocks[i]);
  }
  CHECK(pool_capacity(pool) == CAPACITY && live_count == CAPACITY + BEYOND - refused);
  is_whole(pool);
  take(pool, BEYOND);
  is_whole(pool);
  end(pool);
  return failed;
}

/* The first trim, or one that finds pages that wait since an earlier one. */
static int trim(const pool_options_t *options, bool again) {
  const size_t untouched = 12345;
  size_t bytes = untouched;
  pool_t *pool = created(options);
  take(pool, options->capacity);
  give_back_pages(pool, 5000);
  if (again) {
    CHECK(pool_trim(pool, NULL) == POOL_OK);
    take(pool, 1000);
    give_back_pages(pool, 5000);
  }
  const size_t before = resident(pool);
  start_failing();
  const pool_status_t status = pool_trim(pool, &bytes);
  const int failed = stop_failing();
  const bool refused = is_refusal(failed, options);
  const size_t after = resident(pool);
  CHECK(status == (refused ? POOL_ERR_OUT_OF_MEMORY : POOL_OK) && lines == refused);
  if (refused) CHECK(bytes == untouched && after >= before);
  if (!refused) CHECK(bytes <= before - after);
  if (failed == 0) CHECK(bytes > 0 && bytes == before - after);
  is_whole(pool);
  CHECK(pool_trim(pool, NULL) == POOL_OK);
  is_whole(pool);
  end(pool);
  return failed;
}

static int trim_first(const pool_options_t *options) { return trim(options, false); }
static int trim_again(const pool_options_t *options) { return trim(options, true); }

/* Once failing at the k-th call alone, once from there on; what the program has balances. */
static void for_every_call(int (*trial)(const pool_options_t *), const pool_options_t *options) {
  for (int all_after = 0; all_after < 2; ++all_after) {
    int failed = -1, ever_failed = 0;
    failing_plan.number = 0;
    failing_plan.all_after = all_after;
    while (failed != 0 && failing_plan.number < STEPS_MAX) {
      const size_t mapped = mapped_bytes, on_the_heap = heap_blocks;
      ++failing_plan.number;
      failed = trial(options);
      ever_failed |= failed;
      CHECK(live_count == 0 && mapped_bytes == mapped && heap_blocks == on_the_heap);
    }
    /* There was something to fail, the lock where one is asked for, and there is an end. */
    CHECK(ever_failed != 0 && failed == 0);
    if (options->flags & POOL_LOCK_MEMORY) CHECK(ever_failed & MLOCK);
  }
}

/* In a child, whose first pool brings the memory of all handles about, again and again. Answers in
   bits: 1, not well; 2, no call failed. */
static int the_first_pool(void) {
  int failed = 0;
  size_t mapped = 0;
  for (int round = 0; round < 13; ++round) {
    const bool undisturbed = round >= 10;
    lines = 0;
    if (!undisturbed) start_failing();
    pool_t *pool = pool_create(BLOCK_SIZE, CAPACITY);
    const int now = undisturbed ? 0 : stop_failing();
    if (now == 0 || failing_plan.all_after) CHECK((pool == NULL) == (now != 0));
    CHECK(lines == (pool == NULL));
    if (round == 0) failed = now;
    if (pool != NULL) is_whole(pool);
    if (pool != NULL) end(pool);
    /* The memory of the handles stays; no attempt adds to it once it is there. */
    if (mapped != 0 && round != 10) CHECK(mapped_bytes == mapped);
    mapped = mapped_bytes;
  }
  return (check_failures > 0) | (failed == 0) << 1;
}

static void the_first_pool_of_a_process(void) {
  for (int all_after = 0; all_after < 2; ++all_after) {
    int status = 0;
    failing_plan.number = 0;
    failing_plan.all_after = all_after;
    while (status == 0 && failing_plan.number < STEPS_MAX) {
      ++failing_plan.number;
      const pid_t child = fork();
      if (child == 0) _exit(the_first_pool());
      CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    }
    CHECK(failing_plan.number > 1 && WEXITSTATUS(status) == 2);
  }
}

static void what_gives_memory_back_needs_none(const pool_options_t *options) {
  const size_t mapped = mapped_bytes, on_the_heap = heap_blocks;
  pool_t *pool = created(options);
  take(pool, 2 * CAPACITY);
  failing_plan.number = 1;
  failing_plan.all_after = true;
  start_failing();
  give_back_all_but(pool, 0);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
  stop_failing();
  CHECK(lines == 0 && mapped_bytes == mapped && heap_blocks == on_the_heap);
}

static void with_checks(uint32_t checks) {
  const uint32_t flags[] = {0, POOL_PREFAULT, POOL_LOCK_MEMORY, POOL_PREFAULT | POOL_LOCK_MEMORY,
                            POOL_GUARD_PAGES, POOL_HUGE_PAGES | POOL_GUARD_PAGES};
  pool_options_t fixed = options_of(CAPACITY, 0, checks);
  pool_options_t growable = options_of(CAPACITY, MAX, checks);
  pool_options_t unbounded = options_of(CAPACITY, SIZE_MAX, checks);
  for (int i = 0; i < 6; ++i) {
    fixed.flags = growable.flags = unbounded.flags = flags[i];
    for_every_call(create, &fixed);
    for_every_call(create, &growable);
    for_every_call(create, &unbounded);
    /* All that these grow to lies on the first huge page. */
    if (flags[i] & POOL_HUGE_PAGES) continue;
    for_every_call(grow_by_call, &growable);
    for_every_call(grow_by_call, &unbounded);
    for_every_call(grow_when_dry, &growable);
    for_every_call(grow_for_many, &growable);
  }
  fixed.flags = growable.flags = 0;
  const pool_options_t large = options_of(MAX, 0, checks);
  for_every_call(trim_first, &large);
  for_every_call(trim_again, &large);
  fixed.on_exhausted = growable.on_exhausted = POOL_EXHAUSTED_HEAP;
  for_every_call(create, &fixed);
  for_every_call(take_from_the_heap, &fixed);
  for_every_call(grow_or_take_from_the_heap, &growable);
  what_gives_memory_back_needs_none(&fixed);
}

int main(void) {
  pool_set_log_callback(count, NULL, POOL_LOG_WARN);
  the_first_pool_of_a_process();
  /* The memory of the handles comes with the first pool and stays. */
  end(pool_create(BLOCK_SIZE, CAPACITY));
  with_checks(POOL_CHECKS_STANDARD);
  with_checks(POOL_CHECKS_NONE);
  return CHECK_RESULT();
}
