/* The system does not unmap what a pool had: the pool is gone all the same, the memory goes back,
   only the address space stays, and the log says so. */

#define _GNU_SOURCE /* madvise, mincore, syscall */

#include "check.h"
#include "failing_calls.h"
#include "live_blocks.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 20000 };

static size_t lines = 0;
static int32_t last_level = 0;

static void count(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)message;
  ++lines;
  last_level = level;
}

static pool_t *created(uint32_t checks) {
  const pool_options_t options = options_of(CAPACITY, 0, checks);
  pool_t *pool = NULL;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  lines = unmaps_refused = 0;
  return pool;
}

/* Looks at each OS page, and does what the pool could not. */
static void nothing_is_in_memory(void *start, size_t bytes) {
  for (size_t page = 0; page < bytes; page += 4096) {
    unsigned char in_memory = 1;
    CHECK(mincore((char *)start + page, 4096, &in_memory) == 0 && (in_memory & 1) == 0);
  }
  CHECK(munmap(start, bytes) == 0);
}

static void destroy(uint32_t checks) {
  const size_t mapped = mapped_bytes;
  pool_t *pool = created(checks);
  take(pool, CAPACITY);
  give_back_all_but(pool, 0);
  CHECK(resident(pool) >= (size_t)CAPACITY * BLOCK_SIZE);
  unmap_fails = true;
  CHECK(pool_destroy(pool) == POOL_OK);
  unmap_fails = false;
  CHECK(unmaps_refused == 1 && lines == 1 && last_level == POOL_LOG_WARN);
  if (unmaps_refused == 1) nothing_is_in_memory(unmap_refused[0].start, unmap_refused[0].bytes);
  CHECK(mapped_bytes == mapped);
  CHECK(pool_destroy(pool) == POOL_ERR_STALE_HANDLE);
}

/* What a trim keeps track with is replaced by that of the next. */
static void trim(uint32_t checks) {
  const size_t mapped = mapped_bytes;
  pool_t *pool = created(checks);
  take(pool, CAPACITY);
  give_back_pages(pool, CAPACITY / 2);
  CHECK(pool_trim(pool, NULL) == POOL_OK);
  unmap_fails = true;
  CHECK(pool_trim(pool, NULL) == POOL_OK);
  unmap_fails = false;
  is_whole(pool);
  CHECK(unmaps_refused > 0);
  for (size_t i = 0; i < unmaps_refused; ++i) {
    CHECK(munmap(unmap_refused[i].start, unmap_refused[i].bytes) == 0);
  }
  give_back_all_but(pool, 0);
  CHECK(pool_destroy(pool) == POOL_OK && mapped_bytes == mapped);
}

int main(void) {
  const uint32_t levels[] = {POOL_CHECKS_STANDARD, POOL_CHECKS_NONE};
  pool_set_log_callback(count, NULL, POOL_LOG_WARN);
  /* The memory of the handles comes with the first pool and stays. */
  CHECK(pool_destroy(pool_create(BLOCK_SIZE, 1)) == POOL_OK);
  for (int level = 0; level < 2; ++level) {
    destroy(levels[level]);
    trim(levels[level]);
  }
  return CHECK_RESULT();
}
