/* Ten million blocks that cross threads, for a thread sanitizer that sees inside the library as
   well. Producers take blocks, stamp them and put them into boxes; consumers take them from there,
   check them and free them. A box orders what was written to a block before its consumer's reading
   it, and nothing the other way round: that a freed block which comes again is in order between its
   old owner and its new one is the pool's doing alone. */

#define _DEFAULT_SOURCE /* pthread_barrier_t */

#include <sched.h>

#include "../c/threads.h"

#ifndef PAIRS_A_PRODUCER
#define PAIRS_A_PRODUCER 5000000
#endif

enum { PRODUCERS = 2, THREADS = 2 * PRODUCERS, BOXES = 64, BATCH = 8 };

static pool_t *pool;
static _Atomic(uint64_t *) boxes[PRODUCERS][BOXES];

static void produce(size_t number) {
  void *batch[BATCH];
  for (uint64_t turn = 0; turn < PAIRS_A_PRODUCER;) {
    /* By turns one at a time and many, for both are ways through the pool. */
    const size_t count = turn % 1024 < 512 ? 1 : BATCH;
    if (count == 1) batch[0] = pool_allocate(pool);
    if (count > 1) MUST(pool_allocate_many(pool, batch, count) == count);
    for (size_t i = 0; i < count; ++i, ++turn) {
      _Atomic(uint64_t *) *box = &boxes[number][turn % BOXES];
      uint64_t *block = batch[i];
      MUST(block != NULL);
      block[0] = block[1] = stamp_of(number, turn);
      while (atomic_load_explicit(box, memory_order_relaxed) != NULL) sched_yield();
      atomic_store_explicit(box, block, memory_order_release);
    }
  }
}

static void consume(size_t number) {
  void *batch[BATCH];
  for (uint64_t turn = 0; turn < PAIRS_A_PRODUCER;) {
    const size_t count = turn % 2048 < 1024 ? 1 : BATCH;
    for (size_t i = 0; i < count; ++i, ++turn) {
      _Atomic(uint64_t *) *box = &boxes[number][turn % BOXES];
      uint64_t *block;
      while ((block = atomic_exchange_explicit(box, NULL, memory_order_acquire)) == NULL) {
        sched_yield();
      }
      MUST(block[0] == stamp_of(number, turn) && block[1] == block[0]);
      batch[i] = block;
    }
    if (count == 1) MUST(pool_deallocate(pool, batch[0]) == POOL_OK);
    if (count > 1) MUST(pool_deallocate_many(pool, batch, count) == POOL_OK);
  }
}

static void produce_or_consume(size_t number, void *unused) {
  (void)unused;
  if (number < PRODUCERS) {
    produce(number);
  } else {
    consume(number - PRODUCERS);
  }
}

int main(void) {
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  for (int mode = 0; mode < MODE_COUNT; ++mode) {
    /* In the boxes, and in the hands of each thread. */
    watched_t watched = watched_pool(&MODES[mode], 16, PRODUCERS * BOXES + THREADS * BATCH);
    pool = watched.pool;
    together(THREADS, produce_or_consume, NULL);
    all_blocks_are_there(&watched, 0);
    end(&watched);
  }
  CHECK(atomic_load(&error_lines) == 0);
  return CHECK_RESULT();
}
