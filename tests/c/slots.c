/* One slot, occupant after occupant: pools of every engine, and a cache. The handle of one that is
   gone finds none of its followers, of whichever kind, and does them no harm. */

#include <stdbool.h>
#include <stdint.h>

#include "check.h"
#include "memory_pool/pool.h"

/* What lives in a slot: a pool of one of these kinds, or after them a cache. */
static const struct {
  uint32_t threading, checks;
} POOLS[] = {
    {POOL_THREADS_SAFE, POOL_CHECKS_STANDARD},      {POOL_THREADS_SAFE, POOL_CHECKS_NONE},
    {POOL_THREADS_SINGLE, POOL_CHECKS_STANDARD},    {POOL_THREADS_SINGLE, POOL_CHECKS_NONE},
    {POOL_THREADS_LOCK_FREE, POOL_CHECKS_STANDARD}, {POOL_THREADS_LOCK_FREE, POOL_CHECKS_NONE},
};
enum { CACHE = sizeof POOLS / sizeof *POOLS, KINDS };
enum { SLOT_BYTES = 2048, CAPACITY = 4 };

static pool_t *pool_of_the_caches;

static int errors_logged;
static void count_errors(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)message;
  if (level == POOL_LOG_ERROR) ++errors_logged;
}

/* Answers the handle. */
static void *begin(int kind) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  if (kind == CACHE) return pool_cache_create(pool_of_the_caches);
  options.block_size = 64;
  options.capacity = CAPACITY;
  options.threading = POOLS[kind].threading;
  options.checks = POOLS[kind].checks;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  return pool;
}

static void end(int kind, void *handle) {
  CHECK((kind == CACHE ? pool_cache_destroy(handle) : pool_destroy(handle)) == POOL_OK);
}

static void *allocate(int kind, void *handle) {
  return kind == CACHE ? pool_cache_allocate(handle) : pool_allocate(handle);
}

static void deallocate(int kind, void *handle, void *block) {
  const bool is_cache = kind == CACHE;
  CHECK((is_cache ? pool_cache_deallocate(handle, block) : pool_deallocate(handle, block)) ==
        POOL_OK);
}

static void no_pool_has(void *handle, void *block) {
  errors_logged = 0;
  CHECK(pool_allocate(handle) == NULL);
  CHECK(pool_deallocate(handle, block) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_deallocate(handle, NULL) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_destroy(handle) == POOL_ERR_STALE_HANDLE);
  CHECK(errors_logged == 4);
}

static void no_cache_has(void *handle, void *block) {
  errors_logged = 0;
  CHECK(pool_cache_allocate(handle) == NULL);
  CHECK(pool_cache_deallocate(handle, block) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_cache_deallocate(handle, NULL) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_cache_destroy(handle) == POOL_ERR_STALE_HANDLE);
  CHECK(errors_logged == 4);
}

static void nobody_has(uintptr_t bits, void *block) {
  no_pool_has((void *)bits, block);
  no_cache_has((void *)bits, block);
}

/* With blocks of its own beforehand, live and free, so that both calls could take their fast path
   if the handle led there. */
static void a_handle_does_not_find_the_next(int kind, int next) {
  void *gone = begin(kind);
  deallocate(kind, gone, allocate(kind, gone));
  end(kind, gone);
  nobody_has((uintptr_t)gone, &gone);

  void *here = begin(next);
  CHECK(here != gone && ((uintptr_t)here ^ (uintptr_t)gone) < SLOT_BYTES);
  void *block = allocate(next, here);
  deallocate(next, here, allocate(next, here));
  CHECK(block != NULL);
  nobody_has((uintptr_t)gone, block);
  pool_t *pool = next == CACHE ? pool_of_the_caches : here;
  CHECK(pool_in_use(pool) == 1 && pool_validate(pool) == POOL_OK);
  deallocate(next, here, block);
  CHECK(pool_in_use(pool) == 0);
  end(next, here);
}

/* Every address in the slot but the handle, and the complement of each; the handle itself finds a
   pool or a cache and not the other. */
static void only_the_handle_finds(int kind) {
  void *handle = begin(kind);
  void *block = allocate(kind, handle);
  const uintptr_t slot = (uintptr_t)handle / SLOT_BYTES * SLOT_BYTES;
  for (uintptr_t bits = slot; bits < slot + SLOT_BYTES; ++bits) {
    if (bits != (uintptr_t)handle) nobody_has(bits, block);
    nobody_has(~bits, block);
  }
  if (kind == CACHE) no_pool_has(handle, block);
  if (kind != CACHE) no_cache_has(handle, block);
  deallocate(kind, handle, block);
  end(kind, handle);
}

int main(void) {
  pool_set_log_callback(count_errors, NULL, POOL_LOG_ERROR);
  pool_of_the_caches = pool_create(64, CAPACITY);
  for (int kind = 0; kind < KINDS; ++kind) {
    for (int next = 0; next < KINDS; ++next) a_handle_does_not_find_the_next(kind, next);
    only_the_handle_finds(kind);
  }
  CHECK(pool_destroy(pool_of_the_caches) == POOL_OK);
  return CHECK_RESULT();
}
