/* A thread that waits for a block: at once when there is one, else asleep in line until one comes
   back in any of the ways in which blocks come back, or until its time is over. */

#define _GNU_SOURCE /* SYS_gettid, RUSAGE_THREAD */

#include <linux/membarrier.h>
#include <signal.h>
#include <sys/resource.h>

#include "waiting.h"

enum { WAITERS = 8, SIGNALLED_FOR = 50 * MILLISECOND };

static size_t errors(void) { return atomic_load(&error_lines); }

/* --- one thread ----------------------------------------------------------------------------- */

static void a_free_block_comes_at_once(const struct kind *kind) {
  const uint64_t timeouts[] = {0, 1, MILLISECOND, UINT64_MAX - 1, UINT64_MAX};
  watched_t watched = pool_of(kind, 5);
  void *blocks[5];
  for (size_t i = 0; i < 5; ++i) {
    blocks[i] = take_within(&watched, timeouts[i], stamp_of(1, i));
    MUST(blocks[i] != NULL && pool_in_use(watched.pool) == i + 1);
  }
  for (int i = 0; i < 3; ++i) CHECK(take_within(&watched, 0, 1) == NULL);
  for (int i = 0; i < 5; ++i) give(&watched, blocks[i]);
  all_blocks_are_there(&watched, 0);
  end(&watched);
}

static void ignore(int number) { (void)number; }

static void *disturb(void *argument) {
  waiter_t *waiter = argument;
  for (int i = 0; i < 10 && !atomic_load(&waiter->is_done); ++i) {
    MUST(pthread_kill(waiter->thread, SIGUSR1) == 0);
    nap();
  }
  return NULL;
}

/* Also when signals come meanwhile. */
static void no_timeout_is_shorter_than_asked(const struct kind *kind) {
  const uint64_t timeouts[] = {1, 999, 100000, 3 * MILLISECOND, 30 * MILLISECOND};
  watched_t watched = pool_of(kind, 1);
  void *block = take(&watched, 1);
  for (int i = 0; i < 5; ++i) {
    const uint64_t before = nanoseconds_of(CLOCK_MONOTONIC);
    CHECK(take_within(&watched, timeouts[i], 1) == NULL);
    CHECK(nanoseconds_of(CLOCK_MONOTONIC) - before >= timeouts[i]);
  }
  waiter_t waiter;
  const uint64_t before = nanoseconds_of(CLOCK_MONOTONIC);
  begin_waiting(&waiter, &watched, SIGNALLED_FOR);
  disturb(&waiter);
  CHECK(end_waiting(&waiter) == NULL);
  CHECK(nanoseconds_of(CLOCK_MONOTONIC) - before >= SIGNALLED_FOR);
  give(&watched, block);
  all_blocks_are_there(&watched, 0);
  end(&watched);
}

/* Where the system can't tell when a block is back, a thread must look again and again. */
static bool is_told(void) {
  return (syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) &
          MEMBARRIER_CMD_PRIVATE_EXPEDITED) > 0;
}

/* It neither spins nor wakes up time and again. */
static void who_waits_does_nothing(const struct kind *kind) {
  enum { TIME = 200 * MILLISECOND };
  watched_t watched = pool_of(kind, 1);
  struct rusage before, after;
  void *block = take(&watched, 1);
  CHECK(take_within(&watched, 5 * MILLISECOND, 1) == NULL); /* a tool gets to know the code */
  const uint64_t worked = nanoseconds_of(CLOCK_THREAD_CPUTIME_ID);
  MUST(getrusage(RUSAGE_THREAD, &before) == 0);
  CHECK(take_within(&watched, TIME, 1) == NULL);
  MUST(getrusage(RUSAGE_THREAD, &after) == 0);
  CHECK(nanoseconds_of(CLOCK_THREAD_CPUTIME_ID) - worked < TIME / 20);
  CHECK(!is_told() || after.ru_nvcsw - before.ru_nvcsw < 10);
  give(&watched, block);
  end(&watched);
}

