/* Bad handles: NULL, stale and garbage, for every function. */

#include <stdint.h>

#include "check.h"
#include "memory_pool/pool.h"

static int errors_logged;

static void count_errors(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)message;
  if (level == POOL_LOG_ERROR) ++errors_logged;
}

#define REFUSED(as_it_should) \
  do {                        \
    CHECK(as_it_should);      \
    ++calls;                  \
  } while (0)

/* Every function with `pool`: the status where there is one, nothing where there is none, and one
   line in the log each. */
static void every_function_refuses(pool_t *pool, pool_status_t expected) {
  pool_stats_t stats = {0};
  void *block = NULL;
  int calls = 0;
  stats.struct_size = sizeof stats;
  errors_logged = 0;
  REFUSED(pool_allocate(pool) == NULL);
  REFUSED(pool_allocate_zeroed(pool) == NULL);
  REFUSED(pool_deallocate(pool, &stats) == expected);
  REFUSED(pool_deallocate(pool, NULL) == expected);
  REFUSED(pool_allocate_wait(pool, UINT64_MAX, &block) == expected && block == NULL);
  REFUSED(pool_cache_create(pool) == NULL);
  REFUSED(pool_allocate_many(pool, &block, 1) == 0);
  REFUSED(pool_deallocate_many(pool, &block, 1) == expected);
  REFUSED(pool_reset(pool) == expected);
  REFUSED(pool_grow(pool, 1) == expected);
  REFUSED(pool_trim(pool, NULL) == expected);
  REFUSED(pool_validate(pool) == expected);
  REFUSED(pool_get_stats(pool, &stats) == expected);
  REFUSED(!pool_owns(pool, &stats));
  REFUSED(pool_block_size(pool) == 0);
  REFUSED(pool_stride(pool) == 0);
  REFUSED(pool_alignment(pool) == 0);
  REFUSED(pool_capacity(pool) == 0);
  REFUSED(pool_in_use(pool) == 0);
  REFUSED(pool_available(pool) == 0);
  CHECK(errors_logged == calls);
}

/* The same bits as a cache. */
static void every_function_of_caches_refuses(void *handle, pool_status_t expected) {
  pool_cache_t *cache = handle;
  int calls = 0;
  errors_logged = 0;
  REFUSED(pool_cache_allocate(cache) == NULL);
  REFUSED(pool_cache_deallocate(cache, &calls) == expected);
  REFUSED(pool_cache_deallocate(cache, NULL) == expected);
  if (cache != NULL) REFUSED(pool_cache_destroy(cache) == expected);
  CHECK(errors_logged == calls);
}

int main(void) {
  pool_set_log_callback(count_errors, NULL, POOL_LOG_ERROR);
  CHECK(pool_destroy(NULL) == POOL_OK);
  CHECK(pool_cache_destroy(NULL) == POOL_OK);
  every_function_refuses(NULL, POOL_ERR_NULL_ARGUMENT);
  every_function_of_caches_refuses(NULL, POOL_ERR_NULL_ARGUMENT);

  /* Garbage before the first pool exists, and after. */
  int local = 0;
  uintptr_t garbage[] = {1,          2, 64, 4096, 0xDEADBEEF, (uintptr_t)&local, (uintptr_t)&main,
                         ~(uintptr_t)0};
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; ++i) {
      every_function_refuses((pool_t *)garbage[i], POOL_ERR_STALE_HANDLE);
      every_function_of_caches_refuses((void *)garbage[i], POOL_ERR_STALE_HANDLE);
      CHECK(pool_destroy((pool_t *)garbage[i]) == POOL_ERR_STALE_HANDLE);
    }
    pool_t *pool = pool_create(64, 8);
    CHECK(pool_allocate(pool) != NULL);
    CHECK(pool_reset(pool) == POOL_OK);
    every_function_of_caches_refuses(pool, POOL_ERR_STALE_HANDLE);

    /* Near a live handle, and in the middle of its slot. */
    for (int step = -16; step <= 16; ++step) {
      pool_t *near = (pool_t *)((uintptr_t)pool + (uintptr_t)(intptr_t)step);
      if (step != 0) every_function_refuses(near, POOL_ERR_STALE_HANDLE);
    }
    CHECK(pool_destroy(pool) == POOL_OK);
    every_function_refuses(pool, POOL_ERR_STALE_HANDLE);
    every_function_of_caches_refuses(pool, POOL_ERR_STALE_HANDLE);
    CHECK(pool_destroy(pool) == POOL_ERR_STALE_HANDLE);
  }
  return CHECK_RESULT();
}
