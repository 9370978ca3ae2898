/* Threads end in every way there is, while the library keeps blocks for them, and use the pool to
   the very end: no block is lost with them, and what the pool takes for threads does not grow. */

#define _DEFAULT_SOURCE /* pthread_barrier_t, PTHREAD_DESTRUCTOR_ITERATIONS */

#include <limits.h>
#include <sched.h>
#include <sys/stat.h>

#include "crew.h"

enum {
  AT_A_TIME = 64,
  BLOCKS_A_THREAD = 8,
  BLOCKS = AT_A_TIME * BLOCKS_A_THREAD,
  FIRST_THREADS = 100,
  THREADS = 2000 / THREADS_FEWER,
  DETACHED_WAVES = 1 + 50 / THREADS_FEWER
};

/* How often the system asks whether there is more to do for a thread that ends. What is done when
   it asks for the last time, nobody may hear of. */
enum { LAST_END = PTHREAD_DESTRUCTOR_ITERATIONS };

/* How often each thread has something to do then, and the library once more after it. A sanitizer
   leaves the thread at the last time, and neither may follow it. */
enum { USUAL_ENDS = THREADS_FEWER > 1 ? LAST_END - 2 : LAST_END - 1 };
static int ends = USUAL_ENDS;

/* One key is older than what the library has for threads, and so called first, one is younger. */
static pthread_key_t keys[2];
static pthread_key_t relay;

typedef struct {
  pthread_key_t key;
  struct visitor *visitor;
  int ends_left;
  void *block;
} will_t;

typedef enum { RETURNS, EXITS, IS_CANCELLED, WAYS } way_t;

typedef struct visitor {
  pthread_t thread;
  size_t number;
  way_t way;
  will_t wills[2];
  int wills_left;
  void *passed_on;
} visitor_t;

static watched_t watched;
static visitor_t visitors[AT_A_TIME];
static size_t wave_threads; /* how many of the visitors there are in this wave */
static pthread_barrier_t barrier;
static sem_t gone;

static void *taken(size_t number, uint64_t turn) {
  void *block = take(&watched, stamp_of(number, turn));
  MUST(block != NULL); /* as many are live at most as there are */
  return block;
}

/* --- the end of a thread -------------------------------------------------------------------- */

/* The system calls it, again and again as long as it asks for more. */
static void use_at_the_end(void *argument) {
  will_t *will = argument;
  visitor_t *visitor = will->visitor;
  if (will->block != NULL) give(&watched, will->block);
  will->block = taken(visitor->number, 100 + (uint64_t)will->ends_left);
  give(&watched, taken(visitor->number, 200));
  if (--will->ends_left > 0) {
    MUST(pthread_setspecific(will->key, will) == 0);
    return;
  }
  give(&watched, will->block);
  if (--visitor->wills_left == 0) MUST(sem_post(&gone) == 0);
}

static void make_wills(visitor_t *visitor) {
  for (int i = 0; i < 2; ++i) {
    visitor->wills[i] = (will_t){keys[i], visitor, ends, NULL};
    MUST(pthread_setspecific(keys[i], &visitor->wills[i]) == 0);
  }
  visitor->wills_left = 2;
}

static void *leave(visitor_t *visitor) {
  const way_t way = visitor->way;
  /* From here on it holds nothing, though the library may still work for it. */
  if (visitor->wills_left == 0) MUST(sem_post(&gone) == 0);
  if (way == EXITS) pthread_exit(NULL);
  if (way == IS_CANCELLED) {
    /* Not while it waits for something: gcc's sanitizer would forget what such a thread does. */
    MUST(pthread_cancel(pthread_self()) == 0);
    pthread_testcancel();
  }
  return NULL;
}

/* Some make their wills before they use the pool, some then, some have none. */
static void *visit(void *argument) {
  visitor_t *visitor = argument;
  const size_t number = visitor->number;
  void *blocks[BLOCKS_A_THREAD];
  if (number % 4 == 1) make_wills(visitor);
  for (size_t i = 0; i < BLOCKS_A_THREAD; ++i) blocks[i] = taken(number, i + 1);
  visitor->passed_on = blocks[0];
  pthread_barrier_wait(&barrier);
  give(&watched, visitors[(number + 1) % wave_threads].passed_on);
  for (size_t i = 1; i < BLOCKS_A_THREAD; ++i) give(&watched, blocks[i]);
  if (number % 4 == 3) make_wills(visitor);
  /* All are alive, each with what the library keeps for it. */
  pthread_barrier_wait(&barrier);
  return leave(visitor);
}