static void bad_arguments_take_nothing(const struct kind *kind) {
  watched_t watched = pool_of(kind, 2);
  void *block = &watched;
  int local = 0;
  size_t before = errors();
  CHECK(pool_allocate_wait(watched.pool, UINT64_MAX, NULL) == POOL_ERR_NULL_ARGUMENT);
  CHECK(errors() == before + 1 && pool_in_use(watched.pool) == 0);
  CHECK(pool_allocate_wait(NULL, UINT64_MAX, &block) == POOL_ERR_NULL_ARGUMENT);
  CHECK(errors() == before + 2 && block == NULL);
  CHECK(pool_allocate_wait(NULL, 0, NULL) == POOL_ERR_NULL_ARGUMENT && errors() == before + 3);
  block = &watched;
  CHECK(pool_allocate_wait((pool_t *)&local, 1, &block) == POOL_ERR_STALE_HANDLE);
  CHECK(errors() == before + 4 && block == NULL);
  all_blocks_are_there(&watched, 0);
  end(&watched);
  block = &watched;
  before = errors();
  CHECK(pool_allocate_wait(watched.pool, UINT64_MAX, &block) == POOL_ERR_STALE_HANDLE);
  CHECK(errors() == before + 1 && block == NULL);
}

/* Nobody else could give one back. */
static void one_owner_waits_for_nobody(void) {
  const struct kind single = {POOL_THREADS_SINGLE, false};
  for (int in_buffer = 0; in_buffer < 2; ++in_buffer) {
    watched_t watched = pool_of(&(struct kind){single.threading, in_buffer == 1}, 1);
    void *block = take_within(&watched, UINT64_MAX, 1);
    const size_t before = errors();
    void *none = &watched;
    CHECK(block != NULL);
    CHECK(pool_allocate_wait(watched.pool, UINT64_MAX, &none) == POOL_ERR_EXHAUSTED);
    CHECK(none == NULL && errors() == before + 1 && pool_in_use(watched.pool) == 1);
    none = &watched;
    CHECK(pool_allocate_wait(watched.pool, 0, &none) == POOL_ERR_EXHAUSTED);
    CHECK(none == NULL && errors() == before + 2);
    give(&watched, block);
    CHECK(pool_in_use(watched.pool) == 0 && pool_validate(watched.pool) == POOL_OK);
    end(&watched);
  }
}

/* --- many in line --------------------------------------------------------------------------- */

/* Who of those from `first` on is done, when one is. */
static size_t next_done(waiter_t *waiters, size_t first) {
  for (;; nap()) {
    for (size_t i = first; i < WAITERS; ++i) {
      if (atomic_load(&waiters[i].is_done)) return i;
    }
  }
}

static void who_came_first_is_served_first(const struct kind *kind) {
  waiter_t waiters[WAITERS];
  void *blocks[WAITERS / 2];
  watched_t watched = pool_of(kind, WAITERS / 2);
  take_all(&watched, blocks);
  for (size_t i = 0; i < WAITERS; ++i) {
    begin_waiting(&waiters[i], &watched, i % 2 == 0 ? UINT64_MAX : UINT64_MAX / 2);
  }
  for (size_t i = 0; i < WAITERS; ++i) {
    /* The second half get what the first half give back. */
    give(&watched, i < WAITERS / 2 ? blocks[i] : waiters[i - WAITERS / 2].block);
    MUST(next_done(waiters, i) == i && end_waiting(&waiters[i]) != NULL);
    CHECK(pool_available(watched.pool) == 0);
  }
  for (size_t i = WAITERS / 2; i < WAITERS; ++i) give(&watched, waiters[i].block);
  all_blocks_are_there(&watched, 0);
  end(&watched);
}

