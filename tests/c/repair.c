/* Writes into free blocks break the free list; the pool notices, repairs it and loses no block. */

#include <stdint.h>
#include <string.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 64, BLOCK_SIZE = 32 };

static int repairs;

static void count_repairs(void *user_data, int32_t level, const char *message) {
  (void)user_data;
  if (level == POOL_LOG_ERROR && strstr(message, "rebuilt") != NULL) ++repairs;
}

static uint32_t random_state = 1;
static uint32_t next_random(void) {
  random_state = random_state * 1664525u + 1013904223u;
  return random_state >> 8;
}

/* What a stray write may leave where a link was. */
static uintptr_t stray(int kind, void **blocks) {
  switch (kind) {
    case 0: return 0;
    case 1: return ~(uintptr_t)0;
    case 2: return (uintptr_t)blocks[next_random() % CAPACITY];     /* some block, free or live */
    case 3: return (uintptr_t)blocks[next_random() % CAPACITY] + 4; /* inside a block */
    case 4: return (uintptr_t)&repairs;
    default: return ((uintptr_t)next_random() << 32) | next_random();
  }
}

static void every_block_can_still_be_had(pool_t *pool, void **blocks) {
  unsigned char seen[CAPACITY] = {0};
  uintptr_t base = (uintptr_t)blocks[0];
  for (int i = 1; i < CAPACITY; ++i) {
    if ((uintptr_t)blocks[i] < base) base = (uintptr_t)blocks[i];
  }
  for (int i = 0; i < CAPACITY; ++i) {
    void *block = pool_allocate(pool);
    const size_t index = ((uintptr_t)block - base) / BLOCK_SIZE;
    CHECK(block != NULL && index < CAPACITY && pool_owns(pool, block));
    if (index < CAPACITY) CHECK(seen[index]++ == 0);
    blocks[i] = block;
  }
  CHECK(pool_allocate(pool) == NULL);
  CHECK(pool_in_use(pool) == CAPACITY && pool_validate(pool) == POOL_OK);
}

int main(void) {
  void *blocks[CAPACITY];
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = BLOCK_SIZE;
  options.capacity = CAPACITY;
  options.threading = POOL_THREADS_SINGLE; /* links lie in blocks only where there is one owner */
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  pool_set_log_callback(count_repairs, NULL, POOL_LOG_ERROR);
  CHECK(pool_allocate_many(pool, blocks, CAPACITY) == CAPACITY);
  for (int round = 0; round < 6000; ++round) {
    CHECK(pool_deallocate_many(pool, blocks, CAPACITY) == POOL_OK);
    for (uint32_t writes = next_random() % 4; writes-- > 0;) {
      const uintptr_t value = stray(round % 6, blocks);
      memcpy(blocks[next_random() % CAPACITY], &value, sizeof value);
    }
    every_block_can_still_be_had(pool, blocks);
  }
  CHECK(repairs > 1000);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
  return CHECK_RESULT();
}
