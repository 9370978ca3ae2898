/* A program as it was compiled with the headers of 0.1, which lie beside it: it runs with every
   later library that the soname lets it have, inlined or not. */

#include "memory_pool/pool_inline.h"

#include "../../c/check.h"

enum { BLOCKS = 2000 };

static void of_one_owner(uint32_t checks) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  static void *blocks[BLOCKS];
  options.block_size = 64;
  options.capacity = BLOCKS;
  options.threading = POOL_THREADS_SINGLE;
  options.checks = checks;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  pool_single_view_t words;
  pool_single_view_t *const view = &words;
  pool_inline_single(pool, checks, view);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < BLOCKS; ++i) {
      blocks[i] = pool_inline_allocate(pool, view, checks);
      CHECK(blocks[i] != NULL && pool_in_use(pool) == (size_t)i + 1);
    }
    CHECK(pool_inline_allocate(pool, view, checks) == NULL);
    for (int i = 0; i < BLOCKS; ++i) {
      CHECK(pool_inline_deallocate(pool, view, checks, blocks[i]) == POOL_OK);
    }
    CHECK(pool_in_use(pool) == 0 && pool_validate(pool) == POOL_OK);
  }
  if (checks != POOL_CHECKS_NONE) {
    CHECK(pool_inline_deallocate(pool, view, checks, blocks[7]) == POOL_ERR_DOUBLE_FREE);
  }
  CHECK(pool_destroy(pool) == POOL_OK);
}

static void of_a_cache(void) {
  pool_t *pool = pool_create(64, BLOCKS);
  pool_cache_t *cache = pool_cache_create(pool);
  pool_cache_view_t *const view = pool_inline_cache(cache);
  static void *blocks[BLOCKS];
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < BLOCKS; ++i) {
      blocks[i] = pool_inline_cache_allocate(cache, view);
      CHECK(blocks[i] != NULL && pool_in_use(pool) == (size_t)i + 1);
    }
    CHECK(pool_inline_cache_allocate(cache, view) == NULL);
    for (int i = 0; i < BLOCKS; ++i) {
      CHECK(pool_inline_cache_deallocate(cache, view, blocks[i]) == POOL_OK);
    }
    CHECK(pool_in_use(pool) == 0 && pool_validate(pool) == POOL_OK);
  }
  CHECK(pool_inline_cache_deallocate(cache, view, blocks[7]) == POOL_ERR_DOUBLE_FREE);
  CHECK(pool_destroy(pool) == POOL_OK);
  CHECK(pool_inline_cache_allocate(cache, view) == NULL);
  CHECK(pool_inline_cache_deallocate(cache, view, blocks[0]) == POOL_ERR_STALE_HANDLE);
}

int main(void) {
  pool_set_log_callback(NULL, NULL, 0);
  of_one_owner(POOL_CHECKS_STANDARD);
  of_one_owner(POOL_CHECKS_NONE);
  of_a_cache();
  return CHECK_RESULT();
}
