/* The main path: create, allocate to the last block, give all back, destroy. */

#include <stdint.h>
#include <string.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 100, BLOCK_SIZE = 48 };

static void every_block_is_one_of_a_kind(pool_t *pool, unsigned char **blocks) {
  for (int i = 0; i < CAPACITY; ++i) {
    blocks[i] = pool_allocate(pool);
    CHECK(blocks[i] != NULL);
    CHECK((uintptr_t)blocks[i] % pool_alignment(pool) == 0);
    CHECK(pool_owns(pool, blocks[i]));
    memset(blocks[i], i, BLOCK_SIZE);
  }
  CHECK(pool_allocate(pool) == NULL);
  CHECK(pool_in_use(pool) == CAPACITY && pool_available(pool) == 0);
  for (int i = 0; i < CAPACITY; ++i) {
    for (int byte = 0; byte < BLOCK_SIZE; ++byte) CHECK(blocks[i][byte] == i);
  }
}

static void the_block_given_back_last_comes_first(pool_t *pool, unsigned char **blocks) {
  CHECK(pool_deallocate(pool, blocks[7]) == POOL_OK);
  CHECK(pool_deallocate(pool, blocks[3]) == POOL_OK);
  CHECK(pool_allocate(pool) == blocks[3]);
  CHECK(pool_allocate(pool) == blocks[7]);
}

static void zeroed_blocks_are_zero(pool_t *pool, unsigned char **blocks) {
  unsigned char *block;
  memset(blocks[0], 0xFF, BLOCK_SIZE);
  CHECK(pool_deallocate(pool, blocks[0]) == POOL_OK);
  block = pool_allocate_zeroed(pool);
  CHECK(block == blocks[0]);
  for (int byte = 0; byte < BLOCK_SIZE; ++byte) CHECK(block[byte] == 0);
}

static void reset_makes_every_block_free(pool_t *pool) {
  CHECK(pool_reset(pool) == POOL_OK);
  CHECK(pool_in_use(pool) == 0 && pool_available(pool) == CAPACITY);
  for (int i = 0; i < CAPACITY; ++i) CHECK(pool_allocate(pool) != NULL);
  CHECK(pool_allocate(pool) == NULL);
  CHECK(pool_validate(pool) == POOL_OK);
}

int main(void) {
  unsigned char *blocks[CAPACITY];
  pool_t *pool = pool_create(BLOCK_SIZE, CAPACITY);
  CHECK(pool != NULL);
  CHECK(pool_block_size(pool) == BLOCK_SIZE && pool_capacity(pool) == CAPACITY);
  CHECK(pool_stride(pool) == BLOCK_SIZE && pool_alignment(pool) == 16);
  every_block_is_one_of_a_kind(pool, blocks);
  the_block_given_back_last_comes_first(pool, blocks);
  zeroed_blocks_are_zero(pool, blocks);
  CHECK(pool_validate(pool) == POOL_OK);
  reset_makes_every_block_free(pool);
  CHECK(pool_reset(pool) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK);
  return CHECK_RESULT();
}
