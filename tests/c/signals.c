/* A lock-free pool in a signal handler: a timer interrupts a busy thread ten thousand times a
 * second, wherever it is, also in the middle of a call with the same pool. No block is lost, and
 * none has two owners. */

#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 64, BLOCK = 64 };

static pool_t *pool;
static volatile sig_atomic_t signals_handled;
static volatile sig_atomic_t broken;

/* Writes over the whole block and looks whether it stays: another owner would write as well. */
static void *owned(unsigned char stamp) {
  unsigned char *block = pool_allocate(pool);
  if (block != NULL) memset(block, stamp, BLOCK);
  return block;
}

static void given(void *block, unsigned char stamp) {
  const unsigned char *bytes = block;
  if (block == NULL) return;
  for (int i = 0; i < BLOCK; ++i) {
    if (bytes[i] != stamp) broken = 1;
  }
  if (pool_deallocate(pool, block) != POOL_OK) broken = 2;
}

static void handler(int signal) {
  void *blocks[3];
  (void)signal;
  for (int i = 0; i < 3; ++i) blocks[i] = owned((unsigned char)(100 + i));
  for (int i = 0; i < 3; ++i) given(blocks[i], (unsigned char)(100 + i));
  ++signals_handled;
}

static void busy(int seconds) {
  const time_t end = time(NULL) + seconds;
  void *blocks[32] = {0};
  unsigned random = 1;
  while (time(NULL) < end) {
    for (int i = 0; i < 10000; ++i) {
      random = random * 1664525 + 1013904223;
      const unsigned place = random >> 27;
      given(blocks[place], (unsigned char)place);
      blocks[place] = owned((unsigned char)place);
    }
  }
  for (unsigned place = 0; place < 32; ++place) given(blocks[place], (unsigned char)place);
}

/* All blocks, each once. */
static void census(void) {
  void *blocks[CAPACITY + 1];
  CHECK(pool_in_use(pool) == 0 && pool_validate(pool) == POOL_OK);
  CHECK(pool_allocate_many(pool, blocks, CAPACITY + 1) == CAPACITY);
  for (int i = 0; i < CAPACITY; ++i) {
    for (int j = 0; j < i; ++j) CHECK(blocks[i] != blocks[j]);
  }
  CHECK(pool_deallocate_many(pool, blocks, CAPACITY) == POOL_OK);
}

static void interrupted_for(int seconds, uint32_t checks) {
  pool_options_t options = POOL_OPTIONS_INIT;
  struct sigaction action;
  struct itimerval every = {{0, 100}, {0, 100}};
  const struct itimerval never = {{0, 0}, {0, 0}};
  options.block_size = BLOCK;
  options.capacity = 8;
  options.max_capacity = CAPACITY; /* grows in the handler, too */
  options.threading = POOL_THREADS_LOCK_FREE;
  options.checks = checks;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  CHECK(sigaction(SIGALRM, &action, NULL) == 0);
  signals_handled = 0;
  CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
  busy(seconds);
  CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
  CHECK(signals_handled > 100 && broken == 0);
  CHECK(pool_grow(pool, CAPACITY - pool_capacity(pool)) == POOL_OK);
  census();
  CHECK(pool_destroy(pool) == POOL_OK);
}

int main(void) {
  interrupted_for(2, POOL_CHECKS_STANDARD);
  interrupted_for(1, POOL_CHECKS_NONE);
  return CHECK_RESULT();
}
