/* fork while threads keep blocks for themselves: the child has none of these threads, and yet can
   have every block that is not live, those too that the library kept for them. Of a pool that
   others use at that very moment it can have all but what they held at most. */

#define _DEFAULT_SOURCE /* fork, alarm, pthread_barrier_t */

#include <sys/wait.h>
#include <unistd.h>

#include "crew.h"

enum { FORKS = 50, CREW = 4, CHURNERS = 2, BLOCKS = 1000, BLOCK_SIZE = 64 };
enum { KEPT_MAX = 20, TAKEN_MAX = BLOCKS / CREW, CHURNED_MAX = 150 };

/* The crew uses one pool, and is idle when a fork comes; others never stop using the other. */
static watched_t calm, churned;
static void *kept[CREW][KEPT_MAX];
static bool has_lock;
static atomic_bool stop;
static uint64_t fork_number;

/* --- threads of the parent ------------------------------------------------------------------ */

/* What it kept goes back, and among many others it takes the next ones that it keeps. */
static void take_and_keep_some(size_t number, void *unused) {
  void *blocks[TAKEN_MAX - KEPT_MAX];
  uint64_t state = fork_number * CREW + number;
  size_t count = 0;
  (void)unused;
  chance(&state);
  for (size_t wanted = chance(&state) % (TAKEN_MAX - KEPT_MAX + 1); count < wanted; ++count) {
    blocks[count] = take(&calm, stamp_of(number, count + 1));
    MUST(blocks[count] != NULL); /* it has no more than its part */
  }
  for (size_t i = 0; i < KEPT_MAX; ++i) {
    if (kept[number][i] != NULL) give(&calm, kept[number][i]);
    kept[number][i] = NULL;
  }
  for (size_t i = chance(&state) % (KEPT_MAX + 1); i > 0 && count > 0; --i) {
    kept[number][i - 1] = blocks[--count];
  }
  while (count > 0) give(&calm, blocks[--count]);
}

static void churn(size_t number, void *unused) {
  void *blocks[CHURNED_MAX];
  uint64_t state = number;
  (void)unused;
  for (uint64_t turn = 0; !atomic_load(&stop); ++turn) {
    size_t count = 0;
    for (size_t wanted = chance(&state) % (CHURNED_MAX + 1); count < wanted; ++count) {
      blocks[count] = take(&churned, stamp_of(number, turn * CHURNED_MAX + count + 1));
      MUST(blocks[count] != NULL);
    }
    while (count > 0) give(&churned, blocks[--count]);
    if (has_lock && turn % 100 == number) MUST(pool_trim(churned.pool, NULL) == POOL_OK);
  }
}

static size_t live_now(void) {
  size_t live = 0;
  for (size_t i = 0; i < CREW * KEPT_MAX; ++i) live += kept[i / KEPT_MAX][i % KEPT_MAX] != NULL;
  return live;
}

static void give_what_is_kept(void) {
  for (size_t i = 0; i < CREW * KEPT_MAX; ++i) {
    void **place = &kept[i / KEPT_MAX][i % KEPT_MAX];
    if (*place != NULL) give(&calm, *place);
    *place = NULL;
  }
}

/* --- the child ------------------------------------------------------------------------------ */

/* Blocks that were live stay so until they are given back, by the child, to its copy. */
static void uses_the_calm_pool(void) {
  all_blocks_are_there(&calm, live_now());
  give_what_is_kept();
  all_blocks_are_there(&calm, 0);
  MUST(pool_validate(calm.pool) == POOL_OK && pool_in_use(calm.pool) == 0);
  end(&calm);
}

/* A thread of the parent's may have been anywhere in a call: the watch over the blocks is not of
   the same moment, but the pool must be right. */
static void uses_the_churned_pool(void) {
  static uint64_t *blocks[BLOCKS];
  pool_t *pool = churned.pool;
  const size_t available = pool_available(pool);
  const size_t in_use = pool_in_use(pool);
  size_t count = 0;
  MUST(available <= BLOCKS && in_use == BLOCKS - available);
  MUST(in_use <= CHURNERS * CHURNED_MAX);
  for (; count < available; ++count) {
    blocks[count] = pool_allocate(pool);
    MUST(blocks[count] != NULL);
    write_stamp(blocks[count], BLOCK_SIZE, stamp_of(CHURNERS, count));
  }
  MUST(pool_allocate(pool) == NULL && pool_in_use(pool) == BLOCKS);
  MUST(pool_validate(pool) == POOL_OK);
  while (count-- > 0) {
    MUST(read_stamp(blocks[count], BLOCK_SIZE) == stamp_of(CHURNERS, count));
    MUST(pool_deallocate(pool, blocks[count]) == POOL_OK);
  }
  MUST(pool_in_use(pool) == in_use && pool_validate(pool) == POOL_OK);
  MUST(pool_reset(pool) == POOL_OK);
  for (count = 0; pool_allocate(pool) != NULL;) ++count;
  MUST(count == BLOCKS && pool_reset(pool) == POOL_OK);
  MUST(pool_destroy(pool) == POOL_OK);
}

static void forks(size_t number, void *unused) {
  (void)number, (void)unused;
  int status = -1;
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    uses_the_calm_pool();
    uses_the_churned_pool();
    _exit(CHECK_RESULT());
  }
  MUST(child > 0 && waitpid(child, &status, 0) == child);
  MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* --- the parent ----------------------------------------------------------------------------- */

static void fork_often(const struct mode *mode) {
  crew_t crew, churners;
  calm = watched_pool(mode, BLOCK_SIZE, BLOCKS);
  churned = watched_pool(mode, BLOCK_SIZE, BLOCKS);
  has_lock = mode->has_lock;
  atomic_store(&stop, false);
  begin_crew(&crew, CREW);
  begin_crew(&churners, CHURNERS);
  begin_together(&churners, churn, NULL);
  for (fork_number = 0; fork_number < FORKS; ++fork_number) {
    do_together(&crew, take_and_keep_some, NULL);
    CHECK(pool_in_use(calm.pool) == live_now());
    /* By a thread that has used the pool, by one that has not lately, by one that never saw it. */
    if (fork_number % 3 == 0) do_alone(&crew, fork_number % CREW, forks, NULL);
    if (fork_number % 3 == 1) forks(0, NULL);
    if (fork_number % 3 == 2) together(1, forks, NULL);
    CHECK(pool_in_use(calm.pool) == live_now());
    if (fork_number % 10 == 0) all_blocks_are_there(&calm, live_now());
  }
  atomic_store(&stop, true);
  await_all(&churners);
  give_what_is_kept();
  all_blocks_are_there(&calm, 0);
  all_blocks_are_there(&churned, 0);
  end_crew(&crew);
  end_crew(&churners);
  all_blocks_are_there(&calm, 0);
  all_blocks_are_there(&churned, 0);
  end(&calm);
  end(&churned);
}

int main(void) {
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  for (int mode = 0; mode < MODE_COUNT; ++mode) fork_often(&MODES[mode]);
  CHECK(atomic_load(&error_lines) == 0);
  return CHECK_RESULT();
}
