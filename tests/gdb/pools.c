/* Pools of every mode, with known blocks live, for a debugger to look at; then abort. Of the four
   blocks that are handed out first, all but block 1 stay live; of `wide`, those of odd numbers. */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory_pool/pool_inline.h"

enum { BLOCK_SIZE = 24, CAPACITY = 100, BUFFER_BYTES = 8192 };

static _Alignas(16) unsigned char buffers[3][BUFFER_BYTES];

static void require(bool condition) {
  if (!condition) exit(1);
}

static pool_t *create(const char *name, uint32_t threading, uint32_t checks, void *buffer) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = BLOCK_SIZE;
  options.capacity = CAPACITY;
  options.name = name;
  options.threading = threading;
  options.checks = checks;
  options.buffer = buffer;
  options.buffer_bytes = buffer == NULL ? 0 : BUFFER_BYTES;
  require(pool_create_with(&options, &pool) == POOL_OK);
  return pool;
}

/* As `use`, by inlined calls: the ledger does not hear of the block that comes back. */
static void use_inlined(pool_t *pool) {
  static pool_single_view_t view;
  (void)pool_inline_single(pool, POOL_CHECKS_STANDARD, &view);
  void *blocks[4];
  for (int i = 0; i < 4; ++i) {
    blocks[i] = pool_inline_allocate(pool, &view, POOL_CHECKS_STANDARD);
    require(blocks[i] != NULL);
  }
  require(pool_inline_deallocate(pool, &view, POOL_CHECKS_STANDARD, blocks[1]) == POOL_OK);
}

/* Answers block 2, with a text in it. */
static char *use(pool_t *pool) {
  char *blocks[4];
  char *first = NULL;
  for (int i = 0; i < 4; ++i) {
    blocks[i] = pool_allocate(pool);
    require(blocks[i] != NULL);
    if (first == NULL || (uintptr_t)blocks[i] < (uintptr_t)first) first = blocks[i];
  }
  require(pool_deallocate(pool, first + pool_stride(pool)) == POOL_OK);
  char *third = first + 2 * pool_stride(pool);
  memset(third, 0, BLOCK_SIZE);
  return strcpy(third, "a known text");
}

pool_t *wide;
pool_t *trusted;
pool_t *signals;
pool_t *at_hand;
char *known_block;

/* The frame that the tests look at. */
static void end(pool_t *pool, const pool_t *dead, struct pool_t *null) {
  if (pool != dead && null == NULL) abort();
}

int main(void) {
  pool_t *pool = create("any thread", POOL_THREADS_SAFE, POOL_CHECKS_STANDARD, NULL);
  pool_t *dead = create("dead", POOL_THREADS_SAFE, POOL_CHECKS_STANDARD, NULL);
  known_block = use(pool);
  use(create("any thread, trusted", POOL_THREADS_SAFE, POOL_CHECKS_NONE, NULL));
  use(create("one owner", POOL_THREADS_SINGLE, POOL_CHECKS_STANDARD, NULL));
  trusted = create("one owner, trusted", POOL_THREADS_SINGLE, POOL_CHECKS_NONE, NULL);
  use(trusted);
  signals = create("signals", POOL_THREADS_LOCK_FREE, POOL_CHECKS_STANDARD, NULL);
  use(signals);
  use(create("signals, trusted", POOL_THREADS_LOCK_FREE, POOL_CHECKS_NONE, NULL));
  use(create("in a buffer", POOL_THREADS_SAFE, POOL_CHECKS_STANDARD, buffers[0]));
  use(create("in a buffer, trusted", POOL_THREADS_SAFE, POOL_CHECKS_NONE, buffers[1]));
  use(create("in a buffer, signals", POOL_THREADS_LOCK_FREE, POOL_CHECKS_STANDARD, buffers[2]));

  pool_t *cached = create("cached", POOL_THREADS_SAFE, POOL_CHECKS_STANDARD, NULL);
  pool_cache_t *cache = pool_cache_create(cached);
  require(cache != NULL && pool_cache_allocate(cache) != NULL);

  at_hand = create("at hand", POOL_THREADS_SINGLE, POOL_CHECKS_STANDARD, NULL);
  use_inlined(at_hand);

  wide = create("wide", POOL_THREADS_SINGLE, POOL_CHECKS_STANDARD, NULL);
  void *blocks[CAPACITY];
  require(pool_allocate_many(wide, blocks, CAPACITY) == CAPACITY);
  for (int i = 0; i < CAPACITY; i += 2) require(pool_deallocate(wide, blocks[i]) == POOL_OK);
  require(pool_destroy(dead) == POOL_OK);
  end(pool, dead, NULL);
  return 0;
}
