/* Threads that start together, and what they check of every block that they take: it is nobody
   else's, it is aligned, and it keeps what was written to it until it goes back. A census tells
   whether a pool has all its blocks to give. */

#ifndef TESTS_THREADS_H
#define TESTS_THREADS_H

#ifndef _DEFAULT_SOURCE
#error "define _DEFAULT_SOURCE before the first #include: barriers are not in C11"
#endif

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "memory_pool/pool.h"

/* The kinds of pool that any thread may call; each scenario is tried with all of them. */
static const struct mode {
  const char *name;
  uint32_t threading;
  /* Whether pool_trim may be called while others work, and there can be blocks of the heap: where
     there is a lock. */
  bool has_lock;
} MODES[] = {
    {"safe", POOL_THREADS_SAFE, true},
    {"lock-free", POOL_THREADS_LOCK_FREE, false},
};
enum { MODE_COUNT = sizeof MODES / sizeof *MODES };

/* Where a tool makes everything slow, -DTHREADS_FEWER=10 takes so many times fewer turns. */
#ifndef THREADS_FEWER
#define THREADS_FEWER 1
#endif

/* CHECK counts, which threads can't do at once. This one ends the program where it fails, before
   the other threads trip over the same and hide what was first. */
static int complaints_to = 2;
#define MUST(condition)                                                                \
  do {                                                                                 \
    if (!(condition)) {                                                                \
      dprintf(complaints_to, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      _Exit(1);                                                                        \
    }                                                                                  \
  } while (0)

/* What a thread does; `number` counts from 0. */
typedef void (*job_t)(size_t number, void *shared);

typedef struct {
  pthread_t thread;
  pthread_barrier_t *start;
  size_t number;
  job_t job;
  void *shared;
} worker_t;

static void *work(void *argument) {
  worker_t *worker = argument;
  pthread_barrier_wait(worker->start);
  worker->job(worker->number, worker->shared);
  return NULL;
}

/* Runs `threads` of them to their end; none begins before all are there. */
static inline void together(size_t threads, job_t job, void *shared) {
  worker_t *workers = calloc(threads, sizeof *workers);
  pthread_barrier_t start;
  pthread_attr_t small; /* tools look at every byte of a stack when a thread begins */
  MUST(workers != NULL && pthread_barrier_init(&start, NULL, (unsigned)threads) == 0);
  MUST(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 256 << 10) == 0);
  for (size_t i = 0; i < threads; ++i) {
    workers[i] = (worker_t){.start = &start, .number = i, .job = job, .shared = shared};
    MUST(pthread_create(&workers[i].thread, &small, work, &workers[i]) == 0);
  }
  for (size_t i = 0; i < threads; ++i) pthread_join(workers[i].thread, NULL);
  pthread_attr_destroy(&small);
  pthread_barrier_destroy(&start);
  free(workers);
}

/* A cheap generator, one a thread. */
static inline uint32_t chance(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 33);
}

/* A pool whose blocks are watched: `owners` holds the stamp of whoever has a block, 0 for nobody.
   Blocks lie side by side, so the quotients of their addresses and the stride follow each other,
   and modulo the number of blocks each has an entry of its own. */
typedef struct {
  pool_t *pool;
  size_t blocks; /* as many as there can be */
  size_t bytes;  /* that may be written in each */
  size_t stride;
  size_t alignment;
  atomic_uint_least64_t *owners;
} watched_t;

static inline watched_t watch(pool_t *pool, size_t blocks) {
  watched_t watched = {pool, blocks, pool_block_size(pool), pool_stride(pool), pool_alignment(pool),
                       NULL};
  watched.owners = calloc(blocks, sizeof *watched.owners);
  MUST(pool != NULL && watched.owners != NULL && watched.bytes % sizeof(uint64_t) == 0);
  return watched;
}

static inline watched_t watched_pool(const struct mode *mode, size_t block_size, size_t blocks) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = block_size;
  options.capacity = blocks;
  options.threading = mode->threading;
  MUST(pool_create_with(&options, &pool) == POOL_OK);
  return watch(pool, blocks);
}

