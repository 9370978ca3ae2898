/* pool_fail_after while other threads work: as many calls succeed as were asked for, over all
   threads together; who waits is refused; and no block is lost. */

#define _GNU_SOURCE /* SYS_gettid */

#include "waiting.h"

enum { THREADS = 4, CALLS = 5000 / THREADS_FEWER, SUCCESSES = 1777 / THREADS_FEWER };

static void *by_cache_or_call(pool_t *pool, pool_cache_t *cache) {
  return cache == NULL ? pool_allocate(pool) : pool_cache_allocate(cache);
}

/* One of the ways to ask for a block. */
static void *ask(pool_t *pool, pool_cache_t *cache, uint32_t way) {
  void *block = NULL;
  switch (way % 4) {
    case 0: return pool_allocate(pool);
    case 1: return pool_allocate_many(pool, &block, 1) == 1 ? block : NULL;
    case 2: pool_allocate_wait(pool, 0, &block); return block;
    default: return by_cache_or_call(pool, cache);
  }
}

typedef struct {
  watched_t watched;
  const struct kind *kind;
  atomic_size_t successes;
} shared_t;

static pool_cache_t *cache_of(const shared_t *shared) {
  const bool has_caches = shared->kind->threading == POOL_THREADS_SAFE &&
                          !shared->kind->is_in_buffer;
  return has_caches ? pool_cache_create(shared->watched.pool) : NULL;
}

/* Keeps a few blocks, so that some calls find none. */
static void take_and_give(size_t number, void *argument) {
  enum { KEPT = 4 };
  shared_t *shared = argument;
  watched_t *watched = &shared->watched;
  pool_cache_t *cache = cache_of(shared);
  void *kept[KEPT] = {NULL};
  uint64_t state = number;
  for (uint64_t turn = 1; turn <= CALLS; ++turn) {
    void **const place = &kept[chance(&state) % KEPT];
    if (*place != NULL) give(watched, *place);
    *place = ask(watched->pool, cache, chance(&state));
    if (*place == NULL) continue;
    own(watched, *place, stamp_of(number, turn));
    atomic_fetch_add(&shared->successes, 1);
  }
  for (int i = 0; i < KEPT; ++i) {
    if (kept[i] != NULL) give(watched, kept[i]);
  }
  MUST(pool_cache_destroy(cache) == POOL_OK);
}

static void as_many_succeed_as_were_asked_for(const struct kind *kind, size_t blocks) {
  shared_t shared = {.watched = pool_of(kind, blocks), .kind = kind};
  pool_t *const pool = shared.watched.pool;
  together(THREADS, take_and_give, &shared); /* so that blocks wait in magazines */
  atomic_store(&shared.successes, 0);
  pool_stats_t before = {.struct_size = sizeof before}, after = before;
  CHECK(pool_fail_after(pool, SUCCESSES) == POOL_OK);
  CHECK(pool_get_stats(pool, &before) == POOL_OK);
  together(THREADS, take_and_give, &shared);
  CHECK(pool_get_stats(pool, &after) == POOL_OK);
  CHECK(atomic_load(&shared.successes) == SUCCESSES && pool_in_use(pool) == 0);
  CHECK(after.allocations - before.allocations == SUCCESSES);
  CHECK(after.deallocations - before.deallocations == SUCCESSES);
  CHECK(after.failures - before.failures >= THREADS * CALLS - SUCCESSES);
  CHECK(pool_allocate(pool) == NULL && pool_validate(pool) == POOL_OK);
  CHECK(pool_fail_after(pool, UINT64_MAX) == POOL_OK);
  together(THREADS, take_and_give, &shared);
  all_blocks_are_there(&shared.watched, 0);
  end(&shared.watched);
}

/* The first of them turns it on and off all the time. */
static void work_or_turn(size_t number, void *argument) {
  shared_t *shared = argument;
  if (number > 0) {
    take_and_give(number, argument);
    return;
  }
  uint64_t state = 1;
  for (int turn = 0; turn < CALLS / 10; ++turn) {
    const uint32_t how = chance(&state) % 4;
    const uint64_t successes = how == 0 ? UINT64_MAX : how * how - 1;
    MUST(pool_fail_after(shared->watched.pool, successes) == POOL_OK);
  }
}

