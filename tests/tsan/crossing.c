/* Blocks that cross threads, for a thread sanitizer that sees inside the library as well. A thread
   takes blocks, stamps them and puts them into boxes; another one takes them from there, checks
   them and frees them. A box orders what was written to a block before its being read there, and
   nothing the other way round: that a freed block which comes again is in order between its old
   owner and its new one is the pool's doing alone. */

#define _DEFAULT_SOURCE /* pthread_barrier_t */

#include <sched.h>

#include "../c/threads.h"

/* PAIRS: so many blocks are taken and freed for each thread that there is. */
enum { THREADS = 4, BOXES = 64, BATCH = 8 };

/* Everybody takes and frees most of the time; then half of the threads only take, and half only
   free, so that each gets what another one gave back. */
enum { ROUND_PAIRS = PAIRS / 5 * 4, ONE_WAY_PAIRS = 2 * (PAIRS - ROUND_PAIRS) };

static pool_t *pool;
static _Atomic(uint64_t *) boxes[THREADS][BOXES]; /* from each thread */

static _Atomic(uint64_t *) *box_of(size_t from, uint64_t turn) {
  return &boxes[from][turn % BOXES];
}

/* By turns one at a time and many, for both are ways through the pool. */
static size_t count_at(uint64_t turn, uint64_t turns) {
  return turn % 1024 < 512 || turns - turn < BATCH ? 1 : BATCH;
}

/* Fills the next boxes; 0: they are not empty yet. They are emptied in order, so the last tells. */
static size_t put(size_t from, uint64_t turn, uint64_t turns) {
  const size_t count = count_at(turn, turns);
  void *batch[BATCH];
  if (atomic_load_explicit(box_of(from, turn + count - 1), memory_order_relaxed) != NULL) return 0;
  if (count == 1) batch[0] = pool_allocate(pool);
  if (count > 1) MUST(pool_allocate_many(pool, batch, count) == count);
  for (size_t i = 0; i < count; ++i) {
    uint64_t *block = batch[i];
    MUST(block != NULL);
    block[0] = block[1] = stamp_of(from, turn + i);
    atomic_store_explicit(box_of(from, turn + i), block, memory_order_release);
  }
  return count;
}

/* Empties the next boxes; 0: they are not full yet. */
static size_t get(size_t from, uint64_t turn, uint64_t turns) {
  const size_t count = count_at(turn, turns);
  void *batch[BATCH];
  if (atomic_load_explicit(box_of(from, turn + count - 1), memory_order_relaxed) == NULL) return 0;
  for (size_t i = 0; i < count; ++i) {
    uint64_t *block = atomic_exchange_explicit(box_of(from, turn + i), NULL, memory_order_acquire);
    MUST(block != NULL && block[0] == stamp_of(from, turn + i) && block[1] == block[0]);
    batch[i] = block;
  }
  if (count == 1) MUST(pool_deallocate(pool, batch[0]) == POOL_OK);
  if (count > 1) MUST(pool_deallocate_many(pool, batch, count) == POOL_OK);
  return count;
}

/* Each for the next one. */
static void put_and_get(size_t number, void *unused) {
  const size_t from = (number + THREADS - 1) % THREADS;
  uint64_t there = 0, here = 0;
  (void)unused;
  while (there < ROUND_PAIRS || here < ROUND_PAIRS) {
    const size_t sent = there < ROUND_PAIRS ? put(number, there, ROUND_PAIRS) : 0;
    const size_t received = here < ROUND_PAIRS ? get(from, here, ROUND_PAIRS) : 0;
    there += sent;
    here += received;
    if (sent + received == 0) sched_yield();
  }
}

static void put_or_get(size_t number, void *unused) {
  (void)unused;
  for (uint64_t turn = 0; turn < ONE_WAY_PAIRS;) {
    const size_t count = number % 2 == 0 ? put(number, turn, ONE_WAY_PAIRS)
                                         : get(number - 1, turn, ONE_WAY_PAIRS);
    turn += count;
    if (count == 0) sched_yield();
  }
}

int main(void) {
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  for (int mode = 0; mode < MODE_COUNT; ++mode) {
    /* In the boxes, and in the hands of each thread. */
    watched_t watched = watched_pool(&MODES[mode], 16, THREADS * (BOXES + BATCH));
    pool = watched.pool;
    together(THREADS, put_and_get, NULL);
    all_blocks_are_there(&watched, 0);
    together(THREADS, put_or_get, NULL);
    all_blocks_are_there(&watched, 0);
    pool_stats_t stats = {.struct_size = sizeof stats};
    CHECK(pool_get_stats(pool, &stats) == POOL_OK && stats.in_use == 0);
    CHECK(stats.allocations >= (uint64_t)THREADS * PAIRS);
    CHECK(stats.allocations == stats.deallocations);
    end(&watched);
  }
  CHECK(atomic_load(&error_lines) == 0);
  return CHECK_RESULT();
}
