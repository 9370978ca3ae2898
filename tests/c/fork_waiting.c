/* fork while threads wait for a block and while caches hold some: the child has none of these
   threads, so what comes back there is handed to nobody, and what caches hold can be had. */

#define _GNU_SOURCE /* fork, SYS_gettid */

#include <sys/wait.h>

#include "waiting.h"

enum { WAITERS = 3, BLOCKS = 50 };

static void ends_well(pid_t child) {
  int status = -1;
  MUST(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The waiters of the parent are not there, others can come, and nobody keeps the pool. */
static void frees_are_given_to_no_ghost(watched_t *watched, void **blocks) {
  waiter_t waiter;
  alarm(60);
  MUST(take_within(watched, 0, 1) == NULL);
  for (size_t i = 0; i < BLOCKS; ++i) {
    give(watched, blocks[i]);
    MUST(pool_available(watched->pool) == i + 1);
  }
  all_blocks_are_there(watched, 0);
  take_all(watched, blocks);
  begin_waiting(&waiter, watched, UINT64_MAX);
  give(watched, blocks[0]);
  blocks[0] = end_waiting(&waiter);
  MUST(blocks[0] != NULL);
  for (size_t i = 0; i < BLOCKS; ++i) give(watched, blocks[i]);
  all_blocks_are_there(watched, 0);
  end(watched);
  _exit(CHECK_RESULT());
}

static void fork_while_threads_wait(const struct kind *kind) {
  void *blocks[BLOCKS];
  waiter_t waiters[WAITERS];
  watched_t watched = pool_of(kind, BLOCKS);
  take_all(&watched, blocks);
  for (int i = 0; i < WAITERS; ++i) begin_waiting(&waiters[i], &watched, UINT64_MAX);
  const pid_t child = fork();
  if (child == 0) frees_are_given_to_no_ghost(&watched, blocks);
  ends_well(child);
  for (int i = 0; i < WAITERS; ++i) {
    MUST(!atomic_load(&waiters[i].is_done));
    give(&watched, blocks[i]);
    blocks[i] = end_waiting(&waiters[i]);
    MUST(blocks[i] != NULL);
  }
  for (int i = 0; i < BLOCKS; ++i) give(&watched, blocks[i]);
  all_blocks_are_there(&watched, 0);
  end(&watched);
}

/* --- caches --------------------------------------------------------------------------------- */

enum { THREADS = 3, FORKS = 30 };

static struct {
  watched_t watched;
  atomic_bool stop;
} busy;

/* It never stops using its cache, so that a fork may find it anywhere. */
static void use_a_cache(size_t number, void *unused) {
  enum { HELD_MAX = 10 };
  pool_cache_t *cache = pool_cache_create(busy.watched.pool);
  void *held[HELD_MAX];
  (void)number, (void)unused;
  while (!atomic_load(&busy.stop)) {
    for (int i = 0; i < HELD_MAX; ++i) MUST((held[i] = pool_cache_allocate(cache)) != NULL);
    for (int i = 0; i < HELD_MAX; ++i) MUST(pool_cache_deallocate(cache, held[i]) == POOL_OK);
  }
  MUST(pool_cache_destroy(cache) == POOL_OK);
}

static void caches_of_others_can_be_had(pool_t *pool, pool_cache_t *own) {
  const size_t available = pool_available(pool);
  alarm(60);
  MUST(available >= pool_capacity(pool) - THREADS * 10);
  for (size_t i = 0; i < available; ++i) {
    MUST((i % 2 == 0 ? pool_cache_allocate(own) : pool_allocate(pool)) != NULL);
  }
  MUST(pool_cache_allocate(own) == NULL && pool_allocate(pool) == NULL);
  MUST(pool_validate(pool) == POOL_OK && pool_reset(pool) == POOL_OK);
  MUST(pool_cache_destroy(own) == POOL_OK && pool_available(pool) == pool_capacity(pool));
  MUST(pool_destroy(pool) == POOL_OK);
  _exit(0);
}

static void use_or_fork(size_t number, void *unused) {
  if (number < THREADS) {
    use_a_cache(number, unused);
    return;
  }
  pool_t *pool = busy.watched.pool;
  pool_cache_t *own = pool_cache_create(pool);
  for (int i = 0; i < FORKS; ++i) {
    void *block = pool_cache_allocate(own);
    MUST(block != NULL && pool_cache_deallocate(own, block) == POOL_OK);
    const pid_t child = fork();
    if (child == 0) caches_of_others_can_be_had(pool, own);
    ends_well(child);
  }
  MUST(pool_cache_destroy(own) == POOL_OK);
  atomic_store(&busy.stop, true);
}

int main(void) {
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  alarm(300); /* who is never woken ends the program */
  for (const struct kind *kind = KINDS; kind < KINDS + KIND_COUNT; ++kind) {
    fork_while_threads_wait(kind);
  }
  busy.watched = watched_pool(&MODES[0], BLOCK_SIZE, 1000);
  together(THREADS + 1, use_or_fork, NULL);
  all_blocks_are_there(&busy.watched, 0);
  end(&busy.watched);
  CHECK(atomic_load(&error_lines) == 0);
  return CHECK_RESULT();
}
