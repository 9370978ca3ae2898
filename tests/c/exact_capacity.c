/* Whatever threads did before and keep for themselves while they stay alive, one thread can have
   every block that is not live, each once, and no more. */

#define _DEFAULT_SOURCE /* pthread_barrier_t */

#include "crew.h"

/* More than a thread may keep for itself at a time, so that some go back to all. */
enum { TAKEN_MAX = 200, KEPT_MAX = 3, THREADS_MAX = 4800 };

/* Who takes all blocks, and who gives them back. FRESH never saw the pool. */
typedef enum { THE_MAIN, A_MEMBER, ANOTHER_MEMBER, A_FRESH } who_t;

/* What is done while all are idle, before all blocks are taken. */
typedef enum { NOTHING, TRIM, RESET } extra_t;

static const struct round {
  who_t taker;
  who_t giver;
  bool many; /* by the functions for many blocks */
  extra_t extra;
} ROUNDS[] = {
    {THE_MAIN, A_MEMBER, false, NOTHING}, {A_MEMBER, A_FRESH, true, TRIM},
    {A_FRESH, THE_MAIN, false, RESET},    {A_MEMBER, ANOTHER_MEMBER, false, NOTHING},
    {THE_MAIN, A_FRESH, true, RESET},     {A_FRESH, A_MEMBER, false, TRIM},
};
enum { ROUND_COUNT = sizeof ROUNDS / sizeof *ROUNDS };

typedef struct {
  watched_t watched;
  const crew_t *crew;
  size_t round;
  bool many;
  size_t live;
  void **taken; /* one place more than there are blocks */
  size_t taken_count;
  atomic_size_t may_be_kept;
  void *kept[THREADS_MAX][KEPT_MAX];
} scene_t;

/* --- jobs ----------------------------------------------------------------------------------- */

/* What one thread kept goes back from another one. */
static void give_what_the_next_one_kept(size_t number, void *shared) {
  scene_t *scene = shared;
  void **kept = scene->kept[(number + 1) % scene->crew->count];
  for (size_t i = 0; i < KEPT_MAX; ++i) {
    if (kept[i] != NULL) give(&scene->watched, kept[i]);
    kept[i] = NULL;
  }
}