/* --- waves ---------------------------------------------------------------------------------- */

static void begin_wave(size_t threads, int detach) {
  pthread_attr_t small;
  wave_threads = threads;
  MUST(pthread_barrier_init(&barrier, NULL, (unsigned)threads) == 0);
  MUST(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 256 << 10) == 0);
  MUST(pthread_attr_setdetachstate(&small, detach) == 0);
  for (size_t i = 0; i < threads; ++i) {
    visitors[i] = (visitor_t){.number = i, .way = (way_t)(i % WAYS)};
    MUST(pthread_create(&visitors[i].thread, &small, visit, &visitors[i]) == 0);
  }
  pthread_attr_destroy(&small);
}

static void wait_until_gone(size_t threads) {
  for (size_t i = 0; i < threads; ++i) await(&gone);
}

/* So many threads at a time as there are visitors, until there were `threads`. */
static void waves(size_t threads) {
  while (threads > 0) {
    const size_t now = threads < AT_A_TIME ? threads : AT_A_TIME;
    begin_wave(now, PTHREAD_CREATE_JOINABLE);
    for (size_t i = 0; i < now; ++i) {
      void *result = NULL;
      MUST(pthread_join(visitors[i].thread, &result) == 0);
      MUST((result == PTHREAD_CANCELED) == (visitors[i].way == IS_CANCELLED));
    }
    wait_until_gone(now);
    pthread_barrier_destroy(&barrier);
    threads -= now;
  }
}

/* Threads that are about to be gone have magazines of 1152 bytes too, but never for good. */
enum { MAGAZINES_MORE = 1152 * 2 * AT_A_TIME };

static pool_stats_t stats_now(void) {
  pool_stats_t stats = {.struct_size = sizeof stats};
  MUST(pool_get_stats(watched.pool, &stats) == POOL_OK);
  return stats;
}

static void threads_come_and_go(void) {
  waves(FIRST_THREADS);
  all_blocks_are_there(&watched, 0);
  const pool_stats_t before = stats_now();
  waves(THREADS);
  const pool_stats_t after = stats_now();
  CHECK(after.metadata_bytes <= before.metadata_bytes + MAGAZINES_MORE);
  CHECK(after.reserved_bytes == before.reserved_bytes);
  CHECK(after.in_use == 0 && after.allocations == after.deallocations);
  all_blocks_are_there(&watched, 0);
}

/* As the kernel counts: a folder for each, and two names of the one that holds them. */
static size_t threads_now(void) {
  struct stat tasks;
  MUST(stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 2);
  return tasks.st_nlink - 2;
}

/* Nobody joins them: all blocks are there as soon as the last was given back, though the library
   may still be about to put away what it kept. */
static void detached_threads(void) {
  const size_t others = threads_now(); /* a tool may have some */
  const pool_stats_t before = stats_now();
  for (int wave = 0; wave < DETACHED_WAVES; ++wave) {
    census_t census = {&watched, 0};
    begin_wave(AT_A_TIME, PTHREAD_CREATE_DETACHED);
    wait_until_gone(AT_A_TIME);
    count_blocks(AT_A_TIME, &census);
    while (threads_now() > others) sched_yield();
    all_blocks_are_there(&watched, 0);
    pthread_barrier_destroy(&barrier);
  }
  CHECK(stats_now().metadata_bytes <= before.metadata_bytes + MAGAZINES_MORE);
}

/* Also of threads that use the pool when it is too late to be told of their end, no block is lost;
   and what the pool takes for them has a bound, though it may be found out late that they are
   gone. Not with tools, which leave a thread before. */
static void threads_use_their_last_moment(void) {
  if (THREADS_FEWER > 1) return;
  const pool_stats_t before = stats_now();
  ends = LAST_END;
  waves(THREADS);
  all_blocks_are_there(&watched, 0);
  CHECK(stats_now().metadata_bytes <= before.metadata_bytes + MAGAZINES_MORE);
  ends = USUAL_ENDS;
}

/* --- a relay -------------------------------------------------------------------------------- */