/* The first, one in the middle and the last give up: the others keep their places. */
static void who_leaves_the_line_is_passed_over(const struct kind *kind) {
  waiter_t waiters[WAITERS];
  watched_t watched = pool_of(kind, 1);
  void *block = take(&watched, 1);
  for (size_t i = 0; i < WAITERS; ++i) {
    const bool leaves = i == 0 || i == 3 || i == WAITERS - 1;
    begin_waiting(&waiters[i], &watched, leaves ? 200 * (uint64_t)MILLISECOND : UINT64_MAX);
  }
  for (size_t i = 0; i < WAITERS; ++i) {
    if (waiters[i].timeout != UINT64_MAX) CHECK(end_waiting(&waiters[i]) == NULL);
  }
  for (size_t i = 0; i < WAITERS; ++i) {
    if (waiters[i].timeout != UINT64_MAX) continue;
    for (size_t later = i; later < WAITERS; ++later) {
      MUST(waiters[later].timeout != UINT64_MAX || !atomic_load(&waiters[later].is_done));
    }
    give(&watched, block);
    block = end_waiting(&waiters[i]);
    MUST(block != NULL);
  }
  give(&watched, block);
  all_blocks_are_there(&watched, 0);
  end(&watched);
}

/* --- how blocks come back ------------------------------------------------------------------- */

static void *in_handler;
static watched_t *of_handler;
static void give_in_handler(int number) {
  (void)number;
  give(of_handler, in_handler);
}

static void give_one(watched_t *watched, void **blocks) { give(watched, blocks[0]); }

static void give_many(watched_t *watched, void **blocks) {
  for (int i = 0; i < 4; ++i) disown(watched, blocks[i]);
  blocks[4] = NULL;
  MUST(pool_deallocate_many(watched->pool, blocks, 5) == POOL_OK);
}

/* With one entry that is none. */
static void give_many_and_a_bad_one(watched_t *watched, void **blocks) {
  const size_t before = errors();
  for (int i = 0; i < 2; ++i) disown(watched, blocks[i]);
  void *entries[] = {blocks[0], &blocks, blocks[1]};
  MUST(pool_deallocate_many(watched->pool, entries, 3) == POOL_ERR_FOREIGN_POINTER);
  MUST(errors() == before + 1);
}

static void give_with_a_cache(watched_t *watched, void **blocks) {
  pool_cache_t *cache = pool_cache_create(watched->pool);
  disown(watched, blocks[0]);
  MUST(cache != NULL && pool_cache_deallocate(cache, blocks[0]) == POOL_OK);
  MUST(pool_cache_allocate(cache) == NULL && pool_cache_destroy(cache) == POOL_OK);
}

static void give_by_a_signal(watched_t *watched, void **blocks) {
  in_handler = blocks[0];
  of_handler = watched;
  MUST(signal(SIGUSR2, give_in_handler) != SIG_ERR && raise(SIGUSR2) == 0);
}

/* Three wait for three blocks and a fourth one for more; as many are served as blocks came back. */
static void blocks_come_back(const struct kind *kind, size_t count,
                             void (*give_back)(watched_t *, void **)) {
  void *blocks[5];
  waiter_t waiters[4];
  watched_t watched = pool_of(kind, 5);
  take_all(&watched, blocks);
  void *last = blocks[4];
  for (int i = 0; i < 4; ++i) begin_waiting(&waiters[i], &watched, UINT64_MAX);
  give_back(&watched, blocks);
  for (size_t i = 0; i < count; ++i) MUST(end_waiting(&waiters[i]) != NULL);
  for (size_t i = count; i < 4; ++i) {
    MUST(!atomic_load(&waiters[i].is_done));
    give(&watched, blocks[i]);
    MUST(end_waiting(&waiters[i]) != NULL);
  }
  MUST(pool_in_use(watched.pool) == 5);
  for (int i = 0; i < 4; ++i) give(&watched, waiters[i].block);
  give(&watched, last);
  all_blocks_are_there(&watched, 0);
  end(&watched);
}

/* In the very thread that waits. */
static void a_handler_serves_the_thread_that_it_interrupts(const struct kind *kind) {
  waiter_t waiter;
  watched_t watched = pool_of(kind, 1);
  MUST(signal(SIGUSR2, give_in_handler) != SIG_ERR);
  in_handler = take(&watched, 1);
  of_handler = &watched;
  for (int round = 0; round < 20; ++round) {
    begin_waiting(&waiter, &watched, UINT64_MAX);
    MUST(pthread_kill(waiter.thread, SIGUSR2) == 0);
    in_handler = end_waiting(&waiter);
    MUST(in_handler != NULL);
  }
  give(&watched, in_handler);
  all_blocks_are_there(&watched, 0);
  end(&watched);
}