static inline void end(watched_t *watched) {
  MUST(pool_destroy(watched->pool) == POOL_OK);
  free(watched->owners);
}

/* No word of a block is like another, nor like one of another stamp. */
static inline void write_stamp(void *block, size_t bytes, uint64_t stamp) {
  for (size_t i = 0; i < bytes / sizeof stamp; ++i) ((uint64_t *)block)[i] = stamp + i;
}

static inline uint64_t read_stamp(const void *block, size_t bytes) {
  const uint64_t *words = block;
  for (size_t i = 0; i < bytes / sizeof *words; ++i) MUST(words[i] == words[0] + i);
  return words[0];
}

/* A stamp that no other thread and no other turn has, and that is not 0. */
static inline uint64_t stamp_of(size_t thread, uint64_t turn) {
  return (uint64_t)(thread + 1) << 48 | turn << 12;
}

static inline atomic_uint_least64_t *owner_of(watched_t *watched, const void *block) {
  return &watched->owners[(uintptr_t)block / watched->stride % watched->blocks];
}

/* Makes a block that the pool handed out the property of `stamp`. Relaxed, as in all that watches:
   it must not order what the pool itself leaves without order, or a tool would not see that. */
static inline void own(watched_t *watched, void *block, uint64_t stamp) {
  MUST((uintptr_t)block % watched->alignment == 0);
  MUST(atomic_exchange_explicit(owner_of(watched, block), stamp, memory_order_relaxed) == 0);
  write_stamp(block, watched->bytes, stamp);
}

/* NULL when the pool has none. */
static inline void *take(watched_t *watched, uint64_t stamp) {
  void *block = pool_allocate(watched->pool);
  if (block != NULL) own(watched, block, stamp);
  return block;
}

/* Ends the ownership of a block, which must be as its owner left it. */
static inline void disown(watched_t *watched, const void *block) {
  const uint64_t stamp = read_stamp(block, watched->bytes);
  MUST(stamp != 0);
  MUST(atomic_exchange_explicit(owner_of(watched, block), 0, memory_order_relaxed) == stamp);
}

static inline void give(watched_t *watched, void *block) {
  disown(watched, block);
  MUST(pool_deallocate(watched->pool, block) == POOL_OK);
}

typedef struct {
  watched_t *watched;
  size_t live;
} census_t;

/* One thread takes all blocks but the live ones, not one more, and gives them back. */
static void count_blocks(size_t number, void *shared) {
  const census_t *census = shared;
  watched_t *watched = census->watched;
  const size_t expected = watched->blocks - census->live;
  void **blocks = calloc(expected + 1, sizeof *blocks);
  size_t count = 0;
  MUST(blocks != NULL);
  MUST(pool_in_use(watched->pool) == census->live && pool_available(watched->pool) == expected);
  while (count <= expected && (blocks[count] = take(watched, stamp_of(number, count))) != NULL) {
    MUST(pool_owns(watched->pool, blocks[count]));
    ++count;
  }
  MUST(count == expected);
  MUST(pool_allocate(watched->pool) == NULL && pool_available(watched->pool) == 0);
  MUST(pool_in_use(watched->pool) == watched->blocks);
  while (count > 0) give(watched, blocks[--count]);
  MUST(pool_in_use(watched->pool) == census->live);
  MUST(pool_validate(watched->pool) == POOL_OK);
  free(blocks);
}

/* When all is quiet: by this thread, and by one that never saw the pool. */
static inline void all_blocks_are_there(watched_t *watched, size_t live) {
  census_t census = {watched, live};
  count_blocks(0xffe, &census);
  together(1, count_blocks, &census);
  CHECK(pool_in_use(watched->pool) == live);
}

/* The log: lines that are expected, which say nothing to whoever runs the tests. */
static atomic_size_t error_lines;
static inline void count_errors(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)message;
  if (level == POOL_LOG_ERROR) {
    atomic_fetch_add_explicit(&error_lines, 1, memory_order_relaxed);
  }
}

#ifdef WITH_INLINED_CACHES
#include "inlined_caches.h"
#endif

#endif