static void it_can_be_turned_on_and_off_at_any_time(const struct kind *kind) {
  shared_t shared = {.watched = pool_of(kind, BUFFER_BLOCKS), .kind = kind};
  pool_t *const pool = shared.watched.pool;
  together(THREADS, work_or_turn, &shared);
  CHECK(pool_fail_after(pool, 0) == POOL_OK && pool_allocate(pool) == NULL);
  CHECK(pool_in_use(pool) == 0 && pool_validate(pool) == POOL_OK);
  CHECK(pool_fail_after(pool, UINT64_MAX) == POOL_OK);
  all_blocks_are_there(&shared.watched, 0);
  end(&shared.watched);
}

/* --- who waits -------------------------------------------------------------------------------- */

typedef struct {
  waiter_t waiter;
  pool_status_t status;
} refused_t;

static void *wait_for_a_status(void *argument) {
  refused_t *refused = argument;
  waiter_t *waiter = &refused->waiter;
  atomic_store(&waiter->number, (int)syscall(SYS_gettid));
  waiter->block = &refused;
  refused->status = pool_allocate_wait(waiter->watched->pool, UINT64_MAX, &waiter->block);
  atomic_store(&waiter->is_done, true);
  return NULL;
}

static void begin_in_line(refused_t *refused, watched_t *watched) {
  *refused = (refused_t){.waiter = {.watched = watched}, .status = -1};
  waiter_t *waiter = &refused->waiter;
  MUST(pthread_create(&waiter->thread, NULL, wait_for_a_status, refused) == 0);
  while (atomic_load(&waiter->number) == 0 || !is_asleep(waiter)) nap();
}

static void who_waits_is_refused(const struct kind *kind, uint64_t successes) {
  enum { WAITERS = 3 };
  watched_t watched = pool_of(kind, 2);
  refused_t line[WAITERS];
  void *blocks[2] = {take(&watched, 1), take(&watched, 4096)};
  for (int i = 0; i < WAITERS; ++i) begin_in_line(&line[i], &watched);
  CHECK(pool_fail_after(watched.pool, successes) == POOL_OK);
  for (uint64_t i = 0; i < successes; ++i) {
    CHECK(!atomic_load(&line[i].waiter.is_done));
    give(&watched, blocks[i]);
    MUST(pthread_join(line[i].waiter.thread, NULL) == 0);
    CHECK(line[i].status == POOL_OK && line[i].waiter.block == blocks[i]);
    own(&watched, blocks[i], stamp_of(9, 1));
  }
  for (uint64_t i = successes; i < WAITERS; ++i) {
    MUST(pthread_join(line[i].waiter.thread, NULL) == 0);
    CHECK(line[i].status == POOL_ERR_EXHAUSTED && line[i].waiter.block == NULL);
  }
  for (int i = 0; i < 2; ++i) give(&watched, blocks[i]);
  void *none = &watched;
  CHECK(pool_allocate_wait(watched.pool, UINT64_MAX, &none) == POOL_ERR_EXHAUSTED && none == NULL);
  CHECK(pool_fail_after(watched.pool, UINT64_MAX) == POOL_OK);
  all_blocks_are_there(&watched, 0);
  end(&watched);
}

/* Whoever takes the last one. */
static void the_last_success_ends_the_line(const struct kind *kind) {
  watched_t watched = pool_of(kind, 1);
  refused_t first, second;
  void *block = take(&watched, 1);
  begin_in_line(&first, &watched);
  CHECK(pool_fail_after(watched.pool, 1) == POOL_OK);
  begin_in_line(&second, &watched);
  give(&watched, block);
  MUST(pthread_join(first.waiter.thread, NULL) == 0);
  MUST(pthread_join(second.waiter.thread, NULL) == 0);
  CHECK(first.status == POOL_OK && first.waiter.block == block);
  CHECK(second.status == POOL_ERR_EXHAUSTED && second.waiter.block == NULL);
  CHECK(pool_deallocate(watched.pool, block) == POOL_OK);
  CHECK(pool_fail_after(watched.pool, UINT64_MAX) == POOL_OK);
  all_blocks_are_there(&watched, 0);
  end(&watched);
}

int main(void) {
  for (int i = 0; i < KIND_COUNT; ++i) {
    as_many_succeed_as_were_asked_for(&KINDS[i], BUFFER_BLOCKS);
    as_many_succeed_as_were_asked_for(&KINDS[i], THREADS);
    it_can_be_turned_on_and_off_at_any_time(&KINDS[i]);
    for (uint64_t successes = 0; successes < 3; ++successes) {
      who_waits_is_refused(&KINDS[i], successes);
    }
    the_last_success_ends_the_line(&KINDS[i]);
  }
  return CHECK_RESULT();
}