static bool may_grow;
static void *reserve(void *unused, size_t bytes) {
  static _Alignas(4096) unsigned char memory[1 << 16];
  (void)unused;
  return bytes <= sizeof memory ? memory : NULL;
}
static bool commit(void *unused, void *start, size_t bytes) {
  (void)unused, (void)start, (void)bytes;
  return may_grow;
}

/* Its source had no memory when they came. */
static void a_pool_that_grows_serves_those_who_wait(void) {
  enum { MORE = 4 };
  pool_source_t source = {.struct_size = sizeof source, .reserve = reserve, .commit = commit};
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  waiter_t waiters[MORE];
  may_grow = true;
  options.block_size = 1024;
  options.capacity = 4; /* a page */
  options.max_capacity = options.capacity + MORE;
  options.source = &source;
  MUST(pool_create_with(&options, &pool) == POOL_OK);
  watched_t watched = watch(pool, options.max_capacity);
  for (size_t i = 0; i < options.capacity; ++i) MUST(take(&watched, stamp_of(1, i)) != NULL);
  may_grow = false;
  for (int i = 0; i < MORE; ++i) begin_waiting(&waiters[i], &watched, UINT64_MAX);
  may_grow = true;
  MUST(pool_grow(pool, MORE) == POOL_OK);
  for (int i = 0; i < MORE; ++i) MUST(end_waiting(&waiters[i]) != NULL);
  CHECK(pool_available(pool) == 0 && pool_allocate(pool) == NULL);
  CHECK(pool_validate(pool) == POOL_OK && pool_reset(pool) == POOL_OK);
  end(&watched);
}

/* --- the end -------------------------------------------------------------------------------- */

static void a_pool_that_is_waited_for_stays(const struct kind *kind) {
  waiter_t waiters[2];
  watched_t watched = pool_of(kind, 1);
  void *block = take(&watched, 1);
  for (int i = 0; i < 2; ++i) begin_waiting(&waiters[i], &watched, UINT64_MAX);
  for (int i = 0; i < 2; ++i) {
    const size_t before = errors();
    CHECK(pool_destroy(watched.pool) == POOL_ERR_IN_USE && errors() == before + 1);
    give(&watched, block);
    block = end_waiting(&waiters[i]);
    MUST(block != NULL);
  }
  give(&watched, block);
  all_blocks_are_there(&watched, 0);
  end(&watched);
}

static void every_way_back(const struct kind *kind) {
  blocks_come_back(kind, 1, give_one);
  blocks_come_back(kind, 4, give_many);
  blocks_come_back(kind, 2, give_many_and_a_bad_one);
  if (kind->threading == POOL_THREADS_LOCK_FREE) {
    blocks_come_back(kind, 1, give_by_a_signal);
    a_handler_serves_the_thread_that_it_interrupts(kind);
  } else if (!kind->is_in_buffer) {
    blocks_come_back(kind, 1, give_with_a_cache);
  }
}

int main(void) {
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  MUST(signal(SIGUSR1, ignore) != SIG_ERR);
  alarm(300); /* who is never woken ends the program */
  for (const struct kind *kind = KINDS; kind < KINDS + KIND_COUNT; ++kind) {
    who_waits_does_nothing(kind);
    a_free_block_comes_at_once(kind);
    no_timeout_is_shorter_than_asked(kind);
    who_came_first_is_served_first(kind);
    who_leaves_the_line_is_passed_over(kind);
    every_way_back(kind);
    const size_t before = errors();
    bad_arguments_take_nothing(kind);
    a_pool_that_is_waited_for_stays(kind);
    CHECK(errors() == before + 7);
  }
  a_pool_that_grows_serves_those_who_wait();
  one_owner_waits_for_nobody();
  return CHECK_RESULT();
}