static bool may_keep_one_more(scene_t *scene) {
  size_t left = atomic_load_explicit(&scene->may_be_kept, memory_order_relaxed);
  while (left > 0) {
    if (atomic_compare_exchange_weak_explicit(&scene->may_be_kept, &left, left - 1,
                                              memory_order_relaxed, memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

/* Takes a random number of blocks, as far as there are any, and gives back all but a few. */
static void take_and_give_some(size_t number, void *shared) {
  scene_t *scene = shared;
  void *blocks[TAKEN_MAX];
  uint64_t state = number * ROUND_COUNT + scene->round;
  size_t count = 0;
  chance(&state);
  const size_t wanted = chance(&state) % (TAKEN_MAX + 1);
  while (count < wanted) {
    blocks[count] = take(&scene->watched, stamp_of(number, scene->round * TAKEN_MAX + count));
    if (blocks[count] == NULL) break;
    ++count;
  }
  const size_t may_keep = chance(&state) % 2 == 0 ? 0 : chance(&state) % (KEPT_MAX + 1);
  for (size_t i = 0; i < may_keep && count > 0 && may_keep_one_more(scene); ++i) {
    scene->kept[number][i] = blocks[--count];
  }
  while (count > 0) give(&scene->watched, blocks[--count]);
}

static void take_all(size_t number, void *shared) {
  scene_t *scene = shared;
  watched_t *watched = &scene->watched;
  const uint64_t stamp = stamp_of(THREADS_MAX + number, 1);
  const size_t expected = watched->blocks - scene->live;
  size_t count = 0;
  MUST(pool_in_use(watched->pool) == scene->live);
  MUST(pool_available(watched->pool) == pool_capacity(watched->pool) - scene->live);
  if (scene->many) {
    count = pool_allocate_many(watched->pool, scene->taken, expected + 1);
    MUST(count == expected);
    for (size_t i = 0; i < count; ++i) own(watched, scene->taken[i], stamp + (i << 12));
  }
  while (count <= expected) {
    scene->taken[count] = take(watched, stamp + ((uint64_t)count << 12));
    if (scene->taken[count] == NULL) break;
    ++count;
  }
  MUST(count == expected);
  MUST(pool_allocate(watched->pool) == NULL && pool_available(watched->pool) == 0);
  MUST(pool_in_use(watched->pool) == watched->blocks);
  MUST(pool_capacity(watched->pool) == watched->blocks);
  scene->taken_count = count;
}

static void give_all(size_t number, void *shared) {
  scene_t *scene = shared;
  watched_t *watched = &scene->watched;
  (void)number;
  if (scene->many) {
    for (size_t i = 0; i < scene->taken_count; ++i) disown(watched, scene->taken[i]);
    MUST(pool_deallocate_many(watched->pool, scene->taken, scene->taken_count) == POOL_OK);
  } else {
    for (size_t i = 0; i < scene->taken_count; ++i) give(watched, scene->taken[i]);
  }
  MUST(pool_in_use(watched->pool) == scene->live);
}

/* --- rounds --------------------------------------------------------------------------------- */

static void let(who_t who, crew_t *crew, job_t job, scene_t *scene) {
  const size_t member = scene->round * 7 % crew->count;
  switch (who) {
    case THE_MAIN: job(crew->count, scene); break;
    case A_MEMBER: do_alone(crew, member, job, scene); break;
    case ANOTHER_MEMBER: do_alone(crew, (member + 1) % crew->count, job, scene); break;
    case A_FRESH: together(1, job, scene); break;
  }
}

static void count_live(scene_t *scene) {
  scene->live = 0;
  for (size_t i = 0; i < THREADS_MAX * KEPT_MAX; ++i) {
    scene->live += scene->kept[i / KEPT_MAX][i % KEPT_MAX] != NULL;
  }
}

/* Makes all free that is live, behind the backs of those who keep blocks. */
static void reset(scene_t *scene) {
  MUST(pool_reset(scene->watched.pool) == POOL_OK);
  scene->live = 0;
  memset(scene->kept, 0, sizeof scene->kept);
  memset(scene->watched.owners, 0, scene->watched.blocks * sizeof *scene->watched.owners);
}

static void one_round(crew_t *crew, const struct round *round, scene_t *scene) {
  /* None, a fourth, half of all blocks. */
  atomic_store(&scene->may_be_kept, (scene->watched.blocks + 1) * (scene->round % 3) / 4);
  scene->many = round->many;
  do_together(crew, take_and_give_some, scene);
  count_live(scene);
  if (round->extra == TRIM) MUST(pool_trim(scene->watched.pool, NULL) == POOL_OK);
  if (round->extra == RESET) reset(scene);
  let(round->taker, crew, take_all, scene);
  MUST(pool_validate(scene->watched.pool) == POOL_OK);
  let(round->giver, crew, give_all, scene);
  do_together(crew, give_what_the_next_one_kept, scene);
  MUST(pool_validate(scene->watched.pool) == POOL_OK && pool_in_use(scene->watched.pool) == 0);
}

/* The crew stays when the pool goes: what its threads kept of one pool is nothing to the next. */
static void exactly(crew_t *crew, const struct mode *mode, size_t capacity, size_t max_capacity) {
  static scene_t scene;
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = 64;
  options.capacity = capacity;
  options.max_capacity = max_capacity;
  options.threading = mode->threading;
  MUST(pool_create_with(&options, &pool) == POOL_OK);
  scene.watched = watch(pool, max_capacity);
  scene.crew = crew;
  scene.taken = calloc(max_capacity + 1, sizeof *scene.taken);
  MUST(scene.taken != NULL);
  for (scene.round = 0; scene.round < ROUND_COUNT; ++scene.round) {
    one_round(crew, &ROUNDS[scene.round], &scene);
  }
  pool_stats_t stats = {.struct_size = sizeof stats};
  CHECK(pool_get_stats(pool, &stats) == POOL_OK && stats.allocations == stats.deallocations);
  CHECK(stats.failures >= 2 * ROUND_COUNT && stats.peak_in_use == max_capacity);
  free(scene.taken);
  end(&scene.watched);
}

/* More threads than anybody would keep something for. */
static void a_crowd(void) {
  crew_t crew;
  begin_crew(&crew, THREADS_MAX / THREADS_FEWER);
  if (crew.count < THREADS_MAX / THREADS_FEWER) {
    fputs("SKIPPED a crowd: the system lets no 4800 threads live here; raise ulimit -u\n", stderr);
  }
  exactly(&crew, &MODES[0], 5000, 5000);
  end_crew(&crew);
}

int main(void) {
  const size_t capacities[] = {1, 8, 64, 1000, 100000 / THREADS_FEWER};
  const size_t threads[] = {2, 8, 64, 1000 / THREADS_FEWER};
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  for (int count = 0; count < 4; ++count) {
    crew_t crew;
    begin_crew(&crew, threads[count]);
    CHECK(crew.count == threads[count]);
    for (int i = 0; i < 5 * MODE_COUNT; ++i) {
      const struct mode *mode = &MODES[i % MODE_COUNT];
      const size_t capacity = capacities[i / MODE_COUNT];
      exactly(&crew, mode, capacity, capacity);
      if (capacity > 1) exactly(&crew, mode, capacity / 3, capacity);
    }
    end_crew(&crew);
  }
  a_crowd();
  CHECK(atomic_load(&error_lines) == 0);
  return CHECK_RESULT();
}
