/* Four threads at random: they take blocks one at a time and many, stamp them, pass them to each
   other, and give back what they have of anybody. Each stamp is checked before its block goes back.
   Now there are blocks for all, now there are not. tests/programs.rs runs more of it. */

#define _DEFAULT_SOURCE /* pthread_barrier_t */

#include "threads.h"

#ifndef OPERATIONS
#define OPERATIONS (1000000 / THREADS_FEWER)
#endif

enum { THREADS = 4, BOXES = 32, HELD_MAX = 200, MANY_MAX = 40 };

typedef struct {
  watched_t watched;
  pthread_mutex_t *lock; /* where the pool has none; else NULL */
  uint64_t operations;   /* of each thread: blocks that it takes or gives back */
  _Atomic(void *) boxes[BOXES];
  atomic_uint_least64_t taken, given;
} scene_t;

typedef struct {
  scene_t *scene;
  size_t number;
  uint64_t random;
  uint64_t taken, given;
  void *held[HELD_MAX];
  size_t count;
} player_t;

/* --- moves ---------------------------------------------------------------------------------- */

static void enter(const scene_t *scene) {
  if (scene->lock != NULL) MUST(pthread_mutex_lock(scene->lock) == 0);
}

static void leave(const scene_t *scene) {
  if (scene->lock != NULL) MUST(pthread_mutex_unlock(scene->lock) == 0);
}

static bool is_there(const player_t *player) {
  return player->count > 0;
}

static void hold(player_t *player, void *block) {
  own(&player->scene->watched, block, stamp_of(player->number, ++player->taken));
  player->held[player->count++] = block;
}

static void take_one(player_t *player) {
  scene_t *scene = player->scene;
  if (player->count == HELD_MAX) return;
  enter(scene);
  void *block = pool_allocate(scene->watched.pool);
  leave(scene);
  if (block != NULL) hold(player, block);
}

static void take_many(player_t *player) {
  scene_t *scene = player->scene;
  void *blocks[MANY_MAX];
  size_t count = chance(&player->random) % (MANY_MAX + 1);
  if (count > HELD_MAX - player->count) count = HELD_MAX - player->count;
  enter(scene);
  count = pool_allocate_many(scene->watched.pool, blocks, count);
  leave(scene);
  for (size_t i = 0; i < count; ++i) hold(player, blocks[i]);
}

/* Any of those that it holds; the last one takes its place. Disowned: from then on the pool alone
   may hand it out. */
static void *picked(player_t *player) {
  void **place = &player->held[chance(&player->random) % player->count];
  void *block = *place;
  *place = player->held[--player->count];
  return block;
}

static void give_one(player_t *player) {
  scene_t *scene = player->scene;
  if (!is_there(player)) return;
  void *block = picked(player);
  disown(&scene->watched, block);
  enter(scene);
  const pool_status_t status = pool_deallocate(scene->watched.pool, block);
  leave(scene);
  MUST(status == POOL_OK);
  ++player->given;
}

static void give_many(player_t *player) {
  scene_t *scene = player->scene;
  void *blocks[MANY_MAX];
  size_t count = chance(&player->random) % (MANY_MAX + 1);
  if (count > player->count) count = player->count;
  for (size_t i = 0; i < count; ++i) {
    blocks[i] = picked(player);
    disown(&scene->watched, blocks[i]);
  }
  enter(scene);
  const pool_status_t status = pool_deallocate_many(scene->watched.pool, blocks, count);
  leave(scene);
  MUST(status == POOL_OK);
  player->given += count;
}

/* Puts a block into a box, for whoever comes next, and holds what lay there, with its stamp. */
static void exchange(player_t *player) {
  if (!is_there(player)) return;
  void *block = picked(player);
  block = atomic_exchange_explicit(&player->scene->boxes[chance(&player->random) % BOXES], block,
                                   memory_order_acq_rel);
  if (block != NULL) player->held[player->count++] = block;
}

/* Taking and giving prevail in turns, so that threads fill up and run empty. */
static void play(size_t number, void *shared) {
  static player_t players[THREADS];
  player_t *player = &players[number];
  *player = (player_t){.scene = shared, .number = number, .random = number};
  while (player->taken + player->given < player->scene->operations) {
    const bool up = (player->taken + player->given) / 2048 % 2 == 0;
    const uint32_t dice = chance(&player->random) % 16;
    if (dice < (up ? 9 : 5)) {
      take_one(player);
    } else if (dice < 14) {
      give_one(player);
    } else if (dice == 14) {
      exchange(player);
    } else if (up) {
      take_many(player);
    } else {
      give_many(player);
    }
  }
  while (is_there(player)) give_one(player);
  atomic_fetch_add(&player->scene->taken, player->taken);
  atomic_fetch_add(&player->scene->given, player->given);
}

/* --- scenes --------------------------------------------------------------------------------- */

static void empty_the_boxes(scene_t *scene) {
  for (int box = 0; box < BOXES; ++box) {
    void *block = atomic_exchange(&scene->boxes[box], NULL);
    if (block == NULL) continue;
    give(&scene->watched, block);
    atomic_fetch_add(&scene->given, 1);
  }
}

static void stress(const struct mode *mode, pthread_mutex_t *lock, size_t blocks, uint64_t all) {
  static scene_t scene;
  scene.watched = watched_pool(mode, 64, blocks);
  scene.lock = lock;
  scene.operations = all / THREADS;
  atomic_store(&scene.taken, 0);
  atomic_store(&scene.given, 0);
  together(THREADS, play, &scene);
  empty_the_boxes(&scene);
  pool_stats_t stats = {.struct_size = sizeof stats};
  MUST(pool_get_stats(scene.watched.pool, &stats) == POOL_OK);
  CHECK(stats.allocations == atomic_load(&scene.taken) && stats.in_use == 0);
  CHECK(stats.deallocations == atomic_load(&scene.given));
  CHECK(stats.allocations == stats.deallocations && stats.allocations * 2 >= all);
  CHECK(stats.peak_in_use <= blocks);
  all_blocks_are_there(&scene.watched, 0);
  end(&scene.watched);
}

int main(void) {
  const struct mode single = {"single", POOL_THREADS_SINGLE, false};
  const size_t plenty = THREADS * HELD_MAX + BOXES;
  const uint64_t half = OPERATIONS / 2;
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  for (int mode = 0; mode < MODE_COUNT; ++mode) {
    stress(&MODES[mode], NULL, plenty, half);
    stress(&MODES[mode], NULL, plenty / 8, half);
  }
  stress(&single, &lock, plenty, half / 4);
  stress(&single, &lock, plenty / 8, half / 4);
  CHECK(atomic_load(&error_lines) == 0);
  return CHECK_RESULT();
}
