/* Pools that any thread may call: exactly their capacity can be had whatever the threads did, and
   no block is handed out twice while they do it. */

#define _DEFAULT_SOURCE /* pthread_barrier_t */

#include <sched.h>

#include "threads.h"

/* --- exact capacity ------------------------------------------------------------------------- */

typedef struct {
  watched_t watched;
  size_t threads;
  void **held; /* a place for each block; a part for each thread */
  size_t rounds;
} capacity_t;

/* The parts differ by one block at most, and are all blocks together. */
static size_t first_of(const capacity_t *all, size_t thread) {
  return all->watched.blocks * thread / all->threads;
}

/* Each thread has no more than its part of the blocks at a time: then there is always one for it,
   whatever the others hold, and NULL is never the answer. */
static void use_a_part(size_t number, void *shared) {
  capacity_t *all = shared;
  void **held = all->held + first_of(all, number);
  const size_t part = first_of(all, number + 1) - first_of(all, number);
  uint64_t state = number;
  uint64_t turn = 0;
  for (size_t round = 0; round < all->rounds; ++round) {
    for (size_t i = 0; i < part; ++i) {
      if (held[i] != NULL) continue;
      held[i] = take(&all->watched, stamp_of(number, ++turn));
      MUST(held[i] != NULL);
    }
    for (size_t i = 0; i < part; ++i) {
      if (chance(&state) % 3 == 0) continue;
      give(&all->watched, held[i]);
      held[i] = NULL;
    }
  }
}

/* Nobody keeps to a part: some are refused, and none gets a block that another one has. */
static void use_what_there_is(size_t number, void *shared) {
  enum { HELD_MAX = 16 };
  capacity_t *all = shared;
  void *held[HELD_MAX];
  size_t count = 0;
  uint64_t state = number;
  for (size_t turn = 0; turn < all->rounds; ++turn) {
    if (count > 0 && chance(&state) % HELD_MAX < count) {
      give(&all->watched, held[--count]);
      continue;
    }
    void *block = take(&all->watched, stamp_of(number, turn));
    if (block != NULL) held[count++] = block;
  }
  while (count > 0) give(&all->watched, held[--count]);
}

static void give_left_ones(size_t number, void *shared) {
  capacity_t *all = shared;
  (void)number;
  for (size_t i = 0; i < all->watched.blocks; ++i) {
    if (all->held[i] != NULL) give(&all->watched, all->held[i]);
  }
}

static void exactly_the_capacity(const struct mode *mode, size_t blocks, size_t threads) {
  capacity_t all = {watched_pool(mode, 64, blocks), threads, calloc(blocks, sizeof(void *)), 2};
  size_t live = 0;
  MUST(all.held != NULL);
  together(threads, use_a_part, &all);
  for (size_t i = 0; i < blocks; ++i) live += all.held[i] != NULL;
  all_blocks_are_there(&all.watched, live);
  together(1, give_left_ones, &all);
  all_blocks_are_there(&all.watched, 0);
  all.rounds = (blocks == 1 ? 20000 : 40000) / threads / THREADS_FEWER;
  together(threads, use_what_there_is, &all);
  all_blocks_are_there(&all.watched, 0);
  free(all.held);
  end(&all.watched);
}

/* --- blocks that cross threads -------------------------------------------------------------- */

enum { THREADS = 4, BOXES = 8 };

typedef struct {
  watched_t watched;
  _Atomic(void *) boxes[BOXES];
  size_t turns;
} crossing_t;

/* Each thread puts its block where another one lies, and gives that one back: as many as there are
   boxes and threads are live at most, so with so many blocks NULL is never the answer. */
static void swap_and_give(size_t number, void *shared) {
  crossing_t *crossing = shared;
  uint64_t state = number;
  for (size_t turn = 0; turn < crossing->turns; ++turn) {
    void *block = take(&crossing->watched, stamp_of(number, turn));
    MUST(block != NULL);
    block = atomic_exchange_explicit(&crossing->boxes[chance(&state) % BOXES], block,
                                     memory_order_acq_rel);
    if (block != NULL) give(&crossing->watched, block);
  }
}

/* Threads with an even number produce for the next one. What was put happens before what is taken,
   and nothing else here orders the two: that a block which comes round again is in order between
   its old owner and its new one is the pool's doing alone. */
static void produce_or_consume(size_t number, void *shared) {
  enum { BOXES_A_PAIR = BOXES * 2 / THREADS };
  crossing_t *crossing = shared;
  _Atomic(void *) *boxes = crossing->boxes + number / 2 * BOXES_A_PAIR;
  size_t box = 0;
  for (size_t turn = 0; turn < crossing->turns; box = (box + 1) % BOXES_A_PAIR) {
    void *block = NULL;
    if (number % 2 == 1) {
      block = atomic_exchange_explicit(&boxes[box], NULL, memory_order_acquire);
      if (block != NULL) give(&crossing->watched, block);
    } else if (atomic_load_explicit(&boxes[box], memory_order_relaxed) == NULL) {
      block = take(&crossing->watched, stamp_of(number, turn));
      MUST(block != NULL);
      atomic_store_explicit(&boxes[box], block, memory_order_release);
    }
    turn += block != NULL;
    if (block == NULL) sched_yield();
  }
}

static void blocks_cross(const struct mode *mode, size_t block_size, job_t job, size_t turns) {
  static crossing_t crossing;
  crossing.watched = watched_pool(mode, block_size, BOXES + THREADS);
  crossing.turns = turns / THREADS_FEWER;
  together(THREADS, job, &crossing);
  for (int box = 0; box < BOXES; ++box) {
    void *block = atomic_exchange(&crossing.boxes[box], NULL);
    if (block != NULL) give(&crossing.watched, block);
  }
  pool_stats_t stats = {.struct_size = sizeof stats};
  CHECK(pool_get_stats(crossing.watched.pool, &stats) == POOL_OK);
  CHECK(stats.allocations == stats.deallocations && stats.failures == 0);
  CHECK(stats.peak_in_use <= BOXES + THREADS);
  all_blocks_are_there(&crossing.watched, 0);
  end(&crossing.watched);
}

int main(void) {
  const size_t capacities[] = {1, 8, 64, 1000, 100000 / THREADS_FEWER};
  const size_t threads[] = {2, 8, 64};
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  for (int mode = 0; mode < MODE_COUNT; ++mode) {
    for (int capacity = 0; capacity < 5; ++capacity) {
      for (int count = 0; count < 3; ++count) {
        exactly_the_capacity(&MODES[mode], capacities[capacity], threads[count]);
      }
    }
    exactly_the_capacity(&MODES[mode], 3000, 1000 / THREADS_FEWER);
    blocks_cross(&MODES[mode], 64, swap_and_give, 300000);
    blocks_cross(&MODES[mode], 8, swap_and_give, 100000);
    blocks_cross(&MODES[mode], 1000, swap_and_give, 50000);
    blocks_cross(&MODES[mode], 64, produce_or_consume, 300000);
  }
  CHECK(atomic_load(&error_lines) == 0);
  return CHECK_RESULT();
}
