/* Pairs of calls on one kind of pool, one block live at a time: the steady state of the hot paths,
 * for tests/instructions.rs to count. It ends with 0 when all is well.
 *
 *     calls THREADING CHECKS with|without PAIRS     numbers of POOL_THREADS_* and POOL_CHECKS_*, a
 *                                                   cache or none
 */

#include <memory_pool/pool.h>
#include <stdlib.h>
#include <string.h>

static int by_pool(pool_t *pool, long pairs) {
  for (; pairs > 0; --pairs) {
    if (pool_deallocate(pool, pool_allocate(pool)) != POOL_OK) return 1;
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

int main(int count, char **words) {
  if (count != 5) return 2;
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = 64;
  options.capacity = 1000;
  options.threading = (uint32_t)atoi(words[1]);
  options.checks = (uint32_t)atoi(words[2]);
  pool_t *pool = NULL;
  if (pool_create_with(&options, &pool) != POOL_OK) return 1;
  const long pairs = atol(words[4]);
  if ((strcmp(words[3], "with") == 0 ? by_cache : by_pool)(pool, pairs) != 0) return 1;
  return pool_destroy(pool);
}
