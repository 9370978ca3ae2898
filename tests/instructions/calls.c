/* Pairs of calls on one kind of pool, for tests/instructions.rs to count: one block live at a time,
 * which is the steady state of the hot paths, or blocks that were never used, all taken before the
 * first is given back. It ends with 0 when all is well.
 *
 *     calls THREADING CHECKS BY FAILED PAIRS
 *
 * Numbers of POOL_THREADS_* and POOL_CHECKS_*; by the calls of pool, cache, inlined or
 * inlined_cache, or by those of a large pool, or of the pool on fresh blocks; how often allocations
 * were made to fail before.
 */

#include <memory_pool/pool_inline.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 2000, LARGE = 5000 };

static int by_pool(pool_t *pool, long pairs) {
  for (; pairs > 0; --pairs) {
    if (pool_deallocate(pool, pool_allocate(pool)) != POOL_OK) return 1;
  }
  return 0;
}

static int by_fresh_blocks(pool_t *pool, long pairs) {
  static void *blocks[CAPACITY];
  for (long i = 0; i < pairs; ++i) {
    if ((blocks[i] = pool_allocate(pool)) == NULL) return 1;
  }
  for (long i = 0; i < pairs; ++i) {
    if (pool_deallocate(pool, blocks[i]) != POOL_OK) return 1;
  }
  return 0;
}

static int by_cache(pool_t *pool, long pairs) {
  pool_cache_t *cache = pool_cache_create(pool);
  for (; pairs > 0; --pairs) {
    if (pool_cache_deallocate(cache, pool_cache_allocate(cache)) != POOL_OK) return 1;
  }
  return pool_cache_destroy(cache);
}

/* What is inlined is counted with the two instructions or so of a function around it. */
#define COUNTED __attribute__((noinline, noclone))

COUNTED void *inlined_allocate_0(pool_t *pool, pool_single_view_t *view) {
  return pool_inline_allocate(pool, view, POOL_CHECKS_STANDARD);
}

COUNTED pool_status_t inlined_deallocate_0(pool_t *pool, pool_single_view_t *view, void *block) {
  return pool_inline_deallocate(pool, view, POOL_CHECKS_STANDARD, block);
}

COUNTED void *inlined_allocate_1(pool_t *pool, pool_single_view_t *view) {
  return pool_inline_allocate(pool, view, POOL_CHECKS_NONE);
}

COUNTED pool_status_t inlined_deallocate_1(pool_t *pool, pool_single_view_t *view, void *block) {
  return pool_inline_deallocate(pool, view, POOL_CHECKS_NONE, block);
}

COUNTED void *inlined_cache_allocate(pool_cache_t *cache, pool_cache_view_t *view) {
  return pool_inline_cache_allocate(cache, view);
}

COUNTED pool_status_t inlined_cache_deallocate(pool_cache_t *cache, pool_cache_view_t *view,
                                               void *block) {
  return pool_inline_cache_deallocate(cache, view, block);
}

static int by_inlined_calls(pool_t *pool, uint32_t checks, long pairs) {
  pool_single_view_t words;
  pool_single_view_t *const view = &words;
  pool_inline_single(pool, checks, view);
  for (; pairs > 0; --pairs) {
    const pool_status_t status =
        checks == POOL_CHECKS_STANDARD
            ? inlined_deallocate_0(pool, view, inlined_allocate_0(pool, view))
            : inlined_deallocate_1(pool, view, inlined_allocate_1(pool, view));
    if (status != POOL_OK) return 1;
  }
  pool_inline_end(pool, checks);
  return 0;
}

static int by_inlined_cache(pool_t *pool, long pairs) {
  pool_cache_t *cache = pool_cache_create(pool);
  pool_cache_view_t *const view = pool_inline_cache(cache);
  for (; pairs > 0; --pairs) {
    void *const block = inlined_cache_allocate(cache, view);
    if (inlined_cache_deallocate(cache, view, block) != POOL_OK) return 1;
  }
  return pool_cache_destroy(cache);
}

static int by(const char *word, pool_t *pool, uint32_t checks, long pairs) {
  if (strcmp(word, "pool") == 0 || strcmp(word, "large") == 0) return by_pool(pool, pairs);
  if (strcmp(word, "fresh") == 0) return by_fresh_blocks(pool, pairs);
  if (strcmp(word, "cache") == 0) return by_cache(pool, pairs);
  if (strcmp(word, "inlined") == 0) return by_inlined_calls(pool, checks, pairs);
  return by_inlined_cache(pool, pairs);
}

static int fail(pool_t *pool, long times) {
  for (; times > 0; --times) {
    if (pool_fail_after(pool, 0) != POOL_OK || pool_allocate(pool) != NULL) return 1;
    if (pool_fail_after(pool, UINT64_MAX) != POOL_OK) return 1;
  }
  return 0;
}

int main(int count, char **words) {
  if (count != 6) return 2;
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = 64;
  options.capacity = strcmp(words[3], "large") == 0 ? LARGE : CAPACITY;
  options.threading = (uint32_t)atoi(words[1]);
  options.checks = (uint32_t)atoi(words[2]);
  pool_t *pool = NULL;
  if (pool_create_with(&options, &pool) != POOL_OK) return 1;
  if (fail(pool, atol(words[4])) != 0) return 1;
  if (by(words[3], pool, options.checks, atol(words[5])) != 0) return 1;
  return pool_destroy(pool);
}