enum { RUNNERS = 1 + 100 / THREADS_FEWER, STEPS = 5000 / THREADS_FEWER };

typedef struct {
  pthread_t thread;
  size_t number;
  bool is_told; /* once already, and so was the library */
  sem_t is_ending, next_runs;
} runner_t;

static void run(size_t number) {
  void *blocks[BLOCKS_A_THREAD];
  for (uint64_t step = 0; step < STEPS; ++step) {
    for (size_t i = 0; i < BLOCKS_A_THREAD; ++i) blocks[i] = taken(number, step * 8 + i + 1);
    for (size_t i = 0; i < BLOCKS_A_THREAD; ++i) give(&watched, blocks[i]);
  }
}

/* A thread that ends goes on while the next one begins, which may get what the first one had. */
static void run_to_the_end(void *argument) {
  runner_t *runner = argument;
  if (!runner->is_told) {
    runner->is_told = true;
    MUST(pthread_setspecific(relay, runner) == 0);
    return;
  }
  MUST(sem_post(&runner->is_ending) == 0);
  await(&runner->next_runs);
  run(runner->number + RUNNERS);
}

static void *run_and_end(void *argument) {
  runner_t *runner = argument;
  give(&watched, taken(runner->number, 1));
  if (runner->number > 0) MUST(sem_post(&runner[-1].next_runs) == 0);
  run(runner->number);
  MUST(pthread_setspecific(relay, runner) == 0);
  return NULL;
}

static void threads_that_end_meet_those_that_begin(void) {
  static runner_t runners[RUNNERS];
  for (size_t i = 0; i < RUNNERS; ++i) {
    runners[i].number = i;
    runners[i].is_told = false;
    MUST(sem_init(&runners[i].is_ending, 0, 0) == 0 && sem_init(&runners[i].next_runs, 0, 0) == 0);
    MUST(pthread_create(&runners[i].thread, NULL, run_and_end, &runners[i]) == 0);
    await(&runners[i].is_ending);
  }
  MUST(sem_post(&runners[RUNNERS - 1].next_runs) == 0);
  for (size_t i = 0; i < RUNNERS; ++i) MUST(pthread_join(runners[i].thread, NULL) == 0);
  all_blocks_are_there(&watched, 0);
}

/* --- one way only --------------------------------------------------------------------------- */

typedef struct {
  void *blocks[BLOCKS];
  size_t count;
} load_t;

static void only_takes(size_t number, void *shared) {
  load_t *load = shared;
  for (size_t i = 0; i < load->count; ++i) load->blocks[i] = taken(number, i + 1);
}

static void only_gives(size_t number, void *shared) {
  load_t *load = shared;
  (void)number;
  for (size_t i = 0; i < load->count; ++i) give(&watched, load->blocks[i]);
}

/* Each by a thread that does nothing else in its life, and ends. */
static void one_takes_and_one_gives(void) {
  const size_t counts[] = {1, 2, 31, 100, 121, BLOCKS};
  static load_t load;
  for (size_t i = 0; i < sizeof counts / sizeof *counts; ++i) {
    load.count = counts[i];
    together(1, only_takes, &load);
    all_blocks_are_there(&watched, load.count);
    together(1, only_gives, &load);
    all_blocks_are_there(&watched, 0);
    only_takes(AT_A_TIME, &load);
    together(1, only_gives, &load);
    together(1, only_takes, &load);
    only_gives(AT_A_TIME, &load);
    all_blocks_are_there(&watched, 0);
  }
}

int main(void) {
  MUST(pthread_key_create(&keys[0], use_at_the_end) == 0);
  MUST(pthread_key_create(&relay, run_to_the_end) == 0);
  MUST(sem_init(&gone, 0, 0) == 0);
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  for (int mode = 0; mode < MODE_COUNT; ++mode) {
    watched = watched_pool(&MODES[mode], 64, BLOCKS);
    all_blocks_are_there(&watched, 0);
    if (mode == 0) MUST(pthread_key_create(&keys[1], use_at_the_end) == 0);
    threads_come_and_go();
    threads_that_end_meet_those_that_begin();
    one_takes_and_one_gives();
    detached_threads();
    threads_use_their_last_moment();
    CHECK(stats_now().allocations == stats_now().deallocations);
    end(&watched);
  }
  CHECK(atomic_load(&error_lines) == 0);
  return CHECK_RESULT();
}
