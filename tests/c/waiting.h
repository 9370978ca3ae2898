/* Threads that wait for a block, seen from outside: when one is asleep in line, and who is served.
   The kinds of pool that can be waited for. */

#ifndef TESTS_WAITING_H
#define TESTS_WAITING_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first #include: thread numbers are not in C11"
#endif

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "threads.h"

enum { BLOCK_SIZE = 64, BUFFER_BLOCKS = 64, MILLISECOND = 1000000 };

/* Lock-free ones first: nobody else has prepared the process for them. */
static const struct kind {
  uint32_t threading;
  bool is_in_buffer;
} KINDS[] = {
    {POOL_THREADS_LOCK_FREE, false},
    {POOL_THREADS_LOCK_FREE, true},
    {POOL_THREADS_SAFE, false},
    {POOL_THREADS_SAFE, true},
};
enum { KIND_COUNT = sizeof KINDS / sizeof *KINDS };

/* Of those in a buffer there is one at a time. */
static inline watched_t pool_of(const struct kind *kind, size_t blocks) {
  static unsigned char buffer[POOL_STATIC_BYTES_LOCK_FREE(BLOCK_SIZE, BUFFER_BLOCKS)];
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = BLOCK_SIZE;
  options.capacity = blocks;
  options.threading = kind->threading;
  if (kind->is_in_buffer) {
    options.buffer = buffer;
    options.buffer_bytes = sizeof buffer;
  }
  MUST(pool_create_with(&options, &pool) == POOL_OK);
  return watch(pool, blocks);
}

/* As `take`, of whoever would rather wait. */
static inline void *take_within(watched_t *watched, uint64_t nanoseconds, uint64_t stamp) {
  void *block = &stamp; /* to be overwritten, with NULL too */
  const pool_status_t status = pool_allocate_wait(watched->pool, nanoseconds, &block);
  MUST(status == (block == NULL ? POOL_ERR_TIMED_OUT : POOL_OK));
  if (block != NULL) own(watched, block, stamp);
  return block;
}

static inline uint64_t nanoseconds_of(clockid_t clock) {
  struct timespec now;
  MUST(clock_gettime(clock, &now) == 0);
  return (uint64_t)now.tv_sec * 1000 * MILLISECOND + (uint64_t)now.tv_nsec;
}

static inline void nap(void) {
  const struct timespec a_millisecond = {0, MILLISECOND};
  nanosleep(&a_millisecond, NULL);
}

typedef struct {
  pthread_t thread;
  watched_t *watched;
  uint64_t timeout;
  uint64_t stamp;
  void *block;
  atomic_int number; /* the system's, of the thread; 0: it has not begun */
  atomic_bool is_done;
} waiter_t;

static void *wait_for_a_block(void *argument) {
  waiter_t *waiter = argument;
  atomic_store(&waiter->number, (int)syscall(SYS_gettid));
  waiter->block = take_within(waiter->watched, waiter->timeout, waiter->stamp);
  atomic_store(&waiter->is_done, true);
  return NULL;
}

/* Whether the thread sleeps as those in line do; a lock of the pool's is another kind of sleep, and
   so is what tools do to run one thread at a time. */
static inline bool is_asleep(const waiter_t *waiter) {
  char path[64];
  long call = 0;
  unsigned long word = 0, operation = 0;
  snprintf(path, sizeof path, "/proc/self/task/%d/syscall", atomic_load(&waiter->number));
  FILE *file = fopen(path, "r");
  MUST(file != NULL || atomic_load(&waiter->is_done));
  if (file == NULL) return false;
  const int words = fscanf(file, "%ld %lx %lx", &call, &word, &operation);
  fclose(file);
  const unsigned long in_line = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG;
  return words == 3 && call == SYS_futex && operation == in_line;
}

/* Returns when the thread is asleep in line, or when its time is over already. */
static inline void begin_waiting(waiter_t *waiter, watched_t *watched, uint64_t timeout) {
  static size_t count = 1;
  const uint64_t before = nanoseconds_of(CLOCK_MONOTONIC);
  *waiter = (waiter_t){.watched = watched, .timeout = timeout, .stamp = stamp_of(++count, 1)};
  MUST(pthread_create(&waiter->thread, NULL, wait_for_a_block, waiter) == 0);
  while (atomic_load(&waiter->number) == 0 || !is_asleep(waiter)) {
    nap();
    if (!atomic_load(&waiter->is_done)) continue;
    MUST(timeout < UINT64_MAX / 2 && nanoseconds_of(CLOCK_MONOTONIC) - before >= timeout);
    return;
  }
}

/* Returns what the thread got, when it got it; NULL: nothing. */
static inline void *end_waiting(waiter_t *waiter) {
  MUST(pthread_join(waiter->thread, NULL) == 0);
  return waiter->block;
}

static inline void take_all(watched_t *watched, void **blocks) {
  for (size_t i = 0; i < watched->blocks; ++i) {
    blocks[i] = take(watched, stamp_of(0xfff, i));
    MUST(blocks[i] != NULL);
  }
  MUST(pool_available(watched->pool) == 0);
}

#endif
