/* A program without a mistake, of which a tool that watches memory must say nothing: blocks of
   every kind of pool, taken, written to their last byte, read and given back at random. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory_pool/pool.h"

#define REQUIRE(condition)     \
  do {                         \
    if (!(condition)) abort(); \
  } while (0)

#ifndef OPERATIONS
#define OPERATIONS 100000
#endif

enum { LIVE_MAX = 700 };

static uint64_t state = 1;

static size_t random_below(size_t end) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (size_t)(state >> 33) % end;
}

static void work(pool_t *pool, size_t block_size) {
  static unsigned char *live[LIVE_MAX];
  size_t count = 0;
  for (int i = 0; i < OPERATIONS; ++i) {
    if (count < LIVE_MAX && random_below(2) == 0) {
      const int zeroed = random_below(4) == 0;
      unsigned char *block = zeroed ? pool_allocate_zeroed(pool) : pool_allocate(pool);
      REQUIRE(block != NULL);
      REQUIRE(!zeroed || (block[0] == 0 && block[block_size - 1] == 0));
      memset(block, (int)(count % 251), block_size);
      live[count++] = block;
    } else if (count > 0) {
      const size_t which = random_below(count);
      REQUIRE(live[which][0] == live[which][block_size - 1]);
      REQUIRE(pool_deallocate(pool, live[which]) == POOL_OK);
      live[which] = live[--count];
    }
  }
  REQUIRE(pool_in_use(pool) == count && pool_validate(pool) == POOL_OK);
  REQUIRE(pool_reset(pool) == POOL_OK);
  void *again = pool_allocate_zeroed(pool);
  REQUIRE(again != NULL && ((char *)again)[block_size - 1] == 0);
  REQUIRE(pool_deallocate(pool, again) == POOL_OK);
}

/* What only a block leads to is no leak. */
static void keep_heap(void) {
  static pool_t *pool;
  static void **block;
  pool = pool_create(64, 4);
  REQUIRE(pool != NULL);
  block = pool_allocate(pool);
  REQUIRE(block != NULL);
  block[0] = malloc(100);
  REQUIRE(block[0] != NULL);
}

int main(void) {
  static const size_t sizes[] = {1, 20, 24, 64, 100, 4096};
  static const uint32_t threadings[] = {POOL_THREADS_SAFE, POOL_THREADS_SINGLE,
                                        POOL_THREADS_LOCK_FREE};
  static const uint32_t levels[] = {POOL_CHECKS_STANDARD, POOL_CHECKS_NONE, POOL_CHECKS_FULL};
  for (size_t i = 0; i < 6 * 3 * 3; ++i) {
    pool_options_t options = POOL_OPTIONS_INIT;
    options.block_size = sizes[i / 9];
    options.capacity = 10;
    options.max_capacity = 1000;
    options.threading = threadings[i / 3 % 3];
    options.checks = levels[i % 3];
    if (i % 2 == 0) options.flags = POOL_GUARD_PAGES;
    pool_t *pool = NULL;
    REQUIRE(pool_create_with(&options, &pool) == POOL_OK);
    work(pool, options.block_size);
    REQUIRE(pool_destroy(pool) == POOL_OK);
  }
  keep_heap();
  return 0;
}
