/* Waiting where everything happens at once: a timeout and the block that comes at that moment, a
   block that comes before its waiter sleeps, fast paths of others while a line forms and ends. No
   block is lost or has two owners, and nobody sleeps on while there is one. */

#define _GNU_SOURCE /* SYS_gettid */

#include <sched.h>

#include "waiting.h"

enum { THREADS = 6, BOXES = 4, HELD_MAX = 16 };

typedef struct {
  const struct kind *kind;
  watched_t watched;
  size_t turns;
  atomic_size_t served;
  atomic_size_t left; /* whose time was over */
  _Atomic(void *) boxes[BOXES];
  void (*give_back)(watched_t *, void *);
} race_t;

static void give_as_one_of_many(watched_t *watched, void *block) {
  void *blocks[] = {NULL, block};
  disown(watched, block);
  MUST(pool_deallocate_many(watched->pool, blocks, 2) == POOL_OK);
}

static void spin(uint32_t turns) {
  for (volatile uint32_t i = 0; i < turns; ++i) continue;
}

/* --- timeouts ------------------------------------------------------------------------------- */

/* Blocks come back just as others give up. */
static void wait_shortly(size_t number, void *shared) {
  race_t *race = shared;
  uint64_t state = number;
  size_t served = 0;
  for (size_t turn = 0; turn < race->turns; ++turn) {
    const uint64_t nanoseconds = chance(&state) % 60000;
    void *block = take_within(&race->watched, nanoseconds, stamp_of(number, turn));
    if (block == NULL) continue;
    ++served;
    spin(chance(&state) % 20000);
    race->give_back(&race->watched, block);
  }
  atomic_fetch_add(&race->served, served);
  atomic_fetch_add(&race->left, race->turns - served);
}

/* --- for ever ------------------------------------------------------------------------------- */

static void wait_for_ever(size_t number, void *shared) {
  race_t *race = shared;
  uint64_t state = number;
  for (size_t turn = 0; turn < race->turns; ++turn) {
    void *block = take_within(&race->watched, UINT64_MAX, stamp_of(number, turn));
    MUST(block != NULL);
    if (chance(&state) % 8 == 0) sched_yield(); /* with the block, so that others come to wait */
    race->give_back(&race->watched, block);
  }
}

/* Even ones produce, odd ones consume: blocks come back from threads that never wait. */
static void produce_or_consume(size_t number, void *shared) {
  race_t *race = shared;
  uint64_t state = number;
  for (size_t turn = 0; turn < race->turns;) {
    _Atomic(void *) *box = &race->boxes[chance(&state) % BOXES];
    void *block = NULL;
    if (number % 2 == 0) {
      block = take_within(&race->watched, UINT64_MAX, stamp_of(number, turn++));
      MUST(block != NULL);
    }
    /* A producer takes out what another one put there. */
    if (block != NULL || atomic_load_explicit(box, memory_order_relaxed) != NULL) {
      turn += number % 2;
      block = atomic_exchange_explicit(box, block, memory_order_acq_rel);
    } else if (atomic_load(&race->left) == THREADS / 2) {
      break; /* no producer is left */
    }
    if (block != NULL) {
      race->give_back(&race->watched, block);
    } else {
      sched_yield();
    }
  }
  if (number % 2 == 0) atomic_fetch_add(&race->left, 1);
}

/* One who never waits takes what is in the boxes until all have ended, so that boxes full of blocks
   are no reason to wait for ever. */
static void produce_or_consume_or_sweep(size_t number, void *shared) {
  race_t *race = shared;
  if (number < THREADS) {
    produce_or_consume(number, shared);
    atomic_fetch_add(&race->served, 1);
    return;
  }
  while (atomic_load(&race->served) < THREADS) {
    for (int box = 0; box < BOXES; ++box) {
      void *block = atomic_exchange_explicit(&race->boxes[box], NULL, memory_order_acq_rel);
      if (block != NULL) race->give_back(&race->watched, block);
    }
    sched_yield();
  }
}

/* --- those who wait among those who don't --------------------------------------------------- */

/* Together they want more than there is, so that lines form and end again; a thread that gets none
   in time gives all back. */
static void take_by_all_means(size_t number, void *shared) {
  race_t *race = shared;
  void *held[HELD_MAX];
  size_t count = 0, left = 0;
  uint64_t state = number;
  for (size_t turn = 0; turn < race->turns; ++turn) {
    const uint64_t stamp = stamp_of(number, turn);
    if (count == HELD_MAX || (count > 0 && chance(&state) % 3 == 0)) {
      race->give_back(&race->watched, held[--count]);
      continue;
    }
    void *block = take(&race->watched, stamp);
    if (block == NULL) block = take_within(&race->watched, chance(&state) % 200000, stamp);
    if (block != NULL) held[count++] = block;
    for (left += block == NULL; block == NULL && count > 0;) {
      race->give_back(&race->watched, held[--count]);
    }
  }
  while (count > 0) race->give_back(&race->watched, held[--count]);
  atomic_fetch_add(&race->left, left);
}

static void run(const struct kind *kind, size_t blocks, size_t threads, job_t job, size_t turns,
                void (*give_back)(watched_t *, void *)) {
  static race_t race;
  memset(&race, 0, sizeof race);
  race.kind = kind;
  race.watched = pool_of(kind, blocks);
  race.turns = turns / THREADS_FEWER;
  race.give_back = give_back;
  together(threads, job, &race);
  for (int box = 0; box < BOXES; ++box) {
    if (race.boxes[box] != NULL) give(&race.watched, race.boxes[box]);
  }
  if (job == wait_shortly) CHECK(race.served > 0);
  if (job == wait_shortly && blocks == 1 && THREADS_FEWER == 1) CHECK(race.left > 0);
  /* A line that ended leaves the pool as it was: no one waits, and it can be destroyed. */
  all_blocks_are_there(&race.watched, 0);
  end(&race.watched);
}

int main(void) {
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  alarm(600); /* who is never woken ends the program */
  for (const struct kind *kind = KINDS; kind < KINDS + KIND_COUNT; ++kind) {
    for (size_t blocks = 1; blocks <= 4; blocks += 3) {
      run(kind, blocks, THREADS, wait_shortly, 2000, give);
      run(kind, blocks, THREADS, wait_for_ever, 2000, give);
      run(kind, blocks, THREADS, wait_for_ever, 2000, give_as_one_of_many);
      run(kind, blocks, THREADS + 1, produce_or_consume_or_sweep, 2000, give);
    }
    run(kind, BUFFER_BLOCKS, THREADS, take_by_all_means, 20000, give);
  }
  CHECK(atomic_load(&error_lines) == 0);
  return CHECK_RESULT();
}
